//! `modelsync check`: each defect is found by its rule at its place, nothing else is, and every
//! format is what its readers expect.

use std::path::{Path, PathBuf};

use crate::cli::{Run, modelsync};
use crate::harness::skipped;
use crate::label_bot::{NEW, OLD, copy, tree};

const PROJECT: &str = "projects/123456789012/locations/us-central1/models";

fn catalog() -> String {
    let model = |name: &str, display: &str, month: u8, rest: &str| {
        format!(
            "  - {{name: {name}, displayName: {display}, createTime: 2020-{month:02}-01T00:00:00Z, {rest}}}\n"
        )
    };
    let good = "state: Trained, evaluation: {metrics: {precision: 0.7}}";
    format!(
        "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: ModelCatalog\nmetadata: {{name: models}}\nspec:\n  observedAt: 2020-08-01T00:00:00Z\n  models:\n{}{}{}{}",
        model(OLD, "d", 6, good),
        model(NEW, "d", 7, good),
        model(
            &format!("{PROJECT}/TCN3"),
            "d",
            3,
            "state: Failed, evaluation: {metrics: {precision: 0.7}}"
        ),
        model(
            &format!("{PROJECT}/TCN4"),
            "d",
            4,
            "state: Trained, evaluation: {metrics: {precision: 0.1}}"
        ),
    )
}

const CONFIG: &str = "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: SetModel\nmetadata: {name: label-bot}\nspec:\n  policy:\n    gates:\n    - {metric: precision, min: 0.6}\n  targets:\n  - setter: automl-model\n";

/// The label bot's repository in one of its states, with a config and a catalog.
struct Repository {
    scratch: tempfile::TempDir,
}

impl Repository {
    fn new(state: &str) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/label-bot");
        copy(&data.join(state), &scratch.path().join("r"));
        std::fs::write(scratch.path().join("c.yaml"), CONFIG).unwrap();
        std::fs::write(scratch.path().join("m.yaml"), catalog()).unwrap();
        Self { scratch }
    }

    fn root(&self) -> PathBuf {
        self.scratch.path().join("r")
    }

    /// Replaces text in the one file whose path ends so; `true` for every occurrence.
    fn edit(&self, path: &str, from: &str, to: &str) {
        let files = tree(&self.root());
        let name = files.keys().find(|name| name.contains(path)).unwrap();
        let text = String::from_utf8(files[name].clone()).unwrap();
        assert!(text.contains(from), "{name} does not contain {from:?}");
        std::fs::write(self.root().join(name), text.replace(from, to)).unwrap();
    }

    fn check(&self, arguments: &[&str]) -> Run {
        let path = |name: &str| self.scratch.path().join(name).to_str().unwrap().to_owned();
        let (root, config, catalog) = (path("r"), path("c.yaml"), path("m.yaml"));
        let mut all = vec!["check", &root, "--config", &config, "--catalog", &catalog];
        all.extend(arguments);
        modelsync(&all)
    }

    /// Each finding as `RULE file:line:column`, where the file is its last 10 characters.
    fn findings(&self, arguments: &[&str]) -> Vec<String> {
        let run = self.check(&[&["--format", "json"], arguments].concat());
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let findings = json["findings"].as_array().unwrap().iter();
        findings
            .map(|finding| {
                let path = finding["path"].as_str().unwrap_or("-");
                let tail = &path[path.len().saturating_sub(12)..];
                format!(
                    "{} {tail}:{}:{}",
                    finding["rule"].as_str().unwrap(),
                    finding["line"],
                    finding["column"]
                )
            })
            .collect()
    }
}

const MAP: &str = "~g_v1_configmap";

#[test]
fn good_states_have_no_findings() {
    let repository = Repository::new("after");
    assert_eq!(repository.findings(&[]), Vec::<String>::new());
    let run = repository.check(&[]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "no findings\n"));
}

#[test]
fn a_stale_model_is_a_warning() {
    let repository = Repository::new("before");
    assert_eq!(
        repository.findings(&[]),
        [
            "MS001 ment/Kptfile:14:18",
            "MS001 _config.yaml:4:17",
            "MS001 ftdhm2b.yaml:7:21"
        ]
        .map(|line| line.replace("ftdhm2b", &hash_tail(&repository)))
    );
    assert_eq!(repository.check(&[]).code, 0);
    assert_eq!(repository.check(&["--fail-on", "warning"]).code, 1);
    assert_eq!(repository.check(&["--rule", "MS001=error"]).code, 1);
    assert_eq!(
        repository.findings(&["--rule", "stale-model=off"]),
        Vec::<String>::new()
    );
}

fn hash_tail(repository: &Repository) -> String {
    let files = tree(&repository.root());
    let name = files.keys().find(|name| name.contains(MAP)).unwrap();
    name[name.len() - 12..name.len() - 5].to_owned()
}

/// One defect each in the tree that was merged.
#[test]
fn each_defect_gives_exactly_its_rule() {
    type Defect = (&'static str, fn(&Repository), &'static [&'static str]);
    let defects: [Defect; 13] = [
        (
            "a gate fails",
            |it| set_everywhere(it, &format!("{PROJECT}/TCN4")),
            &["MS002", "MS002", "MS002"],
        ),
        (
            "unknown",
            |it| set_everywhere(it, &format!("{PROJECT}/TCN9")),
            &["MS003", "MS003", "MS003"],
        ),
        (
            "failed training",
            |it| set_everywhere(it, &format!("{PROJECT}/TCN3")),
            &["MS008", "MS008", "MS008"],
        ),
        (
            "not a name",
            |it| set_everywhere(it, "notavlidmodel"),
            &["MS011", "MS011", "MS011"],
        ),
        (
            "the setter alone is old",
            |it| it.edit("Kptfile", NEW, OLD),
            &["MS005 ment/Kptfile:14:18"],
        ),
        (
            "a pin to an old model",
            |it| {
                replace(
                    it,
                    "c.yaml",
                    "  policy:\n",
                    &format!("  policy:\n    pin: {OLD}\n"),
                );
            },
            &["MS004 -:null:null"],
        ),
        (
            "another hash",
            |it| {
                let old = map_name(it);
                let new = format!("{}gbgchmftdh", &old[..old.len() - 10]);
                it.edit(MAP, &old, &new);
                it.edit("label-bot-worker", &old, &new);
            },
            &["MS006"],
        ),
        (
            "a reference to the name before",
            |it| {
                let name = map_name(it);
                it.edit(
                    "label-bot-worker",
                    &name,
                    "label-bot-model-config-gbgchmftdh",
                );
            },
            &["MS007 -worker.yaml:24:17"],
        ),
        (
            "an unknown field in the config",
            |it| replace(it, "c.yaml", "targets", "target"),
            &["MS013"],
        ),
        (
            "an unknown setter",
            |it| replace(it, "c.yaml", "automl-model", "automl-modle"),
            &["MS010 -:null:null"],
        ),
        (
            "a path into a broken document",
            |it| {
                replace(
                    it,
                    "c.yaml",
                    "  - setter: automl-model\n",
                    "  - {resource: {kind: ConfigMap, name: label-bot-model-config}, field: 'data.[model_config.yaml].orgs.[name=kubeflow].automl_model'}\n",
                );
                it.edit(MAP, "    - name: kubeflow\n", "    - name: [\n");
            },
            &["MS009"],
        ),
        (
            "too large",
            |it| {
                it.edit(
                    MAP,
                    "kind: ConfigMap",
                    &format!("  big: {}\nkind: ConfigMap", "x".repeat(1 << 20)),
                );
                rehash(it);
            },
            &["MS015"],
        ),
        (
            "a suppression without a reason",
            |it| {
                it.edit(
                    "Kptfile",
                    "kind: Kptfile",
                    "kind: Kptfile # modelsync:ignore MS001",
                );
            },
            &["MS016 ment/Kptfile:2:17"],
        ),
    ];
    for (name, defect, wanted) in defects {
        let repository = Repository::new("after");
        defect(&repository);
        let found = repository.findings(&[]);
        assert_eq!(found.len(), wanted.len(), "{name}: {found:?}");
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(found.starts_with(wanted), "{name}: {found}, not {wanted}");
        }
    }
}

fn set_everywhere(repository: &Repository, model: &str) {
    for path in ["Kptfile", "configs/model_config.yaml", MAP] {
        repository.edit(path, NEW, model);
    }
    rehash(repository);
}

fn replace(repository: &Repository, file: &str, from: &str, to: &str) {
    let path = repository.scratch.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(&path, text.replace(from, to)).unwrap();
}

fn map_name(repository: &Repository) -> String {
    let files = tree(&repository.root());
    let path = files.keys().find(|name| name.contains(MAP)).unwrap();
    path.rsplit_once("configmap_")
        .unwrap()
        .1
        .trim_end_matches(".yaml")
        .to_owned()
}

/// Gives the ConfigMap the name that its content asks for.
fn rehash(repository: &Repository) {
    use modelsync::core::package::name_hash::{Contents, Scheme};
    let files = tree(&repository.root());
    let path = files.keys().find(|name| name.contains(MAP)).unwrap();
    let text = String::from_utf8(files[path].clone()).unwrap();
    let stream = modelsync::core::yaml::Stream::parse(&text).unwrap();
    let contents = Contents::of(&stream, stream.roots()[0]).unwrap();
    let old = stream
        .get_str(stream.roots()[0], &["metadata", "name"])
        .unwrap()
        .to_owned();
    let base = &old[..old.len() - 11];
    let new = format!("{base}-{}", contents.suffix(Scheme::WithName, base));
    repository.edit(MAP, &old, &new);
    repository.edit("label-bot-worker", &old, &new);
}

#[test]
fn two_configs_for_one_place() {
    let repository = Repository::new("after");
    let second = repository.scratch.path().join("c2.yaml");
    std::fs::write(&second, CONFIG.replace("name: label-bot}", "name: twin}")).unwrap();
    let found = repository.findings(&["--config", second.to_str().unwrap()]);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found.iter().all(|finding| finding.starts_with("MS014")),
        "{found:?}"
    );
}

#[test]
fn an_old_catalog_is_found_when_asked_for() {
    let repository = Repository::new("after");
    let found = repository.findings(&["--max-catalog-age", "1d"]);
    assert_eq!(found, ["MS012 -:null:null"]);
    assert_eq!(
        repository.findings(&["--max-catalog-age", "99999d"]),
        Vec::<String>::new()
    );
}

#[test]
fn a_finding_is_accepted_with_a_reason() {
    let repository = Repository::new("before");
    let line = format!("value: {OLD}");
    repository.edit(
        "Kptfile",
        &line,
        &format!("{line} # modelsync:ignore MS001 until May"),
    );
    let found = repository.findings(&[]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(!found.iter().any(|finding| finding.contains("Kptfile")));
}

#[test]
fn exit_codes() {
    let repository = Repository::new("after");
    assert_eq!(repository.check(&["--rule", "MS999=error"]).code, 2);
    assert_eq!(repository.check(&["--rule", "MS001=loud"]).code, 2);
    assert_eq!(repository.check(&["--format", "yaml"]).code, 2);
    let run = modelsync(&["check", "/nowhere"]);
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("it does not exist"));
    // Without a catalog nothing can be said about the model, but everything else is.
    let root = repository.root();
    let config = repository.scratch.path().join("c.yaml");
    let arguments = [
        "check",
        root.to_str().unwrap(),
        "--config",
        config.to_str().unwrap(),
    ];
    let run = modelsync(&arguments);
    assert_eq!(run.code, 3, "{}", run.stdout);
    assert!(
        run.stdout.contains("the package has no ModelCatalog"),
        "{}",
        run.stdout
    );
    repository.edit(
        "label-bot-worker",
        &map_name(&repository),
        "label-bot-model-config-gbgchmftdh",
    );
    assert_eq!(modelsync(&arguments).code, 1);
}

#[test]
fn fix_does_what_has_one_right_answer() {
    let repository = Repository::new("before");
    repository.edit(
        "label-bot-worker",
        &map_name(&repository),
        "label-bot-model-config-gbgchmftdh",
    );
    let run = repository.check(&["--fix"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "no findings\n"),
        "{}",
        run.stderr
    );
    let wanted = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/label-bot/after");
    assert!(tree(&repository.root()) == tree(&wanted));
}

#[test]
fn text_shows_the_line() {
    let repository = Repository::new("after");
    repository.edit("Kptfile", NEW, OLD);
    let run = repository.check(&[]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!(run.stdout, @r#"
    error[MS005]: this holds projects/123456789012/locations/us-central1/models/TCN1111111111111111111, and other places hold projects/123456789012/locations/us-central1/models/TCN2222222222222222222
      --> Label_Microservice/deployment/Kptfile:14:18
       |
    14 |           value: projects/123456789012/locations/us-central1/models/TCN1111111111111111111
       |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: run `modelsync render`, or `modelsync check --fix`

    1 error
    "#);
    assert_eq!(run.stderr, "");
}

#[test]
fn github_annotations() {
    let repository = Repository::new("after");
    repository.edit("Kptfile", NEW, OLD);
    let run = repository.check(&["--format", "github"]);
    let line = run
        .stdout
        .replace(repository.root().to_str().unwrap(), "ROOT");
    insta::assert_snapshot!(line, @"::error file=ROOT/Label_Microservice/deployment/Kptfile,line=14,endLine=14,col=18,endColumn=91,title=MS005 disagreeing-targets::this holds projects/123456789012/locations/us-central1/models/TCN1111111111111111111, and other places hold projects/123456789012/locations/us-central1/models/TCN2222222222222222222. run `modelsync render`, or `modelsync check --fix`");
}

#[test]
fn sarif_is_valid() {
    let repository = Repository::new("before");
    repository.edit(
        "label-bot-worker",
        &map_name(&repository),
        "label-bot-model-config-gbgchmftdh",
    );
    let run = repository.check(&["--format", "sarif"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["runs"][0]["results"].as_array().unwrap().len(), 4);
    let file = repository.scratch.path().join("x.sarif");
    std::fs::write(&file, &run.stdout).unwrap();
    let schema = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/testdata/schemas/sarif-2.1.0.json"
    );
    judge(
        "check-jsonschema",
        &[
            "--regex-variant",
            "python",
            "--schemafile",
            schema,
            file.to_str().unwrap(),
        ],
    );
}

#[test]
fn junit_is_valid() {
    let repository = Repository::new("before");
    repository.edit("Kptfile", OLD, "a\u{1}<&\"'>b");
    let run = repository.check(&["--format", "junit"]);
    let file = repository.scratch.path().join("x.xml");
    std::fs::write(&file, &run.stdout).unwrap();
    let Some(schema) = std::env::var_os("MODELSYNC_JUNIT_XSD") else {
        return skipped("MODELSYNC_JUNIT_XSD does not name Jenkins' junit-10.xsd");
    };
    judge(
        "xmlschema-validate",
        &["--schema", schema.to_str().unwrap(), file.to_str().unwrap()],
    );
}

#[test]
fn ready_made_uses_are_valid() {
    let file = |name: &str| format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    judge(
        "check-jsonschema",
        &[
            "--builtin-schema",
            "vendor.github-workflows",
            &file("docs/ci/github.yaml"),
        ],
    );
    judge(
        "check-jsonschema",
        &[
            "--builtin-schema",
            "vendor.gitlab-ci",
            &file("docs/ci/gitlab.yaml"),
        ],
    );
}

#[test]
fn the_tekton_task_and_the_hook_are_valid() {
    let file = |name: &str| format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    judge("tekton-lint", &[&file("docs/ci/tekton-task.yaml")]);
    judge(
        "pre-commit",
        &["validate-manifest", &file(".pre-commit-hooks.yaml")],
    );
}

#[test]
fn json_and_junit_say_the_same() {
    let repository = Repository::new("after");
    repository.edit("Kptfile", NEW, OLD);
    insta::assert_snapshot!(repository.check(&["--format", "json"]).stdout, @r#"
    {
      "findings": [
        {
          "rule": "MS005",
          "name": "disagreeing-targets",
          "level": "error",
          "message": "this holds projects/123456789012/locations/us-central1/models/TCN1111111111111111111, and other places hold projects/123456789012/locations/us-central1/models/TCN2222222222222222222",
          "help": "run `modelsync render`, or `modelsync check --fix`",
          "path": "Label_Microservice/deployment/Kptfile",
          "line": 14,
          "column": 18,
          "endLine": 14,
          "endColumn": 91,
          "field": "openAPI.definitions.io\\.k8s\\.cli\\.setters\\.automl-model.x-k8s-cli.setter.value",
          "currentValue": "projects/123456789012/locations/us-central1/models/TCN1111111111111111111",
          "proposedValue": null
        }
      ],
      "undecided": []
    }
    "#);
    let junit = repository.check(&["--format", "junit"]).stdout;
    let failed = junit
        .lines()
        .skip_while(|line| !line.contains("MS005"))
        .take(4);
    insta::assert_snapshot!(failed.collect::<Vec<_>>().join("\n"), @r#"
        <testcase name="MS005 Label_Microservice/deployment/Kptfile:14:18" classname="disagreeing-targets">
          <failure type="error" message="this holds projects/123456789012/locations/us-central1/models/TCN1111111111111111111, and other places hold projects/123456789012/locations/us-central1/models/TCN2222222222222222222">Label_Microservice/deployment/Kptfile:14:18: this holds projects/123456789012/locations/us-central1/models/TCN1111111111111111111, and other places hold projects/123456789012/locations/us-central1/models/TCN2222222222222222222
    help: run `modelsync render`, or `modelsync check --fix`</failure>
        </testcase>
    "#);
    let sarif = repository.check(&["--format", "sarif"]).stdout;
    let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    let mut result = sarif["runs"][0]["results"][0].clone();
    let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].take();
    assert!(uri.as_str().unwrap().ends_with("/Kptfile"), "{uri}");
    insta::assert_snapshot!(format!("{result:#}"), @r#"
    {
      "ruleId": "MS005",
      "ruleIndex": 4,
      "level": "error",
      "message": {
        "text": "this holds projects/123456789012/locations/us-central1/models/TCN1111111111111111111, and other places hold projects/123456789012/locations/us-central1/models/TCN2222222222222222222"
      },
      "locations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": null
            },
            "region": {
              "startLine": 14,
              "startColumn": 18,
              "endLine": 14,
              "endColumn": 91
            }
          }
        }
      ]
    }
    "#);
}

#[test]
fn the_rules_page_is_current() {
    let page = modelsync::core::report::findings::rules_page();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page,
        "docs/rules.md is not what the rules say: run with UPDATE=1"
    );
}

/// Runs a judge that others wrote.
fn judge(program: &str, arguments: &[&str]) {
    match std::process::Command::new(program).args(arguments).output() {
        Ok(output) => assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => skipped(&format!("{program}: {error}")),
    }
}

fn git(directory: &Path, arguments: &[&str]) {
    let output = std::process::Command::new("git")
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
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn base_limits_findings_to_changed_lines() {
    if !crate::harness::is_there("git") {
        return;
    }
    let repository = Repository::new("after");
    let root = repository.root();
    repository.edit("Kptfile", NEW, OLD);
    git(&root, &["init", "-q"]);
    git(&root, &["add", "."]);
    git(&root, &["commit", "-qm", "one"]);
    git(&root, &["checkout", "-qb", "topic"]);
    assert_eq!(repository.findings(&[]).len(), 1);
    assert_eq!(
        repository.findings(&["--base", "main"]),
        Vec::<String>::new()
    );
    // What the other branch does meanwhile is not ours.
    git(&root, &["checkout", "-q", "main"]);
    git(&root, &["commit", "-q", "--allow-empty", "-m", "two"]);
    git(&root, &["checkout", "-q", "topic"]);
    repository.edit(
        "label-bot-worker",
        &map_name(&repository),
        "label-bot-model-config-gbgchmftdh",
    );
    let found = repository.findings(&["--base", "main"]);
    assert_eq!(found, ["MS007 -worker.yaml:24:17"]);
    assert_eq!(repository.check(&["--base", "main"]).code, 1);
    let run = repository.check(&["--base", "nowhere"]);
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("with nowhere"), "{}", run.stderr);
}
