//! Proposals that nobody needs any more: of another model, or of what the base says already.

use super::look::{Looker, World};
use super::observe::short;
use super::prepare::{Nothing, per_model_start};
use super::progress::{Progress, describe};
use super::{Naming, Stop};
use crate::core::config::SetModel;
use crate::core::proposal::{ForeignKind, Outcome, withdraw};

impl Looker<'_> {
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
    pub(super) async fn supersede(
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
            let left = format!(
                "left the branch {branch}, which holds the commit {} of {}",
                short(&foreign.id),
                foreign.author
            );
            // An earlier round may have said it.
            if !progress.report.steps.contains(&left) {
                progress.report.steps.push(left);
            }
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
}
