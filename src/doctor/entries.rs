//! The server's own entries: whether they are there, and what they send.

use serde_json::{Value, json};

use super::selecting::{conditions_hold, fails_closed, selects, sends};
use super::{Finding, Severity, Snapshot};
use crate::cluster::at;
use crate::cluster::webhooks::{MUTATE, VALIDATE};

/// What a cluster needs in order to recover: group, resource, whether it lives in namespaces, and what becomes of it.
const VITAL: [(&str, &str, bool, &str); 5] = [
    ("", "nodes", false, "nodes cannot say how they are"),
    ("coordination.k8s.io", "leases", true, "nodes and controllers are taken for dead"),
    ("", "events", true, "every request makes another one"),
    ("authentication.k8s.io", "tokenreviews", false, "nobody can be recognized"),
    ("authorization.k8s.io", "subjectaccessreviews", false, "nobody can be given access"),
];

/// Seconds that the API server may wait.
const LONGEST: i64 = 10;

pub(super) fn examine(snapshot: &Snapshot, found: &mut Vec<Finding>) {
    for (kind, all, name) in [
        ("MutatingWebhookConfiguration", &snapshot.mutating, MUTATE),
        ("ValidatingWebhookConfiguration", &snapshot.validating, VALIDATE),
    ] {
        let route = if name == MUTATE { "mutated" } else { "validated" };
        if snapshot.configuration(all).is_none() {
            found.push(Finding::new(
                Severity::High,
                format!("there is no {kind} {}", snapshot.name),
                format!("nothing is {route}"),
                "install the chart, or name the configuration with --webhook-configuration",
            ));
        } else if !snapshot.entries().any(|entry| at(entry, "/name") == name) {
            found.push(Finding::new(
                Severity::High,
                format!("the {kind} {} has no entry {name}", snapshot.name),
                format!("nothing is {route}"),
                "upgrade the chart: entries are found by these names",
            ));
        }
    }
    for entry in snapshot.entries() {
        examine_entry(snapshot, entry, found);
    }
}

fn examine_entry(snapshot: &Snapshot, entry: &Value, found: &mut Vec<Finding>) {
    let name = at(entry, "/name").as_str().unwrap_or_default();
    if at(entry, "/clientConfig/caBundle").as_str().is_none_or(str::is_empty) {
        let becomes = if fails_closed(entry) { "refused" } else { "let pass unchecked" };
        found.push(Finding::new(
            Severity::High,
            format!("{name} has no caBundle"),
            format!("the API server trusts no certificate of the webhook: every request is {becomes}"),
            "with managed certificates look at the server's log, else set the chart's certificates.caBundle",
        ));
    }
    let seconds = at(entry, "/timeoutSeconds").as_i64().unwrap_or(10);
    if seconds > LONGEST {
        found.push(Finding::new(
            Severity::Medium,
            format!("{name} has a timeout of {seconds} s"),
            "a webhook that does not answer holds every request up for so long, and clients give up before",
            "set the chart's webhook.timeoutSeconds to 5",
        ));
    }
    for namespace in ["kube-system", "kube-node-lease", &snapshot.namespace] {
        let is_sent = sends(entry, "CREATE", "", "pods", true)
            && selects(at(entry, "/namespaceSelector"), &snapshot.labels_of(namespace));
        if is_sent {
            let severity = if fails_closed(entry) { Severity::High } else { Severity::Medium };
            found.push(Finding::new(
                severity,
                format!("{name} does not exempt the namespace {namespace}"),
                if namespace == snapshot.namespace {
                    "the webhook judges its own pods: when all are gone none can come back"
                } else {
                    "what the cluster itself runs on is judged: a policy, or a webhook that is down, can stop it"
                },
                format!("add {namespace} to its namespaceSelector: kubernetes.io/metadata.name NotIn [{namespace}]"),
            ));
        }
    }
    for (group, resource, is_namespaced, why) in VITAL {
        let is_sent = |operation: &&str| {
            sends(entry, operation, group, resource, is_namespaced)
                && conditions_hold(entry, &request(operation, group, resource))
        };
        if ["CREATE", "UPDATE"].iter().any(is_sent) {
            let severity = if fails_closed(entry) { Severity::High } else { Severity::Medium };
            found.push(Finding::new(
                severity,
                format!("{name} sends {resource}"),
                format!("while the webhook does not answer, {why}"),
                format!("add the matchConditions of the chart, or rules that do not send {resource}"),
            ));
        }
    }
    if fails_closed(entry) {
        examine_repair(snapshot, entry, found);
    }
}

/// What repairs the webhook itself, where it refuses what it cannot judge.
fn examine_repair(snapshot: &Snapshot, entry: &Value, found: &mut Vec<Finding>) {
    let name = at(entry, "/name").as_str().unwrap_or_default();
    let is_sent = |group: &str, resource: &str, namespace: &str, object: &str| {
        let mut request = request("UPDATE", group, resource);
        if let Some(request) = request.as_object_mut() {
            request.insert("name".to_owned(), object.into());
            request.extend((!namespace.is_empty()).then(|| ("namespace".to_owned(), namespace.into())));
        }
        sends(entry, "UPDATE", group, resource, !namespace.is_empty()) && conditions_hold(entry, &request)
    };
    let mut report = |what: String, why: &str| {
        let remedy = "add the matchConditions of the chart";
        found.push(Finding::new(Severity::Medium, format!("{name} sends {what}"), why, remedy));
    };
    for resource in ["clusterroles", "clusterrolebindings"] {
        if is_sent("rbac.authorization.k8s.io", resource, "", &snapshot.name) {
            let why = "while the webhook does not answer, its own rights cannot be repaired";
            report(format!("changes of {resource} named {}", snapshot.name), why);
        }
    }
    for namespace in snapshot.watched().iter().filter(|namespace| **namespace != snapshot.namespace) {
        let is_judged = selects(at(entry, "/namespaceSelector"), &snapshot.labels_of(namespace));
        if is_judged && is_sent("", "configmaps", namespace, "x") {
            let why = "while the webhook does not answer, a policy that is the cause cannot be repaired";
            report(format!("the ConfigMaps with policies in {namespace}"), why);
        }
    }
}

/// As much of a request as conditions about its resource read.
fn request(operation: &str, group: &str, resource: &str) -> Value {
    let resource = json!({"group": group, "version": "v1", "resource": resource});
    json!({
        "resource": resource,
        "requestResource": resource,
        "operation": operation,
        "name": "x",
        "userInfo": {"username": "somebody", "groups": ["system:authenticated"]},
    })
}
