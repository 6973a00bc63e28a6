//! Text of registries inside Markdown: as code, in which forges see no mentions, references, links or
//! HTML.

use super::figure::figure;

/// A text as a code span on one line, for a table as well as for a paragraph (GitHub Flavored
/// Markdown, sections 4.10 and 6.3).
#[must_use]
pub fn code(text: &str) -> String {
    let plain = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    let text: String = text.chars().map(plain).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return String::new();
    }
    // A bar ends a table's cell even in code.
    let text = text.replace('|', "\\|");
    let longest = text
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A text as a link where it is a web address, and as code where it is not.
#[must_use]
pub fn link(text: &str) -> String {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"<>\"'`\\|@()[]{}*".contains(&byte));
    if is_web && is_plain {
        format!("<{text}>")
    } else {
        code(text)
    }
}

/// A difference with its sign; none where four decimals show none.
pub(super) fn delta(value: f64) -> String {
    let size = value.abs();
    if size < 5e-5 {
        return "±0".to_owned();
    }
    let sign = if value < 0.0 { '−' } else { '+' };
    format!("{sign}{}", figure(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_code_span() {
        for (text, expected) in [
            ("a", "`a`"),
            ("@team <b>|x", "`@team <b>\\|x`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            ("a\n# b\u{7}", "`a # b`"),
            ("", ""),
        ] {
            assert_eq!(code(text), expected);
        }
    }

    #[test]
    fn links_only_plain_web_addresses() {
        assert_eq!(link("https://h/a?b=c#d"), "<https://h/a?b=c#d>");
        for text in [
            "javascript:alert(1)",
            "https://h/>x",
            "gs://b/c",
            "https://h/ x",
        ] {
            assert!(link(text).starts_with('`'), "{text}");
        }
    }

    #[test]
    fn differences_have_signs() {
        assert_eq!(delta(0.05), "+0.05");
        assert_eq!(delta(-0.12345), "−0.1235");
        assert_eq!(delta(-0.00001), "±0");
        assert_eq!(delta(1e300), "+1e300");
    }
}
