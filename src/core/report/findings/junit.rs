//! Findings as JUnit XML: a rule without findings is a test that passed, a finding one that failed.
//!
//! JUnit has no official schema; this keeps to Jenkins' `junit-10.xsd`, the one that most readers
//! follow.

use super::{path, region};
use crate::core::check::{Finding, RULES, Report};
use crate::core::package::Package;

/// The XML text.
#[must_use]
pub fn junit(package: &Package<'_>, report: &Report) -> String {
    let (mut cases, mut count) = (String::new(), 0);
    for rule in RULES {
        let findings = report
            .findings
            .iter()
            .filter(|finding| finding.rule.id == rule.id);
        let before = count;
        for finding in findings {
            count += 1;
            cases.push_str(&failed_case(package, finding));
        }
        if count == before {
            count += 1;
            let (id, name) = (escape(rule.id), escape(rule.name));
            cases.push_str(&format!(
                "    <testcase name=\"{id}\" classname=\"{name}\"/>\n"
            ));
        }
    }
    for undecided in &report.undecided {
        count += 1;
        let message = escape(undecided);
        cases.push_str(&format!(
            "    <testcase name=\"could not decide\" classname=\"undecided\">\n      \
             <error type=\"undecided\" message=\"{message}\"/>\n    </testcase>\n"
        ));
    }
    let totals = format!(
        "name=\"modelsync check\" tests=\"{count}\" failures=\"{}\" errors=\"{}\"",
        report.findings.len(),
        report.undecided.len()
    );
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {totals}>\n  <testsuite \
         {totals}>\n{cases}  </testsuite>\n</testsuites>\n"
    )
}

fn failed_case(package: &Package<'_>, finding: &Finding) -> String {
    let place = match (path(finding), region(package, finding)) {
        (Some(path), Some((start, _))) => format!("{path}:{start}"),
        (Some(path), None) => path.to_owned(),
        (None, _) => String::new(),
    };
    let rule = finding.rule;
    let name = escape(format!("{} {place}", rule.id).trim_end());
    let message = escape(&finding.item.message);
    let text = escape(&format!(
        "{place}: {}\nhelp: {}",
        finding.item.message, rule.help
    ));
    format!(
        "    <testcase name=\"{name}\" classname=\"{}\">\n      <failure type=\"{}\" \
         message=\"{message}\">{text}</failure>\n    </testcase>\n",
        escape(rule.name),
        finding.severity
    )
}

/// Text as XML character data or an attribute's value; what XML 1.0 cannot hold (§2.2) is left
/// out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' => {
                escaped.push(character);
            }
            '\u{10000}'.. => escaped.push(character),
            _ => {}
        }
    }
    escaped
}
