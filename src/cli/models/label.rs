//! `modelsync models label`.

use std::collections::BTreeMap;
use std::str::FromStr;

use clap::Args;
use serde_json::json;

use super::super::options::Format;
use super::source::SourceArgs;
use super::{Outcome, Printer};
use crate::faces::models;

/// Set labels of a model in its registry, or remove them
#[derive(Args, Debug)]
pub(super) struct LabelArgs {
    /// Name of the model
    #[arg(value_name = "MODEL")]
    model: String,
    /// Labels to set, KEY=VALUE, and to remove, KEY-
    #[arg(value_name = "LABEL", required = true)]
    labels: Vec<Label>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    output: Format,
    #[command(flatten)]
    source: SourceArgs,
}

/// `KEY=VALUE`, or `KEY-` to remove it, as kubectl has them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Label(String, Option<String>);

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = match (text.split_once('='), text.strip_suffix('-')) {
            (Some((key, value)), _) => (key, Some(value.to_owned())),
            (None, Some(key)) => (key, None),
            (None, None) => return Err("give KEY=VALUE to set it or KEY- to remove it".to_owned()),
        };
        if key.is_empty() {
            return Err("the key is empty; give KEY=VALUE or KEY-".to_owned());
        }
        Ok(Self(key.to_owned(), value))
    }
}

pub(super) fn run(arguments: &LabelArgs, printer: &mut Printer) -> anyhow::Result<Outcome> {
    let mut labels: BTreeMap<String, Option<String>> = BTreeMap::new();
    for Label(key, value) in &arguments.labels {
        if labels.insert(key.clone(), value.clone()).is_some() {
            anyhow::bail!("the label {key} is given twice; keep one");
        }
    }
    let model = models::label(&arguments.source.request(), &arguments.model, &labels)?;
    match arguments.output {
        Format::Json => {
            let object = json!({"model": model, "labels": labels});
            printer.data(format!("{object:#}\n").as_bytes());
        }
        Format::Text => {
            let changes = labels.iter().map(|(key, value)| match value {
                Some(value) => format!("{key}={value}"),
                None => format!("{key} removed"),
            });
            let changes: Vec<String> = changes.collect();
            printer.lines(&format!("labelled {model}: {}\n", changes.join(", ")));
        }
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_written_as_kubectl_has_them() {
        let label = |text: &str| {
            text.parse::<Label>()
                .ok()
                .map(|Label(key, value)| (key, value))
        };
        let is = |key: &str, value: Option<&str>| Some((key.to_owned(), value.map(str::to_owned)));
        assert_eq!(label("a=b"), is("a", Some("b")));
        assert_eq!(label("a=b=c-"), is("a", Some("b=c-")));
        assert_eq!(label("a="), is("a", Some("")));
        assert_eq!(label("a-b-"), is("a-b", None));
        for text in ["a", "=b", "-", ""] {
            assert_eq!(label(text), None, "{text:?}");
        }
    }
}
