//! Whether enough servers answer for a webhook without which nothing can be written.

use std::collections::BTreeSet;

use super::selecting::{fails_closed, items, selects};
use super::{Finding, Severity, Snapshot};
use crate::cluster::at;

pub(super) fn examine(snapshot: &Snapshot, found: &mut Vec<Finding>) {
    let closed: Vec<&str> = snapshot
        .entries()
        .filter(|entry| fails_closed(entry))
        .filter_map(|entry| at(entry, "/name").as_str())
        .collect();
    // Where there is no Service, somebody else answers.
    if closed.is_empty() || snapshot.service().is_none() {
        return;
    }
    let entries = closed.join(" and ");
    let servers = snapshot.servers();
    let ready: Vec<_> = servers
        .iter()
        .filter(|pod| {
            items(at(pod, "/status/conditions")).any(|it| at(it, "/type") == "Ready" && at(it, "/status") == "True")
        })
        .collect();
    if ready.len() < 2 {
        found.push(Finding::new(
            Severity::High,
            format!(
                "{entries} refuse what is not judged, and {} answers",
                if ready.is_empty() { "no pod" } else { "one pod" }
            ),
            "while the last one moves, nothing can be written",
            "set the chart's replicas to 2 or more, or its mode to open",
        ));
    }
    let is_protected = |budget: &&serde_json::Value| {
        let selector = at(budget, "/spec/selector");
        selector.is_object() && servers.iter().any(|pod| selects(selector, at(pod, "/metadata/labels")))
    };
    if !snapshot.budgets.iter().any(|budget| is_protected(&budget)) {
        found.push(Finding::new(
            Severity::Medium,
            format!("{entries} refuse what is not judged, and no PodDisruptionBudget protects the pods"),
            "a drain of several nodes may take all of them at once",
            "set the chart's podDisruptionBudget.enabled",
        ));
    }
    let nodes: BTreeSet<&str> = ready.iter().filter_map(|pod| at(pod, "/spec/nodeName").as_str()).collect();
    if ready.len() > 1 && nodes.len() == 1 {
        found.push(Finding::new(
            Severity::Medium,
            format!("{entries} refuse what is not judged, and all pods run on one node"),
            "when it fails, nothing can be written until they run elsewhere",
            "set the chart's topologySpread.enabled, and give the cluster a second node",
        ));
    }
}
