//! Rounds: look at the world, propose, and look again when a race was lost.

use std::collections::BTreeMap;

use gix::ObjectId;

use anyhow::anyhow;

use super::super::directory;
use super::prepare::{self, Prepared};
use super::progress::Progress;
use super::{Job, Request, Stop};
use crate::adapters::forges::{CommitThroughApi, Forge};
use crate::adapters::git::{BasePackage, Heads, Identity, Settings, WantedHeads, Workspace};
use crate::adapters::{clock, files};
use crate::core::change::{Models, read_configs};
use crate::core::config::{GROUP, SetModel};
use crate::core::krm::{Resource, ResultItem};
use crate::core::proposal::Report;
use crate::core::report::template::TemplateError;

/// How often a proposal is looked at again before its error is told.
const MOST_ROUNDS: usize = 5;

/// The name and address of a commit when neither the user nor git's configuration says any.
const NOBODY: (&str, &str) = ("modelsync", "modelsync@localhost");

/// What is needed to look and to act.
pub(super) struct Looker<'r> {
    pub(super) job: &'r Job<'r>,
    pub(super) request: &'r Request,
    pub(super) forge: Option<&'r dyn Forge>,
    /// The forge's API when it stands for git.
    pub(super) api: Option<&'r dyn CommitThroughApi>,
    pub(super) workspace: Workspace<'r>,
    pub(super) author: Identity,
    pub(super) committer: Identity,
    pub(super) now: jiff::Timestamp,
}

/// The remote as it was when it was looked at.
pub(super) struct World {
    /// Branches of the repository that branches are pushed to.
    pub(super) heads: Heads,
    /// The name of the branch to change.
    pub(super) base: String,
    /// Its head.
    pub(super) base_id: ObjectId,
    /// The package there.
    pub(super) package: BasePackage,
    /// What is wanted of it.
    pub(super) configs: Vec<SetModel>,
    /// What might be wanted too.
    unreadable: Vec<Unreadable>,
    /// The models to choose from.
    pub(super) models: Models,
}

/// A config that cannot be read.
struct Unreadable {
    /// Its name, or its file where that is not known.
    name: String,
    /// One sentence.
    problem: String,
}

impl<'r> Looker<'r> {
    pub(super) fn new(job: &'r Job<'r>, forge: Option<&'r dyn Forge>) -> anyhow::Result<Self> {
        let fork = job.fork.as_ref();
        let fork = fork.map(|fork| (fork.url.clone(), fork.credential.clone()));
        let request = job.request;
        let key = request.commit.signing_key.iter();
        let settings = Settings {
            limit: request.git_limit,
            configuration: key
                .map(|key| ("user.signingKey".to_owned(), key.clone()))
                .collect(),
        };
        let api = match request.commit.is_by_forge {
            true => Some(through_api(forge)?),
            false => None,
        };
        let workspace = Workspace::make(&job.place, fork, api, settings)?;
        let (author, committer) = (&request.commit.author, &request.commit.committer);
        let committer = committer
            .clone()
            .or_else(|| workspace.committer())
            .or_else(|| author.clone())
            .unwrap_or_else(|| Identity {
                name: NOBODY.0.to_owned(),
                email: NOBODY.1.to_owned(),
            });
        let author = author
            .clone()
            .or_else(|| workspace.author())
            .unwrap_or_else(|| committer.clone());
        Ok(Self {
            job,
            request,
            forge,
            api,
            workspace,
            author,
            committer,
            now: clock::now()?,
        })
    }

    /// Looks at the remote.
    pub(super) async fn look(&mut self) -> Result<World, Stop> {
        let wanted = WantedHeads {
            base: self.request.base.as_deref().map(branch_name),
            own: match &self.request.naming {
                super::Naming::Given(branch) => branch_name(branch),
                _ => prepare::OWN_BRANCHES,
            },
        };
        let heads = self.workspace.heads(&wanted).await?;
        let fork_heads = self.workspace.fork_heads().await?;
        let url = self.workspace.url();
        let given = self.request.base.as_deref().map(branch_name);
        let given = given.or(heads.default.as_deref()).map(str::to_owned);
        let base = given.ok_or_else(|| {
            Stop::Failed(anyhow!(
                "cannot find the default branch of {url}: it says none; name one with --base"
            ))
        })?;
        let Some(base_id) = heads.branches.get(&base).copied() else {
            return Err(Stop::Failed(no_base(url, &base, &heads)));
        };
        let heads = fork_heads.unwrap_or(heads);
        let tip = match &self.request.naming {
            super::Naming::Given(branch) => heads.branches.get(branch_name(branch)).copied(),
            _ => None,
        };
        self.workspace.fetch(base_id, tip).await?;
        let package = self.workspace.package(base_id).await?;
        let (mut configs, unreadable) = self.configs(&package)?;
        self.request.package.pin(&mut configs)?;
        let models = self.request.package.models(&configs).await?;
        Ok(World {
            heads,
            base,
            base_id,
            package,
            configs,
            unreadable,
            models,
        })
    }

    /// The configs that were named, of this machine or else of the package; or all of the package, and
    /// those that cannot be read.
    fn configs(&self, package: &BasePackage) -> anyhow::Result<(Vec<SetModel>, Vec<Unreadable>)> {
        let request = &self.request.package;
        let mut configs = Vec::new();
        for path in &request.configs {
            let name = path.to_str().unwrap_or_default().trim_start_matches("./");
            let mut parts = package.package.parts();
            let part = parts.find(|(_, part)| part.path() == Some(name));
            match part.filter(|_| !files::exists(path)) {
                Some((_, part)) => configs.push(SetModel::from_yaml(part.text(), name)?),
                None => configs.push(directory::read(path)??),
            }
        }
        if !configs.is_empty() {
            let files = request.configs.iter();
            let files = files.map(|file| file.display().to_string());
            refuse_twins(configs.iter().map(|it| it.name.clone()).zip(files))?;
            return Ok((configs, Vec::new()));
        }
        let (found, errors) = read_configs(&package.package);
        if found.is_empty() && errors.is_empty() {
            let place = match self.workspace.place() {
                "" => "the root",
                place => place,
            };
            return Err(anyhow!(
                "the package at {place} of {} holds no SetModel; add one, or name one with --config",
                self.workspace.url()
            ));
        }
        let resources = package.package.of_kind(GROUP, SetModel::KIND);
        let name = |it: &Resource| it.id.name.clone().unwrap_or_default();
        refuse_twins(resources.map(|(_, _, it)| (name(it), it.path.clone())))?;
        Ok((found, errors.into_iter().map(Unreadable::of).collect()))
    }

    /// Proposes what each config wants.
    pub(super) async fn propose_all(&mut self, mut world: World) -> anyhow::Result<Vec<Report>> {
        let unreadable = std::mem::take(&mut world.unreadable);
        let names: Vec<String> = world.configs.iter().map(|it| it.name.clone()).collect();
        if let (super::Naming::Given(branch), true) = (&self.request.naming, names.len() > 1) {
            return Err(anyhow!(
                "cannot propose {} SetModels on the one branch {branch}: name one with --config, or \
                 leave --branch out",
                names.len()
            ));
        }
        // A template that cannot be used must not be found out after the first push. What else is
        // wrong with one config says nothing of the others.
        for config in &world.configs {
            if let Err(error) = prepare::prepare(self, &world, config)
                && error.is::<TemplateError>()
            {
                return Err(error);
            }
        }
        let mut world = Some(world);
        let mut reports = Vec::new();
        for name in &names {
            let mut progress = Progress::new(name);
            let result = self.propose(&mut world, name, &mut progress).await;
            reports.push(match result {
                Ok(()) => progress.ended(),
                Err(error) => progress.failed(&error),
            });
        }
        reports.extend(
            unreadable
                .into_iter()
                .map(|Unreadable { name, problem }| Progress::new(&name).failed(&anyhow!(problem))),
        );
        Ok(reports)
    }

    async fn propose(
        &mut self,
        kept: &mut Option<World>,
        name: &str,
        progress: &mut Progress,
    ) -> anyhow::Result<()> {
        let mut last = None;
        for round in 0..MOST_ROUNDS {
            let world = match kept.take().filter(|_| round == 0) {
                Some(world) => world,
                None => match self.look().await {
                    Ok(world) => world,
                    Err(Stop::LookAgain(error)) => {
                        last = Some(error);
                        continue;
                    }
                    Err(Stop::Failed(error)) => return Err(error),
                },
            };
            let Some(config) = world.configs.iter().find(|config| config.name == name) else {
                return Err(anyhow!(
                    "the base no longer has a SetModel {name:?}; run again"
                ));
            };
            let prepared = match prepare::prepare(self, &world, config) {
                Ok(prepared) => prepared,
                Err(error) => {
                    *kept = Some(world);
                    return Err(error);
                }
            };
            let result = match &prepared {
                Prepared::Nothing(nothing) => {
                    self.nothing_to_do(&world, config, nothing, progress).await
                }
                Prepared::Proposal(proposal) => {
                    self.complete(&world, config, proposal, progress).await
                }
            };
            drop(prepared);
            match result {
                Ok(()) => {
                    *kept = Some(world);
                    return Ok(());
                }
                Err(Stop::LookAgain(error)) => last = Some(error),
                Err(Stop::Failed(error)) => {
                    *kept = Some(world);
                    return Err(error);
                }
            }
        }
        Err(last.unwrap_or_else(|| anyhow!("cannot propose {name}: run again")))
    }
}

/// The forge's API in the place of git.
fn through_api(forge: Option<&dyn Forge>) -> anyhow::Result<&dyn CommitThroughApi> {
    forge.and_then(Forge::commits).ok_or_else(|| {
        anyhow!(
            "cannot commit through this forge's API: only GitHub can do that; leave --commit-via out"
        )
    })
}

/// Refuses two configs of one name: their proposals would have the same branch, and the trailer that
/// tells whose a commit is. `configs` has the name and the file of each.
fn refuse_twins(configs: impl Iterator<Item = (String, String)>) -> anyhow::Result<()> {
    let mut seen = BTreeMap::new();
    for (name, file) in configs {
        if let Some(first) = seen.insert(name.clone(), file.clone()) {
            return Err(anyhow!(
                "cannot propose two SetModels of the one name {name}: they are in {first} and {file}; \
                 rename one, or name one with --config"
            ));
        }
    }
    Ok(())
}

impl Unreadable {
    fn of(error: ResultItem) -> Self {
        let file = error.file.map(|(path, _)| path).unwrap_or_default();
        let name = error.resource.and_then(|it| it.name);
        Self {
            name: name.unwrap_or(file),
            problem: error.message,
        }
    }
}

/// A branch without what only Git's own files say of it.
pub(super) fn branch_name(name: &str) -> &str {
    name.strip_prefix("refs/heads/").unwrap_or(name)
}

fn no_base(url: &str, base: &str, heads: &Heads) -> anyhow::Error {
    let mut names: Vec<&str> = heads.branches.keys().map(String::as_str).collect();
    names.retain(|name| !name.starts_with(prepare::OWN_BRANCHES));
    let known = match names.as_slice() {
        [] => "it has no branches; push one first".to_owned(),
        names if names.len() <= 5 => format!("it has {}", names.join(", ")),
        names => format!("it has {} others; check --base", names.len()),
    };
    anyhow!("cannot find the branch {base} of {url}: {known}")
}
