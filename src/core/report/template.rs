//! Templates of users, and our own: minijinja, in which a name that is not there is an error.

use std::borrow::Cow;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;

use super::markdown;

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
#[error("cannot use the template {origin}:{line}: {problem}")]
pub struct TemplateError {
    /// Its file, or a name.
    pub origin: String,
    /// The line, from 1; 1 where the parser knows none.
    pub line: usize,
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

    /// The text with facts in its places.
    ///
    /// # Errors
    /// It is no template, or names something that is not there.
    pub fn render(&self, facts: &impl Serialize) -> Result<String, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()
            .expect("because the usual marks differ from each other");
        environment.set_syntax(syntax);
        environment.add_filter("code", |text: String| markdown::code(&text));
        environment.add_filter("link", |text: String| markdown::link(&text));
        environment.add_filter("figure", markdown::figure);
        environment.add_filter("delta", markdown::delta);
        let rendered = environment
            .template_from_named_str(&self.origin, &self.text)
            .and_then(|template| template.render(Value::from(Serde(facts))));
        rendered.map_err(|error| TemplateError {
            origin: self.origin.clone(),
            line: error.line().unwrap_or(1),
            problem: problem(&error),
        })
    }
}

fn problem(error: &minijinja::Error) -> String {
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
}
