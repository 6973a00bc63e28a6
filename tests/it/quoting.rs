//! Awkward values in every style, read back by Go YAML: `kubectl patch --local` asks no cluster.

use std::process::Command;

use modelsync::core::yaml::{Assignment, Stream, apply, locate, replace};

const VALUES: [&str; 108] = [
    // Booleans and nulls of YAML 1.1.
    "y",
    "Y",
    "n",
    "N",
    "yes",
    "Yes",
    "YES",
    "no",
    "No",
    "NO",
    "on",
    "On",
    "ON",
    "off",
    "Off",
    "OFF",
    "true",
    "True",
    "TRUE",
    "false",
    "~",
    "null",
    "Null",
    "NULL",
    "",
    // Numbers.
    "0",
    "1",
    "-1",
    "+1",
    "012",
    "08",
    "0o7",
    "0x10",
    "0X1F",
    "0b1",
    "1_000",
    "1.",
    ".5",
    "1.5",
    "1e3",
    "1E3",
    "1e+3",
    "-1.5e-3",
    "0x1p-2",
    "1:30",
    "12:30:45",
    ".inf",
    "-.INF",
    ".nan",
    "NaN",
    "Infinity",
    "1_0.5",
    "0_1",
    "685_230.15",
    "9999999999999999999999",
    "0x",
    "1e",
    "1.2.3",
    // Times.
    "2020-07-24",
    "2020-7-4",
    "2020-07-24T10:00:00Z",
    "2020-07-24 10:00:00",
    "2001-12-14t21:59:43.10-05:00",
    // Indicators.
    "-",
    "- a",
    "--",
    "---",
    "--- a",
    "...",
    "?",
    "? a",
    ":",
    ": a",
    "a: b",
    "a:",
    "a :b",
    "#",
    "a #b",
    "a#b",
    "@a",
    "`a",
    "!a",
    "!!str a",
    "&a",
    "*a",
    "%a",
    "|",
    ">",
    "=",
    "<<",
    "[a]",
    "{a: b}",
    "a, b",
    "a]",
    "}",
    ",a",
    "'",
    "''",
    "it's",
    "\"",
    "\"a\"",
    "\\",
    "a\\nb",
    "{{ .Values.model }}",
    // White space and what is not printable.
    " ",
    " a",
    "a ",
    "a  b",
];

/// With line breaks, control characters, and beyond ASCII.
const SPECIAL: [&str; 26] = [
    "\t",
    "a\tb",
    "a\n",
    "a\nb",
    "\na",
    "\n",
    "a\r\nb",
    "\r",
    "\0",
    "\u{1}",
    "\u{7}",
    "\u{1b}",
    "\u{7f}",
    "\u{80}",
    "\u{85}",
    "a\u{85}b",
    "\u{a0}",
    "\u{2028}",
    "\u{2029}x",
    "\u{feff}",
    "a\u{feff}b",
    "\u{fffd}",
    "é",
    "模型",
    "😁",
    "\u{10ffff}",
];

/// A ConfigMap per style; `NAME` is replaced by the case's name.
const PLACES: [(&str, &str, &[&str]); 8] = [
    ("plain", "  v: OLD # c\n", &["v"]),
    ("single", "  v: 'OLD'\n", &["v"]),
    ("double", "  v: \"OLD\"\n", &["v"]),
    ("strip", "  v: |-\n    OLD\n  w: x\n", &["v"]),
    ("flow map", "  v: {a: OLD, b: x}\n", &["v", "a"]),
    ("flow list", "  v: [OLD, 'x']\n", &["v", "0"]),
    ("json", "  v: {\"a\": \"OLD\", \"b\": \"x\"}\n", &["v", "a"]),
    ("json plain", "  v: {\"a\": OLD}\n", &["v", "a"]),
];

/// Documents inside the strings of a ConfigMap.
const EMBEDDED: [(&str, &str); 8] = [
    (
        "plain in literal",
        "  d: |\n    metadata: {name: NAME}\n    data:\n      v: OLD # c\n    kind: ConfigMap\n    apiVersion: v1\n",
    ),
    (
        "double in literal",
        "  d: |-\n    metadata: {name: NAME}\n    kind: ConfigMap\n    apiVersion: v1\n    data:\n      v: \"OLD\" # c\n",
    ),
    (
        "plain in double",
        "  d: \"apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: NAME}\\ndata:\\n  v: OLD # c\\n\"\n",
    ),
    (
        "single in double",
        "  d: \"apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: NAME}\\ndata:\\n  v: 'OLD'\\n\"\n",
    ),
    (
        "double in double",
        "  d: \"apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: NAME}\\ndata:\\n  v: \\\"OLD\\\"\\n\"\n",
    ),
    (
        "json in single",
        "  d: '{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"NAME\"}, \"data\": {\"v\": \"OLD\"}}'\n",
    ),
    (
        "json in literal",
        "  d: |\n    {\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"NAME\"},\n     \"data\": {\"v\": \"OLD\"}}\n",
    ),
    (
        "flow in folded",
        "  d: >-\n    {apiVersion: v1, kind: ConfigMap, metadata: {name: NAME},\n    data: {v: OLD}}\n",
    ),
];

struct Case {
    place: &'static str,
    keys: &'static [&'static str],
    value: &'static str,
}

/// The document with the value written; `None` when the editor refuses it.
fn written(document: &str, path: &str, value: &str) -> Option<String> {
    let stream = Stream::parse(document).unwrap();
    let path = path.parse().unwrap();
    let places = locate(document, &stream, stream.roots()[0], &path, false).unwrap();
    let assignments: Vec<_> = places
        .iter()
        .map(|place| Assignment::new(place, value))
        .collect();
    let splices = replace(document, &stream, &assignments).ok()?;
    Some(apply(document, &splices))
}

/// What Go reads, in the order of the documents.
fn kubectl(text: &str) -> Vec<serde_json::Value> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("all.yaml");
    std::fs::write(&file, text).unwrap();
    let output = Command::new("kubectl")
        .args([
            "patch",
            "--local",
            "--type=merge",
            "-p",
            "{}",
            "-o",
            "json",
            "-f",
        ])
        .arg(&file)
        .env("KUBECONFIG", "/dev/null")
        .env("HOME", directory.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let values = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    values.collect::<Result<_, _>>().unwrap()
}

#[test]
fn go_reads_the_string_that_was_written() {
    if Command::new("kubectl").arg("help").output().is_err() {
        assert!(
            std::env::var_os("MODELSYNC_REQUIRE_ALL").is_none(),
            "kubectl is missing"
        );
        eprintln!("SKIPPED: kubectl is missing, so nobody judged how values are quoted");
        return;
    }
    let head = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: outer\ndata:\n";
    let (mut text, mut cases, mut refused) = (String::new(), Vec::new(), Vec::new());
    for value in VALUES.into_iter().chain(SPECIAL) {
        let direct = PLACES
            .iter()
            .map(|(place, body, keys)| (*place, *body, *keys, format!("data.{}", keys.join("."))));
        let embedded = EMBEDDED
            .iter()
            .map(|(place, body)| (*place, *body, [].as_slice(), "data.d.data.v".to_owned()));
        for (place, body, keys, path) in direct.chain(embedded) {
            let document = format!("{head}{body}");
            match written(&document, &path, value) {
                None => refused.push((place, value)),
                Some(document) => {
                    text.push_str(&format!("---\n{document}"));
                    cases.push(Case { place, keys, value });
                }
            }
        }
    }
    // Only a block has no way to hold any value: it keeps its style or refuses.
    for (place, value) in &refused {
        let is_blank = value.starts_with([' ', '\t', '\n']) || value.trim().is_empty();
        let has_break = value.contains(['\n', '\r']);
        let is_special = value.chars().any(|it| !it.is_ascii_graphic() && it != ' ');
        assert!(
            (*place == "strip" && (is_blank || has_break || is_special))
                || *place == "flow in folded",
            "{value:?} was refused for {place}"
        );
    }
    let read = kubectl(&text);
    assert_eq!(read.len(), cases.len());
    assert!(cases.len() > 2000, "{} cases", cases.len());
    let (mut inner, mut inner_cases) = (String::new(), Vec::new());
    for (case, read) in cases.iter().zip(&read) {
        let Case { place, keys, value } = case;
        if keys.is_empty() {
            let document = read["data"]["d"].as_str().unwrap();
            inner.push_str(&format!("---\n{document}\n"));
            inner_cases.push(case);
            continue;
        }
        let found = keys
            .iter()
            .fold(&read["data"], |node, key| match key.parse::<usize>() {
                Ok(index) => &node[index],
                Err(_) => &node[*key],
            });
        assert_eq!(found, value, "{place}");
    }
    let read = kubectl(&inner);
    assert_eq!(read.len(), inner_cases.len());
    for (case, read) in inner_cases.iter().zip(&read) {
        assert_eq!(&read["data"]["v"], case.value, "{}", case.place);
    }
    println!(
        "{} written and read, {} refused",
        cases.len(),
        refused.len()
    );
}
