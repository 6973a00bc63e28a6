//! The scan of a ResourceList by its lines agrees with the parser, whenever it answers.

use proptest::prelude::*;

use super::ResourceList;
use crate::core::laws::cases;
use crate::core::yaml::{Content, NodeId, Stream};

/// A text as values: what differs here differs to a reader.
fn content(text: &str) -> Vec<String> {
    let Ok(stream) = Stream::parse(text) else {
        return vec![format!("not YAML: {text:?}")];
    };
    let mut lines = Vec::new();
    for root in stream.roots() {
        describe(&stream, *root, &mut lines);
    }
    lines
}

fn describe(stream: &Stream, id: NodeId, lines: &mut Vec<String>) {
    let node = stream.node(id);
    match &node.content {
        Content::Scalar { style, value } => {
            lines.push(format!("{style:?} {value:?} {:?}", node.tag));
        }
        Content::Sequence { items, .. } => {
            lines.push("[".to_owned());
            for item in items {
                describe(stream, *item, lines);
            }
        }
        Content::Mapping { entries, .. } => {
            lines.push("{".to_owned());
            for (key, value) in entries {
                describe(stream, *key, lines);
                describe(stream, *value, lines);
            }
        }
        Content::Alias(_) => lines.push("*".to_owned()),
    }
    lines.push("end".to_owned());
}

/// What a reader makes of an item by way of the whole list.
fn whole(text: &str) -> Option<(Vec<Vec<String>>, Vec<String>)> {
    let stream = Stream::parse(text).ok()?;
    let [root] = stream.roots() else { return None };
    let describe_one = |id: NodeId| {
        let mut lines = Vec::new();
        describe(&stream, id, &mut lines);
        lines
    };
    let items = stream.items(stream.get(*root, "items")?).iter();
    let config = stream.get(*root, "functionConfig");
    Some((
        items.map(|item| describe_one(*item)).collect(),
        config.map(describe_one).unwrap_or_default(),
    ))
}

/// Whether the scan answers.
fn agree(text: &str) -> bool {
    let Some(scanned) = ResourceList::scan(text) else {
        return false;
    };
    let Some((items, config)) = whole(text) else {
        // The scan does not read the items, so it cannot see that one is not YAML. Then each says
        // so for itself, or the list as a whole is unusual.
        return true;
    };
    if text.contains('&') || text.contains('*') {
        // An alias of another item's anchor.
        return true;
    }
    let own: Vec<_> = scanned
        .items
        .iter()
        .map(|item| content(&item.text(text)))
        .collect();
    assert_eq!(own.len(), items.len(), "{text}\n{text:?}");
    for (own, item) in own.iter().zip(&items) {
        let is_null = item[0].starts_with("Plain \"\"");
        assert!(
            own == item || (is_null && own.is_empty()),
            "{own:?} is not {item:?} in\n{text}\n{text:?}"
        );
    }
    let own = scanned
        .function_config
        .map(|config| content(&config.text(text)));
    let own = own.unwrap_or_default();
    assert!(
        own == config || config.concat().starts_with("Plain \"\""),
        "{own:?} is not {config:?} in\n{text}\n{text:?}"
    );
    true
}

const VALUES: [&str; 44] = [
    "x",
    "'x'",
    "\"x\"",
    "\"a\n- b\"",
    "\"a\n- b: c\"",
    "'a\n- b'",
    "'a''\n- b'",
    "\"a\\\"\n- b\"",
    "\"a\\\n- b\"",
    "|\n@- not an item\n@kind: X",
    "|-\n@a\n\n\n@- b",
    ">\n@a\n@- b",
    "|2\n@  - x",
    "|+\n@a\n\n",
    "| # c\n@- x",
    "|\n",
    "'tis",
    "it's",
    "tis'",
    "a \"b",
    "a 'b' c",
    "a#b",
    "x # it's",
    "x # \"open",
    "x #'",
    "\"x\" # it's",
    "'x' # \"",
    "[a, 'b\n- c', \"d\"]",
    "{a: 'b', \"c\": d}",
    "[\n- 1]",
    "{a: \"x\n- y\"}",
    "- x",
    "\n@- x\n@- y",
    "\n@k: v",
    "\n&- x",
    "\n&- x\n&-\n&  a: b",
    "\"\"",
    "''",
    "!!str 'x\n- y'",
    "!!binary |\n@aGVsbG8=",
    "~",
    "\tx",
    "a\n@b",
    "a: b",
];

/// One entry of an item, at the item's column.
fn entry() -> impl Strategy<Value = (String, usize)> {
    let key = prop::sample::select(vec![
        "a",
        "b",
        "kind",
        "apiVersion",
        "\"q\"",
        "'s'",
        "\"q'r\"",
        "k#x",
        "? x",
        "it's",
        "- n",
        "#",
        "<<",
    ]);
    (key, prop::sample::select(VALUES.to_vec()), 1..4_usize)
        .prop_map(|(key, value, more)| (format!("{key}: {value}"), more))
}

fn item(column: usize) -> impl Strategy<Value = String> {
    let lead = prop::sample::select(vec!["", "# head\n", "\n", "# it's \"\n", "  \n"]);
    (prop::collection::vec(entry(), 0..4), lead, 1..3_usize).prop_map(
        move |(entries, lead, gap)| {
            let indent = " ".repeat(column + 1 + gap);
            let mut text = format!("{}-{}", " ".repeat(column), " ".repeat(gap));
            if !lead.is_empty() && !entries.is_empty() {
                text.push_str(lead);
                text.push_str(&indent);
            }
            for (number, (entry, more)) in entries.iter().enumerate() {
                if number > 0 {
                    text.push_str(&indent);
                }
                // `@` is deeper than the entry, `&` as deep as it.
                let entry = entry.replace("\n&", &format!("\n{indent}"));
                text.push_str(&entry.replace("\n@", &format!("\n{indent}{}", " ".repeat(*more))));
                text.push('\n');
            }
            if entries.is_empty() {
                text.push('\n');
            }
            text
        },
    )
}

fn list() -> impl Strategy<Value = String> {
    let config = prop::sample::select(vec![
        "",
        "functionConfig: {kind: A}\n",
        "functionConfig:\n  kind: A\n  x: |\n    - a\n",
        "functionConfig:\n",
        "functionConfig: &a\n  b: c\n",
        "functionConfig: !!map\n  b: c\n",
        "functionConfig: # c\n  b: c\n",
        "functionConfig:\n# c\n\n  b: \"x\n- y\"\n",
        "functionConfig: 'x\n- y'\n",
        "functionConfig: |\n  x\n",
        "functionConfig: a\n  b\n",
        "results: []\n",
        "other: [\n]\n",
        "other: {\n- a}\n",
        "# foot: x\n",
    ]);
    let head = prop::sample::select(vec![
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n",
        "kind: ResourceList\nitems: # c\n",
        "---\nkind: 'ResourceList'\nitems:\n",
        "\u{FEFF}kind: ResourceList\nitems:\n",
        "# c\nkind: ResourceList # c\nitems:\n",
        "kind: ResourceList\nitems:\n\n# c\n",
        "kind: ResourceList\n\"items\":\n",
        "kind: ResourceList\nitems: \n",
    ]);
    (0..3_usize).prop_flat_map(move |column| {
        let items = prop::collection::vec(item(column), 0..4);
        (
            head.clone(),
            items,
            config.clone(),
            prop::bool::weighted(0.2),
            prop::bool::weighted(0.2),
            prop::bool::weighted(0.2),
        )
            .prop_map(|(head, items, config, first, crlf, cut)| {
                let mut text = if first && config.starts_with("function") {
                    format!(
                        "{}{config}items:\n{}",
                        head.replace("items", "x")
                            .replace(": #", ": 1 #")
                            .replace("x:\n", "x: 1\n"),
                        items.concat()
                    )
                } else {
                    format!("{head}{}{config}", items.concat())
                };
                if crlf {
                    text = text.replace('\n', "\r\n");
                }
                if cut {
                    text.truncate(text.trim_end().len());
                }
                text
            })
    })
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn the_scan_agrees_with_the_parser(text in list()) {
        agree(&text);
        let _ = ResourceList::read(&text);
    }

    #[test]
    fn any_lines_agree(lines in prop::collection::vec(prop::sample::select(vec![
        "- a: b", "- 'x", "  - y", "- z'", "  k: |", "  k: >-", "    - x", "  k: \"", "\"", "'", "  #c", "# it's", "-", "- - a",
        "  - b: |", "     x", "   'tis", "  a: 'x' # '", "  \"a\": [", "  ]", "  ? a", "  : b", "\t", "  \tx", "x: y", "functionConfig:",
        "  a: b #", "  !x 'y", "  a: x'y", "  a: \"x\\", "---", "...", "- |", "- >", "-   |2", "  x: |1", "", "   ", "- {a: 'b", "  c'}", "  a: {",
        "  }", "- \"a\": b", "- 'a': b", "  - 'a' : \"", "  k: !!str |", "  k: &x |", "  k: |#", "  k: | x", "  a: b: |",
    ]), 0..12)) {
        let text = format!("kind: ResourceList\nitems:\n{}\n", lines.join("\n"));
        agree(&text);
        let _ = ResourceList::read(&text);
    }

    #[test]
    fn nothing_panics(text in any::<String>()) {
        agree(&text);
        let _ = ResourceList::read(&text);
    }
}
