//! The fuzz targets' entries on their own seeds, on a stable compiler.

#[path = "../../fuzz/entry.rs"]
mod entry;

use std::path::Path;

#[test]
fn every_target_is_an_entry() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let entries = std::fs::read_to_string(fuzz.join("entry.rs")).unwrap();
    for file in std::fs::read_dir(fuzz.join("fuzz_targets")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let target = std::fs::read_to_string(&path).unwrap();
        assert!(target.contains(&format!("entry::{name}(data)")), "{target}");
        assert!(
            entries.contains(&format!("pub(crate) fn {name}(data: &[u8])")),
            "{name}"
        );
    }
}

#[test]
fn entries_take_what_they_are_for() {
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: function-input}\n";
    let item = "kind: ConfigMap\n  data:\n    m: m1 # {\"$kpt-set\":\"s\"}\n";
    let list = format!(
        "kind: ResourceList\nitems:\n- {item}functionConfig: {{apiVersion: v1, kind: ConfigMap, \
         metadata: {{name: x}}, data: {{setter: s, model: m2}}}}\n"
    );
    for text in ["", "\u{FEFF}", config, &list, "a: [", "- |+\n\n"] {
        entry::function(text.as_bytes());
        entry::decode(text.as_bytes());
        entry::edit(format!("data.m\nyes\n{text}").as_bytes());
    }
    entry::edit(&[0xFF]);
    entry::catalog(include_bytes!("../../label-bot/models.yaml"));
    for answer in [
        include_str!("../../testdata/registries/automl.json"),
        include_str!("../../testdata/registries/vertex_ai.json"),
        include_str!("../../testdata/registries/model_registry.json"),
        "git@example.com:a/b.git",
    ] {
        entry::answers(answer.as_bytes());
    }
}
