//! Comma-separated values (RFC 4180).

/// A row, with its line end (section 2, rules 1 and 4 to 7).
#[must_use]
pub fn row<S: AsRef<str>>(fields: &[S]) -> String {
    let fields: Vec<String> = fields.iter().map(|field| quoted(field.as_ref())).collect();
    fields.join(",") + "\r\n"
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        assert_eq!(row(&["aaa", "b bb", ""]), "aaa,b bb,\r\n");
        assert_eq!(
            row(&["a,b", "c\r\nd", "e\"f"]),
            "\"a,b\",\"c\r\nd\",\"e\"\"f\"\r\n"
        );
        assert_eq!(row(&["\n"]), "\"\n\"\r\n");
    }
}
