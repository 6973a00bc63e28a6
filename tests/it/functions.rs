//! `functions/`: the examples do what they say, and the schemas say what the program takes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use modelsync::core::config::FunctionConfig;
use modelsync::core::krm::ResourceList;
use modelsync::core::model::ModelCatalog;

use crate::cli::{modelsync_with, package_items};

fn source() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The examples of a function, each a folder.
fn examples(function: &str) -> Vec<PathBuf> {
    let folder = source().join("functions").join(function).join("examples");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

/// A copy of an example with its Kptfile, which has another name in the repository: kpt renders
/// every package below the one it is asked to render, hidden or not.
fn unpacked(example: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(example).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let name = path
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .replace(".example", "");
            std::fs::copy(&path, copy.path().join(name)).unwrap();
        }
    }
    copy
}

/// Compares with a file, or with `UPDATE` set writes it.
fn compare(path: &Path, found: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, found).unwrap();
    }
    let wanted = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        wanted == found,
        "{} differs; run with UPDATE=1\n{found}",
        path.display()
    );
}

/// The results of a ResourceList, as its last lines.
fn results(list: &str) -> &str {
    list.split_once("\nresults:\n")
        .map_or("", |(_, results)| results)
}

#[test]
fn set_model_examples() {
    for example in examples("set-model") {
        let package = unpacked(&example);
        let package = package.path();
        let diff = crate::cli::modelsync(&["diff", package.to_str().unwrap()]);
        assert_eq!(diff.code, 0, "{}", diff.stderr);
        compare(&example.join(".expected/diff.patch"), &diff.stdout);
        let config = std::fs::read_to_string(example.join("set-model.yaml")).unwrap();
        let run = modelsync_with(&["fn"], package_items(package, &config).as_bytes());
        assert_eq!(run.code, 0, "{}", run.stderr);
        compare(
            &example.join(".expected/results.yaml"),
            results(&run.stdout),
        );
        // The function and the file mode come to the same model in the same places.
        let new = "projects/123456789012/locations/us-central1/models/TCN4752636812038504448";
        let added = diff
            .stdout
            .lines()
            .filter(|line| line.starts_with('+') && line.contains(new));
        let old = package_items(package, &config).matches(new).count();
        assert_eq!(
            run.stdout
                .split("\nresults:\n")
                .next()
                .unwrap()
                .matches(new)
                .count()
                - old,
            added.count()
        );
    }
}

#[test]
fn check_model_examples() {
    for example in examples("check-model") {
        let config = std::fs::read_to_string(example.join("check-model.yaml")).unwrap();
        let package = unpacked(&example);
        let input = package_items(package.path(), &config);
        let run = modelsync_with(&["fn"], input.as_bytes());
        assert_eq!(run.code, 1);
        assert!(
            run.stdout.starts_with(&input),
            "a validator changes nothing"
        );
        compare(
            &example.join(".expected/results.yaml"),
            results(&run.stdout),
        );
    }
}

/// Every object of a schema has the fields that the program says it knows.
#[test]
fn schemas_list_the_fields_that_the_program_knows() {
    let read = |path: &str| -> serde_json::Value {
        let text = std::fs::read_to_string(source().join("functions").join(path)).unwrap();
        serde_saphyr::from_str(&text).unwrap()
    };
    let set_model = read("set-model/schema.yaml");
    let config = |spec: &str| {
        let head = "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: SetModel\nmetadata: {name: x}\n";
        let text = format!("{head}spec: {spec}\n");
        FunctionConfig::from_yaml(&text, "x")
            .unwrap_err()
            .to_string()
    };
    for (path, spec) in [
        ("", "{zzzqqqzzz: 1}"),
        ("source", "{source: {zzzqqqzzz: 1}}"),
        ("source/catalog", "{source: {catalog: {zzzqqqzzz: 1}}}"),
        ("source/vertexAI", "{source: {vertexAI: {zzzqqqzzz: 1}}}"),
        ("source/automl", "{source: {automl: {zzzqqqzzz: 1}}}"),
        ("source/mlflow", "{source: {mlflow: {zzzqqqzzz: 1}}}"),
        (
            "source/modelRegistry",
            "{source: {modelRegistry: {zzzqqqzzz: 1}}}",
        ),
        ("policy", "{policy: {zzzqqqzzz: 1}}"),
        ("policy/gates", "{policy: {gates: [{zzzqqqzzz: 1}]}}"),
        ("targets", "{targets: [{zzzqqqzzz: 1}]}"),
        (
            "targets/resource",
            "{targets: [{resource: {zzzqqqzzz: 1}}]}",
        ),
    ] {
        assert_eq!(
            fields(&set_model["properties"]["spec"], path),
            known(&config(spec)),
            "{path}"
        );
    }
    let catalog_schema = read("set-model/model-catalog.schema.yaml");
    let catalog = |spec: &str| {
        let head = "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: ModelCatalog\nmetadata: {name: x}\n";
        ModelCatalog::from_yaml(&format!("{head}spec: {spec}\n"), "x")
            .unwrap_err()
            .to_string()
    };
    for (path, spec) in [
        ("", "{zzzqqqzzz: 1}"),
        ("models", "{models: [{zzzqqqzzz: 1}]}"),
        (
            "models/evaluation",
            "{models: [{evaluation: {zzzqqqzzz: 1}}]}",
        ),
        ("models/lineage", "{models: [{lineage: {zzzqqqzzz: 1}}]}"),
    ] {
        let schema = &catalog_schema["properties"]["spec"];
        assert_eq!(fields(schema, path), known(&catalog(spec)), "{path}");
    }
    let check_schema = read("check-model/schema.yaml");
    let text = "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: CheckModel\nmetadata: {name: x}\nspec: {zzzqqqzzz: 1}\n";
    let error = FunctionConfig::from_yaml(text, "x")
        .unwrap_err()
        .to_string();
    assert_eq!(
        fields(&check_schema["properties"]["spec"], ""),
        known(&error)
    );
}

/// The fields of an object in a schema.
fn fields(schema: &serde_json::Value, path: &str) -> BTreeSet<String> {
    let mut schema = schema;
    for step in path.split('/').filter(|step| !step.is_empty()) {
        schema = &schema["properties"][step];
        if schema["type"] == "array" {
            schema = &schema["items"];
        }
    }
    schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

/// The fields that an error about an unknown one lists.
fn known(error: &str) -> BTreeSet<String> {
    let (_, list) = ["known are ", "known is ", "the only known one is "]
        .iter()
        .find_map(|lead| error.split_once(lead))
        .unwrap_or_else(|| panic!("{error}"));
    let words = list.split([',', ' ']).map(|word| word.trim_matches('"'));
    words
        .filter(|word| !word.is_empty() && *word != "and")
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_items_helper_makes_resource_lists() {
    let package = unpacked(&examples("set-model")[0]);
    let list = package_items(package.path(), "kind: x\n");
    assert_eq!(ResourceList::read(&list).unwrap().items.len(), 4);
}
