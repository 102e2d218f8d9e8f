//! Makes policies, bindings and parameters.

use serde_json::{Map, Value, json};

use super::chance::Chance;
use super::expressions::{Pool, Scope};
use super::matching::{constraints, selector};
use super::mutations;
use super::requests::{Asked, NAMESPACES};

/// Objects that policies may take for parameters.
pub(crate) struct Parameters {
    pub(crate) kind: Option<Value>,
    pub(crate) scope: Option<&'static str>,
    pub(crate) objects: Vec<Value>,
}

impl Parameters {
    pub(crate) fn some(chance: &mut Chance) -> Self {
        if chance.percent(50) {
            return Self { kind: None, scope: None, objects: vec![] };
        }
        let (api_version, kind, scope) = chance.pick(&[
            ("v1", "ConfigMap", None),
            ("v1", "ConfigMap", None),
            ("rules.example.com/v1", "Limit", Some("Namespaced")),
            ("rules.example.com/v1", "Limit", Some("Cluster")),
            ("rules.example.com/v1", "Limit", None),
        ]);
        let is_namespaced =
            kind == "ConfigMap" || scope == Some("Namespaced") || (scope.is_none() && chance.percent(50));
        let mut objects: Vec<Value> = Vec::new();
        for index in 0..chance.below(5) {
            let (of, version) = if chance.percent(10) { ("Secret", "v1") } else { (kind, api_version) };
            let mut object =
                json!({ "apiVersion": version, "kind": of, "metadata": { "name": format!("param{}", index % 3) } });
            if is_namespaced {
                object["metadata"]["namespace"] = chance.pick(&NAMESPACES).into();
            }
            if chance.percent(60) {
                object["metadata"]["labels"] =
                    chance.of(&[json!({ "env": "prod" }), json!({ "app": "web", "env": "dev" })]).clone();
            }
            let field = if kind == "ConfigMap" { "data" } else { "spec" };
            let data = [
                json!({ "max": "3", "team": "a" }),
                json!({ "max": "x", "name": "web" }),
                json!({}),
                json!({ "max": 3, "list": ["a", "web"], "nested": { "on": true } }),
            ];
            object[field] = data[chance.below(if kind == "ConfigMap" { 3 } else { 4 })].clone();
            objects.push(object);
        }
        // One of a name: the API server has no two.
        let mut seen = std::collections::BTreeSet::new();
        objects.retain(|object| {
            let metadata = &object["metadata"];
            seen.insert((object["kind"].to_string(), metadata["namespace"].to_string(), metadata["name"].to_string()))
        });
        Self { kind: Some(json!({ "apiVersion": api_version, "kind": kind })), scope, objects }
    }
}

pub(crate) fn policy(
    chance: &mut Chance,
    pool: &Pool,
    asked: &Asked,
    parameters: &Parameters,
    (name, mutates): (&str, bool),
) -> Value {
    let kind = if mutates { "MutatingAdmissionPolicy" } else { "ValidatingAdmissionPolicy" };
    let version = chance.pick(&["v1", "v1", "v1beta1"]);
    let mut spec = Map::new();
    let mut scope = Scope { kind: asked.kind, has_params: false, variables: vec![] };
    if let Some(kind) = parameters.kind.as_ref().filter(|_| chance.percent(80)) {
        spec.insert("paramKind".to_owned(), kind.clone());
        scope.has_params = true;
    }
    if chance.percent(70) {
        spec.insert("failurePolicy".to_owned(), chance.pick(&["Fail", "Ignore"]).into());
    }
    spec.insert("matchConstraints".to_owned(), constraints(chance, asked, true));
    let variables: Vec<Value> = (0..chance.pick(&[0, 0, 1, 2, 3]))
        .map(|index| {
            let expression = pool.variable(chance, &scope);
            let name = ["first", "second", "third"][index];
            scope.variables.push(name);
            json!({ "name": name, "expression": expression })
        })
        .collect();
    if !variables.is_empty() {
        spec.insert("variables".to_owned(), variables.into());
    }
    let conditions: Vec<Value> = (0..chance.pick(&[0, 0, 0, 1, 2]))
        .map(|index| {
            let expression = if chance.percent(50) { "true".to_owned() } else { pool.truth(chance, &scope) };
            json!({ "name": format!("c{index}"), "expression": expression })
        })
        .collect();
    if !conditions.is_empty() {
        spec.insert("matchConditions".to_owned(), conditions.into());
    }
    if mutates {
        let all: Vec<Value> =
            (0..chance.pick(&[1, 1, 2, 3])).map(|_| mutations::mutation(chance, pool, &scope)).collect();
        spec.insert("mutations".to_owned(), all.into());
        if chance.percent(80) {
            spec.insert("reinvocationPolicy".to_owned(), chance.pick(&["Never", "IfNeeded"]).into());
        }
    } else {
        let annotations: Vec<Value> = (0..chance.pick(&[0, 0, 1, 2]))
            .map(|index| json!({ "key": format!("k{index}"), "valueExpression": pool.annotation(chance, &scope) }))
            .collect();
        if annotations.is_empty() || chance.percent(90) {
            let all: Vec<Value> = (0..=chance.below(4)).map(|_| validation(chance, pool, &scope)).collect();
            spec.insert("validations".to_owned(), all.into());
        }
        if !annotations.is_empty() {
            spec.insert("auditAnnotations".to_owned(), annotations.into());
        }
    }
    json!({
        "apiVersion": format!("admissionregistration.k8s.io/{version}"), "kind": kind,
        "metadata": { "name": name }, "spec": spec,
    })
}

fn validation(chance: &mut Chance, pool: &Pool, scope: &Scope) -> Value {
    let mut made = json!({ "expression": pool.truth(chance, scope) });
    if chance.percent(40) {
        let messages =
            ["no", "this is not\nallowed", "  spaces  ", "ünï <&> \"quoted\" 'single'", "", "   ", "{{ .x }} %s\ttab"];
        made["message"] = chance.pick(&messages).into();
    }
    if chance.percent(35) {
        made["messageExpression"] = pool.message(chance, scope).into();
    }
    if chance.percent(40) {
        let reasons = ["Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"];
        made["reason"] = chance.pick(&reasons).into();
    }
    made
}

pub(crate) fn binding(
    chance: &mut Chance,
    parameters: &Parameters,
    asked: &Asked,
    policy: &Value,
    name: &str,
) -> Value {
    let mut spec = json!({ "policyName": policy["metadata"]["name"] });
    if policy["kind"] == "ValidatingAdmissionPolicy" {
        let actions = [
            json!(["Deny"]),
            json!(["Warn"]),
            json!(["Audit"]),
            json!(["Deny", "Audit"]),
            json!(["Audit", "Warn"]),
            json!(["Deny"]),
            json!(["Warn", "Audit"]),
        ];
        spec["validationActions"] = chance.of(&actions).clone();
    }
    let has_kind = policy["spec"].get("paramKind").is_some();
    if chance.percent(if has_kind { 92 } else { 4 }) {
        spec["paramRef"] = reference(chance, parameters);
    }
    if chance.percent(25) {
        spec["matchResources"] = constraints(chance, asked, false);
    }
    let api_version = &policy["apiVersion"];
    let kind = format!("{}Binding", policy["kind"].as_str().unwrap());
    json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name }, "spec": spec })
}

fn reference(chance: &mut Chance, parameters: &Parameters) -> Value {
    let mut made = json!({ "parameterNotFoundAction": chance.pick(&["Allow", "Deny"]) });
    if chance.percent(60) {
        let known: Vec<&Value> = parameters.objects.iter().map(|object| &object["metadata"]["name"]).collect();
        made["name"] =
            if known.is_empty() || chance.percent(15) { "param9".into() } else { (*chance.of(&known)).clone() };
    } else {
        made["selector"] = match chance.below(3) {
            0 => json!({}),
            1 => json!({ "matchLabels": { "env": "prod" } }),
            _ => selector(chance),
        };
    }
    let is_namespaced = parameters.objects.iter().any(|object| object["metadata"]["namespace"].is_string());
    if chance.percent(if is_namespaced { 50 } else { 8 }) {
        made["namespace"] = chance.pick(&NAMESPACES).into();
    }
    made
}
