//! From the text of an expression to the object that it leaves.

use serde_json::{Value as Json, json};

use crate::cel::types::Type;
use crate::corpora;
use crate::deadline::Deadline;
use crate::expression::mutation::{apply_configuration, json_patch, schema_of};
use crate::expression::query::{self, Query};
use crate::json::{Arena, read};
use crate::kubernetes::schema::Schemas;
use crate::oracle;

/// The object after the mutation, or why it fails.
fn mutated(schemas: &Schemas, kind: &str, expression: &str, object: &Json, old: &Json) -> Result<Json, String> {
    let line =
        json!({"expr": expression, "patch_types": true, "vars": {"object": object, "oldObject": old}}).to_string();
    let arena = Arena::with_limit(1 << 26);
    let query = Query::read(&line).unwrap();
    let compiled = query::compile(&query).map_err(|error| format!("{error:?}"))?;
    let is_patch = kind == "JSONPatch";
    let expected = if is_patch { "list(JSONPatch)" } else { "Object" };
    let result_type: &Type = compiled.program().result_type();
    if result_type.to_string() != expected {
        return Err(format!("must evaluate to {expected} but got {result_type}"));
    }
    let bound = compiled.bind(&query, &arena).unwrap();
    let value = compiled.evaluate(&bound, &arena, Deadline::never(), &mut ()).outcome.map_err(ToString::to_string)?;
    let text = object.to_string();
    let object = read(&arena, &text).unwrap();
    let result = if is_patch {
        json_patch(&arena, object, value)
    } else {
        apply_configuration(&arena, schema_of(schemas, object).as_ref(), object, value)
    };
    result.map(|node| serde_json::to_value(node).unwrap()).map_err(|error| error.text)
}

/// Without what the API server's structs write where nothing is set.
fn pruned(value: &Json) -> Json {
    let is_set = |value: &Json| !value.is_null() && value.as_object().is_none_or(|map| !map.is_empty());
    match value {
        Json::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), pruned(value))).filter(|entry| is_set(&entry.1)).collect()
        }
        Json::Array(items) => items.iter().map(pruned).collect(),
        other => other.clone(),
    }
}

#[test]
fn passes_upstreams_own_tests() {
    let schemas = Schemas::built_in();
    let lines = corpora::lines("k8s-map-patch.jsonl", 35);
    let mut failed = vec![];
    for line in &lines {
        let mut case: Json = serde_json::from_str(line).unwrap();
        for object in ["object", "expected"] {
            if case[object].is_object() {
                case[object]["kind"] = json!("Deployment");
                case[object]["apiVersion"] = json!("apps/v1");
            }
        }
        // Upstream's test patches a Go struct: these fields are there, whatever is set in them.
        for place in [&["metadata"][..], &["spec", "template", "metadata"], &["spec", "template", "spec"]] {
            let field = place.iter().fold(&mut case["object"], |object, field| &mut object[*field]);
            if field.is_null() {
                *field = json!({});
            }
        }
        let text = |field: &str| case[field].as_str().unwrap_or_default();
        let result = mutated(&schemas, text("patchType"), text("expression"), &case["object"], &case["oldObject"]);
        let is_right = match (&result, case["error"].as_str()) {
            (Ok(object), None) => pruned(object) == pruned(&case["expected"]),
            (Err(error), Some(expected)) => error.contains(expected),
            _ => false,
        };
        if !is_right {
            failed.push(format!("{}: {result:?}", text("id")));
        }
    }
    println!("k8s-map-patch.jsonl: {} of {}", lines.len() - failed.len(), lines.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Expressions whose values become JSON in unusual ways, and objects.
const MUTATIONS: &[(&str, &str)] = &[
    (r#"[JSONPatch{op:"add",path:"/a",value:9007199254740993}]"#, "{}"),
    (r#"[JSONPatch{op:"add",path:"/a",value:Object{b:9007199254740993}}]"#, "{}"),
    (r#"[JSONPatch{op:"add",path:"/a",value:Object.a{b:[[1]]}}]"#, "{}"),
    (r#"[JSONPatch{op:"add",path:"/a",value:Object.a{b:null}}]"#, "{}"),
    (r#"[JSONPatch{op:"add",path:"/a",value:[Object.a{b:1}]}]"#, "{}"),
    (r#"[JSONPatch{op:"add",path:"/a",value:[Object.a{b:1}]+[Object.a{b:null,c:[[1]],d:9007199254740993}]}]"#, "{}"),
    (r#"[JSONPatch{op:"add",path:"/a",value:{"x":Object.a{b:1}}}]"#, "{}"),
    (r#"[JSONPatch{op:"add",path:"/a",value:int}]"#, "{}"),
    (r#"[JSONPatch{op:"add",path:"/a",value:Object.a{b:int,c:type([1])}}]"#, "{}"),
    (
        r#"[JSONPatch{op:"add",path:"/a",value:duration("1.5s")},JSONPatch{op:"add",path:"/b",value:timestamp("2020-01-01T00:00:00.5+02:00")}]"#,
        "{}",
    ),
    (
        r#"[JSONPatch{op:"add",path:"/a",value:b"ab"},JSONPatch{op:"add",path:"/b",value:5u},JSONPatch{op:"add",path:"/c",value:optional.of(2.0)}]"#,
        "{}",
    ),
    (r#"[JSONPatch{op:"add",path:"/a",value:optional.none()}]"#, "{}"),
    (r#"[JSONPatch{op:"add",path:"/a",value:double("NaN")}]"#, "{}"),
    (r#"[JSONPatch{op:"add",path:"/a",value:[1e20,1e22,1234567890123456789.0,-0.0]}]"#, "{}"),
    (r#"[JSONPatch{op:"add",path:"/a",value:"a,b".split(",")}]"#, "{}"),
    (r#"[JSONPatch{op:"remove",path:"/apiVersion"}]"#, "{}"),
    (r#"[JSONPatch{op:"replace",path:"",value:{"kind":"Y","apiVersion":"v2"}}]"#, "{}"),
    (
        r#"[JSONPatch{op:"test",path:"/a",value:object.a},JSONPatch{op:"add",path:"/b",value:1}]"#,
        r#"{"a":[9007199254740993]}"#,
    ),
    (
        r#"[JSONPatch{op:"test",path:"/a",value:object.a},JSONPatch{op:"add",path:"/b",value:1}]"#,
        r#"{"a":{"x":[1.5,"<",{}]}}"#,
    ),
    (
        r#"[JSONPatch{op:"add",path:"/b",value:Object.b{x:object.l}},JSONPatch{op:"add",path:"/c",value:object.l}]"#,
        r#"{"l":[9007199254740993,1.0,null]}"#,
    ),
    (
        r#"[JSONPatch{op:"add",path:"/metadata/labels/" + jsonpatch.escapeKey("x/y~z"),value:"1"}]"#,
        r#"{"metadata":{"labels":{}}}"#,
    ),
    (r#"Object{metadata: Object.metadata{finalizers: ["b","a"]}}"#, r#"{"metadata":{"finalizers":["a","c"]}}"#),
    (r#"Object{metadata: Object.metadata{finalizers: ["b","a"].sort()}}"#, r#"{"metadata":{"finalizers":["a","c"]}}"#),
    (r#"Object{metadata: Object.metadata{labels: {1:"2"}}}"#, "{}"),
    (r#"Object{metadata: Object.metadata{labels: Object.metadata.label{x:"1"}}}"#, "{}"),
    ("Object{spec: Object.spec{containers: []}}", r#"{"spec":{}}"#),
    ("Object{spec: Object.spec{containers: object.spec.containers.filter(c, false)}}", r#"{"spec":{"containers":[]}}"#),
    (
        "Object{spec: Object.spec{containers: object.spec.containers}}",
        r#"{"spec":{"containers":[{"name":"a","tty":true}]}}"#,
    ),
    (r#"Object{spec: Object.spec{containers: [{"name":"a"}]}}"#, r#"{"spec":{}}"#),
    (
        "Object{spec: Object.spec{containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, tty: true})}}",
        r#"{"spec":{"containers":[{"name":"a"},{"name":"b"}]}}"#,
    ),
    (
        r#"Object{spec: Object.spec{containers: [Object.spec.containers{name: "b", image: "x", ?stdin: optional.none()}]}}"#,
        r#"{"spec":{"containers":[{"name":"a"},{"name":"b"}]}}"#,
    ),
    (
        r#"Object{spec: Object.spec{activeDeadlineSeconds: 2.5, hostname: optional.of("a"), nodeName: optional.none()}}"#,
        r#"{"spec":{}}"#,
    ),
    ("Object{spec: Object.spec{hostname: 5}}", r#"{"spec":{}}"#),
    ("Object{spec: Object.spec{hostname: int}}", r#"{"spec":{}}"#),
    ("Object{spec: Object.spec{priority: 5u}}", r#"{"spec":{}}"#),
    ("Object{spec: Object.spec{priority: null}}", r#"{"spec":{"priority":1}}"#),
    (r#"Object{spec: Object.spec{nodeSelector: {"a":"b"}}}"#, r#"{"spec":{"nodeSelector":{"c":"d"}}}"#),
    ("Object{spec: Object.spec{tolerations: []}}", r#"{"spec":{}}"#),
    ("Object{spec: 5}", r#"{"spec":{}}"#),
    ("Object{spec: null}", r#"{"spec":{}}"#),
    (r#"Object{kind: 5u, apiVersion: "x"}"#, "{}"),
];

/// `policy-oracle` runs whole policies with the API server's code.
#[test]
fn answers_as_upstream() {
    let schemas = Schemas::built_in();
    let cases: Vec<(&str, &str, Json)> = MUTATIONS
        .iter()
        .map(|(expression, object)| {
            let mut object: Json = serde_json::from_str(object).unwrap();
            object["kind"] = json!("Pod");
            object["apiVersion"] = json!("v1");
            (if expression.starts_with('[') { "JSONPatch" } else { "ApplyConfiguration" }, *expression, object)
        })
        .collect();
    let question = |(kind, expression, object): &(&str, &str, Json)| {
        let field = if *kind == "JSONPatch" { "jsonPatch" } else { "applyConfiguration" };
        let rules = json!([{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}]);
        json!({
            "policy": {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy", "metadata": {"name": "p"},
                "spec": {"matchConstraints": {"resourceRules": rules}, "mutations": [{"patchType": kind, field: {"expression": expression}}]}},
            "bindings": [{"kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": "b"}, "spec": {"policyName": "p"}}],
            "request": {"uid": "1", "name": "x", "namespace": "default", "operation": "CREATE", "object": object,
                "kind": {"group": "", "version": "v1", "kind": "Pod"}, "resource": {"group": "", "version": "v1", "resource": "pods"}},
        })
    };
    let Some(answers) = oracle::ask("policy-oracle", cases.iter().map(question).collect()) else { return };
    let mut failed = vec![];
    for ((kind, expression, object), answer) in cases.iter().zip(&answers) {
        let ours = mutated(&schemas, kind, expression, object, &Json::Null);
        let arena = Arena::with_limit(1 << 24);
        let theirs = read(&arena, answer).unwrap();
        let is_allowed = theirs.get("allowed").and_then(crate::json::Node::as_bool) == Some(true);
        let is_alike = match &ours {
            Ok(ours) => is_allowed && theirs.get("object") == Some(read(&arena, &ours.to_string()).unwrap()),
            Err(_) => !is_allowed,
        };
        if !is_alike {
            failed.push(format!("{expression}\nours: {ours:?}\n{answer}"));
        }
    }
    println!("mutations: {} of {}", cases.len() - failed.len(), cases.len());
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
