//! `cargo bench`: the function on long lists, and what it would cost to parse them whole.

#![expect(clippy::unwrap_used, reason = "a panic is how a benchmark fails")]

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use modelsync::core::function;
use modelsync::core::krm::ResourceList;
use modelsync::core::yaml::Stream;

const COUNTS: [usize; 3] = [100, 1_000, 5_000];

fn main() {
    divan::main();
}

/// A list as kpt sends it: Deployments, every third item a ConfigMap that holds a document, the
/// last one the target's.
fn list(count: usize) -> String {
    let mut text = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n".to_owned();
    for index in 0..count {
        let annotations = format!(
            "    annotations:\n      config.kubernetes.io/index: '0'\n      \
             config.kubernetes.io/path: 'apps/app-{index}.yaml'\n      \
             internal.config.kubernetes.io/index: '0'\n      \
             internal.config.kubernetes.io/path: 'apps/app-{index}.yaml'\n      \
             internal.config.kubernetes.io/seqindent: 'compact'\n      \
             internal.config.kubernetes.io/annotations-migration-resource-id: '{index}'\n      \
             internal.config.kubernetes.io/id: '{index}'\n"
        );
        let is_last = index + 1 == count;
        if is_last || index % 3 == 0 {
            let name = if is_last { "model" } else { "other" };
            text.push_str(&format!(
                "- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: {name}-config\n\
                 {annotations}  data:\n    config.yaml: |\n      # The models to load\n      \
                 orgs:\n      - name: kubeflow\n        automl_model: m1 # newest\n        \
                 threshold: 0.{index}\n"
            ));
        } else {
            text.push_str(&format!(
                "- apiVersion: apps/v1\n  kind: Deployment\n  metadata:\n    name: app-{index} # c\n\
                 {annotations}  spec:\n    replicas: 2\n    selector:\n      matchLabels: \
                 {{app: app-{index}}}\n    template:\n      spec:\n        containers:\n        \
                 - name: main\n          image: \"registry.example.com/app:{index}\"\n          \
                 args: [\"--port\", '8080']\n"
            ));
        }
    }
    text.push_str(
        "functionConfig:\n  apiVersion: automl.cloudai.kubeflow.org/v1alpha1\n  kind: SetModel\n  \
         metadata:\n    name: bench\n  spec:\n    policy:\n      pin: m2\n    targets:\n    \
         - resource: {kind: ConfigMap, name: model-config}\n      \
         field: data.[config.yaml].orgs.[name=kubeflow].automl_model\n",
    );
    text
}

#[divan::bench(args = COUNTS)]
fn run(bencher: Bencher<'_, '_>, count: usize) {
    let input = list(count);
    let answer = function::run(&input, None, jiff::Timestamp::UNIX_EPOCH);
    assert_eq!(answer.error, None);
    assert!(answer.output.contains("automl_model: m2 # newest"));
    bencher
        .counter(BytesCount::of_str(&input))
        .bench(|| function::run(black_box(&input), None, jiff::Timestamp::UNIX_EPOCH));
}

/// Finding the items by the lines alone.
#[divan::bench(args = COUNTS)]
fn scan(bencher: Bencher<'_, '_>, count: usize) {
    let input = list(count);
    bencher
        .counter(BytesCount::of_str(&input))
        .bench(|| ResourceList::scan(black_box(&input)).unwrap());
}

/// The peer: finding them by parsing everything.
#[divan::bench(args = COUNTS)]
fn parse(bencher: Bencher<'_, '_>, count: usize) {
    let input = list(count);
    bencher
        .counter(BytesCount::of_str(&input))
        .bench(|| ResourceList::parse(black_box(&input)).unwrap());
}

/// One document of as many lines: a ConfigMap of a long document.
#[divan::bench(args = COUNTS)]
fn parse_one_string(bencher: Bencher<'_, '_>, count: usize) {
    let lines = list(count).replace('\n', "\n    ");
    let input = format!("data:\n  a: |\n    {lines}\n");
    bencher
        .counter(BytesCount::of_str(&input))
        .bench(|| Stream::parse(black_box(&input)).unwrap());
}
