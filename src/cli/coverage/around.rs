//! What an API server sends: from the chart's defaults, from files, or from a cluster.

use std::path::{Path, PathBuf};

use admittance_engine::document::{Limits, SourceFile, from_tree, parse};
use admittance_engine::proof::routes::{Around, Condition, Webhook};
use admittance_engine::set::Entries;
use serde_json::{Value, json};

use crate::cli::asking;
use crate::cluster::at;
use crate::cluster::webhooks::{MUTATE, VALIDATE, entry};

/// The label of every Namespace with its name.
const NAME: &str = "kubernetes.io/metadata.name";

/// The conditions of the chart that hold the same for every release, and what they keep away.
const CONDITIONS: [(&str, &str, &str); 8] = [
    (
        "not-the-api-server",
        "!has(request.userInfo.username) || request.userInfo.username != 'system:apiserver'",
        "the API server's own requests",
    ),
    ("not-nodes", "request.resource.group != '' || request.resource.resource != 'nodes'", "nodes"),
    (
        "not-leases",
        "request.resource.group != 'coordination.k8s.io' || request.resource.resource != 'leases'",
        "leases",
    ),
    (
        "not-csi-nodes",
        "request.resource.group != 'storage.k8s.io' || request.resource.resource != 'csinodes'",
        "csinodes",
    ),
    (
        "not-certificate-requests",
        "request.resource.group != 'certificates.k8s.io' || request.resource.resource != 'certificatesigningrequests'",
        "certificatesigningrequests",
    ),
    (
        "not-events",
        "!(request.resource.group in ['', 'events.k8s.io']) || request.resource.resource != 'events'",
        "events",
    ),
    (
        "not-tokens",
        "request.resource.resource != 'serviceaccounts' || !has(request.subResource) || request.subResource != 'token'",
        "tokens of service accounts",
    ),
    (
        "not-webhook-configurations",
        "request.resource.group != 'admissionregistration.k8s.io' || !(request.resource.resource in ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'])",
        "webhook configurations",
    ),
];

/// What the chart installs with its default values, and these namespaces besides its own exempt ones.
pub(super) fn of_chart(exempt: &[String]) -> Around {
    let mut namespaces = vec!["kube-system".to_owned(), "kube-node-lease".to_owned(), "admittance".to_owned()];
    namespaces.extend(exempt.iter().cloned());
    namespaces.dedup();
    let conditions: Vec<Value> =
        CONDITIONS.iter().map(|(name, expression, _)| json!({ "name": name, "expression": expression })).collect();
    let configuration = |name: &str, operations: &[&str]| {
        json!({ "webhooks": [{
            "name": name,
            "failurePolicy": "Ignore",
            "matchPolicy": "Equivalent",
            "namespaceSelector": {
                "matchExpressions": [{ "key": NAME, "operator": "NotIn", "values": namespaces }],
            },
            "matchConditions": conditions,
            "rules": [{
                "operations": operations, "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"], "scope": "*",
            }],
        }] })
    };
    around(
        &configuration(MUTATE, &["CREATE", "UPDATE", "DELETE"]),
        &configuration(VALIDATE, &["CREATE", "UPDATE", "DELETE", "CONNECT"]),
    )
}

/// What files with webhook configurations say. A kind that is in none of them sends nothing.
///
/// # Errors
/// A file that cannot be read, or no configuration in any.
pub(super) fn of_files(paths: &[PathBuf]) -> Result<Around, String> {
    let (mut mutating, mut validating) = (Value::Null, Value::Null);
    for path in paths {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {name:?}: {error}"))?;
        let parsed = parse(&SourceFile::new(name.as_str(), text), &Limits::default());
        if let Some(problem) = parsed.problems.first() {
            return Err(format!("cannot use {name:?}: {problem}"));
        }
        for document in &parsed.documents {
            let value: Value = from_tree(document).map_err(|error| format!("cannot use {name:?}: {error}"))?;
            let items = at(&value, "/items").as_array().cloned();
            for one in items.unwrap_or_else(|| vec![value]) {
                let has = |entry: &str| {
                    at(&one, "/webhooks").as_array().into_iter().flatten().any(|webhook| at(webhook, "/name") == entry)
                };
                match at(&one, "/kind").as_str() {
                    Some("MutatingWebhookConfiguration") if has(MUTATE) => mutating = one,
                    Some("ValidatingWebhookConfiguration") if has(VALIDATE) => validating = one,
                    _ => {}
                }
            }
        }
    }
    if mutating.is_null() && validating.is_null() {
        return Err(format!("no webhook configuration with the entries {MUTATE} or {VALIDATE} is in these files"));
    }
    Ok(around(&mutating, &validating))
}

/// What the configurations of this name in a cluster say.
///
/// # Errors
/// No cluster, no answer, or no such configurations.
pub(super) async fn of_cluster(kubeconfig: Option<&Path>, name: &str) -> Result<Around, String> {
    let (asked, _) = asking::cluster(kubeconfig).await?;
    let find = async |resource: &str| {
        let found = asked.find(&format!("/apis/admissionregistration.k8s.io/v1/{resource}/{name}")).await?;
        Ok::<Value, String>(found.unwrap_or_default())
    };
    let (mutating, validating) =
        (find("mutatingwebhookconfigurations").await?, find("validatingwebhookconfigurations").await?);
    if mutating.is_null() && validating.is_null() {
        return Err(format!("the cluster has no webhook configuration {name}: name it with --webhook-configuration"));
    }
    Ok(around(&mutating, &validating))
}

fn around(mutating: &Value, validating: &Value) -> Around {
    let entries = Entries { mutate: entry(mutating, MUTATE), validate: entry(validating, VALIDATE) };
    Around { entries, webhooks: vec![webhook(mutating, MUTATE), webhook(validating, VALIDATE)] }
}

fn webhook(configuration: &Value, name: &str) -> Webhook {
    let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value, pointer: &str| at(value, pointer).as_str().unwrap_or_default().to_owned();
    let webhook = items(at(configuration, "/webhooks")).into_iter().find(|one| at(one, "/name") == name);
    let webhook = webhook.unwrap_or_default();
    let by_name = items(at(&webhook, "/namespaceSelector/matchExpressions"));
    let by_name = by_name.iter().filter(|one| at(one, "/key") == NAME && at(one, "/operator") == "NotIn");
    let exempt = by_name.flat_map(|one| items(at(one, "/values")));
    let conditions = items(at(&webhook, "/matchConditions")).into_iter().map(|one| {
        let (name, expression) = (text(&one, "/name"), text(&one, "/expression"));
        let is_known =
            |row: &&(&str, &'static str, &'static str)| (row.0, row.1) == (name.as_str(), expression.as_str());
        let means = CONDITIONS.iter().find(is_known).map(|(_, _, means)| *means);
        Condition { name, expression, means }
    });
    Webhook {
        name: name.to_owned(),
        exempt: exempt.filter_map(|name| name.as_str().map(ToOwned::to_owned)).collect(),
        fails_open: at(&webhook, "/failurePolicy") == "Ignore",
        conditions: conditions.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the chart says, so that it cannot change without this.
    const TEMPLATE: &str = include_str!("../../../charts/admittance/templates/_webhooks.tpl");

    #[test]
    fn knows_the_conditions_of_the_chart() {
        for (name, expression, _) in CONDITIONS {
            assert!(TEMPLATE.contains(&format!("- name: {name}\n  expression: \"{expression}\"\n")), "{name}");
        }
    }
}
