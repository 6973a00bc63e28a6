//! MS015: a ConfigMap that holds the model is larger than the API server takes.

use super::rule::{Facts, Rule, finding};
use crate::core::change::{MAX_CONFIG_MAP, data_size};
use crate::core::krm::{ResultItem, Severity};

pub(super) const RULE: Rule = Rule {
    id: "MS015",
    name: "oversized-config-map",
    severity: Severity::Error,
    about: "A ConfigMap that holds the model has more than 1 MiB of data, and the API server would \
            refuse it.",
    help: "split the ConfigMap",
    run,
};

fn run(facts: &Facts<'_>) -> Vec<ResultItem> {
    facts
        .config_maps()
        .into_iter()
        .filter_map(|place| {
            let parsed = facts.package.part(place.part).parsed().ok()?;
            let size = data_size(&parsed.stream, place.resource.root);
            (size > MAX_CONFIG_MAP).then(|| {
                let message =
                    format!("holds {size} bytes of data; at most {MAX_CONFIG_MAP} are allowed");
                finding(message).about(&place.resource)
            })
        })
        .collect()
}
