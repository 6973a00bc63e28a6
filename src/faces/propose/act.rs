//! One step after the other, until nothing is missing.

use anyhow::anyhow;
use gix::ObjectId;

use super::Stop;
use super::look::{Looker, World};
use super::observe::refusal;
use super::prepare::Proposal;
use super::progress::{Progress, describe, outcome};
use crate::adapters::forges::{self, CommitThroughApi, Forge, WantedCommit};
use crate::adapters::git::NewCommit;
use crate::core::config::SetModel;
use crate::core::proposal::{
    Observed, Obstacle, Preview, PullRequest, Step, Wanted, decide, oldest,
};
use crate::core::report::diff;

/// More steps than a proposal has.
const MOST_STEPS: usize = 50;

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
    pub(super) async fn act(
        &mut self,
        branch: &str,
        step: &Step,
    ) -> Result<Option<PullRequest>, Stop> {
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
