//! Forges on loopback: servers with a state, over real HTTP, that can be told to fail at any call.
//! The tests in `src/adapters/forges` use them too.

#![expect(clippy::disallowed_types, reason = "a server for tests needs a socket")]

pub(crate) mod gitea;
pub(crate) mod github;
pub(crate) mod gitlab;
pub(crate) mod repository;
pub(crate) mod server;
