//! From a config and the base to everything that a proposal says. Nothing reaches outside here but
//! objects that are written into the temporary repository.

use std::collections::BTreeSet;

use anyhow::{anyhow, bail};
use gix::ObjectId;

use super::look::{Looker, World, branch_name};
use super::{Naming, Request};
use crate::core::change::{FileChange, OwnConfig, Update, update};
use crate::core::config::SetModel;
use crate::core::krm::ResultItem;
use crate::core::proposal::{Head, WantedPullRequest};
use crate::core::report::commit_message::commit_message;
use crate::core::report::proposal::Facts;
use crate::core::report::pull_request::pull_request;

/// What a config comes to.
pub(super) enum Prepared {
    /// The base says already what it should, or no model may be chosen.
    Nothing(Nothing),
    /// Something is to be proposed.
    Proposal(Box<Proposal>),
}

/// Why there is nothing to propose.
pub(super) struct Nothing {
    /// The model that was chosen.
    pub(super) model: Option<String>,
    /// The models that are in the base.
    pub(super) previous: Vec<String>,
    /// Why.
    pub(super) reasons: Vec<String>,
    /// The branch that a proposal would have, or had.
    pub(super) branch: Option<String>,
}

/// What is to be proposed.
pub(super) struct Proposal {
    /// The branch.
    pub(super) branch: String,
    /// The tree of the commit.
    pub(super) tree_id: ObjectId,
    /// The message of the commit.
    pub(super) message: String,
    /// The pull request.
    pub(super) text: WantedPullRequest,
    /// What our mark in its body says.
    pub(super) mark: String,
    /// The model.
    pub(super) model: String,
    /// The models that are in the base.
    pub(super) previous: Vec<String>,
    /// Why.
    pub(super) reasons: Vec<String>,
    /// The files that change; paths are from the repository's root.
    pub(super) files: Vec<FileChange>,
}

pub(super) fn prepare(
    looker: &Looker<'_>,
    world: &World,
    config: &SetModel,
) -> anyhow::Result<Prepared> {
    let package = &world.package.package;
    let own = OwnConfig::default();
    let update = update(package, config, &own, &world.models, looker.now)
        .map_err(|errors| anyhow!(on_one_line(&config.name, &errors)))?;
    let reasons = update.results.iter().map(|it| it.message.clone()).collect();
    let chosen = update.selection.chosen_name().map(str::to_owned);
    let request = looker.request;
    let Some(model) = chosen.clone().filter(|_| !update.change.is_empty()) else {
        return Ok(Prepared::Nothing(Nothing {
            model: chosen,
            previous: update.places.current(),
            reasons,
            branch: match request.naming {
                Naming::PerModel => None,
                _ => Some(branch(request, config, "")),
            },
        }));
    };
    let after = update.change.apply(package);
    let files = FileChange::between(package, &after, &update.change.renamed);
    let files = from_root(looker.workspace.place(), files);
    let tree_id = looker.workspace.tree_with(world.package.tree_id, &files)?;
    let facts = facts(looker, world, config, &update, &files)?;
    let branch = branch(request, config, &model);
    check_branch(looker, world, config, &branch)?;
    let signer = looker.committer.to_string();
    let templates = &looker.job.templates;
    let signer = request.commit.is_signed_off.then_some(signer.as_str());
    let message = commit_message(&facts, templates.commit.as_ref(), signer)?;
    let text = pull_request(&facts, templates.title.as_ref(), templates.body.as_ref())?;
    let extras = &request.extras;
    let own = |list: &Vec<String>| list.clone();
    let wanted = WantedPullRequest {
        base: world.base.clone(),
        head: Head {
            fork: looker.job.fork.as_ref().map(|fork| fork.full_name.clone()),
            branch: branch.clone(),
        },
        title: text.title,
        body: text.body,
        is_draft: extras.is_draft,
        labels: own(&extras.labels),
        reviewers: own(&extras.reviewers),
        assignees: own(&extras.assignees),
        auto_merge: extras.auto_merge,
    };
    Ok(Prepared::Proposal(Box::new(Proposal {
        branch,
        tree_id,
        message,
        text: wanted,
        mark: text.mark,
        model,
        previous: update.change.previous,
        reasons,
        files,
    })))
}

fn facts(
    looker: &Looker<'_>,
    world: &World,
    config: &SetModel,
    update: &Update,
    files: &[FileChange],
) -> anyhow::Result<Facts> {
    let listing = world
        .models
        .listing(&world.package.package, config)
        .map_err(|error| anyhow!(error.into_item().message))?;
    let place = looker.workspace.place();
    let facts = Facts::of(
        &config.name,
        place,
        &world.base,
        update,
        listing.as_deref(),
        files,
    );
    let mut facts = facts.ok_or_else(|| anyhow!("no model was chosen"))?;
    for change in &mut facts.changes {
        change.file = path_from_root(place, &change.file);
    }
    Ok(facts)
}

/// Refuses a branch that cannot be pushed.
fn check_branch(
    looker: &Looker<'_>,
    world: &World,
    config: &SetModel,
    branch: &str,
) -> anyhow::Result<()> {
    let advice = match &looker.request.naming {
        Naming::Given(_) => "choose another with --branch".to_owned(),
        _ => format!("choose another with --branch and --config {}", config.name),
    };
    // As `git check-ref-format --branch`; a file of that name must have room for Git's `.lock`.
    let is_allowed = gix::validate::reference::name(format!("refs/heads/{branch}").as_str().into())
        .is_ok()
        && !branch.starts_with('-')
        && branch != "HEAD"
        && branch.split('/').all(|part| part.len() <= 250);
    if !is_allowed {
        bail!("cannot call a branch {branch:?}: Git does not allow this name; {advice}");
    }
    if branch == world.base && looker.job.fork.is_none() {
        bail!("cannot propose on the branch {branch}: it is the base; {advice}");
    }
    let is_inside = |inner: &str, outer: &str| {
        let rest = inner.strip_prefix(outer);
        rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let mut others = world.heads.branches.keys();
    match others.find(|other| is_inside(other, branch) || is_inside(branch, other)) {
        Some(other) => bail!(
            "cannot make the branch {branch}: there is {other}, and Git has no branch inside another; \
             {advice}"
        ),
        None => Ok(()),
    }
}

/// What the names of our branches begin with where the user gives none.
pub(super) const OWN_BRANCHES: &str = "modelsync/";

/// The name of the branch for a model.
pub(super) fn branch(request: &Request, config: &SetModel, model: &str) -> String {
    match &request.naming {
        Naming::Given(branch) => branch_name(branch).to_owned(),
        Naming::PerConfig => format!("{OWN_BRANCHES}{}", config.name),
        Naming::PerModel => format!("{}{}", per_model_start(config), slug(model)),
    }
}

/// What the branches of a config's models all begin with. Not a folder of `modelsync/CONFIG`: a
/// branch cannot be inside another.
pub(super) fn per_model_start(config: &SetModel) -> String {
    format!("{OWN_BRANCHES}{}-to-", config.name)
}

/// The last part of a model's name, with letters that every branch may have.
fn slug(model: &str) -> String {
    let last = model
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(model);
    let plain = |character: char| {
        if character.is_ascii_alphanumeric() || "-_".contains(character) {
            character
        } else {
            '-'
        }
    };
    last.chars().map(plain).take(80).collect()
}

fn from_root(place: &str, mut files: Vec<FileChange>) -> Vec<FileChange> {
    for file in &mut files {
        file.from = path_from_root(place, &file.from);
        file.to = path_from_root(place, &file.to);
    }
    files
}

pub(super) fn path_from_root(place: &str, path: &str) -> String {
    if place.is_empty() {
        path.to_owned()
    } else {
        format!("{place}/{path}")
    }
}

/// Errors of a config as one sentence, each once. Whoever tells it says whose they are.
fn on_one_line(name: &str, errors: &[ResultItem]) -> String {
    let mut seen = BTreeSet::new();
    let own_name = format!("{name}: ");
    let text = |item: &ResultItem| {
        let message = item.message.strip_prefix(&own_name);
        let item = ResultItem {
            message: message.unwrap_or(&item.message).to_owned(),
            ..item.clone()
        };
        item.located_message()
    };
    let texts: Vec<String> = errors.iter().map(text).collect();
    let unique: Vec<String> = texts
        .into_iter()
        .filter(|text| seen.insert(text.clone()))
        .collect();
    unique.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_have_plain_names() {
        assert_eq!(slug("projects/1/models/TCN5"), "TCN5");
        assert_eq!(slug("models:/bot/5"), "5");
        assert_eq!(slug("a b~c"), "a-b-c");
    }
}
