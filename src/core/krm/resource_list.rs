//! A ResourceList as the bytes it came in: items with their places, and the same bytes back with
//! edits and results (KRM Functions Specification v1; kpt's behaviour as measured).

use std::ops::Range;

use super::result::{self, ResultItem};
use super::scan;
use crate::core::yaml::decode::{end_of_line, line_break, start_of_line};
use crate::core::yaml::{Content, NodeId, Position, Splice, Stream, apply};

/// A document inside the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedded {
    /// Its bytes in the list.
    pub range: Range<usize>,
    /// The column of its first byte: so many spaces before it make it a document of its own.
    pub column: usize,
}

impl Embedded {
    /// The document as a text of its own.
    #[must_use]
    pub fn text(&self, list: &str) -> String {
        format!("{}{}", " ".repeat(self.column), &list[self.range.clone()])
    }

    /// A splice of [`text`](Self::text) as a splice of the list.
    #[must_use]
    pub fn outward(&self, splice: &Splice) -> Splice {
        let shift = |offset: usize| (offset + self.range.start).saturating_sub(self.column);
        Splice {
            range: shift(splice.range.start)..shift(splice.range.end),
            text: splice.text.clone(),
        }
    }
}

/// A text that is not a ResourceList.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceListError {
    /// Nothing came.
    #[error("standard input is empty; expected a ResourceList, as `kpt fn source DIR` prints it")]
    Empty,
    /// Not YAML.
    #[error("line {}, column {}: {message}", position.line, position.column)]
    Malformed {
        /// What is wrong.
        message: String,
        /// Where.
        position: Position,
    },
    /// YAML, but something else.
    #[error("expected a ResourceList: {0}")]
    Other(String),
}

/// A ResourceList and where everything is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceList {
    /// The items.
    pub items: Vec<Embedded>,
    /// The function's configuration.
    pub function_config: Option<Embedded>,
    results: Results,
}

/// Where results go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Results {
    /// There are none; they go to the end of the text.
    #[default]
    None,
    /// After the elements of a block list.
    Block { at: usize, column: usize },
    /// Instead of `results: []` and the like.
    Instead(Range<usize>),
    /// Into a flow list, or as a new key of a flow map.
    Flow {
        at: usize,
        is_first: bool,
        key: bool,
    },
}

impl ResourceList {
    /// Finds everything in a text, by its lines where that is safe and else by parsing it.
    ///
    /// # Errors
    /// The text is empty, not YAML, or not a ResourceList.
    pub fn read(text: &str) -> Result<Self, ResourceListError> {
        match Self::scan(text) {
            Some(list) => Ok(list),
            None => Self::parse(text),
        }
    }

    /// Finds everything by the text's lines; `None` when that is not safe.
    #[must_use]
    pub fn scan(text: &str) -> Option<Self> {
        let scan = scan::scan(text)?;
        let section = |name: &str| {
            let found = scan.sections.iter().find(|(key, _)| key == name)?;
            Some((found.1.start + name.len() + 1, found.1.clone()))
        };
        let value = |name: &str| {
            let (start, range) = section(name)?;
            Some(
                text[start..end_of_line(text, range.start)]
                    .trim()
                    .trim_matches(['"', '\'']),
            )
        };
        section("items")?;
        if value("kind") != Some("ResourceList") {
            return None;
        }
        let function_config = match section("functionConfig") {
            None => None,
            Some((start, range)) => {
                let embedded = Embedded {
                    range: start..range.end,
                    column: start - range.start,
                };
                // A value on the lines below begins in a column of its own.
                Stream::parse(&embedded.text(text)).ok()?;
                Some(embedded)
            }
        };
        let results = match section("results") {
            None => Results::None,
            // Lists are few and small here; the parser knows all their forms.
            Some(_) => return None,
        };
        let items = scan
            .items
            .iter()
            .map(|range| {
                let line = start_of_line(text, range.start);
                Embedded {
                    range: range.clone(),
                    column: range.start - line,
                }
            })
            .collect();
        Some(Self {
            items,
            function_config,
            results,
        })
    }

    /// Finds everything by parsing the text.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(text: &str) -> Result<Self, ResourceListError> {
        if text.trim().is_empty() {
            return Err(ResourceListError::Empty);
        }
        let stream = Stream::parse(text).map_err(|error| ResourceListError::Malformed {
            message: error.message,
            position: error.position,
        })?;
        let other = |message: &str| ResourceListError::Other(message.to_owned());
        let [root] = stream.roots() else {
            let count = stream.roots().len();
            return Err(ResourceListError::Other(format!(
                "standard input holds {count} documents"
            )));
        };
        let Content::Mapping { entries, flow } = &stream.node(*root).content else {
            return Err(other("standard input is not a map"));
        };
        match stream.get_str(*root, &["kind"]) {
            Some("ResourceList") => {}
            Some(kind) => return Err(ResourceListError::Other(format!("its kind is {kind:?}"))),
            None => return Err(other("it has no kind")),
        }
        let Some(list) = stream.get(*root, "items") else {
            return Err(other("it has no `items`"));
        };
        if !(stream.node(list).is_null()
            || matches!(stream.node(list).content, Content::Sequence { .. }))
        {
            return Err(other("its `items` are not a list"));
        }
        let embedded = |id: NodeId| {
            let range = stream.node(id).span.clone();
            let line = start_of_line(text, range.start);
            Embedded {
                column: range.start - line,
                range,
            }
        };
        let function_config = stream
            .get(*root, "functionConfig")
            .filter(|id| !stream.node(*id).is_null());
        let existing = entries
            .iter()
            .find(|(key, _)| stream.node(*key).scalar() == Some("results"));
        let results = match existing {
            None if *flow => Results::Flow {
                at: entries
                    .last()
                    .map_or(0, |(_, last)| stream.node(*last).span.end),
                is_first: entries.is_empty(),
                key: true,
            },
            None => Results::None,
            Some((key, value)) => existing_results(text, &stream, *key, *value, *flow)?,
        };
        Ok(Self {
            items: stream.items(list).iter().map(|id| embedded(*id)).collect(),
            function_config: function_config.map(embedded),
            results,
        })
    }

    /// The text with splices applied and results appended; nothing else changes.
    #[must_use]
    pub fn write(&self, text: &str, splices: Vec<Splice>, results: &[ResultItem]) -> String {
        apply(text, &self.splices(text, splices, results))
    }

    /// The same as splices, sorted.
    #[must_use]
    pub fn splices(
        &self,
        text: &str,
        mut splices: Vec<Splice>,
        results: &[ResultItem],
    ) -> Vec<Splice> {
        let end = end_of_line(text, 0);
        let line_break = if line_break(text, end) == 2 {
            "\r\n"
        } else {
            "\n"
        };
        if !results.is_empty() {
            splices.push(match &self.results {
                Results::None => {
                    let lead = if text.ends_with('\n') { "" } else { line_break };
                    let body = result::to_block(results, "", line_break);
                    let text_end = text.len()..text.len();
                    Splice {
                        range: text_end,
                        text: format!("{lead}results:{line_break}{body}"),
                    }
                }
                Results::Block { at, column } => {
                    let body = result::to_block(results, &" ".repeat(*column), line_break);
                    let lead = if text[..*at].ends_with('\n') {
                        ""
                    } else {
                        line_break
                    };
                    Splice {
                        range: *at..*at,
                        text: format!("{lead}{body}"),
                    }
                }
                Results::Instead(range) => {
                    let body = result::to_block(results, "", line_break);
                    let body = body.trim_end_matches(['\r', '\n']);
                    Splice {
                        range: range.clone(),
                        text: format!("{line_break}{body}"),
                    }
                }
                Results::Flow { at, is_first, key } => {
                    let comma = if *is_first { "" } else { ", " };
                    let body = result::to_flow(results);
                    let text = if *key {
                        format!("{comma}\"results\": [{body}]")
                    } else {
                        format!("{comma}{body}")
                    };
                    Splice {
                        range: *at..*at,
                        text,
                    }
                }
            });
        }
        splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
        splices
    }
}

fn existing_results(
    text: &str,
    stream: &Stream,
    key: NodeId,
    value: NodeId,
    in_flow: bool,
) -> Result<Results, ResourceListError> {
    let node = stream.node(value);
    match &node.content {
        Content::Sequence { items, flow: true } => {
            let at = items
                .last()
                .map_or(node.span.start + 1, |last| stream.node(*last).span.end);
            if items.is_empty() && !in_flow {
                return Ok(Results::Instead(
                    stream.node(key).span.end + 1..node.span.end,
                ));
            }
            Ok(Results::Flow {
                at,
                is_first: items.is_empty(),
                key: false,
            })
        }
        Content::Sequence { items, flow: false } => {
            let last = items
                .last()
                .map_or(node.span.end, |last| stream.node(*last).span.end);
            let end = end_of_line(text, last);
            let at = if text[..last].ends_with('\n') {
                last
            } else {
                end + line_break(text, end)
            };
            let line = start_of_line(text, node.span.start);
            let column = text[line..].len() - text[line..].trim_start_matches(' ').len();
            Ok(Results::Block { at, column })
        }
        _ if node.is_null() => {
            let colon = stream.node(key).span.end + 1;
            Ok(Results::Instead(colon..node.span.end.max(colon)))
        }
        _ => Err(ResourceListError::Other(
            "its `results` are not a list, so ours cannot be added".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::krm::Severity;

    const LIST: &str = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- # head\n  apiVersion: v1\n  data:\n    a: |\n      - not an item\n    b: \"x\n- y\"\n- kind: B\nfunctionConfig:\n  kind: SetModel\n";

    fn with_result(text: &str) -> String {
        let list = ResourceList::read(text).unwrap();
        let output = list.write(text, vec![], &[ResultItem::new(Severity::Info, "done")]);
        Stream::parse(&output).unwrap();
        output
    }

    #[test]
    fn the_scan_agrees_with_the_parser() {
        let scanned = ResourceList::scan(LIST).unwrap();
        let parsed = ResourceList::parse(LIST).unwrap();
        assert_eq!(scanned.items.len(), 2);
        assert_eq!(parsed.items.len(), 2);
        assert_eq!(
            scanned.items[0].text(LIST),
            "  # head\n  apiVersion: v1\n  data:\n    a: |\n      - not an item\n    b: \"x\n- y\"\n"
        );
        let config = scanned.function_config.unwrap().text(LIST);
        assert_eq!(config.trim(), "kind: SetModel");
    }

    #[test]
    fn results_are_appended_in_every_form() {
        assert!(with_result(LIST).ends_with("results:\n- message: done\n  severity: info\n"));
        let head = "kind: ResourceList\nitems: []\n";
        for (tail, wanted) in [
            ("", "results:\n- message: done\n  severity: info\n"),
            (
                "results: []\n",
                "results:\n- message: done\n  severity: info\n",
            ),
            (
                "results:\n",
                "results:\n- message: done\n  severity: info\n",
            ),
            (
                "results:\n- message: x\nfunctionConfig: {}\n",
                "results:\n- message: x\n- message: done\n  severity: info\nfunctionConfig: {}\n",
            ),
        ] {
            assert_eq!(
                with_result(&format!("{head}{tail}")),
                format!("{head}{wanted}")
            );
        }
        let json = r#"{"kind":"ResourceList","items":[{"kind":"A"}]}"#;
        assert_eq!(
            with_result(json),
            r#"{"kind":"ResourceList","items":[{"kind":"A"}], "results": [{"message": "done", "severity": "info"}]}"#
        );
        assert!(with_result("kind: ResourceList\r\nitems: []\r\n").ends_with("severity: info\r\n"));
        assert!(with_result("kind: ResourceList\nitems: []").contains("[]\nresults:\n"));
    }

    #[test]
    fn says_what_is_not_a_resource_list() {
        for (text, message) in [
            ("", "is empty"),
            ("kind: Foo\n", "its kind is \"Foo\""),
            ("a: [\n", "column"),
            ("kind: ResourceList\n", "no `items`"),
            ("kind: ResourceList\nitems: []\n---\na: b\n", "2 documents"),
            ("- a\n", "not a map"),
        ] {
            let error = ResourceList::read(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text:?}: {error}");
        }
    }
}
