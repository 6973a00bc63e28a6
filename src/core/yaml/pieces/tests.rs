use super::*;
use crate::core::yaml::apply;

/// Takes out elements of the list `a`, or entries of the map, and puts new ones in.
fn edit(text: &str, removed: &[usize], insertions: &[(usize, &[&str])]) -> Option<String> {
    let stream = Stream::parse(text).unwrap();
    let root = stream.roots()[0];
    let (key, value) = stream.entries(root)[0];
    let pieces = Pieces::of(text, &stream, value, stream.node(key).span.end)?;
    let marks: Vec<bool> = (0..pieces.pieces.len())
        .map(|index| removed.contains(&index))
        .collect();
    let insertions: Vec<Insertion> = insertions
        .iter()
        .map(|(index, texts)| {
            (
                *index,
                texts.iter().map(|text| (*text).to_owned()).collect(),
            )
        })
        .collect();
    Some(apply(text, &pieces.edit(&marks, &insertions)?))
}

#[test]
fn comments_go_with_their_elements() {
    let text = "a:\n# about the list\n\n# about x\n- x # why\n  # below x\n# about y\n- y\n# the end\nb: 1\n";
    assert_eq!(
        edit(text, &[0], &[]).unwrap(),
        "a:\n# about the list\n\n# about y\n- y\n# the end\nb: 1\n"
    );
    assert_eq!(
        edit(text, &[1], &[]).unwrap(),
        "a:\n# about the list\n\n# about x\n- x # why\n  # below x\n# the end\nb: 1\n"
    );
    let text = "a:\n# about the list\n- x\n- y\n";
    assert_eq!(
        edit(text, &[0], &[]).unwrap(),
        "a:\n# about the list\n- y\n"
    );
    let text = "a:\n# about x\n- x\n# about y\n- y\n";
    assert_eq!(edit(text, &[0], &[]).unwrap(), "a:\n# about y\n- y\n");
}

#[test]
fn blank_lines_stay_separators() {
    let text = "a:\n- x\n\n- y\n\n- z\n\nb: 1\n";
    assert_eq!(edit(text, &[0], &[]).unwrap(), "a:\n- y\n\n- z\n\nb: 1\n");
    assert_eq!(edit(text, &[1], &[]).unwrap(), "a:\n- x\n\n- z\n\nb: 1\n");
    assert_eq!(edit(text, &[2], &[]).unwrap(), "a:\n- x\n\n- y\n\nb: 1\n");
    assert_eq!(edit(text, &[0, 1], &[]).unwrap(), "a:\n- z\n\nb: 1\n");
    assert_eq!(edit(text, &[0, 2], &[]).unwrap(), "a:\n- y\n\nb: 1\n");
    assert_eq!(edit("a:\n- x\n\n- y\n", &[1], &[]).unwrap(), "a:\n- x\n");
}

#[test]
fn new_elements_stand_between_the_old() {
    let text = "a:\n# list\n  # x\n  - x\n  - y\n";
    assert_eq!(
        edit(
            text,
            &[],
            &[(0, &["  - n"]), (1, &["  - o", "  - p"]), (2, &["  - q"])]
        )
        .unwrap(),
        "a:\n# list\n  - n\n  # x\n  - x\n  - o\n  - p\n  - y\n  - q\n"
    );
    assert_eq!(
        edit("a:\n- x\n\n- y", &[], &[(0, &["- n"]), (2, &["- q"])]).unwrap(),
        "a:\n- n\n\n- x\n\n- y\n\n- q"
    );
    assert_eq!(
        edit("a:\r\n- x\r\n", &[], &[(1, &["- q"])]).unwrap(),
        "a:\r\n- x\r\n- q\r\n"
    );
    // All old ones go.
    assert_eq!(
        edit("a:\n- x\n- y\nb: 1\n", &[0, 1], &[(0, &["- n"])]).unwrap(),
        "a:\n- n\nb: 1\n"
    );
    assert_eq!(edit("a:\n- x\n", &[0], &[]).unwrap(), "a:\n");
}

#[test]
fn flow_collections_keep_their_separators() {
    let text = "a: [x, y,z ] # c\n";
    assert_eq!(edit(text, &[0], &[]).unwrap(), "a: [y,z ] # c\n");
    assert_eq!(edit(text, &[1], &[]).unwrap(), "a: [x, z ] # c\n");
    assert_eq!(edit(text, &[2], &[]).unwrap(), "a: [x, y ] # c\n");
    assert_eq!(edit(text, &[1, 2], &[]).unwrap(), "a: [x ] # c\n");
    assert_eq!(
        edit(text, &[0, 1, 2], &[(0, &["n", "o"])]).unwrap(),
        "a: [n, o ] # c\n"
    );
    assert_eq!(
        edit(text, &[], &[(0, &["n"]), (3, &["q"])]).unwrap(),
        "a: [n, x, y,z, q ] # c\n"
    );
    let text = "{\"a\": [\n  1\n]}";
    assert_eq!(
        edit(text, &[], &[(1, &["2"])]).unwrap(),
        "{\"a\": [\n  1,\n  2\n]}"
    );
    assert_eq!(edit("a: {x: 1, y: }\n", &[0], &[]).unwrap(), "a: {y: }\n");
    let text = "a: [x, # about x\n  y, # about y\n  z]\n";
    assert_eq!(edit(text, &[1], &[]).unwrap(), "a: [x, # about x\n  z]\n");
    assert_eq!(
        edit(text, &[2], &[]).unwrap(),
        "a: [x, # about x\n  y, # about y\n  ]\n"
    );
    assert_eq!(
        edit(text, &[1, 2], &[(1, &["n"])]).unwrap(),
        "a: [x, n, # about x\n  ]\n"
    );
}

#[test]
fn entries_of_block_maps_are_lines() {
    let text = "a:\n  x: |\n    1\n\n  # y\n  y:\n    b: 1\n    # in y\n  z:\n";
    assert_eq!(
        edit(text, &[1], &[]).unwrap(),
        "a:\n  x: |\n    1\n\n  z:\n"
    );
    assert_eq!(
        edit(text, &[], &[(1, &["  n: 1"])]).unwrap(),
        "a:\n  x: |\n    1\n  n: 1\n\n  # y\n  y:\n    b: 1\n    # in y\n  z:\n"
    );
    let text = "- x: 1\n  y: 2\n";
    let stream = Stream::parse(text).unwrap();
    let map = stream.items(stream.roots()[0])[0];
    let pieces = Pieces::of(text, &stream, map, 0).unwrap();
    assert_eq!(pieces.edit(&[true, false], &[]), None);
    assert_eq!(
        pieces.edit(&[false, false], &[(0, vec!["  n: 1".to_owned()])]),
        None
    );
    let splices = pieces
        .edit(&[false, true], &[(1, vec!["  n: 1".to_owned()])])
        .unwrap();
    assert_eq!(apply(text, &splices), "- x: 1\n  n: 1\n");
}
