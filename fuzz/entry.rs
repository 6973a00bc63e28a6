//! What the fuzz targets do with their input. `tests/it/fuzz.rs` runs the same on a stable
//! compiler, so that the targets cannot rot.

use modelsync::core::catalog::{arrange, rewrite};
use modelsync::core::config::{FunctionConfig, SetModel};
use modelsync::core::krm::ResourceList;
use modelsync::core::model::{Model, ModelCatalog, State};
use modelsync::core::package::Part;
use modelsync::core::proposal::Remote;
use modelsync::core::registry::{PageShape, automl, mlflow, model_registry, vertex_ai};
use modelsync::core::yaml::{FieldPath, Stream, apply};

/// The editor's laws, shared with the property tests.
#[path = "../src/core/yaml/laws/hold.rs"]
pub(crate) mod hold;

/// Whatever comes in, the answer is what came in or a ResourceList with as many items.
pub(crate) fn function(data: &[u8]) {
    let Ok(input) = std::str::from_utf8(data) else {
        return;
    };
    let answer = modelsync::core::function::run(input, None, jiff::Timestamp::UNIX_EPOCH);
    let Ok(before) = ResourceList::parse(input) else {
        return;
    };
    let after = ResourceList::parse(&answer.output).expect("the output is a ResourceList");
    assert_eq!(before.items.len(), after.items.len());
    if answer.error.is_some() {
        for (before, after) in before.items.iter().zip(&after.items) {
            // Results go on a line of their own, so a text without a final line break gets one.
            let (before, after) = (before.text(input), after.text(&answer.output));
            assert_eq!(before.trim_end(), after.trim_end());
        }
    }
}

/// Two lines and a text: the path, the value (`\n` for a line break), the text to edit.
pub(crate) fn edit(data: &[u8]) {
    let Ok(input) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines = input.splitn(3, '\n');
    let path = lines.next().unwrap_or_default();
    let value = lines.next().unwrap_or_default().replace("\\n", "\n");
    let text = lines.next().unwrap_or_default();
    hold::text(text);
    if let Ok(path) = path.parse::<FieldPath>() {
        hold::edit(text, &path, &value, true);
    }
    for path in hold::paths(text, 8) {
        hold::edit(text, &path, &value, false);
    }
}

/// Configs and catalogs.
pub(crate) fn decode(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let _ = Stream::parse(text);
    let _ = SetModel::from_yaml(text, "fuzz");
    let _ = FunctionConfig::from_yaml(text, "fuzz");
    let _ = ModelCatalog::from_yaml(text, "fuzz");
}

/// A catalog whose first model is gone and whose other models have changed, and what would be written.
pub(crate) fn catalog(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(old) = ModelCatalog::from_yaml(text, "fuzz") else {
        return;
    };
    let part = Part::file("models.yaml", text);
    let models = &old.listing.models;
    let same = arrange(models, models);
    if same.is_unchanged() {
        assert_eq!(rewrite(&part, 0, &old, &same, None), Ok(Vec::new()));
    }
    let fail = |model: &Model| Model {
        state: State::Failed,
        ..model.clone()
    };
    let reported: Vec<Model> = models.iter().skip(1).map(fail).collect();
    let Ok(splices) = rewrite(&part, 0, &old, &arrange(models, &reported), None) else {
        return;
    };
    let new = ModelCatalog::from_yaml(&apply(text, &splices), "fuzz").expect("it was tried");
    assert_eq!(new.listing.models.len(), reported.len());
}

/// What others answer or name: pages of registries, and URLs of remotes.
pub(crate) fn answers(data: &[u8]) {
    let shape = |items| PageShape {
        items,
        next: "nextPageToken",
    };
    if let Ok(page) = shape("model").read::<automl::AutoMlModel>(data) {
        page.items
            .iter()
            .for_each(|item| drop(automl::model(item, &[])));
    }
    if let Ok(page) = shape("models").read::<vertex_ai::VertexModel>(data) {
        page.items
            .iter()
            .for_each(|item| drop(vertex_ai::model(item, true, None, &[])));
    }
    if let Ok(page) = shape("model_versions").read::<mlflow::Version>(data) {
        page.items
            .iter()
            .for_each(|item| drop(mlflow::model(item, &[], None)));
    }
    let _ = shape("items").read::<model_registry::Artifact>(data);
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(remote) = Remote::parse(text)
    {
        let _ = remote.owner_and_name();
    }
}
