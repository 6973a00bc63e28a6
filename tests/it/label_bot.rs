//! The label bot's own pull request: one model id changes in an old-style Kptfile, a plain config
//! file, a hydrated ConfigMap with a name hash of the older kind, and the Deployment that names it.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::{Run, modelsync};

pub(crate) const OLD: &str =
    "projects/123456789012/locations/us-central1/models/TCN1111111111111111111";
pub(crate) const NEW: &str =
    "projects/123456789012/locations/us-central1/models/TCN2222222222222222222";

/// Files by their paths.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) fn tree(root: &Path) -> Files {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                // kpt renders no package with a Kptfile this old anywhere below it, hidden or
                // not, so the test data give it another name.
                let name = name.trim_end_matches(".v1alpha1").to_owned();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for (name, bytes) in tree(from) {
        let path = to.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

fn render(directory: &Path) -> Run {
    let config = directory.with_file_name("set-model.yaml");
    std::fs::write(
        &config,
        "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: SetModel\nmetadata: {name: label-bot}\nspec:\n  targets:\n  - setter: automl-model\n",
    )
    .unwrap();
    modelsync(&[
        "render",
        directory.to_str().unwrap(),
        "--config",
        config.to_str().unwrap(),
        "--model",
        NEW,
    ])
}

#[test]
fn before_becomes_after_byte_for_byte() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/label-bot");
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("repository");
    copy(&data.join("before"), &directory);
    let run = render(&directory);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let (found, wanted) = (tree(&directory), tree(&data.join("after")));
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        wanted.keys().collect::<Vec<_>>()
    );
    assert!(found == wanted);
    let changed = tree(&data.join("before"))
        .into_iter()
        .filter(|(name, bytes)| wanted.get(name) != Some(bytes));
    assert_eq!(changed.count(), 4);

    let again = render(&directory);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(
        tree(&directory) == wanted,
        "the second run changed something"
    );
}

/// Killed between any two writes, the next run goes on and ends where an undisturbed one ends.
#[test]
fn a_run_that_was_cut_short_is_finished_by_the_next() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/label-bot");
    let (before, wanted) = (tree(&data.join("before")), tree(&data.join("after")));
    let hydrated = "acm-repos/issue-label-bot/namespaces/label-bot-prod/";
    let deployment = format!("{hydrated}apps_v1_deployment_label-bot-worker.yaml");
    let find = |files: &Files| {
        files
            .keys()
            .find(|name| name.contains("configmap"))
            .unwrap()
            .clone()
    };
    let (old_map, new_map) = (find(&before), find(&wanted));
    let steps: [&dyn Fn(&mut Files); 4] = [
        &|files| {
            let name = "Label_Microservice/deployment/Kptfile";
            files.insert(name.to_owned(), wanted[name].clone());
        },
        &|files| {
            let name = "Label_Microservice/deployment/base/configs/model_config.yaml";
            files.insert(name.to_owned(), wanted[name].clone());
        },
        &|files| {
            files.insert(deployment.clone(), wanted[&deployment].clone());
        },
        &|files| {
            let text = files.remove(&old_map).unwrap();
            files.insert(new_map.clone(), text);
        },
    ];
    for done in 1..=steps.len() {
        let mut files = before.clone();
        for step in &steps[..done] {
            step(&mut files);
        }
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("repository");
        for (name, bytes) in &files {
            let path = directory.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let run = render(&directory);
        assert_eq!(run.code, 0, "after {done} steps: {}", run.stderr);
        assert!(tree(&directory) == wanted, "after {done} steps");
    }
}

#[test]
fn the_test_data_hold_the_old_model() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/label-bot");
    let holds = |model: &str, state: &str| {
        tree(&data.join(state))
            .values()
            .filter(|text| String::from_utf8_lossy(text).contains(model))
            .count()
    };
    assert_eq!((holds(OLD, "before"), holds(NEW, "before")), (3, 0));
    assert_eq!((holds(OLD, "after"), holds(NEW, "after")), (0, 3));
}
