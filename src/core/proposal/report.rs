//! What became of a proposal.

/// How a run ended for one config.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The base says already what it should.
    UpToDate,
    /// The proposal was there, or somebody refused it, and nothing was done.
    Unchanged,
    /// The proposal was there, and something of it was renewed.
    Updated,
    /// The proposal is new.
    Created,
    /// Refused or failed.
    Failed,
}

impl Outcome {
    /// The outcome as it is in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UpToDate => "up-to-date",
            Self::Unchanged => "unchanged",
            Self::Updated => "updated",
            Self::Created => "created",
            Self::Failed => "failed",
        }
    }
}

/// What became of the proposal of one config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The name of the SetModel.
    pub config: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The branch that the change is for.
    pub base: String,
    /// The branch that holds the change; `None` when there is none.
    pub branch: Option<String>,
    /// The head of that branch.
    pub commit: Option<String>,
    /// The page of the pull request.
    pub pull_request: Option<String>,
    /// The model that was chosen.
    pub model: Option<String>,
    /// The models that are in the base.
    pub previous: Vec<String>,
    /// Why, the summary first.
    pub reasons: Vec<String>,
    /// What was done, or would be, a line each.
    pub steps: Vec<String>,
    /// What would be made, when nothing may be.
    pub preview: Option<Preview>,
}

/// What a proposal would be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The commit message.
    pub message: String,
    /// The change as a unified diff; paths are from the repository's root.
    pub diff: String,
    /// The title of the pull request.
    pub title: String,
    /// Its body.
    pub body: String,
}
