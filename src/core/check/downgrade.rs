//! MS004: the policy names a model that is older than the one in Git, and forbids that.

use super::{Facts, finding};
use crate::core::krm::ResultItem;

pub(super) fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    let Some(pin) = facts.config.policy.pin.as_deref() else {
        return Vec::new();
    };
    let Some(reason) = facts
        .selection
        .reason_for(pin)
        .filter(|reason| reason.is_downgrade())
    else {
        return Vec::new();
    };
    let message = format!(
        "{} pins {pin}: {reason}; to go back on purpose set `downgrade: allow`",
        facts.config.name
    );
    vec![finding(message)]
}
