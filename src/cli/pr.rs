//! `modelsync pr`.

mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::failure::{Outcome, WrongUsage};
use super::options::{
    Blank, Format, OutputArgs, PackageArgs, filled, given, given_path, path_or_blank, positive,
    switch,
};
use super::output::Printer;
use crate::core::proposal;
use crate::core::report::proposed;
use crate::faces::propose::{
    self, CommitOptions, Extras, ForgeOptions, GitHubApp, Identity, Naming, RebaseWhen, Request,
    TemplateFiles,
};
use values::{CommitVia, ForgeName, MethodName, RebaseName};

const REMOTE: &str = "origin";
const GIT_TIMEOUT: &str = "5m";

/// Commit what render would change to a branch of a remote, and open or renew a pull request
///
/// Looks at the remote, works out what there should be, and does only what is missing: run as often
/// as you like. Nothing in the local clone is touched; commits go on the remote's base branch as it
/// is now. A branch with commits of somebody else is never replaced.
///
/// Prints the address of the pull request. Exits with 0 when it was proposed or there is nothing to
/// do, 1 when something was refused or failed, and 2 on wrong usage.
#[derive(Args, Debug)]
pub(super) struct PrArgs {
    #[command(flatten)]
    package: PackageArgs,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    forge: ForgeArgs,
    #[command(flatten)]
    text: TextArgs,
    #[command(flatten)]
    commit: CommitArgs,
    /// Close a pull request of ours, and remove its branch, when nothing is left to change
    #[arg(long, env = "MODELSYNC_CLOSE_OBSOLETE", value_parser = switch)]
    close_obsolete: bool,
    /// Propose again what somebody refused by closing its pull request, in a new one
    #[arg(long, env = "MODELSYNC_REOPEN", value_parser = switch)]
    reopen: bool,
    /// Print the commit, the diff and the pull request, and change nothing
    #[arg(long, env = "MODELSYNC_DRY_RUN", value_parser = switch)]
    dry_run: bool,
    /// Directory for Tekton's results pr-url, commit and model; made if it is missing, and not
    /// written to with --dry-run
    #[arg(long, value_name = "DIR", env = "MODELSYNC_TEKTON_RESULTS", value_parser = path_or_blank())]
    tekton_results: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Repositories and branches.
#[derive(Args, Debug)]
#[command(next_help_heading = "Repositories and branches")]
struct PlaceArgs {
    /// Repository by URL or path; DIR is then a path from its root, or in a clone of it [default:
    /// the remote of the clone that DIR is in]
    #[arg(long, value_name = "URL|PATH", env = "MODELSYNC_REPO")]
    repo: Option<String>,
    /// Remote of the clone that DIR is in
    #[arg(
        long,
        value_name = "NAME",
        env = "MODELSYNC_REMOTE",
        default_value = REMOTE
    )]
    remote: String,
    /// Branch to change [default: the remote's default branch]
    #[arg(
        short = 'B',
        long,
        value_name = "BRANCH",
        env = "MODELSYNC_BASE_BRANCH"
    )]
    base: Option<String>,
    /// Branch for the change [default: modelsync/ and the SetModel's name]
    #[arg(long, value_name = "NAME", env = "MODELSYNC_BRANCH")]
    branch: Option<String>,
    /// Use a branch for each model, and close the pull requests of older ones
    #[arg(long, env = "MODELSYNC_BRANCH_PER_MODEL", value_parser = switch)]
    branch_per_model: bool,
    /// When to make our commit anew because the base has moved: behind-base-branch, or only when
    /// conflicted
    #[arg(
        long,
        value_name = "WHEN",
        env = "MODELSYNC_REBASE_WHEN",
        default_value = "behind-base-branch"
    )]
    rebase_when: Blank<RebaseName>,
    /// Push the branch to this fork
    #[arg(long, value_name = "URL", env = "MODELSYNC_FORK")]
    fork: Option<String>,
    /// Time for one run of git, such as 30s or 5m
    #[arg(long, value_name = "DURATION", env = "MODELSYNC_GIT_TIMEOUT", default_value = GIT_TIMEOUT, value_parser = |text: &str| positive(filled(text, GIT_TIMEOUT)))]
    git_timeout: Duration,
}

/// The forge.
#[derive(Args, Debug)]
#[command(
    next_help_heading = "Forge (tokens come from GH_TOKEN or GITHUB_TOKEN, GITLAB_TOKEN, GITEA_TOKEN)"
)]
struct ForgeArgs {
    /// Where pull requests are: github, gitlab, gitea, or none to push only [default: by the
    /// remote's host]
    #[arg(long, value_name = "KIND", env = "MODELSYNC_FORGE")]
    forge: Option<Blank<ForgeName>>,
    /// Base URL of the forge's API [default: by the remote's host]
    #[arg(long, value_name = "URL", env = "MODELSYNC_FORGE_URL")]
    forge_url: Option<String>,
    /// Id of the GitHub App to be
    #[arg(long, value_name = "ID", env = "GITHUB_APP_ID")]
    github_app_id: Option<String>,
    /// File with the private key of the GitHub App
    #[arg(long, value_name = "FILE", env = "GITHUB_APP_PRIVATE_KEY_FILE", value_parser = path_or_blank())]
    github_app_key: Option<PathBuf>,
}

/// The pull request.
#[derive(Args, Debug)]
#[command(next_help_heading = "Pull request")]
struct TextArgs {
    /// File with the template of the title
    #[arg(long, value_name = "FILE", env = "MODELSYNC_TITLE_TEMPLATE", value_parser = path_or_blank())]
    title_template: Option<PathBuf>,
    /// File with the template of the body
    #[arg(long, value_name = "FILE", env = "MODELSYNC_BODY_TEMPLATE", value_parser = path_or_blank())]
    body_template: Option<PathBuf>,
    /// Label (can be repeated, or be a list with commas)
    #[arg(
        short,
        long = "label",
        value_name = "NAME",
        env = "MODELSYNC_LABEL",
        value_delimiter = ','
    )]
    labels: Vec<String>,
    /// Who is asked for a review, as a login or org/team (can be repeated, or be a list with commas)
    #[arg(
        short,
        long = "reviewer",
        value_name = "LOGIN",
        env = "MODELSYNC_REVIEWER",
        value_delimiter = ','
    )]
    reviewers: Vec<String>,
    /// Who it is assigned to (can be repeated, or be a list with commas)
    #[arg(
        short,
        long = "assignee",
        value_name = "LOGIN",
        env = "MODELSYNC_ASSIGNEE",
        value_delimiter = ','
    )]
    assignees: Vec<String>,
    /// Open it as a draft
    #[arg(short, long, env = "MODELSYNC_DRAFT", value_parser = switch)]
    draft: bool,
    /// Let it merge by itself when its checks pass: merge, squash or rebase
    #[arg(long, value_name = "METHOD", env = "MODELSYNC_AUTO_MERGE", num_args = 0..=1, require_equals = true, default_missing_value = "merge")]
    auto_merge: Option<Blank<MethodName>>,
}

/// The commit.
#[derive(Args, Debug)]
#[command(next_help_heading = "Commit")]
struct CommitArgs {
    /// File with the template of the message, to which trailers are added
    #[arg(long, value_name = "FILE", env = "MODELSYNC_COMMIT_TEMPLATE", value_parser = path_or_blank())]
    commit_template: Option<PathBuf>,
    /// How to commit: push with git, or let GitHub make and sign the commit through its API, which
    /// needs no git
    #[arg(long, value_name = "HOW", env = "MODELSYNC_COMMIT_VIA")]
    commit_via: Option<Blank<CommitVia>>,
    /// Author, as "Name <address>" [default: as git knows it]
    #[arg(long, value_name = "IDENTITY", env = "MODELSYNC_AUTHOR")]
    author: Option<Blank<Identity>>,
    /// Committer, by whom our commits are known again [default: as git knows it]
    #[arg(long, value_name = "IDENTITY", env = "MODELSYNC_COMMITTER")]
    committer: Option<Blank<Identity>>,
    /// Add Signed-off-by with the committer
    #[arg(long, env = "MODELSYNC_SIGNOFF", value_parser = switch)]
    signoff: bool,
    /// Sign, as git's gpg.format and user.signingKey say
    #[arg(long, env = "MODELSYNC_SIGN", value_parser = switch)]
    sign: bool,
    /// Key to sign with; signs
    #[arg(long, value_name = "KEY", env = "MODELSYNC_SIGNING_KEY")]
    signing_key: Option<String>,
}

pub(super) fn run(arguments: &PrArgs, printer: &mut Printer) -> anyhow::Result<Outcome> {
    let is_json = arguments.output.output == Format::Json;
    let results = given_path(arguments.tekton_results.as_ref()).filter(|_| !arguments.dry_run);
    let proposed = arguments.request().and_then(|request| {
        if let Some(directory) = &results {
            propose::make_results_directory(directory)?;
        }
        propose::run(&request)
    });
    let reports = match proposed {
        Ok(reports) => reports,
        Err(error) if is_json => {
            let object = proposed::failure(&format!("{error:#}"));
            printer.data(format!("{object:#}\n").as_bytes());
            printer.error(&format!("{error:#}"));
            return Ok(Outcome::of(&error));
        }
        Err(error) => return Err(error),
    };
    if is_json {
        printer.data(format!("{:#}\n", proposed::json(&reports)).as_bytes());
    } else {
        for report in &reports {
            if let Some(preview) = &report.preview {
                printer.data(proposed::commit(preview).as_bytes());
                printer.diff(&preview.diff);
                printer.data(proposed::text(preview).as_bytes());
            } else if let Some(url) = &report.pull_request {
                printer.data(format!("{url}\n").as_bytes());
            }
        }
    }
    for report in &reports {
        if report.outcome == proposal::Outcome::Failed {
            if !is_json {
                printer.lines(&proposed::lines(report, false));
            }
            for reason in &report.reasons {
                printer.error(reason);
            }
        } else if !is_json {
            printer.lines(&proposed::lines(report, arguments.output.is_verbose()));
        }
    }
    let mut has_failed = reports
        .iter()
        .any(|it| it.outcome == proposal::Outcome::Failed);
    if let Some(directory) = &results
        && let Err(error) = propose::write_results(directory, &proposed::results(&reports))
    {
        // What was done is told all the same.
        printer.error(&format!("{error:#}"));
        has_failed = true;
    }
    Ok(if has_failed {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}

impl PrArgs {
    fn request(&self) -> anyhow::Result<Request> {
        let (place, forge, text, commit) = (&self.place, &self.forge, &self.text, &self.commit);
        let is_by_forge = commit.commit_via.as_ref().and_then(|it| it.0) == Some(CommitVia::Api);
        let has_no_forge = matches!(
            forge.forge.as_ref().and_then(|it| it.0.as_ref()),
            Some(ForgeName::None)
        );
        if is_by_forge && has_no_forge {
            return Err(WrongUsage(
                "cannot commit through the API of no forge: leave --commit-via or --forge out",
            )
            .into());
        }
        let author = commit.author.as_ref().and_then(|it| it.0.clone());
        if is_by_forge && given(place.fork.as_ref()).is_some() {
            return Err(WrongUsage(
                "cannot commit to a fork through the forge's API: leave --commit-via or --fork out",
            )
            .into());
        }
        if is_by_forge && author.is_some() {
            return Err(WrongUsage(
                "cannot name the author of a commit that the forge makes, who is the token's user: \
                 leave --commit-via or --author out",
            )
            .into());
        }
        Ok(Request {
            package: self.package.request(),
            repository: given(place.repo.as_ref()),
            remote: filled(&place.remote, REMOTE).to_owned(),
            base: given(place.base.as_ref()),
            naming: match (given(place.branch.as_ref()), place.branch_per_model) {
                (Some(_), true) => {
                    return Err(WrongUsage(
                        "cannot use --branch with --branch-per-model: leave one of them out",
                    )
                    .into());
                }
                (Some(branch), false) => Naming::Given(branch),
                (None, true) => Naming::PerModel,
                (None, false) => Naming::PerConfig,
            },
            rebases: match place.rebase_when.0 {
                Some(RebaseName(when)) => when,
                None => RebaseWhen::BehindBaseBranch,
            },
            fork: given(place.fork.as_ref()),
            forge: match forge.forge.as_ref().and_then(|it| it.0.as_ref()) {
                Some(ForgeName::None) => None,
                kind => Some(ForgeOptions {
                    kind: match kind {
                        Some(ForgeName::Kind(kind)) => Some(*kind),
                        _ => None,
                    },
                    url: given(forge.forge_url.as_ref()),
                    github_app: forge.github_app()?,
                }),
            },
            templates: TemplateFiles {
                title: given_path(text.title_template.as_ref()),
                body: given_path(text.body_template.as_ref()),
                commit: given_path(commit.commit_template.as_ref()),
            },
            extras: Extras {
                labels: given_list(&text.labels),
                reviewers: given_list(&text.reviewers),
                assignees: given_list(&text.assignees),
                is_draft: text.draft,
                auto_merge: text
                    .auto_merge
                    .as_ref()
                    .and_then(|it| it.0.as_ref())
                    .map(|it| it.0),
            },
            commit: CommitOptions {
                author,
                committer: commit.committer.as_ref().and_then(|it| it.0.clone()),
                is_by_forge,
                is_signed_off: commit.signoff,
                is_signed: commit.sign || given(commit.signing_key.as_ref()).is_some(),
                signing_key: given(commit.signing_key.as_ref()),
            },
            closes_obsolete: self.close_obsolete,
            reopens: self.reopen,
            is_dry_run: self.dry_run,
            git_limit: place.git_timeout,
        })
    }
}

impl ForgeArgs {
    fn github_app(&self) -> anyhow::Result<Option<GitHubApp>> {
        let id = given(self.github_app_id.as_ref());
        let key_file = given_path(self.github_app_key.as_ref());
        let problem = match (id, key_file) {
            (Some(id), Some(key_file)) => return Ok(Some(GitHubApp { id, key_file })),
            (None, None) => return Ok(None),
            (Some(_), None) => {
                "cannot be a GitHub App without its key: give --github-app-key or \
                 GITHUB_APP_PRIVATE_KEY_FILE"
            }
            (None, Some(_)) => {
                "cannot be a GitHub App without its id: give --github-app-id or GITHUB_APP_ID"
            }
        };
        Err(WrongUsage(problem).into())
    }
}

fn given_list(list: &[String]) -> Vec<String> {
    let trimmed = list.iter().map(|item| item.trim().to_owned());
    trimmed.filter(|item| !item.is_empty()).collect()
}
