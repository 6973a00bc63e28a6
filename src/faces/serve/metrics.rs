//! What is counted. Every label has few values: paths are those of the routes, configs those of the
//! package.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// The counters and gauges.
#[derive(Debug)]
pub(super) struct Metrics {
    requests: Family<Request, Counter>,
    durations: Family<Path, Histogram, fn() -> Histogram>,
    under_way: Gauge,
    registry: Family<RegistryUse, Counter>,
    decisions: Family<About, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    path: String,
    code: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Path {
    path: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RegistryUse {
    what: What,
    outcome: Asked,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct About {
    path: String,
    config: String,
}

/// What a registry is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    Models,
    Training,
}

/// How a registry's answer was come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    /// The answer was kept from before.
    Kept,
    /// Another request was asking already.
    Joined,
    /// The registry was called and answered.
    Answered,
    /// The registry was called and there was no answer.
    Failed,
}

impl EncodeLabelValue for What {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let text = match self {
            Self::Models => "models",
            Self::Training => "training",
        };
        text.encode(encoder)
    }
}

impl EncodeLabelValue for Asked {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let text = match self {
            Self::Kept => "kept",
            Self::Joined => "joined",
            Self::Answered => "answered",
            Self::Failed => "failed",
        };
        text.encode(encoder)
    }
}

impl Metrics {
    /// Everything at zero, and listed in `registry`.
    pub(super) fn new(registry: &mut Registry) -> Self {
        // From half a millisecond to sixteen seconds.
        let histogram: fn() -> Histogram = || Histogram::new(exponential_buckets(0.0005, 2.0, 16));
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            under_way: Gauge::default(),
            registry: Family::default(),
            decisions: Family::default(),
        };
        registry.register(
            "http_requests",
            "Requests answered",
            metrics.requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time to answer a request",
            metrics.durations.clone(),
        );
        registry.register(
            "http_requests_under_way",
            "Requests not yet answered",
            metrics.under_way.clone(),
        );
        registry.register(
            "registry_answers",
            "Answers of registries: kept from before, joined with another request's, or asked for \
             (answered, failed)",
            metrics.registry.clone(),
        );
        registry.register(
            "needs_sync",
            "The last decision: 1 yes, 0 no, -1 undecided",
            metrics.decisions.clone(),
        );
        metrics
    }

    /// A request begins.
    pub(super) fn begin(&self) -> UnderWay {
        self.under_way.inc();
        UnderWay(self.under_way.clone())
    }

    /// A request was answered.
    pub(super) fn request(&self, path: &str, code: u16, took: Duration) {
        let path = path.to_owned();
        let request = Request {
            path: path.clone(),
            code: u32::from(code),
        };
        self.requests.get_or_create(&request).inc();
        let duration = self.durations.get_or_create(&Path { path });
        duration.observe(took.as_secs_f64());
    }

    /// A registry's answer was used.
    pub(super) fn registry(&self, what: What, outcome: Asked) {
        let registry = self.registry.get_or_create(&RegistryUse { what, outcome });
        registry.inc();
    }

    /// A decision about a config was made: 1 yes, 0 no, -1 undecided.
    pub(super) fn decision(&self, path: &str, config: &str, decision: i64) {
        let about = About {
            path: path.to_owned(),
            config: config.to_owned(),
        };
        self.decisions.get_or_create(&about).set(decision);
    }
}

/// A request that is not answered yet, or was given up by its caller.
#[derive(Debug)]
pub(super) struct UnderWay(Gauge);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}
