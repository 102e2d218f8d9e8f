//! Other webhooks without which the server's own pods cannot come back.

use serde_json::Value;

use super::selecting::{fails_closed, items, selects, sends};
use super::{Finding, Severity, Snapshot};
use crate::cluster::at;

pub(super) fn examine(snapshot: &Snapshot, found: &mut Vec<Finding>) {
    let labels = snapshot.labels_of(&snapshot.namespace);
    let servers = snapshot.servers();
    let is_ours = |labels: &Value, selector: &Value| selects(selector, labels);
    for (kind, all) in
        [("MutatingWebhookConfiguration", &snapshot.mutating), ("ValidatingWebhookConfiguration", &snapshot.validating)]
    {
        for configuration in all.iter().filter(|one| at(one, "/metadata/name") != snapshot.name.as_str()) {
            for webhook in items(at(configuration, "/webhooks")) {
                let judges_pods = fails_closed(webhook)
                    && sends(webhook, "CREATE", "", "pods", true)
                    && selects(at(webhook, "/namespaceSelector"), &labels)
                    && (servers.is_empty()
                        || servers
                            .iter()
                            .any(|pod| is_ours(at(pod, "/metadata/labels"), at(webhook, "/objectSelector"))));
                if judges_pods {
                    found.push(Finding::new(
                        Severity::Medium,
                        format!(
                            "the webhook {} of the {kind} {} judges pods in {}, and refuses them while nobody answers for it",
                            at(webhook, "/name").as_str().unwrap_or_default(),
                            at(configuration, "/metadata/name").as_str().unwrap_or_default(),
                            snapshot.namespace
                        ),
                        "while it is down, no pod of ours can start; and where each judges the other's, neither comes back",
                        format!("exempt the namespace {} in its namespaceSelector", snapshot.namespace),
                    ));
                }
            }
        }
    }
}
