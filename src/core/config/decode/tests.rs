use std::collections::BTreeMap;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outer {
    #[serde(default)]
    inner: Vec<Inner>,
    #[serde(default)]
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    #[serde(rename = "displayName")]
    _display_name: String,
    #[serde(rename = "count")]
    _count: u8,
}

fn error(text: &str) -> String {
    decode::<Outer>(text, "a.yaml").unwrap_err().to_string()
}

#[test]
fn names_origin_line_and_column() {
    for (text, message) in [
        (
            "inner:\n- displayName: x\n  count: 1\n  coutn: 2\n",
            "a.yaml:4:3: unknown field \"coutn\"; did you mean \"count\"?",
        ),
        (
            "txt: x\n",
            "a.yaml:1:1: unknown field \"txt\"; did you mean \"text\"?",
        ),
        (
            "elsewhere: x\n",
            "a.yaml:1:1: unknown field \"elsewhere\"; known are inner and text",
        ),
        (
            "# é\ninner: [{displayName: é, count: x}]\n",
            "a.yaml:2:33: expected a whole number",
        ),
        (
            "inner:\n  - count: 1\n",
            "a.yaml:2:5: field \"displayName\" is missing",
        ),
        ("inner: 5\n", "a.yaml:1:8: expected a list"),
        ("inner: [5]\n", "a.yaml:1:9: expected a map of fields"),
        ("text: [5]\n", "a.yaml:1:7: expected text"),
        (
            "text: a\ntext: b\n",
            "a.yaml:2:1: duplicate key \"text\"; keep one",
        ),
        ("text: 'a\n", "a.yaml:1:7: unclosed quote"),
        ("text: *a\n", "a.yaml:1:7: alias references unknown anchor"),
        (
            "text: a\n---\ntext: b\n",
            "a.yaml:3:1: expected one YAML document, found several; split them",
        ),
    ] {
        assert_eq!(error(text), message, "{text}");
    }
}

#[test]
fn an_error_in_an_alias_is_where_the_anchor_is() {
    type Numbers = BTreeMap<String, BTreeMap<String, f64>>;
    let text = "a: &a\n  b: 1\nc:\n  <<: *a\n  d: x\n";
    let error = decode::<Numbers>(text, "a.yaml").unwrap_err();
    assert_eq!(error.to_string(), "a.yaml:5:6: expected a number");
    let text = "a: &a [x]\nb: *a\n";
    let error = decode::<BTreeMap<String, Vec<f64>>>(text, "a.yaml").unwrap_err();
    assert_eq!(error.to_string(), "a.yaml:1:8: expected a number");
}

#[test]
fn leaves_out_what_is_not_known() {
    let error = DecodeError::new("", "it is wrong");
    assert_eq!(error.to_string(), "it is wrong");
    let error = DecodeError::new("a.yaml", "it is wrong");
    assert_eq!(error.to_string(), "a.yaml: it is wrong");
    let error = DecodeError {
        origin: String::new(),
        line: Some(3),
        column: None,
        ..error
    };
    assert_eq!(error.to_string(), "3: it is wrong");
}

#[test]
fn every_message_is_one_line() {
    for text in [
        "\"te\\nxt\": a\n",
        "{\"a\u{2028}b\": 1}",
        "? [a\n, b]\n: c",
        "\u{1}",
        "%FOO\n--- a",
    ] {
        let message = error(text);
        assert_eq!(message.lines().count(), 1, "{message:?}");
        assert!(!message.contains('\u{2028}'), "{message:?}");
    }
}

#[test]
fn accepts_long_comments_and_wide_documents() {
    let comment = "# why\n".repeat(300);
    let text =
        format!("{comment}inner:\n{comment}- displayName: x\n{comment}  count: 1\n{comment}");
    assert_eq!(decode::<Outer>(&text, "").unwrap().inner.len(), 1);

    let text = "inner:\n".to_owned() + &"- {displayName: x, count: 1}\n".repeat(70_000);
    assert_eq!(decode::<Outer>(&text, "").unwrap().inner.len(), 70_000);

    let text =
        "a: &a [1]\n".to_owned() + &(0..500).map(|i| format!("b{i}: *a\n")).collect::<String>();
    assert_eq!(
        decode::<BTreeMap<String, Vec<u8>>>(&text, "")
            .unwrap()
            .len(),
        501
    );
}

#[test]
fn keeps_numbers_as_they_are_spelled_where_text_is_wanted() {
    for spelling in [
        "5",
        "5.10",
        "0x10",
        "0755",
        "true",
        "yes",
        "1e3",
        "2020-07-24",
    ] {
        let outer: Outer = decode(&format!("text: {spelling}\n"), "").unwrap();
        assert_eq!(outer.text.as_deref(), Some(spelling));
    }
}

#[test]
fn reads_octal_numbers_as_kubectl_does() {
    assert_eq!(
        decode::<BTreeMap<String, u32>>("a: 0755", "").unwrap()["a"],
        0o755
    );
}

#[test]
fn survives_hostile_documents() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (last, next) in ('a'..'k').zip('b'..='k') {
        let aliases = vec![format!("*{last}"); 9].join(", ");
        bomb.push_str(&format!("{next}: &{next} [{aliases}]\n"));
    }
    assert!(decode::<serde::de::IgnoredAny>(&bomb, "bomb").is_err());
    for deep in [
        "[".repeat(100_000),
        "- ".repeat(100_000),
        "{a: ".repeat(100_000),
    ] {
        assert!(decode::<serde::de::IgnoredAny>(&deep, "deep").is_err());
    }
}

proptest::proptest! {
    #[test]
    fn never_panics(text in "[a-z:\\- \\n\\[\\]{}&*!|>'\"#%@,0-9\u{e9}]{0,60}") {
        let _ = decode::<Outer>(&text, "a");
    }
}

#[test]
fn reads_byte_order_marks_line_ends_of_windows_and_json() {
    for text in [
        "\u{feff}text: a\r\ninner: []\r\n",
        "---\ntext: a\n...\n",
        "{\n\t\"text\": \"a\",\n\t\"inner\": []\n}\n",
    ] {
        assert_eq!(
            decode::<Outer>(text, "").unwrap().text.as_deref(),
            Some("a")
        );
    }
}
