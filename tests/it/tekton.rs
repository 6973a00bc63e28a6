//! The Tasks and Pipelines: a linter that is not ours, the parameters of the first version, and the
//! steps' scripts, run here as they stand in the YAML.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::harness::{is_there, skipped};

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tekton")
        .join(path)
}

fn read(path: &str) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(file(path)).unwrap()).unwrap()
}

const TASKS: [&str; 2] = ["update-model-pr", "run-notebook"];

fn task(name: &str) -> Value {
    read(&format!("tasks/{name}.yaml"))
}

fn pipeline(name: &str) -> Value {
    read(&format!("pipelines/{name}.yaml"))
}

/// Name and default of each parameter.
fn parameters(object: &Value) -> BTreeMap<String, Option<String>> {
    let list = object["spec"]["params"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    list.map(|it| (text(&it["name"]).unwrap(), text(&it["default"])))
        .collect()
}

#[test]
fn tekton_lint_has_nothing_against_them() {
    if !is_there("tekton-lint") {
        return;
    }
    let mut lint = Command::new("tekton-lint");
    for name in TASKS {
        lint.arg(file(&format!("tasks/{name}.yaml")))
            .arg(file(&format!("pipelines/{name}.yaml")));
    }
    let output = lint.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    // The first version's names are in camel case, and two of them have no use now.
    let expected = |line: &str| {
        [
            "branchName",
            "forkName",
            "upstreamName",
            "gitHubAppId",
            "gitHubAppPrivateKeyFileName",
        ]
        .iter()
        .any(|name| line.contains(&format!("'{name}'")))
    };
    let problems: Vec<_> = text
        .lines()
        .filter(|line| line.contains("  warning  ") || line.contains("  error  "))
        .filter(|line| !expected(line))
        .collect();
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(
        text.contains("'branchName'"),
        "nothing was looked at: {text}"
    );
}

/// Every PipelineRun of the first version is still valid, with nothing more than it gave.
#[test]
fn the_first_versions_parameters_are_accepted() {
    let cases: [(&str, &[&str], &[&str]); 2] = [
        (
            "update-model-pr",
            &[
                "automl-model",
                "branchName",
                "fork",
                "forkName",
                "upstreamName",
            ],
            // What the controller makes of the first version's PipelineResource `repo`.
            &["repo-url", "repo-revision"],
        ),
        (
            "run-notebook",
            &["notebook-path", "output", "requirements"],
            &["notebook-repo-url", "notebook-repo-revision"],
        ),
    ];
    for (name, of_first_version, of_resources) in cases {
        let declared = parameters(&pipeline(name));
        for parameter in of_first_version.iter().chain(of_resources) {
            assert!(
                declared.contains_key(*parameter),
                "{name} has no {parameter}"
            );
        }
        for (parameter, default) in &declared {
            let is_given = of_first_version.contains(&parameter.as_str());
            assert!(
                is_given || default.is_some(),
                "{name} cannot run without {parameter}"
            );
        }
        for workspace in pipeline(name)["spec"]["workspaces"].as_array().unwrap() {
            assert_eq!(workspace["optional"], true, "{name}: {workspace}");
        }
        // The pipeline has all that its task has, hands it on, and says the same of it.
        let of_task = parameters(&task(name));
        assert_eq!(declared, of_task, "{name}");
        let passed = pipeline(name)["spec"]["tasks"][0]["params"].clone();
        for passed in passed.as_array().unwrap() {
            let parameter = passed["name"].as_str().unwrap();
            assert_eq!(passed["value"], format!("$(params.{parameter})"));
        }
        assert_eq!(passed.as_array().unwrap().len(), of_task.len(), "{name}");
    }
}

/// A task in a directory of this machine: `/work` and `/home/modelsync` are in it.
struct Run {
    task: Value,
    scratch: tempfile::TempDir,
    parameters: BTreeMap<String, Option<String>>,
    workspaces: BTreeMap<String, PathBuf>,
    path: String,
}

impl Run {
    fn new(name: &str, given: &[(&str, &str)]) -> Self {
        let task = task(name);
        let mut parameters = parameters(&task);
        for (name, value) in given {
            let known = parameters.insert((*name).to_owned(), Some((*value).to_owned()));
            assert!(known.is_some(), "there is no parameter {name}");
        }
        let scratch = tempfile::tempdir().unwrap();
        for name in ["work", "home/modelsync", "results", "bin", "tmp"] {
            fs::create_dir_all(scratch.path().join(name)).unwrap();
        }
        let path = std::env::var("PATH").unwrap();
        Self {
            path: format!("{}:{path}", scratch.path().join("bin").display()),
            task,
            scratch,
            parameters,
            workspaces: BTreeMap::new(),
        }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn result(&self, name: &str) -> String {
        fs::read_to_string(self.place("results").join(name)).unwrap()
    }

    /// Puts a program before all others.
    fn program(&self, name: &str, script: &str) {
        let path = self.place("bin").join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Makes a workspace with files in it.
    fn bind(&mut self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let path = self.place(&format!("workspace/{name}"));
        fs::create_dir_all(&path).unwrap();
        for (name, text) in files {
            fs::write(path.join(name), text).unwrap();
        }
        self.workspaces.insert(name.to_owned(), path.clone());
        path
    }

    /// What Tekton puts in the place of a variable; panics for one that it would leave alone.
    fn substitute(&self, text: &str) -> String {
        let mut output = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("$(") {
            let (variable, after) = after.split_once(')').unwrap();
            output += before;
            let parts: Vec<_> = variable.split('.').collect();
            output += &match parts[..] {
                ["params", name] => self.parameters[name]
                    .clone()
                    .unwrap_or_else(|| panic!("{name} is not given")),
                ["results", name, "path"] => {
                    let declared = self.task["spec"]["results"].as_array().unwrap();
                    assert!(declared.iter().any(|it| it["name"] == name), "{variable}");
                    self.place("results").join(name).display().to_string()
                }
                ["workspaces", name, what] => {
                    let declared = self.task["spec"]["workspaces"].as_array().unwrap();
                    assert!(declared.iter().any(|it| it["name"] == name), "{variable}");
                    let path = self.workspaces.get(name);
                    match what {
                        "bound" => path.is_some().to_string(),
                        "path" => path
                            .map(|path| path.display().to_string())
                            .unwrap_or_default(),
                        _ => panic!("{variable}"),
                    }
                }
                _ => panic!("{variable}"),
            };
            rest = after;
        }
        output + rest
    }

    /// Runs a step's script in an empty environment but for what the task says.
    fn step(&self, name: &str) -> Output {
        self.step_as(None, name)
    }

    /// The same, as the user of this number.
    fn step_as(&self, user: Option<u64>, name: &str) -> Output {
        let spec = &self.task["spec"];
        let steps = spec["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["name"] == name).unwrap();
        let script = self.place("script");
        fs::write(&script, step["script"].as_str().unwrap()).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = match user {
            Some(user) => {
                let mut command = Command::new("setpriv");
                let (user, group) = (format!("--reuid={user}"), format!("--regid={user}"));
                command.args([&user, &group, "--clear-groups"]).arg(&script);
                command
            }
            None => Command::new(&script),
        };
        command
            .current_dir(self.scratch.path())
            .env_clear()
            .env("PATH", &self.path)
            .env("TMPDIR", self.place("tmp"));
        let lists = [&spec["stepTemplate"]["env"], &step["env"]];
        for variable in lists.into_iter().filter_map(Value::as_array).flatten() {
            let value = variable["value"].as_str().unwrap();
            let value = match value {
                "/work" | "/work/home" | "/home/modelsync" => {
                    self.place(&value[1..]).display().to_string()
                }
                value => self.substitute(value),
            };
            command.env(variable["name"].as_str().unwrap(), value);
        }
        command.output().unwrap()
    }
}

/// A value that Tekton writes into a script could be a command.
#[test]
fn parameters_reach_scripts_by_the_environment_alone() {
    let mut seen = 0;
    for name in TASKS {
        for step in task(name)["spec"]["steps"].as_array().unwrap() {
            let script = step["script"].as_str().unwrap();
            for variable in [
                "params",
                "inputs",
                "workspaces",
                "results",
                "context",
                "tasks",
                "steps",
            ] {
                let text = format!("$({variable}");
                assert!(
                    !script.contains(&text),
                    "{name}: {} has {text}",
                    step["name"]
                );
            }
            for field in ["command", "args"] {
                assert!(
                    step[field].is_null(),
                    "{name}: {} has {field}",
                    step["name"]
                );
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 6);
}

/// Says with which arguments and variables it was called, one a line.
const RECORDER: &str = "#!/bin/sh\nfor it in \"$@\"; do printf '%s\\n' \"$it\"; done > \"$0.arguments\"\npwd > \"$0.pwd\"\nenv | grep -E '^(GIT_|GH_|GITLAB_)' | sort > \"$0.env\"\n";

fn recorded(run: &Run, what: &str) -> Vec<String> {
    let path = run.place("bin").join(format!("modelsync.{what}"));
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn succeeds(output: &Output) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

/// The one error line of a step that fails.
fn fails(output: &Output) -> String {
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let line = text.lines().last().unwrap_or_default().to_owned();
    assert!(line.starts_with("error: "), "{text}");
    line
}

#[test]
fn propose_hands_on_what_is_given_and_nothing_else() {
    let run = Run::new(
        "update-model-pr",
        &[
            ("automl-model", "m"),
            ("repo-url", "https://example.com/r.git"),
        ],
    );
    run.program("modelsync", RECORDER);
    succeeds(&run.step("propose"));
    let results = format!("{}", run.place("results").display());
    assert_eq!(
        recorded(&run, "arguments"),
        [
            "pr",
            ".",
            "--repo=https://example.com/r.git",
            "--base=main",
            "--model=m",
            "--tekton-results",
            &results
        ]
    );
    assert!(recorded(&run, "env").is_empty());

    let mut run = Run::new(
        "update-model-pr",
        &[
            ("automl-model", "projects/1/$(touch hacked)"),
            ("branchName", "-x; touch hacked"),
            ("fork", "git@example.com:o/r.git"),
            ("repo-revision", "`touch hacked`"),
            ("directory", "a b"),
            ("config", "c.yaml"),
            ("forge", "github"),
            ("forge-url", "https://example.com/api/v3"),
            ("gitHubAppId", "7"),
        ],
    );
    run.program("modelsync", RECORDER);
    let clone = run.bind("repo", &[]);
    let ssh = run.bind("ssh-credentials", &[("id_rsa", "key"), ("known_hosts", "")]);
    let credentials = run.bind(
        "forge-credentials",
        &[("github-private-key", "pem"), ("GH_TOKEN", "token\n")],
    );
    succeeds(&run.step("propose"));
    let key = format!(
        "--github-app-key={}/github-private-key",
        credentials.display()
    );
    let results = format!("{}", run.place("results").display());
    assert_eq!(
        recorded(&run, "arguments"),
        [
            "pr",
            "a b",
            "--base=`touch hacked`",
            "--config=c.yaml",
            "--model=projects/1/$(touch hacked)",
            "--branch=-x; touch hacked",
            "--fork=git@example.com:o/r.git",
            "--forge=github",
            "--forge-url=https://example.com/api/v3",
            "--github-app-id=7",
            &key,
            "--tekton-results",
            &results,
        ]
    );
    assert_eq!(recorded(&run, "pwd"), [clone.display().to_string()]);
    let environment = recorded(&run, "env").join("\n");
    assert!(environment.contains("GH_TOKEN=token"), "{environment}");
    assert!(
        environment.contains(&format!("GIT_CONFIG_VALUE_0={}", clone.display())),
        "{environment}"
    );
    assert!(
        environment.contains(&format!("UserKnownHostsFile={}/known_hosts", ssh.display())),
        "{environment}"
    );
    let key = fs::metadata(run.place("home/modelsync/key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    for place in ["", "workspace/repo"] {
        assert!(!run.place(place).join("hacked").exists());
    }
}

/// Ssh looks its user up before anything else, and gives up when there is none.
#[test]
fn ssh_works_as_the_user_of_the_step() {
    if !is_there("setpriv") || !is_there("ssh") {
        return;
    }
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !is_root {
        return skipped("root, to be another user");
    }
    let mut run = Run::new("update-model-pr", &[]);
    run.bind(
        "ssh-credentials",
        &[("ssh-privatekey", "key"), ("known_hosts", "")],
    );
    // Git calls ssh in this way; -G ends it before it connects.
    run.program(
        "modelsync",
        "#!/bin/sh\nexec $GIT_SSH_COMMAND -G git@example.com\n",
    );
    // As an emptyDir is.
    for (place, mode) in [("", 0o755), ("home/modelsync", 0o777)] {
        fs::set_permissions(run.place(place), fs::Permissions::from_mode(mode)).unwrap();
    }
    let user = run.task["spec"]["stepTemplate"]["securityContext"]["runAsUser"].as_u64();
    assert!(user.is_some());
    let output = run.step_as(user, "propose");
    succeeds(&output);
    let settings = String::from_utf8(output.stdout).unwrap();
    let key = run.place("home/modelsync/key");
    let wanted = format!("identityfile {}\n", key.display());
    assert!(settings.contains(&wanted), "{settings}");
}

#[test]
fn missing_credentials_are_named() {
    let mut run = Run::new("update-model-pr", &[("gitHubAppId", "7")]);
    run.program("modelsync", RECORDER);
    insta::assert_snapshot!(fails(&run.step("propose")), @"error: cannot be the GitHub App 7: the workspace forge-credentials holds no file github-private-key");
    run.bind("ssh-credentials", &[("known_hosts", "")]);
    insta::assert_snapshot!(fails(&run.step("propose")), @"error: cannot use the workspace ssh-credentials: it holds no key named ssh-privatekey, id_ed25519, id_ecdsa or id_rsa");
}

#[test]
fn deploy_is_done_on_request() {
    let mut run = Run::new("update-model-pr", &[("automl-model", "m")]);
    run.program("modelsync", RECORDER);
    succeeds(&run.step("deploy"));
    assert!(!run.place("bin/modelsync.arguments").exists());

    run.parameters
        .insert("deploy".to_owned(), Some("yes".to_owned()));
    insta::assert_snapshot!(fails(&run.step("deploy")), @"error: cannot read the parameter deploy: it is yes; give true or false");
    run.parameters
        .insert("deploy".to_owned(), Some("true".to_owned()));
    assert!(fails(&run.step("deploy")).contains("bind the workspace repo"));
    run.bind("repo", &[]);
    run.parameters
        .insert("config".to_owned(), Some("c.yaml".to_owned()));
    succeeds(&run.step("deploy"));
    assert_eq!(
        recorded(&run, "arguments"),
        [
            "models",
            "deploy",
            "--directory",
            ".",
            "--config",
            "c.yaml",
            "--",
            "m"
        ]
    );
}

/// The arguments that the deploy step gives are those that the program takes.
#[test]
fn the_program_takes_what_deploy_gives() {
    let mut run = Run::new(
        "update-model-pr",
        &[("automl-model", "m"), ("deploy", "true")],
    );
    let program = env!("CARGO_BIN_EXE_modelsync");
    run.program(
        "modelsync",
        &format!("#!/bin/sh\nexec '{program}' \"$@\"\n"),
    );
    run.bind("repo", &[("README", "")]);
    let error = fails(&run.step("deploy"));
    assert!(error.contains("names a registry"), "{error}");
}

/// The whole way: the step as it stands, the program, and a repository on this machine.
#[test]
fn propose_pushes_the_change_and_writes_the_results() {
    let scratch = tempfile::tempdir().unwrap();
    let (source, bare) = (
        scratch.path().join("source"),
        scratch.path().join("bare.git"),
    );
    let head = "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\n";
    let model = |name: &str, month: u8| {
        format!(
            "  - {{name: {name}, displayName: d, createTime: 2020-0{month}-01T00:00:00Z, state: Trained}}\n"
        )
    };
    let files = [
        (
            "set-model.yaml",
            format!(
                "{head}kind: SetModel\nmetadata: {{name: bot}}\nspec:\n  targets:\n  - resource: {{kind: ConfigMap, name: bot}}\n    field: data.model\n"
            ),
        ),
        (
            "models.yaml",
            format!(
                "{head}kind: ModelCatalog\nmetadata: {{name: models}}\nspec:\n  models:\n{}{}",
                model("m1", 1),
                model("m2", 2)
            ),
        ),
        (
            "map.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bot}\ndata: {model: m1} # keep\n"
                .to_owned(),
        ),
    ];
    fs::create_dir_all(source.join("bot")).unwrap();
    for (name, text) in &files {
        fs::write(source.join("bot").join(name), text).unwrap();
    }
    git(&source, &["init", "-q"]);
    git(&source, &["add", "."]);
    git(&source, &["commit", "-qm", "package"]);
    git(
        scratch.path(),
        &["clone", "-q", "--bare", "source", "bare.git"],
    );

    let run = Run::new(
        "update-model-pr",
        &[
            ("automl-model", "m2"),
            ("branchName", "auto-update"),
            ("directory", "bot"),
            ("forge", "none"),
            ("repo-url", bare.to_str().unwrap()),
        ],
    );
    let program = env!("CARGO_BIN_EXE_modelsync");
    run.program(
        "modelsync",
        &format!("#!/bin/sh\nexec '{program}' \"$@\"\n"),
    );
    for _ in 0..2 {
        succeeds(&run.step("propose"));
        assert_eq!(run.result("model"), "m2");
        assert_eq!(run.result("pr-url"), "");
        assert_eq!(
            run.result("commit"),
            git(&bare, &["rev-parse", "auto-update"])
        );
        assert_eq!(
            git(&bare, &["show", "auto-update:bot/map.yaml"]),
            files[2].1.replace("m1", "m2").trim()
        );
    }
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(arguments)
        .current_dir(directory)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    succeeds(&output);
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn notebook(source: &str) -> String {
    serde_json::json!({
        "cells": [{"cell_type": "code", "execution_count": null, "id": "a", "metadata": {}, "outputs": [], "source": source}],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4, "nbformat_minor": 5,
    })
    .to_string()
}

/// A repository with a notebook in a directory whose name is awkward, and its commit.
fn repository(source: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::create_dir(path.join("note $(books)")).unwrap();
    fs::write(path.join("note $(books)/train.ipynb"), notebook(source)).unwrap();
    fs::write(path.join("note $(books)/data.txt"), "forty-two").unwrap();
    fs::write(path.join("requirements.txt"), "# nothing more\n").unwrap();
    git(path, &["init", "-q"]);
    git(path, &["add", "."]);
    git(path, &["commit", "-qm", "notebook"]);
    let commit = git(path, &["rev-parse", "HEAD"]);
    (directory, commit)
}

/// A run in an environment with papermill and nbconvert; none where they are missing.
fn notebook_run(given: &[(&str, &str)]) -> Option<Run> {
    if !is_there("papermill") {
        return None;
    }
    let mut run = Run::new("run-notebook", given);
    let paths = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&paths).find(|path| path.join("papermill").is_file());
    run.path = format!("{}:{}", found.unwrap().display(), run.path);
    Some(run)
}

/// The one directory that a run made.
fn uploaded(output: &Path) -> PathBuf {
    let mut entries = fs::read_dir(output).unwrap();
    let entry = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none());
    entry
}

#[test]
fn run_notebook_fetches_runs_converts_and_uploads() {
    let (repository, commit) = repository("print(open('data.txt').read().upper())");
    let output = tempfile::tempdir().unwrap();
    let Some(run) = notebook_run(&[
        ("notebook-path", "note $(books)/train.ipynb"),
        ("requirements", "requirements.txt"),
        ("notebook-repo-url", repository.path().to_str().unwrap()),
        ("notebook-repo-revision", "main"),
        (
            "output",
            &format!("file://{}/runs/", output.path().display()),
        ),
    ]) else {
        return;
    };
    for step in ["fetch", "run", "convert", "upload"] {
        succeeds(&run.step(step));
    }
    assert_eq!(run.result("commit"), commit);
    let directory = uploaded(&output.path().join("runs"));
    assert_eq!(
        run.result("output-url"),
        format!("file://{}", directory.display())
    );
    let done: Value =
        serde_json::from_slice(&fs::read(directory.join("train.ipynb")).unwrap()).unwrap();
    assert!(done["cells"].to_string().contains("FORTY-TWO"), "{done}");
    let page = fs::read_to_string(directory.join("train.html")).unwrap();
    assert!(page.contains("FORTY-TWO") && page.contains("<html"));
}

#[test]
fn a_notebook_that_fails_is_uploaded_and_fails_the_task() {
    let (repository, commit) = repository("print('so far'); raise ValueError('no data')");
    let output = tempfile::tempdir().unwrap();
    let Some(mut run) = notebook_run(&[
        ("notebook-path", "note $(books)/train.ipynb"),
        ("output", output.path().to_str().unwrap()),
    ]) else {
        return;
    };
    run.workspaces
        .insert("notebook-repo".to_owned(), repository.path().to_owned());
    for step in ["fetch", "run", "convert"] {
        succeeds(&run.step(step));
    }
    let error = fails(&run.step("upload"));
    assert!(
        error.contains("train.ipynb failed in papermill with exit code 1"),
        "{error}"
    );
    assert_eq!(run.result("commit"), commit);
    let page = fs::read_to_string(uploaded(output.path()).join("train.html")).unwrap();
    assert!(page.contains("so far") && page.contains("no data"));
}

#[test]
fn what_run_notebook_cannot_do_is_said() {
    let run = Run::new(
        "run-notebook",
        &[("notebook-path", "a.ipynb"), ("output", "s3://bucket")],
    );
    assert!(fails(&run.step("fetch")).contains("give the parameter notebook-repo-url"));
    assert!(
        fails(&run.step("run")).contains("cannot run a.ipynb: the repository has no such file")
    );
    fs::write(run.place("work/status"), "0").unwrap();
    assert!(fails(&run.step("upload")).contains("cannot upload to s3://bucket"));
}

/// `gcloud storage cp` fails where there is nothing to copy, which would hide why.
#[test]
fn a_notebook_that_never_began_says_so_and_uploads_nothing() {
    let run = Run::new(
        "run-notebook",
        &[("notebook-path", "a.ipynb"), ("output", "gs://bucket/runs")],
    );
    fs::create_dir(run.place("work/outputs")).unwrap();
    fs::write(run.place("work/status"), "3").unwrap();
    run.program("gcloud", "#!/bin/sh\necho nothing matched >&2\nexit 1\n");
    let output = run.step("upload");
    assert_eq!(output.status.code(), Some(3));
    insta::assert_snapshot!(fails(&output), @"error: a.ipynb failed in papermill with exit code 3 before anything was run; see the log of the step run");
    assert_eq!(run.result("output-url"), "");
}

#[test]
fn an_output_in_cloud_storage_is_copied_with_gcloud() {
    let run = Run::new(
        "run-notebook",
        &[("notebook-path", "a.ipynb"), ("output", "gs://bucket/runs")],
    );
    fs::create_dir(run.place("work/outputs")).unwrap();
    fs::write(run.place("work/status"), "0").unwrap();
    run.program(
        "gcloud",
        "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$0.arguments\"\n",
    );
    succeeds(&run.step("upload"));
    let destination = run.result("output-url");
    assert!(
        destination.starts_with("gs://bucket/runs/20"),
        "{destination}"
    );
    let wanted = format!(
        "storage\ncp\n--recursive\n{}/*\n{destination}/\n",
        run.place("work/outputs").display()
    );
    assert_eq!(
        fs::read_to_string(run.place("bin/gcloud.arguments")).unwrap(),
        wanted
    );
}
