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

#[test]
fn every_dependency_has_its_reason_in_the_document() {
    let manifest = include_str!("../../Cargo.toml");
    let document = include_str!("../../docs/dependencies.md");
    let (_, rest) = manifest.split_once("[dependencies]").unwrap();
    let (dependencies, _) = rest.split_once("[[bench]]").unwrap();
    let names = dependencies
        .lines()
        .filter_map(|line| Some(line.split_once(" = ")?.0));
    let rows: Vec<&str> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .collect();
    let mut count = 0;
    for name in names {
        let is_there = |row: &&str| row.split([',', ' ']).any(|word| word == name);
        assert!(rows.iter().any(is_there), "{name}");
        count += 1;
    }
    assert!(count > 20, "{count}");
}
