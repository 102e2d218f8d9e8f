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

/// Labels of `admittance_policy_duration_seconds` and `admittance_mutation_drift_total`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PolicyName {
    /// The policy.
    pub policy: String,
}

/// Labels of `admittance_policy_findings_total`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PolicyLabels {
    /// The policy.
    pub policy: String,
    /// `Deny`, `Warn`, `Audit`, or `Error`.
    pub action: &'static str,
    /// The group of the request's namespace: see [`super::NamespaceGroups`].
    pub namespace_group: String,
}

/// Labels of `admittance_units`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct UnitLabels {
    /// How units stand.
    pub state: &'static str,
}

/// Labels of `admittance_twins`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TwinLabels {
    /// How twins stand.
    pub state: &'static str,
}

/// Labels of `admittance_policy_set_info`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SetLabels {
    /// What replicas compare.
    pub digest: String,
}

/// Labels of `admittance_lookup_cache_objects`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KindLabels {
    /// A kind that the loaded policies look up.
    pub kind: String,
}

/// Labels of `admittance_shed_total`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ShedLabels {
    /// `bytes` or `requests`: which limit.
    pub limit: &'static str,
}

/// Labels of `admittance_recorded_reviews_total`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RecordedLabels {
    /// `written`; `dropped`, because others waited or it is too large; `failed`, because it cannot be written or read.
    pub result: &'static str,
}

/// All metrics of the server.
pub struct Metrics {
    registry: Registry,
    /// Requests for admission by route and outcome.
    pub requests: Family<RequestLabels, Counter>,
    /// Seconds from the first byte of a request's body to the answer.
    pub duration: Family<RouteLabels, Histogram, fn() -> Histogram>,
    /// Seconds that policies take, of one request in 64.
    pub policy_duration: Family<PolicyName, Histogram, fn() -> Histogram>,
    /// Findings and evaluation errors by policy.
    pub findings: Family<PolicyLabels, Counter>,
    /// Requests on `/validate` whose object lacked a policy's mutation.
    pub drift: Family<PolicyName, Counter>,
    /// Policies that run.
    pub policies: Gauge,
    /// Units whose present version is broken.
    pub broken_units: Gauge,
    /// Policies that are not asked about everything that they are for.
    pub unreached: Gauge,
    /// Swaps of the policy set.
    pub reloads: Counter,
    /// The digest of the policies that run, as a label.
    pub set: Family<SetLabels, Gauge>,
    /// Units by how they stand.
    pub units: Family<UnitLabels, Gauge>,
    /// Twins of policies by how they stand; none where they are not watched.
    pub twins: Family<TwinLabels, Gauge>,
    /// Requests under way.
    pub in_flight: Gauge,
    /// Bytes of the bodies of all requests under way.
    pub in_flight_bytes: Gauge,
    /// Bytes of the objects that are kept for policies to look up.
    pub cache_bytes: Gauge,
    /// How many of each kind.
    pub cache_objects: Family<KindLabels, Gauge>,
    /// Requests that were turned away because too much was under way.
    pub shed: Family<ShedLabels, Counter>,
    /// Reviews that were to be recorded.
    pub recorded: Family<RecordedLabels, Counter>,
    /// When the certificate that is served ends, in seconds since 1970.
    pub certificate_expiry: Gauge<f64, AtomicU64>,
}

/// A quarter of a millisecond to ten seconds, the longest that the API server waits by default.
const BUCKETS: [f64; 14] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// A microsecond to a hundred milliseconds.
const POLICY_BUCKETS: [f64; 8] = [0.000_001, 0.000_005, 0.000_025, 0.000_1, 0.000_5, 0.002_5, 0.01, 0.1];

impl Default for Metrics {
    #[expect(clippy::too_many_lines, reason = "one metric after the other")]
    fn default() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let policies: fn() -> Histogram = || Histogram::new(POLICY_BUCKETS);
        let mut metrics = Self {
            registry: Registry::with_prefix("admittance"),
            requests: Family::default(),
            duration: Family::new_with_constructor(histogram),
            policy_duration: Family::new_with_constructor(policies),
            findings: Family::default(),
            drift: Family::default(),
            policies: Gauge::default(),
            broken_units: Gauge::default(),
            unreached: Gauge::default(),
            reloads: Counter::default(),
            set: Family::default(),
            units: Family::default(),
            twins: Family::default(),
            in_flight: Gauge::default(),
            in_flight_bytes: Gauge::default(),
            cache_bytes: Gauge::default(),
            cache_objects: Family::default(),
            shed: Family::default(),
            recorded: Family::default(),
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
        registry.register_with_unit(
            "policy_duration",
            "Time that a policy takes where it matches, of one request in 64",
            Unit::Seconds,
            metrics.policy_duration.clone(),
        );
        registry.register(
            "policy_findings",
            "Findings by policy and action, evaluation errors as the action Error",
            metrics.findings.clone(),
        );
        registry.register(
            "mutation_drift",
            "Requests whose final object was not as a mutating policy makes it, by policy",
            metrics.drift.clone(),
        );
        registry.register("policies", "Policies that run", metrics.policies.clone());
        registry.register("units_broken", "Units whose present version is broken", metrics.broken_units.clone());
        registry.register(
            "policies_unreached",
            "Policies that the webhook configurations do not send everything for",
            metrics.unreached.clone(),
        );
        registry.register("policy_reloads", "Swaps of the policy set", metrics.reloads.clone());
        registry.register(
            "policy_set_info",
            "The policies that run, by the digest of all of them",
            metrics.set.clone(),
        );
        registry.register(
            "units",
            "Units by how they stand: active, stale (the last good version runs), broken",
            metrics.units.clone(),
        );
        registry.register(
            "twins",
            "Twins of policies by how they stand: current, stale (their policy has changed or is no more), missing",
            metrics.twins.clone(),
        );
        registry.register("requests_in_flight", "Requests under way", metrics.in_flight.clone());
        registry.register_with_unit(
            "requests_in_flight",
            "What the bodies of requests under way hold",
            Unit::Bytes,
            metrics.in_flight_bytes.clone(),
        );
        registry.register_with_unit(
            "lookup_cache",
            "What the objects take that are kept for policies to look up",
            Unit::Bytes,
            metrics.cache_bytes.clone(),
        );
        registry.register(
            "lookup_cache_objects",
            "Objects that are kept for policies to look up, by kind",
            metrics.cache_objects.clone(),
        );
        registry.register(
            "shed",
            "Requests turned away because too much was under way, by limit",
            metrics.shed.clone(),
        );
        registry.register(
            "recorded_reviews",
            "Reviews that were to be recorded, by what became of them: written, dropped, failed",
            metrics.recorded.clone(),
        );
        registry.register_with_unit(
            "certificate_expiry_timestamp",
            "When the served certificate ends",
            Unit::Seconds,
            metrics.certificate_expiry.clone(),
        );
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that runs", build);
        metrics.begin_at_zero();
        metrics
    }
}

impl Metrics {
    /// A counter that appears with its first event has no rate for it.
    fn begin_at_zero(&self) {
        use OutcomeLabel::{allowed, denied, error, patched, rejected};
        for route in [RouteLabel::mutate, RouteLabel::validate] {
            for outcome in [allowed, patched, denied, error, rejected] {
                drop(self.requests.get_or_create(&RequestLabels { route, outcome }));
            }
            drop(self.duration.get_or_create(&RouteLabels { route }));
        }
        for limit in ["bytes", "requests"] {
            drop(self.shed.get_or_create(&ShedLabels { limit }));
        }
        for result in ["written", "dropped", "failed"] {
            drop(self.recorded.get_or_create(&RecordedLabels { result }));
        }
    }

    /// Counts one request.
    pub fn request(&self, route: RouteLabel, outcome: OutcomeLabel, elapsed: Duration) {
        self.requests.get_or_create(&RequestLabels { route, outcome }).inc();
        self.duration.get_or_create(&RouteLabels { route }).observe(elapsed.as_secs_f64());
    }

    /// Counts what became of a review that was to be recorded.
    pub fn recorded(&self, result: &'static str) {
        self.recorded.get_or_create(&RecordedLabels { result }).inc();
    }

    /// Counts the time that a policy took.
    pub fn policy(&self, policy: &str, taken: Duration) {
        let labels = PolicyName { policy: policy.to_owned() };
        self.policy_duration.get_or_create(&labels).observe(taken.as_secs_f64());
    }

    /// Counts a request whose object lacked a policy's mutation.
    pub fn drifted(&self, policy: &str) {
        self.drift.get_or_create(&PolicyName { policy: policy.to_owned() }).inc();
    }

    /// Says which policies run from now on, and how many units stand how.
    pub fn activated(&self, digest: &str, policies: usize, units: &[(&'static str, usize)]) {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.policies.set(count(policies));
        self.broken_units
            .set(units.iter().filter(|(state, _)| *state != "active").map(|(_, units)| count(*units)).sum());
        for &(state, units) in units {
            self.units.get_or_create(&UnitLabels { state }).set(count(units));
        }
        // Between the two no digest is shown: none is less wrong than two.
        self.set.clear();
        // Policies that are gone leave nothing behind.
        self.policy_duration.clear();
        self.set.get_or_create(&SetLabels { digest: digest.to_owned() }).set(1);
        self.reloads.inc();
    }

    /// Says how many twins stand how.
    pub fn twins(&self, twins: &[(&'static str, usize)]) {
        for &(state, count) in twins {
            self.twins.get_or_create(&TwinLabels { state }).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
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
