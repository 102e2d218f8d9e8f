//! Suites of Gatekeeper's gator: `kind: Suite` of test.gatekeeper.sh/v1alpha1 (gatekeeper, pkg/gator/verify), for templates with
//! the engine K8sNativeValidation (frameworks/constraint, pkg/client/drivers/k8scel).

use std::path::{Path, PathBuf};

use admittance_engine::kubernetes::kinds::Kinds;
use admittance_engine::matching::fits;
use serde_json::{Map, Value, json};

use super::policies::resource;
use super::{Case, Expected, Made, files, find};

/// The engine whose templates are CEL.
const ENGINE: &str = "K8sNativeValidation";

/// The cases of the suites in these files and folders.
///
/// # Errors
/// A path that cannot be read, or no suite.
pub fn suites(paths: &[PathBuf]) -> Result<Vec<Case>, String> {
    find(paths, ("gator", "Suite"), cases)
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn flag(value: &Value, field: &str) -> bool {
    value.get(field) == Some(&Value::Bool(true))
}

fn cases(suite: &Path, document: &Value) -> Vec<Case> {
    let mut all = vec![];
    for test in list(document, "/tests") {
        for one in list(test, "/cases") {
            let name = format!("{}: {}", text(test, "/name"), text(one, "/name"));
            let is_skipped = flag(document, "skip") || flag(test, "skip") || flag(one, "skip");
            let made = if is_skipped {
                vec![Err("the suite skips it".to_owned())]
            } else {
                match made(suite, test, one) {
                    Ok(made) => made.into_iter().map(Ok).collect(),
                    Err(reason) => vec![Err(reason)],
                }
            };
            all.extend(made.into_iter().map(|made| Case { suite: suite.to_owned(), name: name.clone(), made }));
        }
    }
    all
}

/// A case for each assertion.
fn made(suite: &Path, test: &Value, one: &Value) -> Result<Vec<Made>, String> {
    let single = |name: &str| {
        let found = files::named(suite, &[name])?;
        found.into_iter().next().ok_or_else(|| format!("there is nothing in {name:?}"))
    };
    let (template, constraint) = (single(text(test, "/template"))?, single(text(test, "/constraint"))?);
    let object = single(text(one, "/object"))?;
    if test.get("expansion").is_some() {
        return Err("the test expands generators".to_owned());
    }
    let (policies, has_rego) = policies(&template, &constraint, &object)?;
    let case = request(&object);
    let mut assertions = list(one, "/assertions").to_vec();
    if assertions.is_empty() {
        // gator expects a violation where nothing is said.
        assertions.push(json!({ "violations": "yes" }));
    }
    let mut found = vec![];
    for assertion in assertions {
        let wanted = match assertion.get("violations") {
            None | Some(Value::Bool(true)) => None,
            Some(Value::String(word)) if word == "yes" => None,
            Some(Value::Bool(false)) => Some(0),
            Some(Value::String(word)) if word == "no" => Some(0),
            Some(Value::Number(number)) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
            Some(other) => return Err(format!("what {other} violations are is gator's own")),
        };
        let expected = match (assertion.get("message").and_then(Value::as_str), wanted) {
            (None, wanted) => Expected::Violations(wanted),
            (Some(_), Some(0)) => return Err("that a message is not among several cannot be told".to_owned()),
            // The messages are those of the other engine, perhaps.
            (Some(_), _) if has_rego => Expected::Violations(None),
            (Some(message), _) => Expected::Says(message.to_owned()),
        };
        found.push(Made { policies: policies.clone(), case: case.clone(), expected });
    }
    Ok(found)
}

/// A policy for each validation of the template, so that violations can be counted; and whether the template is in Rego too, so
/// that messages of assertions may be that engine's.
fn policies(template: &Value, constraint: &Value, object: &Value) -> Result<(Vec<Value>, bool), String> {
    let code = list(template, "/spec/targets/0/code");
    let native = code.iter().find(|one| text(one, "/engine") == ENGINE);
    let Some(source) = native.and_then(|one| one.get("source")) else {
        return Err(format!("the template is in Rego: only those with the engine {ENGINE} are CEL"));
    };
    let has_rego =
        code.iter().any(|one| text(one, "/engine") == "Rego") || template.pointer("/spec/targets/0/rego").is_some();
    let mut variables = vec![
        json!({
            "name": "anyObject",
            "expression": "has(request.operation) && request.operation == \"DELETE\" && object == null ? oldObject : object",
        }),
        json!({ "name": "params", "expression": format!("dyn({})", literal(constraint.pointer("/spec/parameters").unwrap_or(&Value::Null))) }),
    ];
    variables.extend(list(source, "/variables").iter().cloned());
    let mut conditions = list(source, "/matchConditions").to_vec();
    if !selects(constraint, object) {
        conditions.push(json!({ "name": "not-in-spec.match", "expression": "false" }));
    }
    let mut constraints = Map::from_iter([("resourceRules".to_owned(), Value::from(rules(constraint)))]);
    for (own, theirs) in [("labelSelector", "objectSelector"), ("namespaceSelector", "namespaceSelector")] {
        if let Some(selector) = constraint.pointer(&format!("/spec/match/{own}")) {
            constraints.insert(theirs.to_owned(), selector.clone());
        }
    }
    let mut found = vec![];
    for (position, validation) in list(source, "/validations").iter().enumerate() {
        let name = format!("validation-{position}");
        let kept = ["expression", "message", "messageExpression"];
        let validation: Map<String, Value> =
            kept.iter().filter_map(|key| Some(((*key).to_owned(), validation.get(*key)?.clone()))).collect();
        let mut spec = json!({
            "matchConstraints": constraints, "variables": variables, "matchConditions": conditions,
            "validations": [validation],
        });
        if let (Some(policy), Some(spec)) = (source.get("failurePolicy"), spec.as_object_mut()) {
            spec.insert("failurePolicy".to_owned(), policy.clone());
        }
        let of = |kind: &str, spec: Value| {
            json!({
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": { "name": name }, "spec": spec,
            })
        };
        found.push(of("ValidatingAdmissionPolicy", spec));
        let binding = json!({ "policyName": name, "validationActions": ["Deny"] });
        found.push(of("ValidatingAdmissionPolicyBinding", binding));
    }
    Ok((found, has_rego))
}

/// The rules for `spec.match.kinds`.
fn rules(constraint: &Value) -> Vec<Value> {
    let kinds = Kinds::built_in();
    let all = list(constraint, "/spec/match/kinds");
    let rule = |groups: &Value, resources: Vec<String>| {
        json!({
            "apiGroups": groups, "apiVersions": ["*"], "resources": resources,
            "operations": ["CREATE", "UPDATE", "DELETE", "CONNECT"],
        })
    };
    if all.is_empty() {
        return vec![rule(&json!(["*"]), vec!["*".to_owned()])];
    }
    all.iter()
        .map(|one| {
            let groups = one.get("apiGroups").cloned().unwrap_or_else(|| json!(["*"]));
            let first =
                groups.get(0).and_then(Value::as_str).filter(|_| groups.as_array().is_some_and(|all| all.len() == 1));
            let names = list(one, "/kinds").iter().filter_map(Value::as_str);
            let mut resources: Vec<String> = names.map(|kind| resource(first, kind, &kinds)).collect();
            if resources.is_empty() || resources.iter().any(|name| name == "*") {
                resources = vec!["*".to_owned()];
            }
            rule(&groups, resources)
        })
        .collect()
}

/// Whether the object is in what `spec.match` says of namespaces, names and scope.
fn selects(constraint: &Value, object: &Value) -> bool {
    let object = object.pointer("/request/object").or_else(|| object.pointer("/request/oldObject")).unwrap_or(object);
    let names = |field: &str| {
        list(constraint, &format!("/spec/match/{field}")).iter().filter_map(Value::as_str).collect::<Vec<_>>()
    };
    let (namespaces, excluded) = (names("namespaces"), names("excludedNamespaces"));
    let own = match (text(object, "/kind"), text(object, "/metadata/namespace")) {
        ("Namespace", _) => text(object, "/metadata/name"),
        (_, namespace) => namespace,
    };
    let fits_one = |patterns: &[&str]| patterns.iter().any(|pattern| fits(pattern, own));
    let is_named = match text(constraint, "/spec/match/name") {
        "" => true,
        pattern => fits(pattern, text(object, "/metadata/name")),
    };
    let is_scoped = match text(constraint, "/spec/match/scope") {
        "Cluster" => text(object, "/metadata/namespace").is_empty(),
        "Namespaced" => !text(object, "/metadata/namespace").is_empty(),
        _ => true,
    };
    is_named
        && is_scoped
        && (own.is_empty() || ((namespaces.is_empty() || fits_one(&namespaces)) && !fits_one(&excluded)))
}

/// The case for an object, or for an AdmissionReview.
fn request(object: &Value) -> Value {
    if text(object, "/kind") != "AdmissionReview" {
        return json!({ "object": object });
    }
    let mut case = Map::new();
    for (own, theirs) in
        [("object", "object"), ("oldObject", "oldObject"), ("operation", "operation"), ("namespace", "namespace")]
    {
        if let Some(value) = object.pointer(&format!("/request/{own}")).filter(|value| !value.is_null()) {
            case.insert(theirs.to_owned(), value.clone());
        }
    }
    // A review may leave out what an API server always sends.
    if case.get("operation") == Some(&"UPDATE".into())
        && let Some(new) = case.get("object").cloned()
    {
        case.entry("oldObject").or_insert(new);
    }
    if let Some(user) = object.pointer("/request/userInfo") {
        let kept =
            ["username", "uid", "groups"].iter().filter_map(|key| Some(((*key).to_owned(), user.get(*key)?.clone())));
        case.insert("userInfo".to_owned(), Value::Object(kept.collect()));
    }
    Value::Object(case)
}

/// A value as CEL writes it. Entries of lists and maps are `dyn`, because they may be of several types.
fn literal(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| format!("dyn({})", literal(item))).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{}: dyn({})", Value::from(key.as_str()), literal(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}
