//! The command line: exit codes, what goes where, and wrong input.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a run of the program came to.
#[must_use = "look at the exit code"]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program in a clean environment, with nothing on standard input.
pub(crate) fn modelsync(arguments: &[&str]) -> Run {
    modelsync_with(arguments, b"")
}

/// Runs the program with something on standard input.
pub(crate) fn modelsync_with(arguments: &[&str], input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_modelsync"))
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // From a thread, so that neither side waits for a full pipe; the program may not read at all.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

const CONFIG: &str = "\
apiVersion: automl.cloudai.kubeflow.org/v1alpha1
kind: SetModel
metadata:
  name: bot
spec:
  targets:
  - resource: {kind: ConfigMap, name: bot}
    field: data.model
";
const CATALOG: &str = "\
apiVersion: automl.cloudai.kubeflow.org/v1alpha1
kind: ModelCatalog
metadata:
  name: models
spec:
  models:
  - {name: m1, displayName: d, createTime: 2020-01-01T00:00:00Z, state: Trained}
  - {name: m2, displayName: d, createTime: 2020-02-01T00:00:00Z, state: Trained}
  - {name: m3, displayName: d, createTime: 2020-03-01T00:00:00Z, state: Failed}
";
const MAP: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bot}\ndata:\n  model: m1 # keep\n";

pub(crate) fn package(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    directory
}

fn good() -> tempfile::TempDir {
    package(&[
        ("set-model.yaml", CONFIG),
        ("models.yaml", CATALOG),
        ("map.yaml", MAP),
    ])
}

pub(crate) fn path(directory: &Path) -> &str {
    directory.to_str().unwrap()
}

#[test]
fn render_writes_and_says_what() {
    let directory = good();
    let run = modelsync(&["render", path(directory.path())]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    insta::assert_snapshot!(run.stderr, @"bot: updated the model to m2, was m1: chose m2 (created 2020-02-01T00:00:00Z), newest eligible of 3 models");
    let text = std::fs::read_to_string(directory.path().join("map.yaml")).unwrap();
    assert_eq!(text, MAP.replace("m1", "m2"));
    let again = modelsync(&["render", "-v", path(directory.path())]);
    assert_eq!(again.code, 0);
    insta::assert_snapshot!(again.stderr, @"
    bot: m2 is current: chose m2 (created 2020-02-01T00:00:00Z), newest eligible of 3 models
    not chosen: m3: state is Failed; wanted Trained or Deployed
    ");
}

#[test]
fn diff_prints_and_writes_nothing() {
    let directory = good();
    let run = modelsync(&["diff", path(directory.path())]);
    assert_eq!(run.code, 0);
    insta::assert_snapshot!(run.stdout, @"
    diff --git a/map.yaml b/map.yaml
    --- a/map.yaml
    +++ b/map.yaml
    @@ -2,4 +2,4 @@
     kind: ConfigMap
     metadata: {name: bot}
     data:
    -  model: m1 # keep
    +  model: m2 # keep
    ");
    assert_eq!(
        modelsync(&["diff", "--exit-code", path(directory.path())]).code,
        1
    );
    let text = std::fs::read_to_string(directory.path().join("map.yaml")).unwrap();
    assert_eq!(text, MAP);
    let run = modelsync(&["diff", "--output", "json", path(directory.path())]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["outcome"], "changed");
    assert_eq!(json["files"][0]["path"], "map.yaml");
    assert!(json["diff"].as_str().unwrap().contains("+  model: m2"));
}

/// Wrong input: what is said, on which stream, and with which exit code; and nothing is written.
#[test]
fn wrong_input_is_named() {
    type Files<'a> = &'a [(&'a str, &'a str)];
    let cases: [(&str, Files<'_>, &[&str], i32, &str); 12] = [
        (
            "no config",
            &[("map.yaml", MAP)],
            &[],
            1,
            "holds no SetModel; add one",
        ),
        (
            "no catalog",
            &[("s.yaml", CONFIG), ("map.yaml", MAP)],
            &[],
            1,
            "no ModelCatalog",
        ),
        (
            "no target",
            &[("s.yaml", CONFIG), ("c.yaml", CATALOG)],
            &[],
            1,
            "no document matches the target {kind: ConfigMap, name: bot}",
        ),
        (
            "unknown flag",
            &[],
            &["--confg", "x"],
            2,
            "unexpected argument",
        ),
        (
            "missing config file",
            &[],
            &["--config", "/nowhere.yaml"],
            1,
            "cannot read /nowhere.yaml",
        ),
        (
            "model not listed",
            &[("s.yaml", CONFIG), ("c.yaml", CATALOG), ("map.yaml", MAP)],
            &["--model", "m9"],
            1,
            "the pinned model m9 is not in",
        ),
        (
            "model that failed",
            &[("s.yaml", CONFIG), ("c.yaml", CATALOG), ("map.yaml", MAP)],
            &["--model", "m3"],
            0,
            "nothing was changed: no model of 3 is eligible",
        ),
        (
            "malformed model",
            &[("s.yaml", CONFIG), ("map.yaml", MAP)],
            &["--model", " m"],
            1,
            "white space",
        ),
        (
            "unknown field",
            &[("s.yaml", &CONFIG.replace("targets", "target"))],
            &[],
            1,
            "s.yaml:6:3: unknown field \"target\"; did you mean \"targets\"?",
        ),
        (
            "broken config",
            &[("s.yaml", "kind: SetModel\na: [\n")],
            &[],
            1,
            "cannot read s.yaml:2:4",
        ),
        (
            "broken catalog",
            &[
                ("s.yaml", CONFIG),
                ("map.yaml", MAP),
                (
                    "c.yaml",
                    "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: ModelCatalog\n- x\n",
                ),
            ],
            &[],
            1,
            "cannot read c.yaml:",
        ),
        (
            "twice the map",
            &[
                ("s.yaml", CONFIG),
                ("c.yaml", CATALOG),
                ("map.yaml", MAP),
                ("other.yaml", MAP),
            ],
            &[],
            1,
            "2 documents match the target",
        ),
    ];
    for (name, files, arguments, code, message) in cases {
        let directory = package(files);
        let mut all = vec!["render", path(directory.path())];
        all.extend(arguments);
        let run = modelsync(&all);
        assert_eq!(run.code, code, "{name}: {}", run.stderr);
        assert!(run.stderr.contains(message), "{name}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{name}");
        for (file, text) in files {
            let now = std::fs::read_to_string(directory.path().join(file)).unwrap();
            assert_eq!(now, *text, "{name}: {file} was changed");
        }
    }
    let run = modelsync(&["render", "/nowhere"]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!(run.stderr, @"error: cannot read /nowhere: it does not exist");
}

#[test]
fn files_that_do_not_matter_may_be_broken() {
    let directory = good();
    std::fs::write(
        directory.path().join("helm.yaml"),
        "a: {{ .Values.x }}\n{{ if }}\n",
    )
    .unwrap();
    std::fs::write(directory.path().join("latin1.yaml"), b"a: \xE9\n").unwrap();
    let run = modelsync(&["render", path(directory.path())]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn hidden_files_are_not_read() {
    let directory = good();
    let twin = directory.path().join("vendor");
    std::fs::create_dir_all(&twin).unwrap();
    std::fs::write(twin.join("map.yaml"), MAP).unwrap();
    for ignore in [".krmignore", ".gitignore"] {
        std::fs::write(directory.path().join(ignore), "vendor/\n").unwrap();
        let run = modelsync(&["diff", path(directory.path())]);
        assert_eq!(run.code, 0, "{ignore}: {}", run.stderr);
        std::fs::remove_file(directory.path().join(ignore)).unwrap();
    }
    assert_eq!(modelsync(&["diff", path(directory.path())]).code, 1);
}

#[test]
fn a_directory_that_cannot_be_written_is_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = good();
    let locked = std::fs::Permissions::from_mode(0o555);
    std::fs::set_permissions(directory.path(), locked).unwrap();
    // The superuser writes anyway.
    if std::fs::write(directory.path().join("probe"), "").is_ok() {
        std::fs::remove_file(directory.path().join("probe")).unwrap();
        return;
    }
    let run = modelsync(&["render", path(directory.path())]);
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("cannot write"), "{}", run.stderr);
}

#[test]
fn help_and_version_read_nothing() {
    for arguments in [
        vec!["--help"],
        vec!["--version"],
        vec!["fn", "--help"],
        vec!["fn", "--version"],
        vec!["fn", "--doc"],
        vec!["fn", "set-model", "--doc"],
        vec!["fn", "check-model", "--doc"],
        vec!["render", "--help"],
    ] {
        // Standard input stays open and silent: a read would wait for ever.
        let (reader, writer) = std::io::pipe().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_modelsync"))
            .args(&arguments)
            .env_clear()
            .stdin(reader)
            .output()
            .unwrap();
        drop(writer);
        assert!(output.status.success(), "{arguments:?}");
        assert!(!output.stdout.is_empty(), "{arguments:?}");
    }
    let run = modelsync(&["fn", "--doc"]);
    let doc: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(!doc["short"].as_str().unwrap().is_empty());
}

/// What `--help` says of a subcommand: those below it, and the variables that it reads.
fn described(subcommand: &[String]) -> (Vec<String>, Vec<String>) {
    let mut arguments: Vec<&str> = subcommand.iter().map(String::as_str).collect();
    arguments.push("--help");
    let run = modelsync(&arguments);
    assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
    let lines = run.stdout.lines();
    let listed = lines.skip_while(|line| *line != "Commands:").skip(1);
    let below = listed
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned);
    let words: Vec<&str> = run.stdout.split_whitespace().collect();
    let variables = words
        .windows(2)
        .filter(|pair| pair[0] == "[env:")
        .map(|pair| pair[1].trim_end_matches(']').trim_end_matches('='))
        .map(str::to_owned);
    (below.collect(), variables.collect())
}

/// Tekton passes parameters that are not set as empty strings, and manifests leave variables empty.
#[test]
fn an_empty_variable_is_as_good_as_none() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    // What is required, and with what a server ends at once. A flag hides its variable, so `serve`
    // ends in two ways.
    let arguments = |subcommand: &str| match subcommand {
        "serve" => vec![
            vec!["--dir", ".", "--listen", &taken],
            vec!["--dir", ".", "--log", "modelsync=loud"],
        ],
        "models deploy" | "models get" | "models evaluate" => vec![vec!["m1"]],
        "models label" => vec![vec!["m1", "a=b"]],
        _ => vec![vec![]],
    };
    let directory = tempfile::tempdir().unwrap();
    let run = |words: &[&str], variables: &[String]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_modelsync"));
        command.args(words).current_dir(&directory).env_clear();
        command.envs(variables.iter().map(|name| (name, "")));
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let mut subcommands = vec![Vec::new()];
    let mut tried = std::collections::BTreeSet::new();
    while let Some(subcommand) = subcommands.pop() {
        let (below, variables) = described(&subcommand);
        let with = |name| [&subcommand[..], &[name]].concat();
        let is_run = below.is_empty();
        subcommands.extend(below.into_iter().map(with));
        if !is_run {
            continue;
        }
        let name = subcommand.join(" ");
        for arguments in arguments(&name) {
            let mut words: Vec<&str> = subcommand.iter().map(String::as_str).collect();
            words.extend(arguments);
            let without = run(&words, &[]);
            assert_ne!(
                without.0,
                Some(2),
                "{words:?} lacks something: {}",
                without.2
            );
            assert_eq!(run(&words, &variables), without, "{words:?} {variables:?}");
        }
        tried.extend(variables);
    }
    assert!(tried.len() > 40, "{tried:?}");
}

#[test]
fn a_closed_pipe_is_no_failure_to_look_at() {
    let directory = good();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_modelsync"))
        .args(["diff", path(directory.path())])
        .env_clear()
        .stdout(writer)
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"));
}

/// kpt deletes what is missing from a function's output, so half of it is a failure.
#[test]
fn a_function_fails_when_its_output_cannot_be_written() {
    let input = "kind: ResourceList\nitems: []\n";
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    for stdout in [Stdio::from(writer), Stdio::from(full)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_modelsync"))
            .arg("fn")
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            stderr.contains("error: cannot write to standard output"),
            "{stderr}"
        );
    }
}

#[test]
fn the_function_answers_what_is_not_a_resource_list() {
    let run = modelsync_with(&["fn"], b"a: [\n");
    assert_eq!((run.code, run.stdout.as_str()), (1, "a: [\n"));
    let run = modelsync_with(&["fn"], b"");
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(run.stderr, @"error: cannot read standard input: standard input is empty; expected a ResourceList, as `kpt fn source DIR` prints it");
    let child = Command::new(env!("CARGO_BIN_EXE_modelsync"))
        .arg("fn")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .as_ref()
        .unwrap()
        .write_all(b"a: \xff\n")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"a: \xff\n");
    assert!(String::from_utf8_lossy(&output.stderr).contains("byte 3 is not UTF-8"));
}

/// A package as kpt sends it, roughly: each file is an item, with its path in an annotation.
pub(crate) fn package_items(directory: &Path, config: &str) -> String {
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml") || path.ends_with("Kptfile"))
        .collect();
    files.sort();
    let mut list = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n".to_owned();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let (head, tail) = text.split_once("\nmetadata:\n").unwrap();
        let path = format!("internal.config.kubernetes.io/path: '{name}'");
        let text = match tail.split_once("  annotations:\n") {
            Some((before, after)) => {
                format!("{head}\nmetadata:\n{before}  annotations:\n    {path}\n{after}")
            }
            None => format!("{head}\nmetadata:\n  annotations:\n    {path}\n{tail}"),
        };
        for (number, line) in text.lines().enumerate() {
            let lead = if number == 0 { "- " } else { "  " };
            list.push_str(format!("{lead}{line}").trim_end());
            list.push('\n');
        }
    }
    list.push_str("functionConfig:\n");
    for line in config.lines() {
        list.push_str(&format!("  {line}\n"));
    }
    list
}
