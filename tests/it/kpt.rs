//! The function through real kpt and kustomize, as a program and in a container.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, Weak};

use crate::harness::is_there;
use crate::label_bot::{copy, tree};

const A: &str = "projects/1/locations/us-central1/models/TCN1";
const B: &str = "projects/1/locations/us-central1/models/TCN2";
const BINARY: &str = env!("CARGO_BIN_EXE_modelsync");

const MAP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: bot # the bot
data:
  # what it loads
  model_config.yaml: |
    # This file describes the models to load.

    orgs:
    - name: kubeflow
      automl_model: \"MODEL\" # {\"kept\": true}
    - {name: other, automl_model: x}
  text: |
    no YAML: at: all
";

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A package whose Kptfile runs `function`, such as `exec: PROGRAM`.
fn package(function: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let local = "annotations: {config.kubernetes.io/local-config: \"true\"}";
    write(
        root.path(),
        "Kptfile",
        &format!(
            "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: bot\npipeline:\n  mutators:\n  - {function}\n    configPath: set-model.yaml\n  validators:\n  - {function}\n    configPath: check-model.yaml\n"
        ),
    );
    write(
        root.path(),
        "set-model.yaml",
        &format!(
            "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: SetModel\nmetadata:\n  name: bot\n  {local}\nspec:\n  targets:\n  - resource: {{kind: ConfigMap, name: bot}}\n    field: data.[model_config.yaml].orgs.[name=kubeflow].automl_model\n"
        ),
    );
    write(
        root.path(),
        "check-model.yaml",
        &format!(
            "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: CheckModel\nmetadata:\n  name: bot\n  {local}\n"
        ),
    );
    write(
        root.path(),
        "models.yaml",
        &format!(
            "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: ModelCatalog\nmetadata:\n  name: models\n  {local}\nspec:\n  models:\n  - {{name: {A}, displayName: d, createTime: 2020-01-01T00:00:00Z, state: Deployed}}\n  - {{name: {B}, displayName: d, createTime: 2020-02-01T00:00:00Z, state: Trained}}\n"
        ),
    );
    write(root.path(), "cm.yaml", &MAP.replace("MODEL", A));
    write(
        root.path(),
        "other.yaml",
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: s # kept\nspec:\n  ports: [{port: 80}]\n",
    );
    root
}

fn kpt(root: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("kpt");
    command.args(arguments).current_dir(root);
    command
        .env("KPT_FN_RUNTIME", "podman")
        .env("KRM_FN_RUNTIME", "podman")
        .env("CONTAINERS_CONF", containers_conf());
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn exec() -> String {
    format!("exec: {BINARY} fn")
}

/// What kpt itself does to the files, without us.
fn settle(root: &Path) {
    let output = kpt(root, &["fn", "eval", "--exec", "cat"]);
    assert!(output.status.success(), "{}", text(&output));
}

fn changes_one_line(function: &str, arguments: &[&str]) {
    let root = package(function);
    settle(root.path());
    let before = tree(root.path());
    let output = kpt(root.path(), arguments);
    assert!(output.status.success(), "{}", text(&output));
    let mut wanted = before.clone();
    let map = String::from_utf8(before["cm.yaml"].clone()).unwrap();
    assert!(map.contains("# {\"kept\": true}"));
    wanted.insert("cm.yaml".to_owned(), map.replace(A, B).into_bytes());
    strip_status(root.path());
    assert!(tree(root.path()) == wanted, "{}", text(&output));
    let again = kpt(root.path(), arguments);
    assert!(again.status.success(), "{}", text(&again));
    assert!(text(&again).contains("is current"), "{}", text(&again));
    strip_status(root.path());
    assert!(
        tree(root.path()) == wanted,
        "the second run changed something"
    );
}

/// Newer kpt records the run in the Kptfile.
fn strip_status(root: &Path) {
    let path = root.join("Kptfile");
    let kptfile = std::fs::read_to_string(&path).unwrap();
    if let Some((before, _)) = kptfile.split_once("\nstatus:") {
        std::fs::write(path, format!("{before}\n")).unwrap();
    }
}

#[test]
fn render_changes_one_line() {
    if is_there("kpt") {
        changes_one_line(&exec(), &["fn", "render", "--allow-exec"]);
    }
}

#[test]
fn render_in_a_container_changes_one_line() {
    if !(is_there("kpt") && is_there("podman") && is_there("runc")) {
        return;
    }
    let image = Image::shared();
    changes_one_line(
        &format!("image: {}", image.name),
        &["fn", "render", "--image-pull-policy", "never"],
    );
    let documentation = podman(&[
        "run",
        "--rm",
        "--network=none",
        "--read-only",
        &image.name,
        "--doc",
    ]);
    assert!(
        text(&documentation).contains("\"short\""),
        "{}",
        text(&documentation)
    );
}

/// The function's image, built from the Dockerfile with a static binary. It is removed at the end.
struct Image {
    name: String,
}

impl Image {
    /// The one that a test uses at the moment, or a new one.
    fn shared() -> Arc<Self> {
        static IMAGE: Mutex<Weak<Image>> = Mutex::new(Weak::new());
        let mut shared = IMAGE.lock().unwrap();
        shared.upgrade().unwrap_or_else(|| {
            let image = Arc::new(Self::build());
            *shared = Arc::downgrade(&image);
            image
        })
    }

    fn build() -> Self {
        let context = tempfile::tempdir().unwrap();
        std::fs::copy(static_binary(), context.path().join("modelsync")).unwrap();
        // What the tests ask speaks no TLS.
        std::fs::write(context.path().join("ca-certificates.crt"), "").unwrap();
        let name = format!("localhost/modelsync-function-test:{}", std::process::id());
        let binary = format!("binary={}", context.path().display());
        let source = env!("CARGO_MANIFEST_DIR");
        let output = podman(&[
            "build",
            "--target",
            "function",
            "--build-context",
            &binary,
            "-t",
            &name,
            source,
        ]);
        assert!(output.status.success(), "{}", text(&output));
        Self { name }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        podman(&["rmi", "--force", &self.name]);
    }
}

fn podman(arguments: &[&str]) -> Output {
    let mut command = Command::new("podman");
    command
        .args(arguments)
        .env("CONTAINERS_CONF", containers_conf())
        .output()
        .unwrap()
}

/// podman's configuration.
fn containers_conf() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/containers.conf")
}

/// The program, statically linked: the one that `MODELSYNC_STATIC_BINARY` names, or one built now.
fn static_binary() -> PathBuf {
    if let Some(path) = std::env::var_os("MODELSYNC_STATIC_BINARY") {
        return path.into();
    }
    let target = Path::new(BINARY).parent().unwrap().with_file_name("static");
    let host = Command::new("rustc")
        .args(["--print", "host-tuple"])
        .output()
        .unwrap();
    let host = String::from_utf8(host.stdout).unwrap().trim().to_owned();
    let output = Command::new(env!("CARGO"))
        .args([
            "build",
            "--locked",
            "--quiet",
            "--bin",
            "modelsync",
            "--target",
            &host,
        ])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    target.join(host).join("debug/modelsync")
}

/// Whatever is wrong, kpt says why and the package stays as it was.
#[test]
fn failures_leave_the_package_alone() {
    if !is_there("kpt") {
        return;
    }
    let cases: [(&str, &str, &str, &str); 7] = [
        (
            "models.yaml",
            "kind: ModelCatalog",
            "kind: OtherCatalog",
            "has no ModelCatalog",
        ),
        (
            "models.yaml",
            "createTime:",
            "createtime:",
            "did you mean \"createTime\"",
        ),
        (
            "set-model.yaml",
            "targets:",
            "tragets:",
            "did you mean \"targets\"",
        ),
        (
            "set-model.yaml",
            "kind: SetModel",
            "kind: SetModels",
            "did you mean \"SetModel\"",
        ),
        (
            "set-model.yaml",
            "automl_model",
            "other_model",
            "has no key",
        ),
        (
            "cm.yaml",
            "- {name: other, automl_model: x}",
            "- {name: [",
            "is not valid YAML",
        ),
        (
            "cm.yaml",
            "name: bot #",
            "name: bat #",
            "no document matches",
        ),
    ];
    for (file, from, to, message) in cases {
        let root = package(&exec());
        let old = std::fs::read_to_string(root.path().join(file)).unwrap();
        assert!(old.contains(from), "{file}: {from}");
        write(root.path(), file, &old.replace(from, to));
        settle(root.path());
        let before = tree(root.path());
        let results = tempfile::tempdir().unwrap();
        let directory = results.path().to_str().unwrap();
        let output = kpt(
            root.path(),
            &["fn", "render", "--allow-exec", "--results-dir", directory],
        );
        assert!(!output.status.success(), "{to}");
        assert!(text(&output).contains(message), "{to}: {}", text(&output));
        strip_status(root.path());
        assert!(tree(root.path()) == before, "{to}: the package was changed");
        let results = std::fs::read_to_string(results.path().join("results.yaml")).unwrap();
        assert!(
            results.contains("exitCode: 1") && results.contains("severity: error"),
            "{results}"
        );
    }
}

#[test]
fn a_stale_package_fails_validation() {
    if !is_there("kpt") {
        return;
    }
    let root = package(&exec());
    let kptfile = std::fs::read_to_string(root.path().join("Kptfile")).unwrap();
    let (head, _) = kptfile.split_once("  mutators:").unwrap();
    let (_, validators) = kptfile.split_once("  validators:").unwrap();
    write(
        root.path(),
        "Kptfile",
        &format!("{head}  validators:{validators}"),
    );
    let output = kpt(root.path(), &["fn", "render", "--allow-exec"]);
    assert!(!output.status.success());
    assert!(text(&output).contains("chooses"), "{}", text(&output));
}

#[test]
fn results_say_what_was_done() {
    if !is_there("kpt") {
        return;
    }
    let root = package(&exec());
    let results = tempfile::tempdir().unwrap();
    let directory = results.path().to_str().unwrap();
    let output = kpt(
        root.path(),
        &["fn", "render", "--allow-exec", "--results-dir", directory],
    );
    assert!(output.status.success(), "{}", text(&output));
    let results = std::fs::read_to_string(results.path().join("results.yaml")).unwrap();
    for part in [
        "exitCode: 0",
        "path: data.model_config\\.yaml.orgs[0].automl_model",
        &format!("currentValue: {A}"),
        &format!("proposedValue: {B}"),
        "path: cm.yaml",
        "name: bot",
    ] {
        assert!(results.contains(part), "{part} is not in {results}");
    }
}

#[test]
fn eval_takes_arguments() {
    if !is_there("kpt") {
        return;
    }
    let root = package(&exec());
    settle(root.path());
    let command = format!("{BINARY} fn");
    let field = "field=data.[model_config.yaml].orgs.[name=kubeflow].automl_model";
    let output = kpt(
        root.path(),
        &[
            "fn",
            "eval",
            "--exec",
            &command,
            "--",
            "kind=ConfigMap",
            "name=bot",
            field,
            "displayName=d",
        ],
    );
    assert!(output.status.success(), "{}", text(&output));
    let map = std::fs::read_to_string(root.path().join("cm.yaml")).unwrap();
    assert!(
        map.contains(&format!("automl_model: \"{B}\" # {{\"kept\": true}}")),
        "{map}"
    );
    let output = kpt(
        root.path(),
        &["fn", "eval", "--exec", &command, "--", "knid=ConfigMap"],
    );
    assert!(!output.status.success());
    assert!(
        text(&output).contains("did you mean \"kind\""),
        "{}",
        text(&output)
    );
}

/// The package that ships here: kpt and `modelsync render` come to the same files.
#[test]
fn the_shipped_package_renders_with_and_without_kpt() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fresh = || {
        let root = tempfile::tempdir().unwrap();
        copy(&source.join("label-bot"), &root.path().join("label-bot"));
        for name in [
            ".krmignore",
            "functions/set-model.yaml",
            "functions/check-model.yaml",
        ] {
            write(
                root.path(),
                name,
                &std::fs::read_to_string(source.join(name)).unwrap(),
            );
        }
        let kptfile = std::fs::read_to_string(source.join("Kptfile")).unwrap();
        assert_eq!(
            kptfile
                .matches("exec: target/release/modelsync fn ")
                .count(),
            2
        );
        write(
            root.path(),
            "Kptfile",
            &kptfile.replace("target/release/modelsync", BINARY),
        );
        root
    };
    let without = fresh();
    let run = crate::cli::modelsync(&["render", without.path().to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let files = tree(without.path());
    let new =
        "projects/123456789012/locations/us-central1/models/TCN4752636812038504448\" # changed";
    let holds = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).contains(new);
    assert_eq!(files.values().filter(|bytes| holds(bytes)).count(), 1);
    let check = crate::cli::modelsync(&["check", without.path().to_str().unwrap()]);
    assert_eq!(check.stdout, "no findings\n");
    if is_there("kpt") {
        let with = fresh();
        let output = kpt(with.path(), &["fn", "render", "--allow-exec"]);
        assert!(output.status.success(), "{}", text(&output));
        strip_status(with.path());
        assert!(tree(with.path()) == files, "{}", text(&output));
    }
}

/// As a kustomize transformer the function sees the ConfigMap before it gets its hash.
#[test]
fn a_kustomize_transformer() {
    if !["kubectl", "podman", "runc", "docker"]
        .into_iter()
        .all(is_there)
    {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let package = package("exec: none");
    for name in ["models.yaml", "set-model.yaml"] {
        std::fs::copy(package.path().join(name), root.path().join(name)).unwrap();
    }
    write(
        root.path(),
        "kustomization.yaml",
        "resources:\n- models.yaml\nconfigMapGenerator:\n- name: bot\n  files:\n  - model_config.yaml\ntransformers:\n- set-model.yaml\n",
    );
    let document = format!("# kept\norgs:\n- name: kubeflow\n  automl_model: \"{A}\" # here\n");
    write(root.path(), "model_config.yaml", &document);
    let config = std::fs::read_to_string(root.path().join("set-model.yaml")).unwrap();
    let image = Image::shared();
    let function = format!(
        "annotations: {{config.kubernetes.io/function: \"container: {{image: {}}}\", ",
        image.name
    );
    write(
        root.path(),
        "set-model.yaml",
        &config.replace("annotations: {", &function),
    );
    // kustomize runs containers with docker, and podman can answer in its place.
    let socket = format!("unix://{}", root.path().join("podman.sock").display());
    let mut service = Command::new("podman")
        .args(["system", "service", "--time", "60", &socket])
        .env("CONTAINERS_CONF", containers_conf())
        .spawn()
        .unwrap();
    let mut connected = false;
    for _ in 0..200 {
        let version = Command::new("docker")
            .arg("version")
            .env("DOCKER_HOST", &socket)
            .output();
        connected = version.is_ok_and(|output| output.status.success());
        if connected {
            break;
        }
    }
    let output = Command::new("kubectl")
        .args(["kustomize", "--enable-alpha-plugins"])
        .arg(root.path())
        .env("DOCKER_HOST", &socket)
        .output()
        .unwrap();
    service.kill().unwrap();
    service.wait().unwrap();
    let printed = text(&output);
    assert!(connected && output.status.success(), "{printed}");
    assert!(
        printed.contains(&format!("automl_model: \"{B}\" # here")),
        "{printed}"
    );
    assert!(printed.contains("# kept"), "{printed}");
    // The hash is that of the new content.
    write(root.path(), "model_config.yaml", &document.replace(A, B));
    let plain =
        "resources: []\nconfigMapGenerator:\n- name: bot\n  files:\n  - model_config.yaml\n";
    write(root.path(), "kustomization.yaml", plain);
    let wanted = Command::new("kubectl")
        .arg("kustomize")
        .arg(root.path())
        .output()
        .unwrap();
    let wanted = text(&wanted);
    let name = wanted
        .lines()
        .find(|line| line.starts_with("  name: bot-"))
        .unwrap();
    assert!(printed.contains(name), "{name} is not in {printed}");
}
