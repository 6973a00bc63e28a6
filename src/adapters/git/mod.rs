//! Git: objects, trees and commits with gix; what reaches a remote through the `git` program, so
//! that users' SSH agents, deploy keys, credential helpers, proxies and known hosts keep working, or
//! without it through the forge's API.
//!
//! Nobody's work tree, index, refs or configuration is touched: everything is made in a temporary
//! bare repository that borrows the objects of the user's clone.

mod base;
mod command;
mod commit;
mod package;
mod place;
mod push;
mod refs;
mod refusal;
mod through_api;
mod url;
mod workspace;

pub(crate) use base::Base;
pub(crate) use commit::{CommitInfo, Identity, NewCommit};
pub(crate) use package::{BasePackage, NoDirectory};
pub(crate) use place::Place;
pub(crate) use refs::{Heads, WantedHeads};
pub(crate) use refusal::{GitError, Refused};
pub(crate) use url::RemoteUrl;
pub(crate) use workspace::{Settings, Workspace};
