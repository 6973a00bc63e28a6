//! Branch, commit and pull request for one Change.

mod body;
mod decide;
mod pull_request;
mod remote;
mod report;
pub mod trailers;

pub use body::{has_room, mark, marked};
pub use decide::{
    Branch, ForeignCommit, ForeignKind, Observed, Obstacle, Step, Wanted, decide, oldest, withdraw,
};
pub use pull_request::{
    Fate, Head, LastPullRequest, MergeMethod, PullRequest, WantedPullRequest, not_among,
    users_and_teams,
};
pub use remote::{ForgeKind, Remote, api_base_of};
pub use report::{Outcome, Preview, Report};
