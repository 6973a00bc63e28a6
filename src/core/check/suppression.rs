//! Comments that accept a finding: `# modelsync:ignore MS001 we stay on this model until May`, on
//! the finding's line or the one above. MS016: such a comment without a reason, which counts for
//! nothing.

use super::rule::{Facts, Rule, finding};
use crate::core::krm::{ResultItem, Severity};
use crate::core::yaml::Position;

pub(super) const RULE: Rule = Rule {
    id: "MS016",
    name: "bare-suppression",
    severity: Severity::Warning,
    about: "A comment asks to ignore a rule and does not say why. It counts for nothing until it \
            does.",
    help: "write `# modelsync:ignore MS000 REASON`",
    run,
};

const SIGN: &str = "modelsync:ignore";

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let finder = memchr::memmem::Finder::new(SIGN);
    let mut findings = Vec::new();
    for (_, part) in facts.package.parts() {
        for offset in finder.find_iter(part.text().as_bytes()) {
            let line = part.text()[offset..].lines().next().unwrap_or_default();
            if parse(line).is_none_or(|(_, reason)| !reason.is_empty()) {
                continue;
            }
            let mut finding = finding("this suppression gives no reason");
            finding.file = part.path().map(|path| (path.to_owned(), None));
            findings.push(finding.at(Position::of(part.text(), offset)));
        }
    }
    findings
}

/// Whether a comment on line `line` (from 1) of a text, or on the line above, accepts findings of
/// a rule, and says why.
pub(super) fn is_suppressed(text: &str, line: usize, rule: &Rule) -> bool {
    let first = line.saturating_sub(2);
    let mut candidates = text.lines().skip(first).take(line - first);
    candidates.any(|line| {
        let comment = line.split_once('#').map_or("", |(_, comment)| comment);
        parse(comment).is_some_and(|(ids, reason)| {
            !reason.is_empty() && ids.split(',').any(|id| id == rule.id || id == rule.name)
        })
    })
}

/// The rules and the reason that a comment gives; `None` when it is no suppression.
fn parse(comment: &str) -> Option<(&str, &str)> {
    let (_, rest) = comment.split_once(SIGN)?;
    // The sign inside a longer word is something else.
    if !rest.is_empty() && !rest.starts_with([' ', ':']) {
        return None;
    }
    let rest = rest.trim_start_matches([' ', ':']);
    let (ids, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((
        ids.trim_end_matches([':', ',']),
        reason.trim_matches([' ', ':', '-']),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suppression_needs_a_reason() {
        let rule = &super::super::stale_model::RULE;
        assert!(is_suppressed(
            "a: 1 # modelsync:ignore MS001 because\n",
            1,
            rule
        ));
        assert!(is_suppressed(
            "# modelsync:ignore MS002,MS001: because\na: 1\n",
            2,
            rule
        ));
        assert!(is_suppressed(
            "# modelsync:ignore stale-model - why\na: 1\n",
            2,
            rule
        ));
        assert!(!is_suppressed("a: 1 # modelsync:ignore MS001\n", 1, rule));
        assert!(!is_suppressed(
            "a: 1 # modelsync:ignore MS002 because\n",
            1,
            rule
        ));
        assert!(!is_suppressed(
            "# modelsync:ignore MS001 x\nb: 1\na: 1\n",
            3,
            rule
        ));
    }
}
