//! What there is of a proposal: the branch's tip, whose commits it holds, and the pull request.

use anyhow::anyhow;
use gix::ObjectId;

use super::look::{Looker, World};
use super::prepare::{Proposal, path_from_root};
use super::{RebaseWhen, Stop};
use crate::adapters::git::{BasePackage, CommitInfo, NoDirectory};
use crate::core::change::{FileChange, OwnConfig, update};
use crate::core::config::SetModel;
use crate::core::proposal::trailers::{CONFIG, PACKAGE, trailer};
use crate::core::proposal::{Branch, ForeignCommit, ForeignKind, Head, Observed};

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
            (Some(foreign), Some(proposal)) => {
                foreign.kind == ForeignKind::Above
                    && self
                        .says_already(world, config, id, &proposal.model)
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
            let parent = match commit.parent_ids[..] {
                [parent] if self.is_ours(config, &commit) => parent,
                _ => return Ok(Some(self.foreign_commit(&commit, tip))),
            };
            let is_in_base = self.workspace.is_in(world.base_id, parent).await?;
            if is_in_base {
                return Ok(None);
            }
            self.workspace.fetch(world.base_id, Some(parent)).await?;
            commit = self.workspace.commit(parent)?;
        }
        Ok(Some(self.foreign_commit(&commit, tip)))
    }

    fn foreign_commit(&self, commit: &CommitInfo, tip: &CommitInfo) -> ForeignCommit {
        let kind = match proposal_of(commit) {
            _ if commit.id != tip.id => ForeignKind::Below,
            Some((config, package)) if commit.parent_ids.len() == 1 && self.is_by_us(commit) => {
                ForeignKind::Proposal {
                    config: config.to_owned(),
                    package: package.to_owned(),
                }
            }
            _ => ForeignKind::Above,
        };
        ForeignCommit {
            id: commit.id.to_string(),
            author: commit.author.to_string(),
            kind,
        }
    }

    /// Whether we made a commit, and for this config of this package, as its trailers say.
    fn is_ours(&self, config: &SetModel, commit: &CommitInfo) -> bool {
        let wanted = (config.name.as_str(), self.workspace.place());
        proposal_of(commit) == Some(wanted) && self.is_by_us(commit)
    }

    /// Whether we are the last who committed something: amending and rebasing do it again. People and
    /// `modelsync` can share an address, so the committer alone does not tell.
    fn is_by_us(&self, commit: &CommitInfo) -> bool {
        // What GitHub commits through its API is committed by `GitHub <noreply@github.com>`, or by
        // `noreply@HOST` on a server of one's own. Whoever amends that commits it as somebody else.
        let is_forges =
            self.request.commit.is_by_forge && commit.committer.email.starts_with("noreply@");
        let is_by_us = commit
            .committer
            .email
            .eq_ignore_ascii_case(&self.committer.email);
        is_forges || is_by_us && commit.is_as_made
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
        let Some(before) = self.package_of(parent).await? else {
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

    /// The package of a commit; `None` where its directory is not there.
    async fn package_of(&self, commit_id: ObjectId) -> Result<Option<BasePackage>, Stop> {
        match self.workspace.package(commit_id).await {
            Err(error) if error.is::<NoDirectory>() => Ok(None),
            package => Ok(Some(package?)),
        }
    }

    /// Whether the tree of a commit says already what we would say.
    async fn says_already(
        &self,
        world: &World,
        config: &SetModel,
        id: ObjectId,
        model: &str,
    ) -> Result<bool, Stop> {
        let Some(there) = self.package_of(id).await? else {
            return Ok(false);
        };
        let own = OwnConfig::default();
        let update = update(&there.package, config, &own, &world.models, self.now);
        Ok(update.is_ok_and(|update| {
            update.change.is_empty() && update.selection.chosen_name() == Some(model)
        }))
    }
}

/// The SetModel and the package that a commit is a proposal of, by its trailers.
fn proposal_of(commit: &CommitInfo) -> Option<(&str, &str)> {
    let config = trailer(&commit.message, CONFIG)?;
    Some((config, trailer(&commit.message, PACKAGE).unwrap_or("")))
}

/// As much of a commit's id as people need.
pub(super) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// Why a branch is not replaced, and what to do about it.
pub(super) fn refusal(
    branch: &str,
    url: &str,
    base: &str,
    foreign: &ForeignCommit,
) -> anyhow::Error {
    let short = short(&foreign.id);
    let author = &foreign.author;
    match &foreign.kind {
        ForeignKind::Above => anyhow!(
            "cannot replace the branch {branch} of {url}: the commit {short} of {author} is not ours \
             and would be lost; merge it, or remove the branch"
        ),
        ForeignKind::Below => anyhow!(
            "cannot replace the branch {branch} of {url}: it is on top of the commit {short} of \
             {author}, which {base} does not have; remove the branch if {base} was put back, or choose \
             another with --branch if it is the proposal for another base"
        ),
        ForeignKind::Proposal { config, package } => {
            let package = match package.as_str() {
                "" => "at the root".to_owned(),
                package => format!("in {package}"),
            };
            anyhow!(
                "cannot replace the branch {branch} of {url}: it is the proposal of the SetModel \
                 {config} of the package {package}; choose another branch with --branch"
            )
        }
    }
}
