//! What policies need from a cluster: rights for their lookups, rules for their requests. As YAML with a comment for each, and
//! as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use admittance_engine::matching::Scope;
use admittance_engine::review::Operation;
use admittance_engine::set::{Right, WebhookRule, WebhookRules};
use serde_json::{Value, json};

/// What the roles are called.
const ROLE: &str = "admittance-lookups";

/// A ClusterRole, and a Role for each namespace where rights are needed in it alone.
pub fn rbac_yaml(rights: &[Right]) -> String {
    let mut text = "# What the policies ask the cluster: bind it to the server's service account.\n".to_owned();
    for (namespace, rights) in by_namespace(rights) {
        if !namespace.is_empty() {
            text.push_str("---\n");
        }
        text.push_str("apiVersion: rbac.authorization.k8s.io/v1\n");
        let _ = match namespace {
            "" => writeln!(text, "kind: ClusterRole\nmetadata:\n  name: {ROLE}"),
            _ => writeln!(text, "kind: Role\nmetadata:\n  name: {ROLE}\n  namespace: {}", scalar(namespace)),
        };
        text.push_str(if rights.is_empty() { "rules: []\n" } else { "rules:\n" });
        for right in rights {
            let _ = writeln!(text, "  # {}", right.policies.join(", "));
            if let Some(kind) = &right.guessed_from {
                let _ =
                    writeln!(text, "  # The resource is guessed from {kind}: compare it with `kubectl api-resources`.");
            }
            let _ = writeln!(text, "  - apiGroups: {}", list([&right.group]));
            let _ = writeln!(text, "    resources: {}", list([&right.resource]));
            if !right.names.is_empty() {
                let _ = writeln!(text, "    resourceNames: {}", list(&right.names));
            }
            let _ = writeln!(text, "    verbs: {}", list(right.verbs));
        }
    }
    text
}

/// The same as one document: `{schemaVersion, clusterRole, roles, needs: [{namespace, rule, policies, guessedFrom}]}`.
pub fn rbac_json(rights: &[Right]) -> String {
    let mut roles: Vec<Value> = vec![];
    for (namespace, rights) in by_namespace(rights) {
        let (kind, mut metadata) = (if namespace.is_empty() { "ClusterRole" } else { "Role" }, json!({ "name": ROLE }));
        if let (false, Some(metadata)) = (namespace.is_empty(), metadata.as_object_mut()) {
            metadata.insert("namespace".to_owned(), namespace.into());
        }
        roles.push(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata,
            "rules": rights.into_iter().map(policy_rule).collect::<Vec<Value>>(),
        }));
    }
    let needs: Vec<Value> = rights
        .iter()
        .map(|right| {
            json!({
                "namespace": right.namespace,
                "rule": policy_rule(right),
                "policies": right.policies,
                "guessedFrom": right.guessed_from,
            })
        })
        .collect();
    let cluster_role = roles.remove(0);
    document(&json!({ "schemaVersion": 1, "clusterRole": cluster_role, "roles": roles, "needs": needs }))
}

fn policy_rule(right: &Right) -> Value {
    let mut rule = json!({ "apiGroups": [right.group], "resources": [right.resource], "verbs": right.verbs });
    if let (false, Some(rule)) = (right.names.is_empty(), rule.as_object_mut()) {
        rule.insert("resourceNames".to_owned(), right.names.clone().into());
    }
    rule
}

/// First those of the whole cluster, whether there are any or not.
fn by_namespace(rights: &[Right]) -> BTreeMap<&str, Vec<&Right>> {
    let mut sorted = BTreeMap::from([("", vec![])]);
    for right in rights {
        sorted.entry(right.namespace.as_str()).or_default().push(right);
    }
    sorted
}

/// The rules of both entries, as the values of the chart.
pub fn webhook_rules_yaml(rules: &WebhookRules) -> String {
    let mut text = String::new();
    for note in &rules.notes {
        let _ = writeln!(text, "# {note}.");
    }
    text.push_str("webhook:\n  rules:\n");
    for (name, rules) in [("mutate", &rules.mutate), ("validate", &rules.validate)] {
        let _ = writeln!(text, "    {name}:{}", if rules.is_empty() { " []" } else { "" });
        for rule in rules {
            let _ = writeln!(text, "      # {}", rule.policies.join(", "));
            let _ = writeln!(text, "      - operations: {}", list(operations(rule)));
            let _ = writeln!(text, "        apiGroups: {}", list(&rule.groups));
            let _ = writeln!(text, "        apiVersions: {}", list([&rule.version]));
            let _ = writeln!(text, "        resources: {}", list(&rule.resources));
            if rule.scope != Scope::Any {
                let _ = writeln!(text, "        scope: {}", rule.scope.as_str());
            }
        }
    }
    text
}

/// The same as one document: `{schemaVersion, webhook: {rules: {mutate, validate}}, policies: {mutate, validate}, notes}`, where
/// `policies` has a list of names for each rule.
pub fn webhook_rules_json(rules: &WebhookRules) -> String {
    let of = |rules: &[WebhookRule]| rules.iter().map(webhook_rule).collect::<Vec<Value>>();
    let policies = |rules: &[WebhookRule]| rules.iter().map(|rule| json!(rule.policies)).collect::<Vec<Value>>();
    document(&json!({
        "schemaVersion": 1,
        "webhook": { "rules": { "mutate": of(&rules.mutate), "validate": of(&rules.validate) } },
        "policies": { "mutate": policies(&rules.mutate), "validate": policies(&rules.validate) },
        "notes": rules.notes,
    }))
}

/// A rule as a webhook configuration has it.
pub fn webhook_rule(rule: &WebhookRule) -> Value {
    json!({
        "operations": operations(rule),
        "apiGroups": rule.groups,
        "apiVersions": [rule.version],
        "resources": rule.resources,
        "scope": rule.scope.as_str(),
    })
}

fn operations(rule: &WebhookRule) -> Vec<&'static str> {
    rule.operations.iter().map(Operation::as_str).collect()
}

fn document(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// `[get, "*"]`
fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| scalar(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

/// Without quotes where every reader of YAML takes it for a string.
fn scalar(text: &str) -> String {
    let is_word = text.starts_with(|char: char| char.is_ascii_alphabetic())
        && text.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '/'));
    let means_something_else =
        ["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(&text.to_ascii_lowercase().as_str());
    if is_word && !means_something_else { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_some_reader_takes_for_something_else() {
        assert_eq!(
            list(["get", "", "*", "pods/log", "pods/*", "y", "v1", "1"]),
            r#"[get, "", "*", pods/log, "pods/*", "y", v1, "1"]"#
        );
    }
}
