//! The import rule of `src/lib.rs`: a layer names only the layers to its right.

use std::path::Path;

const LAYERS: [&str; 4] = ["cli", "faces", "adapters", "core"];

#[test]
fn layers_name_only_layers_to_their_right() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for (number, layer) in LAYERS.iter().enumerate() {
        let mut folders = vec![source.join(layer)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    seen += 1;
                    check(&path, &LAYERS[..number]);
                }
            }
        }
    }
    assert!(seen > 30, "only {seen} files were checked");
}

fn check(path: &Path, forbidden: &[&str]) {
    let text = std::fs::read_to_string(path).unwrap();
    // Grouped imports: `use crate::{cli::x, core}`.
    let imports = text
        .split(';')
        .filter(|statement| statement.contains("crate::{"));
    for layer in forbidden {
        let direct = format!("crate::{layer}");
        assert!(!text.contains(&direct), "{} names {direct}", path.display());
        for import in imports.clone() {
            let grouped = import
                .split(['{', ',', ' ', '\n'])
                .any(|word| word == *layer || word.starts_with(&format!("{layer}::")));
            assert!(!grouped, "{} imports {layer}", path.display());
        }
    }
}
