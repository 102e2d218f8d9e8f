//! Kyverno's policies in CEL, read as what they would be in Kubernetes.

use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::kubernetes::kinds::Kinds;
use serde_json::{Map, Value, json};

use super::{answer, collection, request, score};

/// Cases whose expectation is the runner's own and not the API server's: it fills in the namespace `default`, encodes Go
/// structs, knows exceptions, and reads a parameter's namespace otherwise.
const OTHERWISE: [&str; 7] = [
    "other-mpol/add-ndots/",
    "other-mpol/add-volume-deployment/",
    "other-mpol/apply-pss-restricted-profile/",
    "exceptions-mutate-deployment/kyverno-test.yaml#test-mpol-jsonpatch//Deployment/dev-deploy-2",
    "exceptions-mutate-deployment/kyverno-test.yaml#test-mpol-jsonpatch//Deployment/dev-deploy-1",
    "mutating-label/kyverno-test.yaml#test-mpol-jsonpatch//Deployment/dev-deploy-2",
    "with-params/kyverno-test.yaml#check-deployments-replicas//Deployment/nginx-deployment2",
];

const FIELDS: [&str; 9] = [
    "failurePolicy",
    "paramKind",
    "matchConstraints",
    "validations",
    "auditAnnotations",
    "matchConditions",
    "variables",
    "mutations",
    "reinvocationPolicy",
];

/// The spec of the policy, and the operation that it is for.
fn spec(case: &Value) -> (Value, String) {
    let all = json!([{ "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"] }]);
    let spec = &case["policy"]["spec"];
    if case["shape"] == "ClusterPolicy/cel" {
        let rule = spec["rules"].as_array().unwrap().iter().find(|rule| rule["name"] == case["rule"]).unwrap();
        let cel = &rule["validate"]["cel"];
        let made = json!({
            "matchConstraints": { "resourceRules": all },
            "matchConditions": rule["celPreconditions"],
            "validations": cel["expressions"],
            "variables": cel["variables"],
            "auditAnnotations": cel["auditAnnotations"],
        });
        let text = rule["match"].to_string();
        let is_deletion = text.contains("DELETE") && !text.contains("CREATE");
        return (made, if is_deletion { "DELETE" } else { "CREATE" }.to_owned());
    }
    let kept = FIELDS.iter().filter_map(|key| Some(((*key).to_owned(), spec.get(*key)?.clone())));
    let mut spec = Value::Object(kept.collect::<Map<_, _>>());
    let mut operations: Vec<String> = vec![];
    for rule in spec["matchConstraints"]["resourceRules"].as_array_mut().into_iter().flatten() {
        if rule["operations"].is_null() {
            rule["operations"] = json!(["CREATE", "UPDATE", "DELETE", "CONNECT"]);
        }
        let named = rule["operations"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        operations.extend(named);
    }
    let creates = operations.iter().any(|name| name == "CREATE" || name == "*");
    let other = operations.iter().min().filter(|_| !creates).cloned();
    (spec, other.unwrap_or_else(|| "CREATE".to_owned()))
}

fn namespaces(case: &Value) -> Vec<Value> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let labelled = list(&case["values"]["namespaceSelector"])
        .into_iter()
        .map(|namespace| json!({ "metadata": { "name": namespace["name"], "labels": namespace["labels"] } }));
    labelled.chain(list(&case["values"]["namespaces"])).chain(list(&case["namespaces"])).collect()
}

#[test]
fn comes_to_the_outcome_of_kyvernos_tests() {
    let (defaults, kinds) = (Defaults::built_in(), Kinds::built_in());
    let is_scored =
        |case: &&Value| case["ext"] == json!([]) && case["autogen_only"] == false && case["suspect"].is_null();
    let cases = collection("kyverno.jsonl", 1986);
    let cases: Vec<&Value> = cases.iter().filter(is_scored).collect();
    let mut wrong = vec![];
    for case in &cases {
        let (spec, operation) = spec(case);
        let mutates = case["shape"].as_str().unwrap().starts_with("Mutating");
        let kind = if mutates { "MutatingAdmissionPolicy" } else { "ValidatingAdmissionPolicy" };
        let name = &case["policy"]["metadata"]["name"];
        let mut bindings = case["bindings"].as_array().cloned().unwrap_or_default();
        if bindings.is_empty() {
            bindings.push(json!({
                "metadata": { "name": "b" },
                "spec": { "policyName": name, "validationActions": ["Deny"] },
            }));
        }
        let line = json!({
            "policy": { "kind": kind, "metadata": { "name": name }, "spec": spec },
            "bindings": bindings,
            "params": case["params"],
            "namespaces": namespaces(case),
            "request": request(&kinds, &case["resource"], &operation),
        });
        let answer = answer(&line, &defaults);
        let is_right = match case["expect"].as_str().unwrap() {
            "fail" => answer["allowed"] == false && answer["failure"].is_null(),
            "pass" if mutates && !case["patched"].is_null() => answer["object"] == case["patched"],
            _ if mutates => answer["allowed"] == true && answer["object"] == case["resource"],
            _ => answer["allowed"] == true,
        };
        let id = case["id"].as_str().unwrap();
        if !is_right && !OTHERWISE.iter().any(|known| id.contains(known)) {
            wrong.push(format!("{id}: expected {}, got {answer}", case["expect"]));
        }
    }
    assert!(cases.is_empty() || cases.len() == 702, "{} scored cases", cases.len());
    score("kyverno.jsonl", cases.len(), &wrong);
}
