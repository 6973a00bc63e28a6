//! What the fuzz targets do with their input. `tests/it/fuzz.rs` runs the same on a stable
//! compiler, so that the targets cannot rot.

use modelsync::core::config::{FunctionConfig, SetModel};
use modelsync::core::krm::ResourceList;
use modelsync::core::model::ModelCatalog;
use modelsync::core::yaml::{FieldPath, Stream};

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
