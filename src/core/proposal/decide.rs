//! What is still missing of a proposal. Pure: one look at the world in, the steps out; whoever acts
//! looks again when a step finds the world changed.

use super::MergeMethod;
use super::body;
use super::pull_request::{Fate, LastPullRequest, PullRequest, WantedPullRequest, not_among};

/// The branch and the pull request as they should be.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The id of the base's head: the only parent of the commit.
    pub base_id: String,
    /// The id of the tree.
    pub tree_id: String,
    /// The pull request; `None` when only the branch is asked for.
    pub pull_request: Option<WantedPullRequest>,
    /// What our mark in the pull request says: what stands for all of its text, but for what changes
    /// by itself, and what is proposed.
    pub mark: String,
    /// The name of the model.
    pub model: String,
}

/// What there is.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The branch; `None` when it is not there.
    pub branch: Option<Branch>,
    /// The open pull requests from the branch into the base.
    pub pull_requests: Vec<PullRequest>,
    /// The newest from the branch into the base whatever became of it; `None` when there is none, or
    /// when it does not matter.
    pub last: Option<LastPullRequest>,
}

/// A branch that may hold the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The id of its head.
    pub id: String,
    /// The id of that commit's tree.
    pub tree_id: String,
    /// The ids of that commit's parents.
    pub parent_ids: Vec<String>,
    /// A commit of the branch that somebody else made.
    pub foreign: Option<ForeignCommit>,
    /// Whether nothing would be changed in its tree, and nothing comes with it that neither the base
    /// nor whoever goes on with it wants.
    pub is_current: bool,
    /// Whether it may stay behind the base, because merging it there gives the wanted tree.
    pub merges_as_wanted: bool,
}

/// A commit that we did not make, on a branch that we would replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignCommit {
    /// Its id.
    pub id: String,
    /// Who wrote it: `Name <address>`.
    pub author: String,
    /// What it is doing there.
    pub kind: ForeignKind,
}

/// What a commit that is not ours does on our branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForeignKind {
    /// Somebody goes on with what we proposed.
    Above,
    /// Ours is on top of it, though the base does not have it: the base was put back, or the branch
    /// is a proposal for another base.
    Below,
    /// It is a proposal too, of another SetModel or another package.
    Proposal {
        /// The name of the SetModel.
        config: String,
        /// The package's directory; empty for the root.
        package: String,
    },
}

/// One step outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make the commit, and point the branch to it if it still points to what was seen.
    Push {
        /// What the branch points to; `None` when it is not there.
        seen: Option<String>,
    },
    /// Open the pull request.
    Open(WantedPullRequest),
    /// Replace title and body.
    Edit {
        /// The pull request as it is.
        pull_request: PullRequest,
        /// The new title.
        title: String,
        /// The new body.
        body: String,
    },
    /// Add labels.
    AddLabels {
        /// The pull request.
        number: u64,
        /// Those that are missing.
        labels: Vec<String>,
    },
    /// Add assignees.
    AddAssignees {
        /// The pull request.
        number: u64,
        /// Those that are missing.
        assignees: Vec<String>,
    },
    /// Ask for reviews.
    RequestReviewers {
        /// The pull request.
        number: u64,
        /// Those who were neither asked nor have reviewed.
        reviewers: Vec<String>,
    },
    /// Let it merge by itself.
    EnableAutoMerge {
        /// The pull request.
        number: u64,
        /// How.
        method: MergeMethod,
    },
    /// Say something under it.
    Comment {
        /// The pull request.
        number: u64,
        /// What.
        text: String,
    },
    /// Close it without merging.
    Close {
        /// The pull request.
        number: u64,
    },
    /// Remove the branch if it still points to what was seen.
    RemoveBranch {
        /// What the branch points to.
        seen: String,
    },
}

impl Step {
    /// Whether the proposal stands without it, so that its refusal keeps nothing else from being done.
    #[must_use]
    pub const fn is_extra(&self) -> bool {
        matches!(
            self,
            Self::AddLabels { .. }
                | Self::AddAssignees { .. }
                | Self::RequestReviewers { .. }
                | Self::EnableAutoMerge { .. }
        )
    }
}

/// What must not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The branch holds a commit of somebody else, which would be lost.
    Foreign(ForeignCommit),
    /// Somebody closed the pull request that proposed this.
    Declined {
        /// The page of that pull request.
        url: String,
    },
}

/// The steps that are still missing, in their order; none when all is there.
///
/// # Errors
/// A step would destroy what somebody else made, or ask again what somebody has refused.
pub fn decide(wanted: &Wanted, observed: &Observed) -> Result<Vec<Step>, Obstacle> {
    if let Some(declined) = declined(wanted, observed) {
        let url = declined.url.clone();
        return Err(Obstacle::Declined { url });
    }
    let mut steps = Vec::new();
    match &observed.branch {
        None => steps.push(Step::Push { seen: None }),
        Some(branch) => match &branch.foreign {
            // Somebody goes on with it, and it says what we would say.
            Some(_) if branch.is_current => {}
            Some(foreign) => return Err(Obstacle::Foreign(foreign.clone())),
            None => {
                let is_there = branch.tree_id == wanted.tree_id
                    && branch.parent_ids == [wanted.base_id.as_str()];
                if !is_there && !branch.merges_as_wanted {
                    let seen = Some(branch.id.clone());
                    steps.push(Step::Push { seen });
                }
            }
        },
    }
    let Some(pull_request) = &wanted.pull_request else {
        return Ok(steps);
    };
    match oldest(&observed.pull_requests) {
        None => steps.push(Step::Open(pull_request.clone())),
        Some(there) => steps.extend(complete(wanted, pull_request, there)),
    }
    Ok(steps)
}

/// The pull request by which somebody said no to what is wanted. Ours that we closed say so in
/// their mark. A run that was killed between the push and the opening left none.
fn declined<'o>(wanted: &Wanted, observed: &'o Observed) -> Option<&'o PullRequest> {
    let text = wanted.pull_request.as_ref()?;
    let last = observed.last.as_ref().filter(|it| it.fate == Fate::Closed);
    let there = &last
        .filter(|_| observed.pull_requests.is_empty())?
        .pull_request;
    body::proposes(there, text, &wanted.mark, &wanted.model).then_some(there)
}

/// The pull request that counts: forges allow one for a branch, and should one allow more, the first
/// is the one that people know.
pub fn oldest(pull_requests: &[PullRequest]) -> Option<&PullRequest> {
    pull_requests.iter().min_by_key(|it| it.number)
}

/// What an open pull request lacks.
fn complete(wanted: &Wanted, text: &WantedPullRequest, there: &PullRequest) -> Vec<Step> {
    let mut steps = Vec::new();
    let number = there.number;
    if let Some((title, body)) = body::replaced(there, text, &wanted.mark) {
        steps.push(Step::Edit {
            pull_request: there.clone(),
            title,
            body,
        });
    }
    let labels = not_among(&text.labels, &there.labels);
    if !labels.is_empty() {
        steps.push(Step::AddLabels { number, labels });
    }
    let assignees = not_among(&text.assignees, &there.assignees);
    if !assignees.is_empty() {
        steps.push(Step::AddAssignees { number, assignees });
    }
    let reviewers = not_among(&text.reviewers, &there.reviewers);
    if !reviewers.is_empty() {
        steps.push(Step::RequestReviewers { number, reviewers });
    }
    if let Some(method) = text.auto_merge.filter(|_| !there.has_auto_merge) {
        steps.push(Step::EnableAutoMerge { number, method });
    }
    steps
}

/// The steps that end a proposal that nobody needs any more: say why, take it back in its mark, close,
/// remove the branch. The mark comes before the closing: a run that is killed in between must not
/// leave what looks like somebody's refusal. What others have worked on stays.
pub fn withdraw(observed: &Observed, reason: &str) -> Vec<Step> {
    let Some(branch) = observed.branch.as_ref().filter(|it| it.foreign.is_none()) else {
        return Vec::new();
    };
    let mut steps = Vec::new();
    for there in &observed.pull_requests {
        let number = there.number;
        let text = reason.to_owned();
        steps.push(Step::Comment { number, text });
        if let Some(body) = body::withdrawn(&there.body) {
            steps.push(Step::Edit {
                pull_request: there.clone(),
                title: there.title.clone(),
                body,
            });
        }
        steps.push(Step::Close { number });
    }
    let seen = branch.id.clone();
    steps.push(Step::RemoveBranch { seen });
    steps
}

impl Observed {
    /// What is there after a step was done, so that the next one can be decided without another
    /// look. `opened` is what opening gave back.
    #[must_use]
    pub fn after(mut self, step: &Step, wanted: &Wanted, opened: Option<PullRequest>) -> Self {
        let of = |number: &u64| {
            let number = *number;
            move |it: &&mut PullRequest| it.number == number
        };
        let all = &mut self.pull_requests;
        match step {
            Step::Push { .. } => {
                self.branch = Some(Branch {
                    id: String::new(),
                    tree_id: wanted.tree_id.clone(),
                    parent_ids: vec![wanted.base_id.clone()],
                    foreign: None,
                    is_current: true,
                    merges_as_wanted: false,
                });
            }
            Step::Open(_) => all.extend(opened),
            Step::Edit {
                pull_request,
                title,
                body,
            } => {
                for it in all.iter_mut().filter(of(&pull_request.number)) {
                    (it.title, it.body) = (title.clone(), body.clone());
                }
            }
            Step::AddLabels { number, labels } => {
                for it in all.iter_mut().filter(of(number)) {
                    it.labels.extend(labels.iter().cloned());
                }
            }
            Step::AddAssignees { number, assignees } => {
                for it in all.iter_mut().filter(of(number)) {
                    it.assignees.extend(assignees.iter().cloned());
                }
            }
            Step::RequestReviewers { number, reviewers } => {
                for it in all.iter_mut().filter(of(number)) {
                    it.reviewers.extend(reviewers.iter().cloned());
                }
            }
            Step::EnableAutoMerge { number, .. } => {
                for it in all.iter_mut().filter(of(number)) {
                    it.has_auto_merge = true;
                }
            }
            Step::Comment { .. } => {}
            Step::Close { number } => all.retain(|it| it.number != *number),
            Step::RemoveBranch { .. } => self.branch = None,
        }
        self
    }
}

#[cfg(test)]
mod tests;
