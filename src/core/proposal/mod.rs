//! Branch, commit and pull request for one Change.

mod pull_request;
mod remote;

pub use pull_request::{
    Head, MergeMethod, PullRequest, WantedPullRequest, not_among, users_and_teams,
};
pub use remote::{ForgeKind, Remote, api_base_of};
