//! What there is of a proposal: the branch's tip, whose commits it holds, and the pull request.

use anyhow::anyhow;
use gix::ObjectId;

use super::look::{Looker, World};
use super::prepare::{Proposal, path_from_root};
use super::{RebaseWhen, Stop};
use crate::adapters::git::CommitInfo;
use crate::core::change::{FileChange, OwnConfig, update};
use crate::core::config::SetModel;
use crate::core::proposal::trailers::{CONFIG, trailer};
use crate::core::proposal::{Branch, ForeignCommit, Head, Observed};

/// Commits of ours that can be on top of each other before the whole branch counts as somebody
/// else's.
const MOST_OWN_COMMITS: usize = 50;

impl Looker<'_> {
    /// Looks at a branch and its pull requests. `proposal` is what is to be there; `None` when nothing
    /// is.
    pub(super) async fn observe(
        &mut self,
        world: &World,
        config: &SetModel,
        branch: &str,
        proposal: Option<&Proposal>,
    ) -> Result<Observed, Stop> {
        let tip = match world.heads.branches.get(branch) {
            Some(id) => Some(self.tip(world, config, *id, proposal).await?),
            None => None,
        };
        let mut observed = Observed {
            branch: tip,
            ..Observed::default()
        };
        if let Some(forge) = self.forge {
            let head = Head {
                fork: self.job.fork.as_ref().map(|fork| fork.full_name.clone()),
                branch: branch.to_owned(),
            };
            let reviewers = &self.request.extras.reviewers;
            observed.pull_requests = forge.find(&head, &world.base, reviewers).await?;
            // Only where one would be opened, so that it costs nothing at other times.
            let would_open = observed.pull_requests.is_empty() && proposal.is_some();
            if would_open && !self.request.reopens {
                observed.last = forge.last(&head, &world.base).await?;
            }
        }
        Ok(observed)
    }

    async fn tip(
        &mut self,
        world: &World,
        config: &SetModel,
        id: ObjectId,
        proposal: Option<&Proposal>,
    ) -> Result<Branch, Stop> {
        self.workspace.fetch(world.base_id, Some(id)).await?;
        let commit = self.workspace.commit(id)?;
        let foreign = self.foreign(world, config, &commit).await?;
        let is_current = match (&foreign, proposal) {
            (Some(_), Some(proposal)) => {
                self.says_already(world, config, id, &proposal.model)
                    .await?
            }
            _ => true,
        };
        let merges_as_wanted = match proposal {
            Some(proposal) if self.request.rebases == RebaseWhen::Conflicted => {
                self.merges_as_wanted(world, &commit, proposal).await?
            }
            _ => false,
        };
        Ok(Branch {
            id: id.to_string(),
            tree_id: commit.tree_id.to_string(),
            parent_ids: commit.parent_ids.iter().map(ToString::to_string).collect(),
            foreign,
            is_current,
            merges_as_wanted,
        })
    }

    /// The first commit, from the tip down to the base, that we did not make. What is in the base
    /// already cannot be lost, whoever made it.
    async fn foreign(
        &mut self,
        world: &World,
        config: &SetModel,
        tip: &CommitInfo,
    ) -> Result<Option<ForeignCommit>, Stop> {
        let mut commit = tip.clone();
        // Only a tip that is not ours is asked about: of the others the parent is, which mostly is
        // the base itself and then costs nothing.
        let is_clearly_ours = tip.parent_ids.len() == 1 && self.is_ours(config, tip);
        if !is_clearly_ours && self.workspace.is_in(world.base_id, tip.id).await? {
            return Ok(None);
        }
        for _ in 0..MOST_OWN_COMMITS {
            let [parent] = commit.parent_ids[..] else {
                return Ok(Some(foreign(&commit)));
            };
            if !self.is_ours(config, &commit) {
                return Ok(Some(foreign(&commit)));
            }
            let is_in_base = self.workspace.is_in(world.base_id, parent).await?;
            if is_in_base {
                return Ok(None);
            }
            self.workspace.fetch(world.base_id, Some(parent)).await?;
            commit = self.workspace.commit(parent)?;
        }
        Ok(Some(foreign(&commit)))
    }

    /// Whether we made a commit, and for this config: its trailer says so, and nobody has committed
    /// it again, as amending and rebasing do. People and `modelsync` can share an address, so the
    /// committer alone does not tell.
    fn is_ours(&self, config: &SetModel, commit: &CommitInfo) -> bool {
        // What GitHub commits through its API is committed by `GitHub <noreply@github.com>`, or by
        // `noreply@HOST` on a server of one's own. Whoever amends that commits it as somebody else.
        let is_forges =
            self.request.commit.is_by_forge && commit.committer.email.starts_with("noreply@");
        let is_by_us = commit
            .committer
            .email
            .eq_ignore_ascii_case(&self.committer.email);
        trailer(&commit.message, CONFIG) == Some(config.name.as_str())
            && (is_forges || is_by_us && commit.is_as_made)
    }

    /// Whether merging a commit into the base gives the wanted tree: it makes the same change to an
    /// older commit of the base, and the files that it touches have not changed in the base since.
    async fn merges_as_wanted(
        &mut self,
        world: &World,
        commit: &CommitInfo,
        proposal: &Proposal,
    ) -> Result<bool, Stop> {
        let [parent] = commit.parent_ids[..] else {
            return Ok(false);
        };
        if !self.workspace.is_in(world.base_id, parent).await? {
            return Ok(false);
        }
        self.workspace.fetch(world.base_id, Some(parent)).await?;
        // The directory may not have been there.
        let Ok(before) = self.workspace.package(parent).await else {
            return Ok(false);
        };
        let place = self.workspace.place();
        let is_as_now = |change: &FileChange| {
            let path = |part: &str| path_from_root(place, part) == change.from;
            let mut parts = before.package.parts();
            parts.any(|(_, part)| part.path().is_some_and(path) && part.text() == change.old)
        };
        Ok(proposal.files.iter().all(is_as_now)
            && self
                .workspace
                .tree_with(before.tree_id, &proposal.files)
                .is_ok_and(|tree_id| tree_id == commit.tree_id))
    }

    /// Whether the tree of a commit says already what we would say.
    async fn says_already(
        &self,
        world: &World,
        config: &SetModel,
        id: ObjectId,
        model: &str,
    ) -> Result<bool, Stop> {
        let there = self.workspace.package(id).await?;
        let own = OwnConfig::default();
        let update = update(&there.package, config, &own, &world.models, self.now);
        Ok(update.is_ok_and(|update| {
            update.change.is_empty() && update.selection.chosen_name() == Some(model)
        }))
    }
}

fn foreign(commit: &CommitInfo) -> ForeignCommit {
    ForeignCommit {
        id: commit.id.to_string(),
        author: commit.author.to_string(),
    }
}

/// What to tell about a commit that would be lost.
pub(super) fn refusal(branch: &str, url: &str, foreign: &ForeignCommit) -> anyhow::Error {
    let short = foreign.id.get(..12).unwrap_or(&foreign.id);
    anyhow!(
        "cannot replace the branch {branch} of {url}: the commit {short} of {} is not ours and would \
         be lost; merge it, or remove the branch",
        foreign.author
    )
}
