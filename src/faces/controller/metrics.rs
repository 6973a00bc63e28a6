//! What the controller counts. Labels have few values, all known beforehand.

use std::sync::atomic::AtomicU64;

use jiff::SignedDuration;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::core::model_sync::Reason;

/// The controller's metrics. Copies count together.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    reconciled: Family<Outcome, Counter>,
    asked: Family<Answer, Counter>,
    answer_seconds: Histogram,
    created: Counter,
    deleted: Counter,
    model_syncs: Family<Why, Gauge>,
    watch_errors: Counter,
    leads: Gauge<u64, AtomicU64>,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Answer {
    answer: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Why {
    reason: &'static str,
}

impl Metrics {
    /// Makes the metrics and registers them, all values that they can have included.
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            reconciled: Family::default(),
            asked: Family::default(),
            // From 10 ms to 41 s, which is more than a question may take.
            answer_seconds: Histogram::new(exponential_buckets(0.01, 4.0, 7)),
            created: Counter::default(),
            deleted: Counter::default(),
            model_syncs: Family::default(),
            watch_errors: Counter::default(),
            leads: Gauge::default(),
        };
        for outcome in ["ok", "error"] {
            drop(metrics.reconciled.get_or_create(&Outcome { outcome }));
        }
        for answer in ["yes", "no", "error"] {
            drop(metrics.asked.get_or_create(&Answer { answer }));
        }
        for reason in Reason::ALL {
            let reason = reason.name();
            drop(metrics.model_syncs.get_or_create(&Why { reason }));
        }
        registry.register(
            "reconciles",
            "Looks at a ModelSync",
            metrics.reconciled.clone(),
        );
        registry.register(
            "needs_sync_answers",
            "Questions to lambdas by answer",
            metrics.asked.clone(),
        );
        registry.register(
            "needs_sync_answer_seconds",
            "How long lambdas took to answer",
            metrics.answer_seconds.clone(),
        );
        registry.register(
            "pipeline_runs_created",
            "PipelineRuns started",
            metrics.created.clone(),
        );
        registry.register(
            "pipeline_runs_deleted",
            "PipelineRuns deleted beyond the history limits",
            metrics.deleted.clone(),
        );
        registry.register(
            "model_syncs",
            "ModelSyncs by the reason of their condition Ready",
            metrics.model_syncs.clone(),
        );
        registry.register(
            "watch_errors",
            "Watches that broke off with an error",
            metrics.watch_errors.clone(),
        );
        registry.register(
            "leader",
            "Whether this process leads",
            metrics.leads.clone(),
        );
        metrics
    }

    pub(super) fn reconciled(&self, is_ok: bool) {
        let outcome = if is_ok { "ok" } else { "error" };
        self.reconciled.get_or_create(&Outcome { outcome }).inc();
    }

    /// A question to a lambda; `None` when it had no answer.
    pub(super) fn asked(&self, needs_sync: Option<bool>, took: SignedDuration) {
        let answer = match needs_sync {
            Some(true) => "yes",
            Some(false) => "no",
            None => "error",
        };
        self.asked.get_or_create(&Answer { answer }).inc();
        self.answer_seconds.observe(took.as_secs_f64().max(0.0));
    }

    pub(super) fn created(&self) {
        self.created.inc();
    }

    pub(super) fn deleted(&self) {
        self.deleted.inc();
    }

    /// A ModelSync had one reason and has another now.
    pub(super) fn has_reason(&self, before: Option<Reason>, now: Option<Reason>) {
        let gauge = |reason: Reason| {
            let reason = reason.name();
            self.model_syncs.get_or_create_owned(&Why { reason })
        };
        if let Some(before) = before {
            gauge(before).dec();
        }
        if let Some(now) = now {
            gauge(now).inc();
        }
    }

    pub(super) fn watch_failed(&self) {
        self.watch_errors.inc();
    }

    pub(super) fn leads(&self, leads: bool) {
        self.leads.set(u64::from(leads));
    }
}
