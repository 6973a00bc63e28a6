//! Branch, commit and pull request for one Change.

mod pull_request;

pub use pull_request::{Head, MergeMethod, PullRequest, WantedPullRequest};
