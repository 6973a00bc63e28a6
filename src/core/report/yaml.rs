//! A JSON value as YAML that every reader takes for the same value.

use serde_json::Value;

use crate::core::yaml::decode::Style;
use crate::core::yaml::encode::{Context, scalar};

/// Renders a value in block style, as `kubectl get -o yaml` does.
#[must_use]
pub fn render(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block(value, 0, &mut text),
        Value::Array(list) if !list.is_empty() => block(value, 0, &mut text),
        other => text.push_str(&(inline(other) + "\n")),
    }
    text
}

/// Lines at an indentation; the first one is not indented.
fn block(value: &Value, indent: usize, text: &mut String) {
    let lead = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            for (number, (key, value)) in map.iter().enumerate() {
                if number > 0 {
                    text.push_str(&lead);
                }
                text.push_str(&scalar(key, Style::Plain, Context::Block));
                text.push(':');
                match value {
                    Value::Object(inner) if !inner.is_empty() => {
                        text.push_str(&format!("\n{lead}  "));
                        block(value, indent + 2, text);
                    }
                    Value::Array(inner) if !inner.is_empty() => {
                        text.push_str(&format!("\n{lead}"));
                        block(value, indent, text);
                    }
                    other => text.push_str(&format!(" {}\n", inline(other))),
                }
            }
        }
        Value::Array(list) => {
            for (number, value) in list.iter().enumerate() {
                if number > 0 {
                    text.push_str(&lead);
                }
                text.push_str("- ");
                match value {
                    Value::Object(inner) if !inner.is_empty() => block(value, indent + 2, text),
                    Value::Array(inner) if !inner.is_empty() => block(value, indent + 2, text),
                    other => text.push_str(&(inline(other) + "\n")),
                }
            }
        }
        other => text.push_str(&(inline(other) + "\n")),
    }
}

/// What has no lines of its own: scalars, `{}` and `[]`.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text, Style::Plain, Context::Block),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_as_the_same_value() {
        let value = serde_json::json!({
            "a": {"b": [1, 2.5, {"c": "yes", "d": []}, [true, null], {}]},
            "5.10": "2020-07-24", "": "x\ny", "e": {}, "list": [["a"], "b: c"],
        });
        let text = render(&value);
        let read: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read, value, "{text}");
        insta::assert_snapshot!(text, @r#"
        a:
          b:
          - 1
          - 2.5
          - c: "yes"
            d: []
          - - true
            - null
          - {}
        "5.10": "2020-07-24"
        "": "x\ny"
        e: {}
        list:
        - - a
        - "b: c"
        "#);
        assert_eq!(render(&serde_json::json!([])), "[]\n");
    }
}
