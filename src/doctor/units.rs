//! The entry that judges the policies themselves when somebody applies them.

use super::selecting::{fails_closed, items, selects};
use super::{Finding, Severity, Snapshot};
use crate::cluster::at;
use crate::cluster::webhooks::UNITS;

pub(super) fn examine(snapshot: &Snapshot, found: &mut Vec<Finding>) {
    let Some(configuration) = snapshot.configuration(&snapshot.validating) else { return };
    let reads = [("ADMITTANCE_CONFIG_MAPS", "--config-maps"), ("ADMITTANCE_CONFIG_MAPS_FROM", "--config-maps-from")];
    if !reads.iter().any(|(variable, flag)| snapshot.option(variable, flag).is_some_and(|value| value != "false")) {
        return;
    }
    let mut report = |severity, what: String, why: &str, remedy: &str| {
        found.push(Finding::new(severity, what, why, remedy));
    };
    let late = "broken policies are not refused when they are applied: their last good version stays in force, and only the \
                log, metrics and an Event say so";
    let Some(entry) = items(at(configuration, "/webhooks")).find(|webhook| at(webhook, "/name") == UNITS) else {
        let what = format!("the ValidatingWebhookConfiguration {} has no entry {UNITS}", snapshot.name);
        return report(Severity::Low, what, late, "upgrade the chart: entries are found by these names");
    };
    if fails_closed(entry) {
        let why = "while no pod answers, nobody can repair a policy that is the cause";
        report(
            Severity::High,
            format!("{UNITS} fails closed"),
            why,
            "set its failurePolicy to Ignore, as the chart does",
        );
    }
    if at(entry, "/clientConfig/caBundle").as_str().is_none_or(str::is_empty) {
        let remedy = "with managed certificates look at the server's log, else set the chart's certificates.caBundle";
        report(Severity::Medium, format!("{UNITS} has no caBundle"), late, remedy);
    }
    for namespace in snapshot.watched() {
        if !selects(at(entry, "/namespaceSelector"), &snapshot.labels_of(&namespace)) {
            let remedy = format!("add {namespace} to the chart's policies.namespaces");
            report(Severity::Low, format!("{UNITS} does not select the namespace {namespace}"), late, &remedy);
        }
    }
}
