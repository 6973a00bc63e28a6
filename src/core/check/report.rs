//! Running the rules: facts, findings with levels and places, and what could not be decided.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use jiff::Timestamp;

use super::rule::{Facts, Level, RULES, Rule, Subject};
use super::suppression;
use crate::core::change::{ListingError, Models, OwnConfig, locate, select_from};
use crate::core::config::SetModel;
use crate::core::krm::{Resource, ResultItem, Severity};
use crate::core::package::{Layout, Package, PartId};

/// What the user may set.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Levels by rule id, where they are not the rule's own.
    pub levels: BTreeMap<&'static str, Level>,
    /// The oldest that a catalog may be.
    pub max_catalog_age: Option<Duration>,
    /// The document that the function was configured from, which is never a target.
    pub own: OwnConfig,
}

/// Something that a rule found.
#[derive(Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is.
    pub severity: Severity,
    /// What, and about what.
    pub item: ResultItem,
    /// The text it is in, and its bytes there.
    pub place: Option<(PartId, Range<usize>)>,
}

/// What a check comes to.
#[derive(Debug, Default)]
pub struct Report {
    /// What was found, by file, line and rule.
    pub findings: Vec<Finding>,
    /// What kept some rules from deciding.
    pub undecided: Vec<String>,
}

impl Report {
    /// Whether there is a finding at least as bad as `least`.
    #[must_use]
    pub fn has(&self, least: Severity) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity <= least)
    }
}

/// Checks a package under `configs`; `invalid` is what was wrong with others.
#[must_use]
pub fn check(
    package: &Package<'_>,
    configs: &[SetModel],
    invalid: Vec<ResultItem>,
    models: &Models,
    now: Timestamp,
    options: &Options,
) -> Report {
    let mut report = Report::default();
    let max_catalog_age = options.max_catalog_age;
    let mut facts = Facts {
        package,
        subjects: Vec::new(),
        invalid,
        max_catalog_age,
        now,
    };
    for config in configs {
        let (subject, undecided) = subject(&mut facts, config, models, &options.own);
        facts.subjects.push(subject);
        report.undecided.extend(undecided);
    }
    for rule in RULES {
        let level = options
            .levels
            .get(rule.id)
            .copied()
            .unwrap_or(Level::Report(rule.severity));
        let Level::Report(severity) = level else {
            continue;
        };
        for item in (rule.run)(&facts) {
            let place = place(package, &item);
            let is_suppressed = place.as_ref().is_some_and(|(part, _)| {
                let line = item.position.map_or(1, |position| position.line);
                suppression::is_suppressed(package.part(*part).text(), line, rule)
            });
            if !is_suppressed {
                let item = ResultItem {
                    severity,
                    rule: Some(rule.id),
                    ..item
                };
                report.findings.push(Finding {
                    rule,
                    severity,
                    item,
                    place,
                });
            }
        }
    }
    report.findings.sort_by(|one, other| {
        let key = |finding: &Finding| {
            let file = finding.item.file.as_ref().map(|(path, _)| path.clone());
            (file, finding.item.position, finding.rule.id)
        };
        key(one).cmp(&key(other))
    });
    report
}

/// What follows from a config. What is wrong with it or its catalog goes to the facts.
fn subject<'a>(
    facts: &mut Facts<'a>,
    config: &'a SetModel,
    models: &Models,
    own: &OwnConfig,
) -> (Subject<'a>, Option<String>) {
    let places = locate(facts.package, &config.targets, own);
    let name = &config.name;
    let mut undecided = None;
    let listing = match models.listing(facts.package, config) {
        Ok(listing) => listing.map(Cow::into_owned),
        Err(ListingError::Invalid(item)) => {
            // Two configs may share the catalog.
            if !facts.invalid.contains(&item) {
                facts.invalid.push(*item);
            }
            None
        }
        Err(ListingError::NotHere(item)) => {
            undecided = Some(format!("{name}: {}", item.message));
            None
        }
    };
    let selection = match select_from(listing.as_ref(), config, &places, facts.now) {
        Ok(selection) => Some(selection),
        Err(error) => {
            let is_reported =
                listing.is_none() && (undecided.is_some() || !facts.invalid.is_empty());
            let message = format!("{name}: {error}");
            if listing.is_some() {
                facts
                    .invalid
                    .push(ResultItem::new(Severity::Error, message));
            } else if !is_reported {
                undecided = Some(message);
            }
            None
        }
    };
    (
        Subject {
            config,
            places,
            listing,
            selection,
        },
        undecided,
    )
}

/// The bytes that an item is about.
fn place(package: &Package<'_>, item: &ResultItem) -> Option<(PartId, Range<usize>)> {
    let (path, _) = item.file.as_ref()?;
    let (id, part) = match package.layout {
        Layout::Directory => package
            .parts()
            .find(|(_, part)| part.path() == Some(path.as_str()))?,
        // Several items may come from one file.
        Layout::ResourceList => package.saying(&[path]).find_map(|(id, part, parsed)| {
            let mut resources = parsed.resources.iter();
            let is_meant =
                |it: &Resource| it.path == *path && Some(&it.id) == item.resource.as_ref();
            resources.any(is_meant).then_some((id, part))
        })?,
    };
    let text = part.text();
    let Some(position) = item.position else {
        let end = text.find(['\r', '\n']).unwrap_or(text.len());
        return Some((id, 0..end));
    };
    let line_start: usize = text
        .split_inclusive('\n')
        .take(position.line - 1)
        .map(str::len)
        .sum();
    let line = text[line_start..].lines().next().unwrap_or_default();
    let column = line
        .char_indices()
        .nth(position.column - 1)
        .map_or(line.len(), |(at, _)| at);
    let length = token_length(&line[column..]);
    Some((id, line_start + column..line_start + column + length))
}

/// The length of the scalar that a rest of a line begins with, as far as it can be told from the
/// line alone.
fn token_length(rest: &str) -> usize {
    let quote = rest.trim_start_matches('\\').chars().next();
    if let Some(quote @ ('"' | '\'')) = quote {
        let open = rest.find(quote).unwrap_or(0) + 1;
        if let Some(close) = rest[open..].find(quote) {
            return open + close + 1;
        }
    }
    let end = rest.find(" #").unwrap_or(rest.len());
    let end = rest[..end].find([',', '}', ']']).unwrap_or(end);
    rest[..end].trim_end().len()
}
