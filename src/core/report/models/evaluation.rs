//! Figures of one model, or of two side by side with what differs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::core::model::Model;
use crate::core::report::csv;
use crate::core::report::table::{Cell, Screen, Table, Tone};

/// What stands in the column of labels for the figures of a model as a whole.
const OVERALL: &str = "(overall)";

/// The metrics that come first, of which more is better.
const FIRST: [&str; 2] = ["precision", "recall"];

/// The figures of some models, label by label.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The models.
    names: Vec<String>,
    /// The metrics: precision, recall, then the others by name.
    metrics: Vec<String>,
    rows: Vec<Row>,
}

/// The figures of one label.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    /// The label; `None` for the models as a whole.
    label: Option<String>,
    /// For each metric, the figure of each model.
    figures: Vec<Vec<Option<f64>>>,
}

/// Puts the figures of one or two models side by side.
#[must_use]
pub fn compare(models: &[&Model]) -> Comparison {
    let evaluations: Vec<_> = models
        .iter()
        .map(|model| model.evaluation.clone().unwrap_or_default())
        .collect();
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let mut labels: BTreeSet<&str> = BTreeSet::new();
    for evaluation in &evaluations {
        found.extend(evaluation.metrics.keys().map(String::as_str));
        for (label, metrics) in &evaluation.per_label {
            labels.insert(label);
            found.extend(metrics.keys().map(String::as_str));
        }
    }
    let first = FIRST.into_iter().filter(|metric| found.contains(metric));
    let rest = found
        .iter()
        .copied()
        .filter(|metric| !FIRST.contains(metric));
    let metrics: Vec<String> = first.chain(rest).map(str::to_owned).collect();
    let row = |label: Option<&str>| {
        let figures = metrics.iter().map(|metric| {
            let of = |evaluation: &crate::core::model::Evaluation| {
                let figures = match label {
                    None => Some(&evaluation.metrics),
                    Some(label) => evaluation.per_label.get(label),
                };
                figures.and_then(|figures| figures.get(metric).copied())
            };
            evaluations.iter().map(of).collect()
        });
        Row {
            label: label.map(str::to_owned),
            figures: figures.collect(),
        }
    };
    let rows = [None]
        .into_iter()
        .chain(labels.iter().map(|label| Some(*label)))
        .map(row);
    Comparison {
        names: models.iter().map(|model| model.name.clone()).collect(),
        rows: rows.collect(),
        metrics,
    }
}

impl Comparison {
    /// Whether no model has a figure.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.metrics.is_empty()
    }

    /// A table. With two models, each metric has three columns: both figures, and by how much the
    /// second is above the first.
    #[must_use]
    pub fn table(&self, screen: Screen) -> String {
        let is_pair = self.names.len() == 2;
        let mut header = vec!["LABEL".to_owned()];
        for metric in &self.metrics {
            let metric = metric.to_uppercase();
            if is_pair {
                header.extend([format!("{metric} A"), "B".to_owned(), "B-A".to_owned()]);
            } else {
                header.push(metric);
            }
        }
        let mut table = Table {
            header,
            rows: Vec::new(),
        };
        for Row { label, figures } in &self.rows {
            let mut row = vec![Cell::new(label.as_deref().unwrap_or(OVERALL))];
            for (metric, figures) in self.metrics.iter().zip(figures) {
                for figure in figures {
                    row.push(Cell::figure(&figure.map_or("-".to_owned(), super::figure)));
                }
                if is_pair {
                    row.push(delta_cell(metric, delta(figures)));
                }
            }
            table.rows.push(row);
        }
        let mut text = String::new();
        if is_pair {
            for (letter, name) in ["A", "B"].iter().zip(&self.names) {
                let line = Table {
                    header: Vec::new(),
                    rows: vec![vec![Cell::new(letter), Cell::new(name)]],
                };
                text.push_str(&line.render(screen));
            }
            text.push('\n');
        }
        text.push_str(&table.render(screen));
        text
    }

    /// An object: `models`, and `figures`, each with `label` (null for the model as a whole),
    /// `metric`, `values` and, with two models, `delta`.
    #[must_use]
    pub fn json(&self) -> Value {
        let figures = self.figures().map(|(label, metric, values)| {
            let mut figure = json!({"label": label, "metric": metric, "values": values});
            if values.len() == 2 {
                figure["delta"] = json!(delta(values));
            }
            figure
        });
        json!({"models": self.names, "figures": figures.collect::<Vec<_>>()})
    }

    /// A row for each label and metric, below a row of names.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut header = vec!["label", "metric"];
        header.extend(self.names.iter().map(String::as_str));
        if self.names.len() == 2 {
            header.push("delta");
        }
        let mut text = csv::row(&header);
        let written =
            |figure: Option<f64>| figure.map_or(String::new(), |figure| figure.to_string());
        for (label, metric, values) in self.figures() {
            let mut row = vec![label.unwrap_or_default().to_owned(), metric.to_owned()];
            row.extend(values.iter().map(|value| written(*value)));
            if values.len() == 2 {
                row.push(written(delta(values)));
            }
            text.push_str(&csv::row(&row));
        }
        text
    }

    /// Every label and metric of which any model has a figure.
    fn figures(&self) -> impl Iterator<Item = (Option<&str>, &str, &[Option<f64>])> {
        self.rows.iter().flat_map(move |Row { label, figures }| {
            let figures = self.metrics.iter().zip(figures);
            let figures = figures.filter(|(_, values)| values.iter().any(Option::is_some));
            figures
                .map(move |(metric, values)| (label.as_deref(), metric.as_str(), values.as_slice()))
        })
    }
}

/// By how much the second figure is above the first. Rounded, as decimals have no exact difference.
fn delta(figures: &[Option<f64>]) -> Option<f64> {
    match figures {
        [Some(first), Some(second)] => Some(((second - first) * 1e6).round() / 1e6),
        _ => None,
    }
}

fn delta_cell(metric: &str, delta: Option<f64>) -> Cell {
    // Of other metrics, such as a loss, less may be more.
    let tone = |tone| {
        if FIRST.contains(&metric) {
            tone
        } else {
            Tone::Plain
        }
    };
    match delta {
        None => Cell::figure(""),
        Some(delta) if delta > 0.0 => {
            Cell::figure(&format!("+{}", super::figure(delta))).toned(tone(Tone::Good))
        }
        Some(delta) if delta < 0.0 => Cell::figure(&super::figure(delta)).toned(tone(Tone::Bad)),
        Some(_) => Cell::figure("0"),
    }
}

/// The figures of one model below a blank line; nothing when it has none.
pub(super) fn figures_of(model: &Model, screen: Screen) -> String {
    let comparison = compare(&[model]);
    if comparison.is_empty() {
        return String::new();
    }
    format!("\n{}", comparison.table(screen))
}
