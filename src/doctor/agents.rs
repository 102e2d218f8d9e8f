//! DaemonSets that nodes need in order to run anything.

use serde_json::Value;

use super::selecting::{fails_closed, selects, sends};
use super::{Finding, Severity, Snapshot};
use crate::cluster::at;

pub(super) fn examine(snapshot: &Snapshot, found: &mut Vec<Finding>) {
    for set in &snapshot.daemon_sets {
        let spec = at(set, "/spec/template/spec");
        let reason = if at(spec, "/priorityClassName") == "system-node-critical" {
            "has the priority system-node-critical"
        } else if at(spec, "/hostNetwork") == true {
            "uses the network of its nodes"
        } else {
            continue;
        };
        let text = |field: &str| at(set, "/metadata").get(field).and_then(Value::as_str).unwrap_or_default();
        let (namespace, labels) = (text("namespace"), at(set, "/spec/template/metadata/labels"));
        // Those of the system's own namespaces and of ours are answered for by their exemption.
        if ["kube-system", "kube-node-lease", &snapshot.namespace].contains(&namespace) {
            continue;
        }
        let judging: Vec<_> = snapshot
            .entries()
            .filter(|entry| {
                sends(entry, "CREATE", "", "pods", true)
                    && selects(at(entry, "/namespaceSelector"), &snapshot.labels_of(namespace))
                    && selects(at(entry, "/objectSelector"), labels)
            })
            .collect();
        if judging.is_empty() {
            continue;
        }
        let is_closed = judging.iter().any(|entry| fails_closed(entry));
        found.push(Finding::new(
            if is_closed { Severity::High } else { Severity::Medium },
            format!("the DaemonSet {namespace}/{} {reason}, and its namespace is not exempt", text("name")),
            if is_closed {
                "a new node may need it before it can run a pod of the webhook, without which its pods are refused"
            } else {
                "a policy may refuse pods that nodes cannot do without"
            },
            format!("add {namespace} to the chart's exemptNamespaces"),
        ));
    }
}
