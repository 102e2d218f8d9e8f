//! Makes match constraints, of policies and of bindings.

use serde_json::{Map, Value, json};

use super::chance::Chance;
use super::requests::Asked;

const SELECTORS: [&str; 14] = [
    r#"{"matchLabels": {"app": "web"}}"#,
    r#"{"matchLabels": {"env": "prod"}}"#,
    r#"{"matchExpressions": [{"key": "app", "operator": "Exists"}]}"#,
    r#"{"matchExpressions": [{"key": "skip", "operator": "DoesNotExist"}]}"#,
    r#"{"matchExpressions": [{"key": "env", "operator": "In", "values": ["prod", "dev"]}]}"#,
    r#"{"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["test"]}]}"#,
    r#"{"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web", ""]}]}"#,
    r#"{"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}"#,
    r#"{"matchLabels": {"kubernetes.io/metadata.name": "shop"}}"#,
    r#"{"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]}]}"#,
    r#"{"matchLabels": {}, "matchExpressions": []}"#,
    r#"{"matchLabels": {"a.example.com/b": ""}}"#,
    r"{}",
    "null",
];

pub(crate) fn selector(chance: &mut Chance) -> Value {
    serde_json::from_str(chance.pick(&SELECTORS)).unwrap()
}

/// Match constraints that match what is asked more often than not. Those of a policy have rules.
pub(crate) fn constraints(chance: &mut Chance, asked: &Asked, is_policy: bool) -> Value {
    let mut made = Map::new();
    if is_policy || chance.percent(40) {
        let rules: Vec<Value> = (0..chance.pick(&[1, 1, 2])).map(|_| rule(chance, asked, 80)).collect();
        made.insert("resourceRules".to_owned(), rules.into());
    }
    if chance.percent(15) {
        made.insert("excludeResourceRules".to_owned(), json!([rule(chance, asked, 25)]));
    }
    for key in ["namespaceSelector", "objectSelector"] {
        // The options of a CONNECT have no metadata, so that no selector matches them: the oracle knows that of Go structs alone.
        let is_asked = key == "namespaceSelector" || asked.operation != "CONNECT" || asked.is_typed;
        if chance.percent(20) && is_asked {
            made.insert(key.to_owned(), selector(chance));
        }
    }
    if chance.percent(25) {
        made.insert("matchPolicy".to_owned(), chance.pick(&["Exact", "Equivalent"]).into());
    }
    made.into()
}

/// A rule that fits in so many of a hundred cases.
fn rule(chance: &mut Chance, asked: &Asked, percent: usize) -> Value {
    let fits = chance.percent(percent);
    let resource = &asked.resource;
    let subresource = asked.subresource;
    let operations = match (fits, chance.below(3)) {
        (true, 0) => json!([asked.operation]),
        (true, 1) => json!(["CREATE", "UPDATE", "DELETE", "CONNECT"]),
        (true, _) => json!(["*"]),
        (false, 0) => json!(["UPDATE", "DELETE"]),
        (false, 1) => json!(["CREATE"]),
        (false, _) => json!(["CREATE", "UPDATE"]),
    };
    let one = |chance: &mut Chance, own: &str, others: &[&str]| -> Value {
        match chance.below(10) {
            0..4 => json!(["*"]),
            4..8 if fits => json!([own]),
            4..8 => json!([chance.pick(others)]),
            _ => json!([chance.pick(others), own]),
        }
    };
    let group = one(chance, resource["group"].as_str().unwrap(), &["", "apps", "example.com"]);
    let version = one(chance, resource["version"].as_str().unwrap(), &["v1", "v1beta1", "v2"]);
    let plural = resource["resource"].as_str().unwrap();
    let with =
        |plural: &str| if subresource.is_empty() { plural.to_owned() } else { format!("{plural}/{subresource}") };
    let fitting = [
        with(plural),
        "*/*".to_owned(),
        if subresource.is_empty() { "*".to_owned() } else { with("*") },
        format!("{plural}/*"),
    ];
    let others = ["pods", "deployments", "pods/status", "*/scale", "configmaps/*", "*", "nodes", "*/status"];
    let resources = match (fits, chance.below(4)) {
        (true, 3) => json!([chance.pick(&others), chance.of(&fitting)]),
        (true, _) => json!([chance.of(&fitting)]),
        (false, _) => json!([chance.pick(&others)]),
    };
    let mut rule =
        json!({ "operations": operations, "apiGroups": group, "apiVersions": version, "resources": resources });
    if chance.percent(25) {
        rule["scope"] = chance.pick(&["*", "Namespaced", "Cluster", "*"]).into();
    }
    if chance.percent(12) {
        let own = asked.request["name"].as_str().unwrap_or_default();
        rule["resourceNames"] = if fits { json!([own, "other"]) } else { json!(["other"]) };
    }
    rule
}
