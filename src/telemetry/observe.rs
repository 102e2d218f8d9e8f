//! One decision, counted and logged.

use std::time::Duration;

use admittance_engine::pipeline::Route;
use admittance_engine::response::{Written, overwritten};
use admittance_engine::review::Review;
use admittance_engine::verdict::Verdict;

use super::NamespaceGroups;
use super::metrics::{Metrics, OutcomeLabel, PolicyLabels, RouteLabel};

/// What the handler knows beside review and verdict.
#[derive(Clone, Copy, Debug)]
pub struct Observation {
    /// Where the request came in.
    pub route: Route,
    /// Whether the answer holds a patch.
    pub patched: bool,
    /// From the request to its answer.
    pub elapsed: Duration,
}

/// The label of a route.
pub(crate) fn route_label(route: Route) -> RouteLabel {
    if route == Route::Mutate { RouteLabel::mutate } else { RouteLabel::validate }
}

/// Counts and logs one decision, and what was `written` by whom: one line, without anything of the object's content.
pub fn observe(
    metrics: &Metrics,
    groups: &NamespaceGroups,
    review: &Review<'_>,
    (verdict, written): (&Verdict<'_>, &[Written<'_>]),
    seen: Observation,
) {
    let outcome = match verdict.refusal() {
        None if seen.patched => OutcomeLabel::patched,
        None => OutcomeLabel::allowed,
        Some(_) if verdict.denials().next().is_some() => OutcomeLabel::denied,
        Some(_) => OutcomeLabel::error,
    };
    metrics.request(route_label(seen.route), outcome, seen.elapsed);
    let group = groups.of(review.namespace);
    for finding in &verdict.findings {
        count(metrics, &finding.origin.policy, finding.action.as_str(), group);
    }
    for failure in &verdict.failures {
        count(metrics, &failure.origin.policy, "Error", group);
        tracing::warn!(uid = review.uid, policy = failure.origin.policy, error = %failure.error, "evaluation error");
    }
    let mut drifted: Vec<&str> = vec![];
    for drift in &verdict.drifts {
        let policy = drift.origin.policy.as_str();
        if !drifted.contains(&policy) {
            drifted.push(policy);
            metrics.drifted(policy);
        }
        tracing::warn!(uid = review.uid, policy, path = %drift.path, "{}", drift.message());
    }
    for (origin, taken) in &verdict.times {
        metrics.policy(&origin.policy, *taken);
    }
    tracing::info!(
        uid = review.uid,
        operation = review.operation.as_str(),
        kind = review.kind.kind,
        subresource = review.subresource,
        namespace = review.namespace,
        name = review.object_name(),
        user = review.user.username,
        verdict = ?outcome,
        policies = verdict.policies().join(","),
        matched = verdict.matched,
        dry_run = review.dry_run,
        microseconds = u64::try_from(seen.elapsed.as_micros()).unwrap_or(u64::MAX),
        "{:?}", seen.route
    );
    for (path, earlier, later) in overwritten(written) {
        let (policy, by) = (&earlier.policy, &later.policy);
        tracing::warn!(uid = review.uid, policy, by, path, "policies want different values for one field");
    }
    if tracing::enabled!(tracing::Level::DEBUG) {
        for written in written {
            let (policy, shadow) = (&written.origin.policy, written.shadow);
            let (operation, path) = (written.name(), written.operation.path());
            tracing::debug!(uid = review.uid, policy, shadow, operation, path, "changed the object");
        }
    }
}

fn count(metrics: &Metrics, policy: &str, action: &'static str, group: &str) {
    let labels = PolicyLabels { policy: policy.to_owned(), action, namespace_group: group.to_owned() };
    metrics.findings.get_or_create(&labels).inc();
}
