//! What a run has done for a proposal, and how that is told.

use crate::core::proposal::{Outcome, Report, Step};

/// What is known of a proposal and what was done for it, through all rounds: also what a run that
/// fails leaves behind.
pub(super) struct Progress {
    /// What will be told. Its steps are those that were done.
    pub(super) report: Report,
    /// The steps that were done.
    pub(super) done: Vec<Step>,
    /// Steps that others did not wait for, and why they were refused.
    pub(super) refused: Vec<(Step, anyhow::Error)>,
}

impl Progress {
    pub(super) fn new(config: &str) -> Self {
        Self {
            report: Report {
                config: config.to_owned(),
                outcome: Outcome::Unchanged,
                base: String::new(),
                branch: None,
                commit: None,
                pull_request: None,
                model: None,
                previous: Vec::new(),
                reasons: Vec::new(),
                steps: Vec::new(),
                preview: None,
            },
            done: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// The report of a run that came to its end.
    pub(super) fn ended(mut self) -> Report {
        if !self.refused.is_empty() {
            let name = &self.report.config;
            let refused = self.refused.iter();
            self.report.reasons = refused.map(|(_, it)| in_the_name_of(name, it)).collect();
            self.report.outcome = Outcome::Failed;
        }
        self.report
    }

    /// A step was done on a branch.
    pub(super) fn did(&mut self, step: Step, branch: &str) {
        self.report.steps.push(describe(&step, branch, true));
        self.done.push(step);
    }

    /// The report of a run that failed.
    pub(super) fn failed(mut self, error: &anyhow::Error) -> Report {
        self.report.reasons = vec![in_the_name_of(&self.report.config, error)];
        self.report.outcome = Outcome::Failed;
        self.report
    }
}

/// What went wrong, and for whom, unless it says so itself: a config that cannot be read goes by the
/// name of its file.
fn in_the_name_of(name: &str, error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    let is_told = ["", "cannot read "]
        .iter()
        .any(|start| text.starts_with(&format!("{start}{name}:")));
    if is_told {
        text
    } else {
        format!("{name}: {text}")
    }
}

/// How it ended, by what was done.
pub(super) fn outcome(done: &[Step], has_forge: bool) -> Outcome {
    let is_new = done.iter().any(|step| match step {
        Step::Open(_) => true,
        Step::Push { seen } => seen.is_none() && !has_forge,
        _ => false,
    });
    match (is_new, done.is_empty()) {
        (true, _) => Outcome::Created,
        (false, false) => Outcome::Updated,
        (false, true) => Outcome::Unchanged,
    }
}

/// A step in words: as it was done, or would be.
pub(super) fn describe(step: &Step, branch: &str, is_done: bool) -> String {
    let verb = |would: &str, did: &str| {
        if is_done {
            did.to_owned()
        } else {
            format!("would {would}")
        }
    };
    let (verb, rest) = match step {
        Step::Push { seen: None } => (verb("push", "pushed"), format!("a new branch {branch}")),
        Step::Push { seen: Some(_) } => {
            (verb("push", "pushed"), format!("the branch {branch} again"))
        }
        Step::Open(wanted) => (
            verb("open", "opened"),
            format!("a pull request from {branch} into {}", wanted.base),
        ),
        Step::Edit { pull_request, .. } => (
            verb("renew", "renewed"),
            format!("the text of pull request {}", pull_request.number),
        ),
        Step::AddLabels { number, labels } => (
            verb("add", "added"),
            format!("{} to pull request {number}", labels.join(", ")),
        ),
        Step::AddAssignees { number, assignees } => (
            verb("assign", "assigned"),
            format!("pull request {number} to {}", assignees.join(", ")),
        ),
        Step::RequestReviewers { number, reviewers } => (
            verb("ask", "asked"),
            format!("{} to review pull request {number}", reviewers.join(", ")),
        ),
        Step::EnableAutoMerge { number, .. } => (
            verb("let", "let"),
            format!("pull request {number} merge by itself"),
        ),
        Step::Comment { number, .. } => (
            verb("comment", "commented"),
            format!("on pull request {number}"),
        ),
        Step::Close { number } => (verb("close", "closed"), format!("pull request {number}")),
        Step::RemoveBranch { .. } => (verb("remove", "removed"), format!("the branch {branch}")),
    };
    format!("{verb} {rest}")
}
