use std::borrow::Cow;

use serde_json::Value;

use super::fact::Looked;
use super::*;
use crate::json::Arena;
use crate::pipeline::Route;
use crate::redaction::Redaction;
use crate::review::{Access, AccessTarget, Answer, KindName, Lookup, ObjectName};

const BODY: &str = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u",
    "kind":{"group":"","version":"v1","kind":"Secret"},"resource":{"group":"","version":"v1","resource":"secrets"},
    "requestKind":{"group":"","version":"v1","kind":"Secret"},"requestResource":{"group":"","version":"v1","resource":"secrets"},
    "name":"db","namespace":"shop","operation":"UPDATE","userInfo":{"username":"ann","groups":["dev"],"extra":{"a":["b"]}},
    "object":{"data":{"pin":"4711"}},"oldObject":{"data":{"pin":"4711"}},"options":null,"dryRun":true}}"#;

fn lookups() -> Vec<Looked<'static>> {
    let kind = KindName { api_version: "v1".into(), kind: "ConfigMap".into() };
    let object = ObjectName { kind: kind.clone(), namespace: "shop".into(), name: "a".into() };
    let access = Access {
        user: "ann".into(),
        uid: "".into(),
        groups: vec!["dev".into()],
        extra: vec![("k".into(), vec!["v".into()])],
        verb: "get".into(),
        target: AccessTarget::Path("/x".into()),
    };
    let resource = AccessTarget::Resource {
        group: "".into(),
        resource: "pods".into(),
        subresource: "".into(),
        namespace: "shop".into(),
        name: "".into(),
        field_selector: Some("a=b".into()),
        label_selector: None,
    };
    vec![
        Looked(Lookup::Namespace("shop".into()), Fact::Found(r#"{"metadata":{"name":"shop"}}"#.into())),
        Looked(Lookup::Scope(kind), Fact::Missing),
        Looked(Lookup::Object(object.clone()), Fact::Failed("it was away".into())),
        Looked(Lookup::Objects(object), Fact::Found("[]".into())),
        Looked(Lookup::Pods("shop".into()), Fact::Missing),
        Looked(Lookup::Access(Box::new(access.clone())), Fact::Found(r#"{"allowed":true}"#.into())),
        Looked(Lookup::Access(Box::new(Access { target: resource, ..access })), Fact::Missing),
    ]
}

fn outcome() -> Outcome {
    let said = Said { policy: "p".to_owned(), action: "Deny".to_owned(), text: "p: no".to_owned() };
    Outcome { code: Some(403), lines: vec![said], ..Outcome::default() }
}

fn printed(route: Route) -> String {
    let arena = Arena::with_limit(1 << 20);
    let review = line::review(&arena, BODY).unwrap();
    let review = Redaction::default().review(&review).unwrap();
    let (lookups, answer) = (lookups(), outcome());
    let line =
        Line { time: "t", route, set: "d", cluster: true, review: &review, lookups: &lookups, answer: Some(&answer) };
    String::from_utf8(line.print()).unwrap()
}

#[test]
fn is_read_as_it_was_written() {
    for route in [Route::Mutate, Route::Validate] {
        let text = printed(route);
        assert!(!text.contains("4711") && text.ends_with("}\n") && !text.trim_end().contains('\n'), "{text}");
        let recorded = Recorded::read(&text).unwrap();
        assert_eq!(recorded.route(), route);
        assert_eq!((recorded.time.as_ref(), recorded.set.as_ref(), recorded.cluster), ("t", "d", true));
        assert_eq!(recorded.lookups, lookups());
        assert_eq!(
            serde_json::to_value(recorded.answer.as_ref().unwrap()).unwrap(),
            serde_json::to_value(outcome()).unwrap()
        );
        let arena = Arena::with_limit(1 << 20);
        let review = recorded.review(&arena).unwrap();
        let pin = |node: Option<crate::json::Node<'_>>| node.unwrap().at(&["data", "pin"]).unwrap().is_redacted();
        assert!(pin(review.object().unwrap()) && pin(review.old_object().unwrap()));
        assert!(review.object().unwrap() == review.old_object().unwrap() && arena.unknowns() == 0);
        let mut wanted: Value = serde_json::from_str(BODY).unwrap();
        let request = wanted["request"].as_object_mut().unwrap();
        request.remove("options");
        for object in ["object", "oldObject"] {
            request[object]["data"]["pin"] = "admittance.dev/redacted#1".into();
        }
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["review"], wanted);
    }
}

#[test]
fn rejects_other_lines_and_says_nothing_of_what_is_in_them() {
    let error = |text: &str| Recorded::read(text).unwrap_err().to_string();
    for text in ["", "{", "4711", "{\"secret\":\"4711\"}", BODY] {
        assert_eq!(error(text), "not a line of a recording", "{text}");
    }
    let text = printed(Route::Mutate);
    assert_eq!(
        error(&text.replace("\"schemaVersion\":1", "\"schemaVersion\":2")),
        "recorded in form 2, this version reads form 1"
    );
    assert_eq!(error("{\"schemaVersion\":7,\"new\":true}"), "recorded in form 7, this version reads form 1");
    assert_eq!(error(&text.replace("\"missing\":true", "\"missing\":false")), "not a line of a recording");
    for cut in 0..text.len() - 1 {
        assert!(Recorded::read(&text[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn leaves_a_trace_where_nobody_could_be_asked() {
    let arena = Arena::with_limit(1 << 20);
    let fact = Fact::Found(Cow::Borrowed(r#"{"a":"admittance.dev/redacted#1"}"#));
    let Answer::Found(found) = fact.answer(&arena) else { panic!("it was found") };
    assert!(found.get("a").unwrap().is_redacted() && arena.unknowns() == 0);
    assert!(matches!(Fact::Missing.answer(&arena), Answer::Missing) && arena.unknowns() == 0);
    for fact in [Fact::Failed("x".into()), Fact::Found("{".into())] {
        let before = arena.unknowns();
        assert!(matches!(fact.answer(&arena), Answer::Unavailable(_)) && arena.unknowns() > before);
    }
}

#[test]
fn compares_changes_by_what_they_make() {
    let arena = Arena::with_limit(1 << 20);
    let object = crate::json::read(&arena, r#"{"a":1,"s":"admittance.dev/redacted#1"}"#).unwrap().with_redacted(&arena);
    let patch = |text: &str| Outcome { patch: serde_json::from_str(text).unwrap(), ..Outcome::default() };
    let same = |left: &str, right: &str| patch(left).makes_the_same(&patch(right), &arena, object);
    assert_eq!(same("null", "null"), Some(true));
    let add = r#"[{"op":"add","path":"/b","value":2}]"#;
    assert_eq!(same(add, r#"[{"op":"add","path":"/b","value":1},{"op":"replace","path":"/b","value":2}]"#), Some(true));
    assert_eq!(same(add, "null"), Some(false));
    assert_eq!(same(add, r#"[{"op":"remove","path":"/none"}]"#), None);
    // Whether this changes what is redacted nobody knows.
    assert_eq!(same("null", r#"[{"op":"replace","path":"/s","value":"x"}]"#), None);
    assert_eq!(same(add, r#"[{"op":"add","path":"/b","value":2},{"op":"remove","path":"/s"}]"#), Some(false));
}
