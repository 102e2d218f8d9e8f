use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::json::{Arena, edit};
use crate::review::{Envelope, ObjectName};

fn redaction(rules: &[&str]) -> Redaction {
    Redaction::with(rules.iter().map(|rule| rule.parse().unwrap()).collect())
}

fn body(kind: (&str, &str), object: &Value, old: &Value) -> String {
    let (group, kind) = kind;
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "kind": {"group": group, "version": "v1", "kind": kind}, "operation": "UPDATE",
        "object": object, "oldObject": old,
    }})
    .to_string()
}

/// Object and old object after redaction, printed.
fn redacted(rules: &[&str], kind: (&str, &str), object: &Value, old: &Value) -> (Value, Value) {
    let arena = Arena::with_limit(1 << 24);
    let body = body(kind, object, old);
    let (envelope, outcome) = Envelope::read(&arena, body.as_bytes());
    outcome.unwrap();
    let review = envelope.into_review(&arena).unwrap();
    let review = redaction(rules).review(&review).unwrap();
    assert_eq!(arena.unknowns(), 0, "redaction itself looks at nothing that is redacted");
    let value = |node: Option<Node<'_>>| serde_json::to_value(node.unwrap_or_default()).unwrap();
    (value(review.object().unwrap()), value(review.old_object().unwrap()))
}

fn alone(rules: &[&str], kind: (&str, &str), object: &Value) -> Value {
    redacted(rules, kind, object, &Value::Null).0
}

fn marker(number: usize) -> String {
    format!("admittance.dev/redacted#{number}")
}

#[test]
fn keeps_the_keys_of_a_secret_and_none_of_its_values() {
    let secret = json!({"kind": "Secret", "apiVersion": "v1", "type": "Opaque", "metadata": {"name": "a"},
        "data": {"password": "aHVudGVyMg==", "none": null}, "stringData": {"pin": "4711"}, "immutable": true});
    let wanted = json!({"kind": "Secret", "apiVersion": "v1", "type": "Opaque", "metadata": {"name": "a"},
        "data": {"password": marker(1), "none": null}, "stringData": {"pin": marker(2)}, "immutable": true});
    assert_eq!(alone(&[], ("", "Secret"), &secret), wanted);
    // By what the object says of itself, too.
    assert_eq!(alone(&[], ("", "Thing"), &secret), wanted);
}

#[test]
fn says_of_an_update_what_has_not_changed_and_nothing_else() {
    let new = json!({"data": {"same": "a", "changed": "b", "added": "c"}});
    let old = json!({"data": {"same": "a", "changed": "x", "gone": "c"}});
    let (new, old) = redacted(&[], ("", "Secret"), &new, &old);
    let mut numbers: Vec<&Value> =
        [&new, &old].iter().flat_map(|it| it["data"].as_object().unwrap().values()).collect();
    assert_eq!(new["data"]["same"], old["data"]["same"]);
    numbers.sort_by_key(ToString::to_string);
    numbers.dedup();
    assert_eq!(numbers.len(), 5, "equal values at different places have different markers: {new} {old}");
}

#[test]
fn redacts_copies_of_the_object_wherever_they_stand() {
    let annotations =
        json!({"kubectl.kubernetes.io/last-applied-configuration": "{}", "kapp.k14s.io/original": "{}", "team": "a"});
    let object = json!({"metadata": {"annotations": annotations, "managedFields": [{"fieldsV1": {"v:\"x\"": {}}}]},
        "spec": {"template": {"metadata": {"annotations": annotations, "labels": {"managedFields": "no list"}}}}});
    let found = alone(&[], ("apps", "Deployment"), &object);
    let text = found.to_string();
    assert_eq!(text.matches("admittance.dev/redacted#").count(), 5, "{text}");
    assert_eq!(found["metadata"]["managedFields"], json!(marker(3)));
    assert_eq!(found["spec"]["template"]["metadata"]["labels"], json!({"managedFields": "no list"}));
    assert_eq!(found["spec"]["template"]["metadata"]["annotations"]["team"], json!("a"));
    assert!(!text.contains("{}"));
}

#[test]
fn redacts_requests_for_tokens_and_their_reviews() {
    for kind in ["TokenRequest", "TokenReview"] {
        let object = json!({"kind": kind, "spec": {"token": "x"}, "status": {"token": "y"}});
        let wanted = json!({"kind": kind, "spec": marker(1), "status": marker(2)});
        assert_eq!(alone(&[], ("authentication.k8s.io", kind), &object), wanted);
    }
}

#[test]
fn redacts_what_rules_name_in_pods_and_in_their_templates() {
    let spec = |value: &str| json!({"containers": [{"name": "a", "env": [{"name": "PIN", "value": value}, {"name": "B"}], "args": ["x"]}]});
    let rules = ["Pod:spec.containers[*].env[*].value"];
    assert_eq!(alone(&rules, ("", "Pod"), &json!({"spec": spec("1")})), json!({"spec": spec(&marker(1))}));
    let job = |value: &str| json!({"spec": {"template": {"spec": spec(value)}}});
    assert_eq!(alone(&rules, ("batch", "Job"), &job("1")), job(&marker(1)));
    assert_eq!(alone(&rules, ("example.com", "Job"), &job("1")), job("1"));
    let annotated = |value: &str| json!({"metadata": {"annotations": {"example.com/token": value, "b": "c"}}});
    let rules = ["*:metadata.annotations[example.com/token]", "example.com/Job:spec.*.key"];
    assert_eq!(alone(&rules, ("", "Node"), &annotated("t")), annotated(&marker(1)));
    let job = |value: &str| json!({"spec": {"a": {"key": value, "other": 1}, "b": {"key": null}}});
    assert_eq!(alone(&rules, ("example.com", "Job"), &job("x")), job(&marker(1)));
}

#[test]
fn redacts_what_a_path_does_not_fit() {
    let rules = ["Pod:spec.containers.env", "Pod:metadata[*]"];
    let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "a"}], "other": 1}});
    let wanted = json!({"metadata": marker(1), "spec": {"containers": marker(2), "other": 1}});
    assert_eq!(alone(&rules, ("", "Pod"), &pod), wanted);
    let secret = json!({"data": ["x"], "stringData": "y"});
    assert_eq!(alone(&[], ("", "Secret"), &secret), json!({"data": marker(1), "stringData": marker(2)}));
}

#[test]
fn redacts_what_was_looked_up() {
    let arena = Arena::with_limit(1 << 20);
    let kind = KindName { api_version: "v1".into(), kind: "Secret".into() };
    let name = || ObjectName { kind: kind.clone(), namespace: "a".into(), name: "b".into() };
    let secret = crate::json::read(&arena, r#"{"data":{"a":"hunter2"}}"#).unwrap();
    let pods = crate::json::read(&arena, r#"{"items":[{"spec":{"nodeName":"hunter2"}}],"metadata":{}}"#).unwrap();
    let cases = [
        (Lookup::Object(name()), secret, r#"{"data":{"a":"admittance.dev/redacted#1"}}"#),
        (Lookup::Objects(name()), arena.list(&[secret]), r#"[{"data":{"a":"admittance.dev/redacted#2"}}]"#),
        (
            Lookup::Pods("a".into()),
            pods,
            r#"{"items":[{"spec":{"nodeName":"admittance.dev/redacted#3"}}],"metadata":{}}"#,
        ),
        (Lookup::Namespace("a".into()), secret, r#"{"data":{"a":"hunter2"}}"#),
    ];
    for (lookup, found, wanted) in cases {
        let redaction = redaction(&["Pod:spec.nodeName"]);
        let Answer::Found(found) = redaction.answer(&arena, &lookup, Answer::Found(found)) else { panic!("{lookup}") };
        assert_eq!(serde_json::to_string(&found).unwrap(), wanted, "{lookup}");
    }
}

#[test]
fn names_what_is_wrong_with_a_rule() {
    let error = |text: &str| text.parse::<Rule>().unwrap_err().to_string();
    let form = "expected [GROUP/]KIND:PATH, as Pod:spec.containers[*].env[*].value";
    assert_eq!(error(""), form);
    assert_eq!(error("spec.a"), form);
    assert_eq!(error("pods:spec"), "\"pods\" is no kind: expected Pod, apps/Deployment or, for every object, *");
    assert_eq!(error("/Pod:spec"), "\"/Pod\" is no kind: expected Pod, apps/Deployment or, for every object, *");
    assert_eq!(error("apps/*:spec"), "\"apps/*\" is no kind: expected Pod, apps/Deployment or, for every object, *");
    assert_eq!(error("Pod:"), "expected a name, `*` or `[` at character 1 of the path");
    assert_eq!(error("Pod:spec..a"), "expected a name, `*` or `[` at character 6 of the path");
    assert_eq!(error("Pod:spec.a b"), "expected `.` or `[` at character 7 of the path");
    assert_eq!(error("Pod:spec.a[b"), "expected `]` at character 9 of the path");
    assert_eq!(error("Pod:spec.a[]"), "expected `*` or a key at character 8 of the path");
    assert_eq!(
        error("Pod:a[0].b"),
        "expected `*` for every item, or a key that is no number at character 3 of the path"
    );
    assert_eq!(
        error("*:metadata"),
        "metadata says which object it is, and stands in the request anyway: name what is in it"
    );
    assert_eq!(error("*:*"), "* says which object it is, and stands in the request anyway: name what is in it");
    assert!("*:metadata.labels".parse::<Rule>().is_ok());
}

/// Any JSON, with texts that are secret and keys that matter.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from),
        Just(Value::from("hunter2")),
    ];
    let keys =
        ["data", "stringData", "spec", "env", "value", "annotations", "managedFields", "metadata", COPIES[0], "a"];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(keys.to_vec()), inner, 0..5)
                .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// Whether a secret stands where it would have to be redacted.
fn leaks(value: &Value, is_secret: bool) -> bool {
    match value {
        Value::String(text) => is_secret && text == "hunter2",
        Value::Array(items) => items.iter().any(|item| leaks(item, is_secret)),
        Value::Object(map) => map.iter().any(|(key, value)| leaks(value, is_secret || key == COPIES[0])),
        _ => false,
    }
}

proptest! {
    #[test]
    fn lets_no_secret_out(new in json(), old in json()) {
        let rules = ["Secret:spec.env[*].value", "Secret:a.*.a"];
        for (printed, original) in [(redacted(&rules, ("", "Secret"), &new, &old), (&new, &old))].into_iter()
            .flat_map(|((new, old), (was_new, was_old))| [(new, was_new), (old, was_old)]) {
            for part in ["data", "stringData"] {
                prop_assert!(!leaks(&printed[part], true), "{part} of {printed}");
            }
            prop_assert!(!leaks(&printed, false), "{printed}");
            for item in printed["spec"]["env"].as_array().into_iter().flatten() {
                prop_assert!(!leaks(&item["value"], true), "{printed}");
            }
            // Nothing else is touched: with the secrets given back it is the object.
            let mut restored = printed.clone();
            restore(&mut restored, original);
            prop_assert_eq!(&restored, original);
        }
    }

    #[test]
    fn is_read_again_as_it_was_printed(new in json(), old in json()) {
        let (new, old) = redacted(&[], ("", "Secret"), &new, &old);
        let arena = Arena::with_limit(1 << 24);
        for text in [new.to_string(), old.to_string()] {
            let node = crate::json::read(&arena, &text).unwrap().with_redacted(&arena);
            prop_assert_eq!(serde_json::to_value(node).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
            let edited = edit::set(&arena, arena.map(&[("x", node)]), &["y"], Node::int(1)).unwrap();
            prop_assert!(edited.get("x").is_some());
        }
        prop_assert_eq!(arena.unknowns(), 0);
    }
}

/// Puts back what stood where a marker stands.
fn restore(printed: &mut Value, original: &Value) {
    match printed {
        Value::String(text) if text.starts_with("admittance.dev/redacted#") => *printed = original.clone(),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                restore(item, &original[index]);
            }
        }
        Value::Object(map) => map.iter_mut().for_each(|(key, value)| restore(value, &original[key.as_str()])),
        _ => {}
    }
}
