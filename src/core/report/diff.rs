//! File changes as a unified diff that `git apply` and `patch` take.

use similar::TextDiff;

use crate::core::change::FileChange;

/// Renders changes as `git diff` does, moves included.
#[must_use]
pub fn unified(changes: &[FileChange]) -> String {
    let mut text = String::new();
    for change in changes {
        let (from, to) = (quoted("a/", &change.from), quoted("b/", &change.to));
        text.push_str(&format!("diff --git {from} {to}\n"));
        if change.from != change.to {
            let similarity = similarity(change);
            let (from, to) = (quoted("", &change.from), quoted("", &change.to));
            text.push_str(&format!(
                "similarity index {similarity}%\nrename from {from}\nrename to {to}\n"
            ));
        }
        if change.old != change.new {
            let diff = TextDiff::from_lines(&change.old, &change.new);
            text.push_str(&diff.unified_diff().header(&from, &to).to_string());
        }
    }
    text
}

/// Git writes names with unusual characters in double quotes (`core.quotePath`).
fn quoted(prefix: &str, path: &str) -> String {
    let is_plain = path
        .bytes()
        .all(|byte| (b' '..=b'~').contains(&byte) && !b"\"\\".contains(&byte));
    if is_plain {
        return format!("{prefix}{path}");
    }
    let mut text = format!("\"{prefix}");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            b' '..=b'~' => text.push(char::from(byte)),
            other => text.push_str(&format!("\\{other:03o}")),
        }
    }
    text.push('"');
    text
}

/// How much of the file stayed, in percent, as git reports it for a rename.
fn similarity(change: &FileChange) -> usize {
    if change.old == change.new {
        return 100;
    }
    let ratio = TextDiff::from_lines(&change.old, &change.new).ratio();
    // Only a file that is the same is 100 % similar.
    ((ratio * 100.0) as usize).clamp(1, 99)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_moves_and_lines() {
        let change = FileChange {
            from: "x/é.yaml".to_owned(),
            to: "x/b.yaml".to_owned(),
            old: "a: 1\nb: 2\n".to_owned(),
            new: "a: 1\nb: 3".to_owned(),
        };
        insta::assert_snapshot!(unified(&[change]), @r#"
        diff --git "a/x/\303\251.yaml" b/x/b.yaml
        similarity index 50%
        rename from "x/\303\251.yaml"
        rename to x/b.yaml
        --- "a/x/\303\251.yaml"
        +++ b/x/b.yaml
        @@ -1,2 +1,2 @@
         a: 1
        -b: 2
        +b: 3
        \ No newline at end of file
        "#);
    }
}
