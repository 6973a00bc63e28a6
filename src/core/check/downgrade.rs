//! MS004: the policy names a model that is older than the one in Git, and forbids that.

use super::rule::{Facts, Rule, finding};
use crate::core::krm::{ResultItem, Severity};

pub(super) const RULE: Rule = Rule {
    id: "MS004",
    name: "downgrade",
    severity: Severity::Error,
    about: "The policy pins a model that is older than the one in Git, and forbids going back. \
            Nothing would ever be changed.",
    help: "to go back on purpose set `downgrade: allow`",
    run,
};

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let pinned = facts.subjects.iter().filter_map(|subject| {
        let pin = subject.config.policy.pin.as_deref()?;
        let selection = subject.selection.as_ref()?;
        let reason = selection
            .reason_for(pin)
            .filter(|reason| reason.is_downgrade())?;
        Some(finding(format!(
            "{} pins {pin}: {reason}",
            subject.config.name
        )))
    });
    pinned.collect()
}
