use super::*;
use crate::corpora;

fn with_envelope<T>(body: &[u8], test: impl FnOnce(Envelope<'_>, Result<(), EnvelopeError>, &Arena) -> T) -> T {
    let arena = Arena::with_limit(1 << 20);
    let (envelope, read) = Envelope::read(&arena, body);
    // The closure takes the envelope by value; its borrows end with it.
    test(envelope, read, &arena)
}

fn uid_and_error(body: &[u8]) -> (Option<String>, Option<String>) {
    with_envelope(body, |envelope, read, _| {
        (envelope.uid().map(str::to_owned), read.err().map(|error| error.to_string()))
    })
}

fn refusal(body: &str) -> EnvelopeError {
    let arena = Arena::with_limit(1 << 20);
    let (envelope, read) = Envelope::read(&arena, body.as_bytes());
    read.unwrap();
    envelope.into_review(&arena).unwrap_err()
}

#[test]
fn reads_every_field_and_leaves_objects_as_text() {
    let body = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{
        "uid":"705ab4f5","kind":{"group":"autoscaling","version":"v1","kind":"Scale"},
        "resource":{"group":"apps","version":"v1","resource":"deployments"},"subResource":"scale",
        "requestKind":{"group":"autoscaling","version":"v2","kind":"Scale"},
        "requestResource":{"group":"apps","version":"v1beta1","resource":"deployments"},"requestSubResource":"scale",
        "name":"my-d\u0065ployment","namespace":"my-namespace","operation":"UPDATE",
        "userInfo":{"username":"admin","uid":"014fbff9","groups":["system:authenticated","my-group"],"extra":{"k":["v1"]}},
        "object":{"apiVersion":"autoscaling/v1"},"oldObject":null,"options":{"kind":"UpdateOptions"},"dryRun":true,
        "unknown":[1,{"a":2}]}}"#;
    let arena = Arena::with_limit(1 << 20);
    let (envelope, read) = Envelope::read(&arena, body.as_bytes());
    read.unwrap();
    let review = envelope.into_review(&arena).unwrap();
    assert_eq!((review.uid, review.name, review.namespace), ("705ab4f5", "my-deployment", "my-namespace"));
    assert_eq!(review.kind, GroupVersionKind { group: "autoscaling", version: "v1", kind: "Scale" });
    assert_eq!(review.resource, GroupVersionResource { group: "apps", version: "v1", resource: "deployments" });
    assert_eq!(review.request_kind.version, "v2");
    assert_eq!(review.request_resource.version, "v1beta1");
    assert_eq!((review.subresource, review.operation, review.dry_run), ("scale", Operation::Update, true));
    assert_eq!((review.user.username, review.user.uid), ("admin", "014fbff9"));
    assert_eq!(review.user.groups, ["system:authenticated", "my-group"]);
    assert_eq!(review.user.extra.items_of("k").len(), 1);
    assert_eq!(format!("{:?}", review.object), "Some(31 bytes)");
    assert_eq!(review.object().unwrap().unwrap().str("apiVersion"), Some("autoscaling/v1"));
    assert!(review.old_object.is_none());
    assert_eq!(review.options.unwrap().node().unwrap().str("kind"), Some("UpdateOptions"));
}

#[test]
fn takes_the_sent_kind_for_the_requested_one_where_that_is_absent() {
    let body = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u","operation":"CREATE",
        "kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"version":"v1","resource":"pods"},"userInfo":null}}"#;
    let arena = Arena::with_limit(1 << 20);
    let review = Envelope::read(&arena, body.as_bytes()).0.into_review(&arena).unwrap();
    assert_eq!((review.request_kind, review.request_resource), (review.kind, review.resource));
    assert!(review.user.username.is_empty() && review.judged().unwrap().is_null());
}

#[test]
fn keeps_the_uid_whatever_breaks_after_it() {
    let uid = || Some("u1".to_owned());
    let start = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u1","#;
    let with = |rest: &[u8]| uid_and_error(&[start.as_bytes(), rest].concat());
    let cannot = |text: &str| Some(format!("the AdmissionReview cannot be read: {text}"));
    assert_eq!(with(b"\"object\":{"), (uid(), cannot("the JSON ends too early at line 1 column 93")));
    assert_eq!(with(b"\"operation\":7}}"), (uid(), cannot("a value has the wrong type at line 1 column 96")));
    assert_eq!(with(b"\"object\":{\"a\":\"\xff\"}}}").0, uid());
    assert_eq!(
        with(b"\"object\":{\"a\":\"\xff\"}}}").1,
        Some("the AdmissionReview is not UTF-8 after 98 bytes".to_owned())
    );
    let deep = format!("\"object\":{}", "[".repeat(100_000));
    assert_eq!(with(deep.as_bytes()).0, uid());
    assert_eq!(with(b"\"kind\":{}}} x").0, uid());
}

#[test]
fn has_no_uid_where_the_body_has_none() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "{\"request\":null}",
        r#"{"request":{"uid":""}}"#,
        r#"{"request":{"uid":"u"#,
        "\u{feff}{}",
    ] {
        assert_eq!(uid_and_error(body.as_bytes()).0, None, "{body}");
    }
}

#[test]
fn rejects_other_kinds_versions_and_operations() {
    let review = |version: &str, request: &str| {
        format!(r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/{version}"{request}}}"#)
    };
    assert_eq!(refusal(&review("v1beta1", r#","request":{"uid":"u"}"#)), EnvelopeError::NotAReview);
    assert_eq!(refusal(r#"{"kind":"Pod","apiVersion":"v1"}"#), EnvelopeError::NotAReview);
    assert_eq!(refusal(&review("v1", "")), EnvelopeError::NoRequest);
    assert_eq!(refusal(&review("v1", r#","request":{"uid":null}"#)), EnvelopeError::NoUid);
    assert_eq!(refusal(&review("v1", r#","request":{"uid":"u"}"#)), EnvelopeError::UnknownOperation);
    assert_eq!(
        refusal(&review("v1", r#","request":{"uid":"u","operation":"create"}"#)),
        EnvelopeError::UnknownOperation
    );
}

#[test]
fn shows_no_content_in_debug_output() {
    let body = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE",
        "object":{"data":{"password":"hunter2"}},"userInfo":{"extra":{"token":["hunter2"]}}}}"#;
    let arena = Arena::with_limit(1 << 20);
    let review = Envelope::read(&arena, body.as_bytes()).0.into_review(&arena).unwrap();
    assert!(!format!("{review:?}").contains("hunter2"));
    review.object().unwrap();
    assert!(!format!("{review:?}").contains("hunter2"));
}

#[test]
fn reads_recorded_reviews() {
    for line in corpora::lines("admission-requests.jsonl", 194) {
        let row: serde_json::Value = serde_json::from_str(&line).unwrap();
        let body = row["review"].to_string();
        let (uid, error) = uid_and_error(body.as_bytes());
        assert_eq!((uid.as_deref(), error), (row["review"]["request"]["uid"].as_str(), None), "{}", row["id"]);
    }
}

#[test]
fn makes_trees_at_once_for_those_who_are_concerned() {
    let body = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u",
        "resource":{"version":"v1","resource":"pods"},"operation":"UPDATE","object":{"a":1},"oldObject":null,"dryRun":true}}"#;
    for concerned in [true, false] {
        let arena = Arena::with_limit(1 << 20);
        let asked = std::cell::Cell::new(0);
        let (envelope, read) = Envelope::read_for(&arena, body.as_bytes(), &|target| {
            asked.set(asked.get() + 1);
            assert_eq!((target.request_resource.resource, target.operation), ("pods", Operation::Update));
            concerned
        });
        assert_eq!((read, asked.get()), (Ok(()), 2));
        let review = envelope.into_review(&arena).unwrap();
        assert_eq!(format!("{:?}", review.object), if concerned { "Some(0 bytes)" } else { "Some(7 bytes)" });
        assert!(review.object().unwrap().unwrap().get("a").is_some());
        assert!(review.old_object().unwrap().is_none() && review.dry_run);
    }
}

#[test]
fn leaves_an_object_that_cannot_be_read_to_those_who_read_it() {
    let object = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let body = format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"u","operation":"CREATE","object":{object},"dryRun":true}}}}"#
    );
    let arena = Arena::with_limit(1 << 20);
    let (envelope, read) = Envelope::read_for(&arena, body.as_bytes(), &|_| true);
    assert_eq!(read, Ok(()));
    let review = envelope.into_review(&arena).unwrap();
    assert!(review.dry_run && review.object().is_err());
}
