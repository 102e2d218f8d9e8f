//! Prometheus metrics. No label can take more values than there are policies and routes.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Where a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum RouteLabel {
    /// `/mutate`
    #[expect(non_camel_case_types, reason = "the label's value as it is printed")]
    mutate,
    /// `/validate`
    #[expect(non_camel_case_types, reason = "the label's value as it is printed")]
    validate,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the label's values as they are printed")]
pub enum OutcomeLabel {
    /// Allowed as it was.
    allowed,
    /// Allowed with a patch.
    patched,
    /// Refused by a policy.
    denied,
    /// Refused because a policy could not be evaluated.
    error,
    /// Refused before any policy: broken, too large, too late, too many.
    rejected,
}

/// Labels of `admittance_requests_total`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// Where it came in.
    pub route: RouteLabel,
    /// What became of it.
    pub outcome: OutcomeLabel,
}

/// Labels of the histogram.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RouteLabels {
    /// Where it came in.
    pub route: RouteLabel,
}

/// Labels of `admittance_policy_findings_total`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PolicyLabels {
    /// The policy.
    pub policy: String,
    /// `Deny`, `Warn`, `Audit`, or `Error`.
    pub action: String,
}

/// All metrics of the server.
pub struct Metrics {
    registry: Registry,
    /// Requests for admission by route and outcome.
    pub requests: Family<RequestLabels, Counter>,
    /// Seconds from the first byte of a request's body to the answer.
    pub duration: Family<RouteLabels, Histogram, fn() -> Histogram>,
    /// Findings and evaluation errors by policy.
    pub findings: Family<PolicyLabels, Counter>,
    /// Policies that run.
    pub policies: Gauge,
    /// Units whose present version is broken.
    pub broken_units: Gauge,
    /// Policies that are not asked about everything that they are for.
    pub unreached: Gauge,
    /// Swaps of the policy set.
    pub reloads: Counter,
    /// When the certificate that is served ends, in seconds since 1970.
    pub certificate_expiry: Gauge<f64, AtomicU64>,
}

/// A quarter of a millisecond to ten seconds, the longest that the API server waits by default.
const BUCKETS: [f64; 14] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

impl Default for Metrics {
    fn default() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let mut metrics = Self {
            registry: Registry::with_prefix("admittance"),
            requests: Family::default(),
            duration: Family::new_with_constructor(histogram),
            findings: Family::default(),
            policies: Gauge::default(),
            broken_units: Gauge::default(),
            unreached: Gauge::default(),
            reloads: Counter::default(),
            certificate_expiry: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests for admission by route and outcome", metrics.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "Time from a request to its answer",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        registry.register(
            "policy_findings",
            "Findings by policy and action, evaluation errors as the action Error",
            metrics.findings.clone(),
        );
        registry.register("policies", "Policies that run", metrics.policies.clone());
        registry.register("units_broken", "Units whose present version is broken", metrics.broken_units.clone());
        registry.register(
            "policies_unreached",
            "Policies that the webhook configurations do not send everything for",
            metrics.unreached.clone(),
        );
        registry.register("policy_reloads", "Swaps of the policy set", metrics.reloads.clone());
        registry.register_with_unit(
            "certificate_expiry_timestamp",
            "When the served certificate ends",
            Unit::Seconds,
            metrics.certificate_expiry.clone(),
        );
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that runs", build);
        metrics
    }
}

impl Metrics {
    /// Counts one request.
    pub fn request(&self, route: RouteLabel, outcome: OutcomeLabel, elapsed: Duration) {
        self.requests.get_or_create(&RequestLabels { route, outcome }).inc();
        self.duration.get_or_create(&RouteLabels { route }).observe(elapsed.as_secs_f64());
    }

    /// The page that Prometheus reads (OpenMetrics text).
    pub fn page(&self) -> String {
        let mut page = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut page, &self.registry);
        page
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Metrics")
    }
}
