//! `modelsync check` on 5,000 files in memory, beside parsing them all.

use std::hint::black_box;

use divan::Bencher;
use jiff::Timestamp;
use modelsync::core::change::{Models, read_configs};
use modelsync::core::check::{Options, check};
use modelsync::core::package::{Layout, Package, Part};

fn main() {
    divan::main();
}

const FILES: usize = 5000;

fn texts() -> Vec<(String, String)> {
    let model = "projects/1/locations/us-central1/models/TCN1";
    let group = "automl.cloudai.kubeflow.org/v1alpha1";
    let worker = include_str!("../label-bot/worker.yaml");
    let mut texts: Vec<_> = (0..FILES)
        .map(|number| {
            (
                format!("{number}.yaml"),
                worker.replace("label-bot-worker", &format!("w{number}")),
            )
        })
        .collect();
    texts.push(("map.yaml".to_owned(), format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: bot}}\ndata:\n  c: |\n    model: {model}\n")));
    texts.push(("set.yaml".to_owned(), format!("apiVersion: {group}\nkind: SetModel\nmetadata: {{name: bot}}\nspec:\n  targets:\n  - resource: {{kind: ConfigMap, name: bot}}\n    field: data.c.model\n")));
    texts.push(("models.yaml".to_owned(), format!("apiVersion: {group}\nkind: ModelCatalog\nmetadata: {{name: m}}\nspec:\n  models:\n  - {{name: {model}, displayName: d, createTime: 2020-01-01T00:00:00Z, state: Trained}}\n")));
    texts
}

fn package(texts: &[(String, String)]) -> Package<'_> {
    let parts = texts
        .iter()
        .map(|(path, text)| Part::file(path.clone(), text.as_str()));
    Package::new(Layout::Directory, parts)
}

#[divan::bench(sample_count = 10)]
fn check_5000_files(bencher: Bencher<'_, '_>) {
    let texts = texts();
    bencher.bench_local(|| {
        let package = package(&texts);
        let (configs, invalid) = read_configs(&package);
        let now = Timestamp::UNIX_EPOCH;
        let report = check(
            &package,
            &configs,
            invalid,
            &Models::default(),
            now,
            &Options::default(),
        );
        assert!(report.findings.is_empty() && report.undecided.is_empty());
        black_box(report.findings.len())
    });
}

/// The peer: what it would cost to look into every file.
#[divan::bench(sample_count = 10)]
fn parse_5000_files(bencher: Bencher<'_, '_>) {
    let texts = texts();
    bencher.bench_local(|| {
        let package = package(&texts);
        black_box(
            package
                .parts()
                .filter(|(_, part)| part.parsed().is_ok())
                .count(),
        )
    });
}
