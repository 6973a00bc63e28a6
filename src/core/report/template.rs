//! Templates of users, and our own: minijinja, in which a name that is not there is an error, and
//! work, depth and output have their limits.

use std::borrow::Cow;
use std::io;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value};
use serde::Serialize;

use super::figure::figure;
use super::markdown;

/// How much work one rendering may be, in minijinja's fuel: about one for each instruction and for
/// each 64 bytes, so that memory has an end too. A test holds how much more it is than what our own
/// templates take.
pub(super) const MOST_WORK: u64 = 3_000_000;

/// The longest text that is taken, in bytes. No forge takes as much, but long lists are rendered in
/// full before they are shortened.
const MOST_TEXT: usize = 8 << 20;

/// A text with places for facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its file, or a name, for errors.
    pub origin: String,
    /// The text.
    pub text: Cow<'static, str>,
}

/// A template that cannot be used. The fault is in the template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot use the template {origin}{}: {problem}", at(*line))]
pub struct TemplateError {
    /// Its file, or a name.
    pub origin: String,
    /// The line, from 1, where it is one that is wrong.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

impl Template {
    /// A template of ours.
    #[must_use]
    pub fn own(origin: &str, text: &'static str) -> Self {
        Self {
            origin: origin.to_owned(),
            text: Cow::Borrowed(text),
        }
    }

    /// The text with facts in its places. Line breaks are `\n`, and other control characters but
    /// tabs, of which a terminal or a forge would make something else, are spaces.
    ///
    /// # Errors
    /// It is no template, names something that is not there, takes too much work, or gives too long
    /// a text.
    pub fn render(&self, facts: &impl Serialize) -> Result<String, TemplateError> {
        self.render_within(MOST_WORK, facts)
    }

    /// Whether the text speaks of a fact by its name.
    #[must_use]
    pub fn names(&self, fact: &str) -> bool {
        let environment = self.environment(MOST_WORK);
        let template = environment.template_from_named_str(&self.origin, &self.text);
        template.is_ok_and(|template| template.undeclared_variables(false).contains(fact))
    }

    /// The same with another limit of the work.
    pub(super) fn render_within(
        &self,
        work: u64,
        facts: &impl Serialize,
    ) -> Result<String, TemplateError> {
        let environment = self.environment(work);
        let mut text = Bounded(Vec::new());
        let rendered = environment
            .template_from_named_str(&self.origin, &self.text)
            .and_then(|template| {
                let written = template.render_captured_to(Value::from(Serde(facts)), &mut text);
                written.map(|_| ())
            });
        rendered.map_err(|error| TemplateError {
            origin: self.origin.clone(),
            line: error.line(),
            problem: problem(&error),
        })?;
        let text = String::from_utf8(text.0).expect("because templates and facts are text");
        Ok(plain(&text))
    }

    fn environment(&self, work: u64) -> Environment<'_> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(work));
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()
            .expect("because the usual marks differ from each other");
        environment.set_syntax(syntax);
        environment.add_filter("code", |text: String| markdown::code(&text));
        environment.add_filter("link", |text: String| markdown::link(&text));
        environment.add_filter("figure", figure);
        environment.add_filter("delta", markdown::delta);
        environment
    }
}

/// A text that refuses to grow beyond [`MOST_TEXT`].
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_TEXT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn plain(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let plain = |character: char| match character {
        '\n' | '\t' => character,
        '\r' => '\n',
        other if other.is_control() => ' ',
        other => other,
    };
    text.chars().map(plain).collect()
}

fn at(line: Option<usize>) -> String {
    line.map(|line| format!(":{line}")).unwrap_or_default()
}

fn problem(error: &minijinja::Error) -> String {
    match error.kind() {
        ErrorKind::OutOfFuel => {
            return "it takes too much work, or never ends; let it loop and say less".to_owned();
        }
        ErrorKind::WriteFailure => {
            return format!(
                "its text is longer than {} MiB; let it say less",
                MOST_TEXT >> 20
            );
        }
        _ => {}
    }
    let kind = error.kind().to_string();
    let text = match error.detail() {
        Some(detail) => format!("{kind}: {detail}"),
        None => kind,
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &'static str) -> Result<String, String> {
        let facts = serde_json::json!({"model": {"name": "a"}, "list": [1, 2]});
        let rendered = Template::own("t.md", text).render(&facts);
        rendered.map_err(|error| error.to_string())
    }

    #[test]
    fn renders_or_says_where_not() {
        let loop_text = "{% for x in list %}\n- {{ x }}\n{% endfor %}\nend\n";
        assert_eq!(render(loop_text).unwrap(), "- 1\n- 2\nend\n");
        assert_eq!(render("{{ model.name|code }}").unwrap(), "`a`");
        let error = render("a\n{{ modle.name }}").unwrap_err();
        insta::assert_snapshot!(error, @"cannot use the template t.md:2: undefined value");
        let error = render("a\n\n{% if %}").unwrap_err();
        insta::assert_snapshot!(error, @"cannot use the template t.md:3: syntax error: unexpected end of block");
        let error = render("{{ model.name|nothing }}").unwrap_err();
        insta::assert_snapshot!(error, @"cannot use the template t.md:1: unknown filter: filter nothing is unknown");
    }

    #[test]
    fn comes_to_an_end() {
        for (text, words) in [
            (
                "a\n{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
                "t.md:2: it takes too much work, or never ends; let it loop and say less",
            ),
            ("{{ 'x' * 100000000000 }}", "t.md:1: "),
            (
                "{% set x = 'x' * 1000000 %}\n{% for i in range(100) %}{{ x }}{% endfor %}",
                "t.md: its text is longer than 8 MiB; let it say less",
            ),
            // What it keeps to itself counts too.
            (
                "{% for i in range(100000) %}{% set x %}{{ '%1000000d'|format(i) }}{% endset %}{% endfor %}",
                "t.md:1: ",
            ),
            // A loop inside itself.
            (
                "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
                "recursion limit exceeded",
            ),
            // Neither macros nor other templates are there.
            (
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "syntax error: unknown statement macro",
            ),
            (
                "{% include 't.md' %}",
                "syntax error: unknown statement include",
            ),
        ] {
            let error = render(text).unwrap_err();
            assert!(error.contains(words), "{error}");
            assert!(error.len() < 200 && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn nesting_has_an_end() {
        let (open, close) = ("{% if 1 %}".repeat(10_000), "{% endif %}".repeat(10_000));
        let statements = format!("{open}{close}");
        let brackets = format!("{{{{ {}1{} }}}}", "(".repeat(10_000), ")".repeat(10_000));
        for text in [statements, brackets] {
            let template = Template {
                origin: "t.md".to_owned(),
                text: text.into(),
            };
            let error = template.render(&()).unwrap_err();
            assert!(error.problem.contains("recursion"), "{error}");
        }
    }

    #[test]
    fn obeys_nothing_in_the_facts() {
        let facts = serde_json::json!({"name": "a\0b\u{1b}[31mc\r\nd\re\tf\u{85}g\u{7f}"});
        let text = Template::own("t.md", "{{ name }}\u{8}\n").render(&facts);
        assert_eq!(text.unwrap(), "a b [31mc\nd\ne\tf g  \n");
    }
}
