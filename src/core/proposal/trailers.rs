//! The lines at the end of a commit message by which we know our commits again, as
//! git-interpret-trailers(1) describes them.

/// The trailer that names the SetModel a commit was made for.
pub const CONFIG: &str = "Config";

/// The trailer that names the package's directory from the root of the repository; none for the root.
pub const PACKAGE: &str = "Package";

/// A message with trailers after it. Values are put on one line, without control characters.
#[must_use]
pub fn with_trailers(message: &str, trailers: &[(&str, String)]) -> String {
    let mut text = message.trim_end().to_owned();
    text.push_str("\n\n");
    for (key, value) in trailers {
        let is_gap = |character: char| character.is_whitespace() || character.is_control();
        let words = value.split(is_gap).filter(|word| !word.is_empty());
        let value = words.collect::<Vec<_>>().join(" ");
        text.push_str(&format!("{key}: {value}\n"));
    }
    text
}

/// The last value of a trailer in the last paragraph of a message.
#[must_use]
pub fn trailer<'m>(message: &'m str, key: &str) -> Option<&'m str> {
    let message = message.trim_end();
    let (_, last) = message.rsplit_once("\n\n")?;
    let of_line = |line: &'m str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(key).then(|| value.trim())
    };
    last.lines().filter_map(of_line).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_was_written() {
        let trailers = [
            ("Model", "a\n\u{1b}b".to_owned()),
            (CONFIG, "bot".to_owned()),
        ];
        let text = with_trailers("Subject\n\nConfig: not this\n\nBody\n\n", &trailers);
        assert_eq!(
            text,
            "Subject\n\nConfig: not this\n\nBody\n\nModel: a b\nConfig: bot\n"
        );
        assert_eq!(trailer(&text, "Config"), Some("bot"));
        assert_eq!(trailer(&text, "model"), Some("a b"));
        assert_eq!(trailer("Config: only a subject", "Config"), None);
    }
}
