//! One step after the other, until nothing is missing.

use anyhow::anyhow;
use gix::ObjectId;

use super::look::{Looker, World};
use super::observe::{refusal, short};
use super::prepare::{Nothing, Proposal, per_model_start};
use super::{Naming, Stop};
use crate::adapters::forges::{self, CommitThroughApi, Forge, WantedCommit};
use crate::adapters::git::NewCommit;
use crate::core::config::SetModel;
use crate::core::proposal::{
    ForeignKind, Observed, Obstacle, Outcome, Preview, PullRequest, Report, Step, Wanted, decide,
    oldest, withdraw,
};
use crate::core::report::diff;

/// More steps than a proposal has.
const MOST_STEPS: usize = 50;

/// What is known of a proposal and what was done for it, through all rounds: also what a run that
/// fails leaves behind.
pub(super) struct Progress {
    /// What will be told. Its steps are those that were done.
    pub(super) report: Report,
    done: Vec<Step>,
    /// Steps that others did not wait for, and why they were refused.
    refused: Vec<(Step, anyhow::Error)>,
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
    fn did(&mut self, step: Step, branch: &str) {
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

impl Looker<'_> {
    /// Does what is missing of a proposal.
    pub(super) async fn complete(
        &mut self,
        world: &World,
        config: &SetModel,
        proposal: &Proposal,
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        let wanted = Wanted {
            base_id: world.base_id.to_string(),
            tree_id: proposal.tree_id.to_string(),
            pull_request: self.forge.map(|_| proposal.text.clone()),
            mark: proposal.mark.clone(),
            model: proposal.model.clone(),
        };
        let branch = &proposal.branch;
        let report = &mut progress.report;
        report.base.clone_from(&world.base);
        report.branch = Some(branch.clone());
        report.model = Some(proposal.model.clone());
        report.previous.clone_from(&proposal.previous);
        report.reasons.clone_from(&proposal.reasons);
        let mut observed = self.observe(world, config, branch, Some(proposal)).await?;
        let found = observed.branch.as_ref();
        report.commit = found.map(|branch| branch.id.clone());
        report.pull_request = oldest(&observed.pull_requests).map(|it| it.url.clone());
        let url = self.workspace.push_url().to_owned();
        let missing = |observed: &Observed| match decide(&wanted, observed) {
            Ok(steps) => Ok(steps),
            Err(Obstacle::Foreign(foreign)) => {
                Err(Stop::Failed(refusal(branch, &url, &world.base, &foreign)))
            }
            Err(Obstacle::Declined { url }) => Err(Stop::Failed(anyhow!(declined(
                config,
                &proposal.model,
                &url
            )))),
        };
        if let Err(Obstacle::Declined { url }) = decide(&wanted, &observed) {
            let reason = declined(config, &proposal.model, &url);
            report.reasons.insert(0, reason);
            // What is still there of it is not proposed.
            (report.branch, report.commit, report.pull_request) = (None, None, None);
            report.outcome = outcome(&progress.done, self.forge.is_some());
            return Ok(());
        }
        if self.request.is_dry_run {
            let steps = missing(&observed)?;
            report.outcome = outcome(&steps, self.forge.is_some());
            report.steps = steps
                .iter()
                .map(|step| describe(step, branch, false))
                .collect();
            report.preview = Some(Preview {
                message: proposal.message.clone(),
                diff: diff::unified(&proposal.files),
                title: proposal.text.title.clone(),
                body: proposal.text.body.clone(),
            });
            return self.supersede(world, config, branch, progress).await;
        }
        progress.refused.clear();
        for _ in 0..MOST_STEPS {
            let is_refused = |step: &Step| progress.refused.iter().any(|(it, _)| it == step);
            let missing = missing(&observed)?;
            let Some(step) = missing.into_iter().find(|step| !is_refused(step)) else {
                self.supersede(world, config, branch, progress).await?;
                progress.report.outcome = outcome(&progress.done, self.forge.is_some());
                return Ok(());
            };
            let opened = if let Step::Push { seen } = &step {
                let id = self.push(world, proposal, seen.as_deref()).await?;
                progress.report.commit = Some(id);
                None
            } else {
                match self.act(branch, &step).await {
                    Err(Stop::Failed(error)) if step.is_extra() => {
                        progress.refused.push((step, error));
                        continue;
                    }
                    acted => acted?,
                }
            };
            observed = observed.after(&step, &wanted, opened);
            progress.report.pull_request = oldest(&observed.pull_requests).map(|it| it.url.clone());
            progress.did(step, branch);
        }
        Err(Stop::Failed(anyhow!(
            "cannot complete the proposal on {branch}: there is always a step missing; please report it"
        )))
    }

    /// Reports that there is nothing to propose, and withdraws what was proposed when asked to.
    pub(super) async fn nothing_to_do(
        &mut self,
        world: &World,
        config: &SetModel,
        nothing: &Nothing,
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        let report = &mut progress.report;
        report.base.clone_from(&world.base);
        report.model.clone_from(&nothing.model);
        report.previous.clone_from(&nothing.previous);
        report.reasons.clone_from(&nothing.reasons);
        // What an earlier round saw may be gone.
        (report.branch, report.commit, report.pull_request) = (None, None, None);
        let summary = nothing.reasons.first().cloned().unwrap_or_default();
        if self.request.closes_obsolete {
            let reason = format!(
                "`modelsync` closes this: nothing is left to change in `{}`.\n\n{}",
                world.base,
                crate::core::report::markdown::code(&summary)
            );
            let mut branches: Vec<String> = nothing.branch.iter().cloned().collect();
            if self.request.naming == Naming::PerModel {
                branches.extend(self.per_model_branches(world, config));
            }
            for branch in branches {
                self.retire(world, config, &branch, &reason, progress)
                    .await?;
            }
        }
        progress.report.outcome = Outcome::UpToDate;
        Ok(())
    }

    /// Closes the proposals of a config's other models.
    async fn supersede(
        &mut self,
        world: &World,
        config: &SetModel,
        branch: &str,
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        if self.request.naming != Naming::PerModel {
            return Ok(());
        }
        let reason = format!("`modelsync` closes this: `{branch}` proposes another model.");
        for other in self.per_model_branches(world, config) {
            if other != branch {
                self.retire(world, config, &other, &reason, progress)
                    .await?;
            }
        }
        Ok(())
    }

    fn per_model_branches(&self, world: &World, config: &SetModel) -> Vec<String> {
        let start = per_model_start(config);
        let names = world.heads.branches.keys();
        names
            .filter(|name| name.starts_with(&start))
            .cloned()
            .collect()
    }

    async fn retire(
        &mut self,
        world: &World,
        config: &SetModel,
        branch: &str,
        reason: &str,
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        if !world.heads.branches.contains_key(branch) {
            return Ok(());
        }
        let observed = self.observe(world, config, branch, None).await?;
        let foreign = observed.branch.as_ref().and_then(|it| it.foreign.as_ref());
        if let Some(foreign) = foreign
            && !matches!(foreign.kind, ForeignKind::Proposal { .. })
        {
            progress.report.steps.push(format!(
                "left the branch {branch}, which holds the commit {} of {}",
                short(&foreign.id),
                foreign.author
            ));
        }
        for step in withdraw(&observed, reason) {
            if self.request.is_dry_run {
                progress.report.steps.push(describe(&step, branch, false));
            } else {
                self.act(branch, &step).await?;
                progress.did(step, branch);
            }
        }
        Ok(())
    }

    async fn push(
        &mut self,
        world: &World,
        proposal: &Proposal,
        seen: Option<&str>,
    ) -> Result<String, Stop> {
        if let Some(api) = self.api {
            return self.commit_by_forge(api, world, proposal, seen).await;
        }
        let new = NewCommit {
            tree_id: proposal.tree_id,
            parent_id: world.base_id,
            author: self.author.clone(),
            committer: self.committer.clone(),
            time: self.now,
            message: proposal.message.clone(),
            is_signed: self.request.commit.is_signed,
        };
        let commit = self.workspace.make_commit(&new).await?;
        let seen = seen.map(parsed).transpose()?;
        self.workspace
            .push(&proposal.branch, Some(commit), seen)
            .await?;
        Ok(commit.to_string())
    }

    /// Lets the forge make the commit, and sign it.
    async fn commit_by_forge(
        &mut self,
        api: &dyn CommitThroughApi,
        world: &World,
        proposal: &Proposal,
        seen: Option<&str>,
    ) -> Result<String, Stop> {
        let mut changes = Vec::new();
        for file in &proposal.files {
            // Else every run would find another tree than the one it wants, and commit again.
            let tree_id = world.package.tree_id;
            if !self.workspace.is_plain_file(tree_id, &file.from)? {
                return Err(Stop::Failed(anyhow!(
                    "cannot commit {} through the forge's API: it is executable or a symbolic link, \
                     and the API makes plain files only; leave --commit-via out",
                    file.from
                )));
            }
            if file.from != file.to {
                changes.push(forges::FileChange {
                    path: file.from.clone(),
                    contents: None,
                });
            }
            changes.push(forges::FileChange {
                path: file.to.clone(),
                contents: Some(file.new.clone().into_bytes()),
            });
        }
        let wanted = WantedCommit {
            branch: proposal.branch.clone(),
            seen: seen.map(str::to_owned),
            base_id: world.base_id.to_string(),
            message: proposal.message.clone(),
            changes,
        };
        let made = api.commit(&wanted).await?;
        if parsed(&made.tree_id)? != proposal.tree_id {
            return Err(Stop::Failed(anyhow!(
                "cannot commit {} through the forge's API: it made another tree than was asked \
                 for; leave --commit-via out",
                proposal.branch
            )));
        }
        Ok(made.id)
    }

    /// Does one step other than the push; what opening gives back.
    async fn act(&mut self, branch: &str, step: &Step) -> Result<Option<PullRequest>, Stop> {
        if let Step::RemoveBranch { seen } = step {
            let seen = parsed(seen)?;
            self.workspace.remove(branch, seen).await?;
        }
        let opened = match self.forge {
            Some(forge) => self.ask(forge, step).await?,
            None => None,
        };
        Ok(opened)
    }

    async fn ask(&self, forge: &dyn Forge, step: &Step) -> Result<Option<PullRequest>, Stop> {
        match step {
            Step::Push { .. } | Step::RemoveBranch { .. } => {}
            Step::Open(wanted) => return Ok(Some(forge.open(wanted).await?)),
            Step::Edit {
                pull_request,
                title,
                body,
            } => forge.edit(pull_request, title, body).await?,
            Step::AddLabels { number, labels } => forge.add_labels(*number, labels).await?,
            Step::AddAssignees { number, assignees } => {
                forge.add_assignees(*number, assignees).await?;
            }
            Step::RequestReviewers { number, reviewers } => {
                forge.request_reviewers(*number, reviewers).await?;
            }
            Step::EnableAutoMerge { number, method } => {
                forge.enable_auto_merge(*number, *method).await?;
            }
            Step::Comment { number, text } => match forge.comment(*number, text).await {
                // Twice would be worse than not knowing.
                Err(error) if error.is_uncertain => {}
                said => said?,
            },
            Step::Close { number } => forge.close(*number).await?,
        }
        Ok(None)
    }
}

/// Why something is not proposed again, and what to do about it.
fn declined(config: &SetModel, model: &str, url: &str) -> String {
    format!(
        "{}: not proposing {model} again, for somebody closed {url} without merging it: reopen it, add \
         the model to spec.policy.exclude, or run with --reopen",
        config.name
    )
}

fn parsed(id: &str) -> anyhow::Result<ObjectId> {
    ObjectId::from_hex(id.as_bytes())
        .map_err(|error| anyhow!("cannot read the id of a commit: {error}"))
}

/// How it ended, by what was done.
fn outcome(done: &[Step], has_forge: bool) -> Outcome {
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
fn describe(step: &Step, branch: &str, is_done: bool) -> String {
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
