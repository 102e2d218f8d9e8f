//! Whole policies of others, each with a request and what a real API server, or the policies' own tests, made of it: through
//! what `admittance check --jsonl` does.

mod kyverno;

use std::fs;

use admittance::output::upstream::Line;
use admittance_engine::json::Arena;
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::kubernetes::kinds::{Kinds, Scope};
use admittance_engine::pipeline::Budget;
use serde_json::{Value, json};

/// The lines of a collection; none where it is absent, and then the number of skipped cases is said.
pub(crate) fn collection(name: &str, expected: usize) -> Vec<Value> {
    let path = crate::http::corpora().join(name);
    let Ok(text) = fs::read_to_string(&path) else {
        println!("skipped {expected} cases: {} is absent (set ADMITTANCE_CORPORA)", path.display());
        return vec![];
    };
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), expected, "cases in {}", path.display());
    lines
}

/// The answer to a line, as JSON.
fn answer(line: &Value, defaults: &Defaults) -> Value {
    let arena = Arena::with_limit(Budget::REVIEW);
    let answer = Line::answer(line.to_string().as_bytes(), &arena, defaults).text();
    serde_json::from_str(&answer).unwrap()
}

/// The request that a test of a policy means: an object in the namespace `default` where it names none.
fn request(kinds: &Kinds, object: &Value, operation: &str) -> Value {
    let api_version = object["apiVersion"].as_str().unwrap_or("v1");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kind = object["kind"].as_str().unwrap_or_default();
    let row = kinds.kind(group, version, kind);
    let resource = row.map_or_else(|| plural(kind), |row| row.resource.to_owned());
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let namespace = match object["metadata"]["namespace"].as_str() {
        _ if kind == "Namespace" => name,
        _ if row.is_some_and(|row| row.scope != Scope::Namespaced) => "",
        namespace => namespace.unwrap_or("default"),
    };
    let object_field = if operation == "DELETE" { "oldObject" } else { "object" };
    json!({
        "kind": { "group": group, "version": version, "kind": kind },
        "resource": { "group": group, "version": version, "resource": resource },
        "name": name,
        "namespace": namespace,
        "operation": operation,
        "userInfo": { "username": "admin", "groups": ["system:masters", "system:authenticated"] },
        object_field: object,
    })
}

/// The resource of a kind that is not built in.
fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind.ends_with('s') => format!("{kind}es"),
        None => format!("{kind}s"),
    }
}

/// Says how many are right, and fails where one is not that is not known to be otherwise.
fn score(name: &str, total: usize, wrong: &[String]) {
    println!("{name}: {} of {total}", total - wrong.len());
    assert!(wrong.is_empty(), "{} of {total} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn admits_and_refuses_as_the_policies_of_kubescape_expect() {
    let (defaults, kinds) = (Defaults::built_in(), Kinds::built_in());
    let cases = collection("vap.jsonl", 281);
    let mut wrong = vec![];
    for case in &cases {
        let params = if case["params"].is_null() { json!([]) } else { json!([case["params"]]) };
        let params = if case["params"].is_array() { case["params"].clone() } else { params };
        let line = json!({
            "policy": case["policy"],
            "bindings": [case["binding"]],
            "params": params,
            "paramScope": "Cluster",
            "request": request(&kinds, &case["object"], case["operation"].as_str().unwrap()),
        });
        let answer = answer(&line, &defaults);
        if answer["allowed"] != (case["expect"] == "pass") || !answer["failure"].is_null() {
            wrong.push(format!("{}: expected {}, got {answer}", case["id"], case["expect"]));
        }
    }
    score("vap.jsonl", cases.len(), &wrong);
}

#[test]
fn patches_objects_as_upstream_tests_expect() {
    let (defaults, kinds) = (Defaults::built_in(), Kinds::built_in());
    let cases = collection("k8s-map-patch.jsonl", 35);
    // Expected as Go structs encode the object (`metadata: {}`), or tested below the API that takes it apart first.
    let as_structs = ["replace map value of unset field", "scalar int and bool as values"];
    let mut wrong = vec![];
    for case in &cases {
        let id = case["id"].as_str().unwrap();
        let patch_type = case["patchType"].as_str().unwrap();
        let field = if patch_type == "JSONPatch" { "jsonPatch" } else { "applyConfiguration" };
        // All of them are patches of Deployments, which leave out what they are.
        let mut object = case["object"].clone();
        for (key, value) in [("apiVersion", "apps/v1"), ("kind", "Deployment")] {
            if object[key].as_str().unwrap_or_default().is_empty() {
                object[key] = value.into();
            }
        }
        let line = json!({
            "policy": {
                "kind": "MutatingAdmissionPolicy",
                "metadata": { "name": "p" },
                "spec": {
                    "reinvocationPolicy": "Never",
                    "matchConstraints": { "resourceRules": [
                        { "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"] }
                    ] },
                    "mutations": [{ "patchType": patch_type, field: { "expression": case["expression"] } }],
                },
            },
            "bindings": [{ "metadata": { "name": "b" }, "spec": { "policyName": "p" } }],
            "request": request(&kinds, &object, "CREATE"),
        });
        let answer = answer(&line, &defaults);
        let is_right = match case["error"].as_str() {
            Some(error) => answer["message"].as_str().is_some_and(|message| message.contains(error)),
            None => {
                let mut expected = case["expected"].clone();
                for key in ["apiVersion", "kind"] {
                    if expected[key].as_str().unwrap_or_default().is_empty() {
                        expected[key] = answer["object"][key].clone();
                    }
                }
                without_empty(&answer["object"]) == without_empty(&expected)
            }
        };
        if !is_right && !as_structs.iter().any(|known| id.contains(known)) {
            wrong.push(format!("{id}: {answer}\n  expected {} {}", case["expected"], case["error"]));
        }
    }
    score("k8s-map-patch.jsonl", cases.len(), &wrong);
}

/// Without the empty structs that Go writes.
fn without_empty(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().map(|(key, value)| (key.clone(), without_empty(value)));
            let is_empty = |value: &Value| value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
            Value::Object(kept.filter(|(_, value)| !is_empty(value)).collect())
        }
        Value::Array(items) => items.iter().map(without_empty).collect(),
        other => other.clone(),
    }
}
