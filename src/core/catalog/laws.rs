//! What holds of every refresh, for random catalogs in random layouts. `PROPTEST_CASES` says how
//! many.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::Index;

use super::{arrange, rewrite};
use crate::core::laws::cases;
use crate::core::model::{Evaluation, Lineage, Model, ModelCatalog, State};
use crate::core::package::Part;
use crate::core::yaml::apply;
use crate::core::yaml::decode::Style;
use crate::core::yaml::encode::{Context, double_quoted, scalar};

/// Texts that a registry may report, and that YAML may take for something else.
const TEXT: &str = "(a|b|yes|null|~|1|0x1|1e3|5\\.10|2020-07-24|2020-07-24T00:00:00Z|: |#| #|-|- |'|\"|\\\\|/|é|😁|,|\\[|\\]|\\{|\\}|&|\\*|!|\\||>|%|@|`|\\?|=|<<| |\\t|\\n){0,4}";

fn figures() -> impl Strategy<Value = BTreeMap<String, f64>> {
    let figure = prop_oneof![Just(0.5), Just(1.0), any::<f64>(), 0.0..1.0];
    prop::collection::btree_map(prop_oneof!["precision|recall", TEXT], figure, 0..3)
}

fn state() -> impl Strategy<Value = State> {
    prop::sample::select(&State::ALL[..])
}

fn model() -> impl Strategy<Value = Model> {
    let evaluation = prop::option::of((
        figures(),
        prop::collection::btree_map(TEXT, figures(), 0..3),
    ));
    let lineage = prop::option::of((prop::option::of(TEXT), prop::option::of(TEXT)));
    (
        TEXT,
        prop::option::of(TEXT),
        0..5_i64,
        state(),
        prop::collection::btree_map(TEXT, TEXT, 0..3),
        prop::option::of(TEXT),
        evaluation,
        lineage,
    )
        .prop_map(
            |(display_name, version, day, state, labels, uri, evaluation, lineage)| Model {
                name: String::new(),
                display_name,
                version,
                create_time: jiff::Timestamp::from_second(day * 86_400).expect("a time"),
                state,
                labels,
                uri,
                evaluation: evaluation
                    .map(|(metrics, per_label)| Evaluation { metrics, per_label }),
                lineage: lineage.map(|(dataset, notebook_run)| Lineage {
                    dataset,
                    notebook_run,
                    source_commit: None,
                }),
            },
        )
}

/// How a catalog is written.
#[derive(Clone, Debug)]
struct Layout {
    is_flow_list: bool,
    is_flow_model: bool,
    is_quoted: bool,
    is_crlf: bool,
    has_time: bool,
    has_head: bool,
    has_tail: bool,
    has_final_break: bool,
    is_wide: bool,
    indent: usize,
    gap: usize,
    step: usize,
    fillers: Vec<u8>,
}

fn layout() -> impl Strategy<Value = Layout> {
    (
        prop::array::uniform9(any::<bool>()),
        0..4_usize,
        1..4_usize,
        1..4_usize,
        prop::collection::vec(0..6_u8, 0..12),
    )
        .prop_map(|(bits, indent, gap, step, fillers)| Layout {
            is_flow_list: bits[0] && bits[1],
            is_flow_model: bits[1],
            is_quoted: bits[2],
            is_crlf: bits[3],
            has_time: bits[4],
            has_head: bits[5],
            has_tail: bits[6],
            has_final_break: bits[7],
            is_wide: bits[8],
            indent,
            gap,
            step,
            fillers,
        })
}

impl Layout {
    /// A text that reads as these models.
    fn write(&self, models: &[Model]) -> String {
        let mut text = String::from(if self.has_head {
            "# head\na: [1,2 ]\n---\n"
        } else {
            ""
        });
        text.push_str(
            "apiVersion: automl.cloudai.kubeflow.org/v1alpha1\nkind: ModelCatalog\nmetadata: {name: c}\nspec: # s\n",
        );
        if self.has_time {
            text.push_str("  observedAt: 2020-07-19T00:00:00Z # when\n");
        }
        text.push_str("  models:");
        if models.is_empty() {
            text.push_str(" []\n");
        } else if self.is_flow_list {
            let models: Vec<String> = models
                .iter()
                .map(|model| self.flow(&super::rewrite::fields(model)))
                .collect();
            let _ = writeln!(text, " [{}]", models.join(self.comma()));
        } else {
            text.push('\n');
            let column = 2 + self.indent;
            for (number, model) in models.iter().enumerate() {
                let fields = super::rewrite::fields(model);
                let filler = self.fillers.get(number).copied().unwrap_or_default();
                let indent = " ".repeat(column);
                match filler {
                    1 => text.push('\n'),
                    2 => _ = writeln!(text, "{indent}# about {number}"),
                    3 => _ = writeln!(text, "{indent}# apart {number}\n\n{indent}# about {number}"),
                    _ => {}
                }
                if self.is_flow_model {
                    let _ = writeln!(text, "{indent}- {} # tail {number}", self.flow(&fields));
                } else {
                    let mut lines = String::new();
                    self.block(&fields, column + 1 + self.gap, &mut lines);
                    let lead = " ".repeat(column + 1 + self.gap);
                    let rest = lines.strip_prefix(&lead).expect("an indented line");
                    let _ = write!(text, "{indent}-{}{rest}", " ".repeat(self.gap));
                }
                if filler == 4 {
                    let _ = writeln!(text, "{indent} # below {number}");
                }
            }
        }
        if self.has_tail {
            text.push_str("---\nb: 'x' # tail\n");
        }
        if !self.has_final_break {
            text.truncate(text.trim_end().len());
        }
        if self.is_crlf {
            text.replace('\n', "\r\n")
        } else {
            text
        }
    }

    fn comma(&self) -> &'static str {
        if self.is_wide { ", " } else { ",\n         " }
    }

    fn text(&self, text: &str, context: Context) -> String {
        if self.is_quoted {
            double_quoted(text)
        } else {
            scalar(text, Style::Single, context)
        }
    }

    fn value(&self, value: &serde_json::Value) -> String {
        match value {
            serde_json::Value::String(text) => self.text(text, Context::Flow),
            serde_json::Value::Number(number) => {
                super::compose::scalar_text(&number.clone().into(), Style::Plain, Context::Flow)
            }
            serde_json::Value::Object(map) => self.flow(map),
            other => unreachable!("{other}"),
        }
    }

    fn flow(&self, map: &serde_json::Map<String, serde_json::Value>) -> String {
        let entries = map.iter().map(|(key, value)| {
            let key = if self.is_quoted {
                double_quoted(key)
            } else {
                scalar(key, Style::Plain, Context::Flow)
            };
            format!("{key}: {}", self.value(value))
        });
        format!("{{{}}}", entries.collect::<Vec<_>>().join(self.comma()))
    }

    fn block(
        &self,
        map: &serde_json::Map<String, serde_json::Value>,
        column: usize,
        lines: &mut String,
    ) {
        for (key, value) in map {
            let key = scalar(key, Style::Plain, Context::Block);
            let _ = write!(lines, "{}{key}:", " ".repeat(column));
            match value {
                serde_json::Value::Object(map) if !map.is_empty() => {
                    lines.push('\n');
                    self.block(map, column + self.step, lines);
                }
                other => _ = writeln!(lines, " {}", self.value(other)),
            }
        }
    }
}

fn read(text: &str) -> ModelCatalog {
    let part = Part::file("c.yaml", text);
    let resources = &part.parsed().expect("the output is YAML").resources;
    let resource = resources
        .iter()
        .find(|resource| resource.id.kind.as_deref() == Some(ModelCatalog::KIND))
        .expect("the catalog is there");
    ModelCatalog::from_yaml(&part.document(resource), "").expect("the output is a catalog")
}

fn refresh(text: &str, reported: &[Model]) -> String {
    let part = Part::file("c.yaml", text);
    let resources = &part.parsed().expect("generated texts are YAML").resources;
    let number = resources
        .iter()
        .position(|resource| resource.id.kind.as_deref() == Some(ModelCatalog::KIND))
        .expect("the catalog is there");
    let old = read(text);
    let arrangement = arrange(&old.listing.models, reported);
    let time =
        (!arrangement.is_unchanged()).then(|| "2020-07-20T00:00:00Z".parse().expect("a time"));
    let splices = rewrite(&part, number, &old, &arrangement, time)
        .unwrap_or_else(|error| panic!("{error}: {text:?} to {reported:?}"));
    apply(text, &splices)
}

fn named(models: Vec<Model>) -> Vec<Model> {
    let models = models.into_iter().enumerate();
    models
        .map(|(number, model)| Model {
            name: format!("models/m{number}"),
            ..model
        })
        .collect()
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn refreshing_is_lossless_and_idempotent(
        models in prop::collection::vec(model(), 0..6),
        layout in layout(),
        gone in prop::collection::vec(any::<Index>(), 0..3),
        changed in prop::collection::vec((any::<Index>(), model(), 0..6_u8), 0..3),
        added in prop::collection::vec(model(), 0..3),
    ) {
        let old = arrange(&[], &named(models)).models;
        let text = layout.write(&old);
        let before = read(&text);
        prop_assert_eq!(&before.listing.models, &old, "{}", text);

        // Law 1: the same listing changes nothing.
        prop_assert_eq!(refresh(&text, &old), text.as_str());

        let mut reported = old.clone();
        for (index, model, field) in changed {
            if reported.is_empty() { break; }
            let at = index.index(reported.len());
            let target = &mut reported[at];
            match field {
                0 => target.state = model.state,
                1 => target.labels = model.labels,
                2 => target.evaluation = model.evaluation,
                3 => { target.version = model.version; target.uri = model.uri; }
                4 => target.lineage = model.lineage,
                _ => *target = Model { name: target.name.clone(), ..model },
            }
        }
        for index in gone {
            if !reported.is_empty() {
                reported.remove(index.index(reported.len()));
            }
        }
        let new = added.into_iter().enumerate();
        reported.extend(new.map(|(number, model)| Model { name: format!("models/new{number}"), ..model }));
        let output = refresh(&text, &reported);
        let after = read(&output);

        // Law 2: the catalog holds what was reported.
        let by_name = |models: &[Model]| -> BTreeMap<String, Model> {
            models.iter().map(|model| (model.name.clone(), model.clone())).collect()
        };
        // Reported figures may be none; arranging takes them out.
        let wanted = arrange(&[], &reported).models;
        prop_assert_eq!(by_name(&after.listing.models), by_name(&wanted));
        prop_assert_eq!(after.listing.models.len(), wanted.len());

        // Law 3: a second refresh changes nothing.
        prop_assert_eq!(refresh(&output, &reported), output.as_str());

        // Law 4: models that did not change keep their bytes, comments at their lines' ends included.
        for model in &old {
            if by_name(&wanted).get(&model.name) == Some(model) {
                let bytes = bytes(&text, &model.name);
                prop_assert_eq!(bytes, self::bytes(&output, &model.name));
            }
        }
        // And those of which only the state changed, all bytes but those of the state.
        for model in &old {
            let new = by_name(&wanted).remove(&model.name);
            if new.is_some_and(|new| Model { state: model.state, ..new } == *model) {
                let (old, new) = (bytes(&text, &model.name), bytes(&output, &model.name));
                prop_assert_eq!(without_states(old), without_states(new));
            }
        }

        // Law 5: everything around stays.
        let head = text.find("spec:").expect("a spec");
        prop_assert!(output.starts_with(&text[..head]), "{}", output);
        if let (true, Some(tail)) = (layout.has_tail, text.rfind("---")) {
            prop_assert!(output.ends_with(&text[tail..]), "{}", output);
        }
        let is_kept = |number: &str| wanted.iter().any(|model| {
            old.get(number.parse::<usize>().expect("a number")).is_some_and(|old| old.name == model.name)
        });
        for line in text.lines().filter_map(|line| line.trim().strip_prefix("# ")) {
            let number = line.split(' ').nth(1);
            if line.starts_with("apart") || (line.starts_with("about") && number.is_some_and(is_kept)) {
                prop_assert!(output.contains(&format!("# {line}")), "{} in {}", line, output);
            }
        }
    }
}

fn without_states(text: &str) -> String {
    let states = State::ALL.iter();
    states.fold(text.to_owned(), |text, state| {
        text.replace(state.as_str(), "…")
    })
}

/// The lines of a block element, or the braces of a flow one, found without the code under test.
fn bytes<'t>(text: &'t str, name: &str) -> &'t str {
    let part = Part::file("c.yaml", text);
    let stream = &part.parsed().expect("YAML").stream;
    for root in stream.roots() {
        let Some(list) = stream.get_path(*root, &["spec", "models"]) else {
            continue;
        };
        for item in stream.items(list) {
            if stream.get_str(*item, &["name"]) == Some(name) {
                let span = &stream.node(*item).span;
                let tail = text[span.end..].split(['\n', '\r', ',', ']']).next();
                return &text[span.start..span.end + tail.map_or(0, str::len)];
            }
        }
    }
    panic!("{name} is not in {text:?}");
}
