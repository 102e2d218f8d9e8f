//! What else is read: AdmissionReviews as others keep them, audit logs, and what is none of these.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tempfile::TempDir;

use super::*;

fn folder(lines: &[Value]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policies.yaml"), POLICIES).unwrap();
    let text = lines.iter().fold(String::new(), |text, line| text + &line.to_string() + "\n");
    fs::write(folder.path().join("reviews.jsonl"), text).unwrap();
    folder
}

fn answered(mut review: Value, response: Value) -> Value {
    review["response"] = response;
    review
}

#[test]
fn compares_reviews_with_the_responses_that_they_come_with() {
    let patch = STANDARD.encode(r#"[{"op":"add","path":"/metadata/annotations/origin","value":"admittance"}]"#);
    let other = STANDARD.encode(r#"[{"op":"add","path":"/metadata/annotations/origin","value":"x"}]"#);
    let good = || review("ConfigMap", "shop", &json!({"metadata": {"name": "a"}}));
    let web = |image| review("Pod", "", &pod("web", image));
    let folder = folder(&[
        answered(good(), json!({"uid": "u", "allowed": true})),
        answered(good(), json!({"uid": "u", "allowed": false, "status": {"message": "no", "code": 403}})),
        answered(web("a:1"), json!({"uid": "u", "allowed": true, "patch": patch, "patchType": "JSONPatch"})),
        answered(web("a:1"), json!({"uid": "u", "allowed": true, "patch": other, "patchType": "JSONPatch"})),
        answered(web("a:latest"), json!({"uid": "u", "allowed": true})),
        answered(good(), json!({"uid": "u", "allowed": "yes"})),
        good(),
    ]);
    let Outcome { out, err, code } = replay(folder.path(), &["-p", "policies.yaml", "reviews.jsonl"]);
    let wanted = "\
replayed 5 reviews: 2 decided alike, 3 otherwise (1 newly denied, 1 newly allowed, 1 patch changed), 0 undecidable

newly denied by tags: 1 review
  namespaces: (none) 1
  owners:     ReplicaSet web 1
  first:      CREATE pods web by ann
              reviews.jsonl:5
    before: allowed
    now:    denied
      tags: spec.containers[0].image: image \"a:latest\" is not pinned: name a tag other than \"latest\", or a digest
      warning: ports: spec.containers[0].ports[0].hostPort: host port 80 is not allowed

newly allowed by policies that were not recorded: 1 review
  namespaces: shop 1
  owners:     ConfigMap shop/a 1
  first:      CREATE configmaps shop/a by ann
              reviews.jsonl:2
    before: denied
      no
    now:    allowed

patch changed by origin: 1 review
  namespaces: (none) 1
  owners:     ReplicaSet web 1
  first:      CREATE pods web by ann
              reviews.jsonl:4
    before: allowed
      {\"op\":\"add\",\"path\":\"/metadata/annotations/origin\",\"value\":\"x\"}
    now:    allowed
      {\"op\":\"add\",\"path\":\"/metadata/annotations/origin\",\"value\":\"admittance\"}

not replayable: 2 lines
        1  its response is no AdmissionResponse
        1  no answer to compare with: --baseline would judge it
";
    assert_eq!((out.as_str(), err.as_str(), code), (wanted, "", Some(1)));
}

#[test]
fn explains_what_decides() {
    let web = review("Pod", "", &pod("web", "a:1"));
    let folder = folder(&[answered(web, json!({"uid": "u", "allowed": true}))]);
    let policy = r#"
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: registry }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods] }] }
  validations: [{ expression: 'object.spec.containers.all(c, c.image.startsWith("registry."))', message: from elsewhere }]
"#;
    fs::write(folder.path().join("policies.yaml"), policy).unwrap();
    let Outcome { out, err, code } = replay(folder.path(), &["-p", "policies.yaml", "reviews.jsonl"]);
    let wanted = "\
    before: allowed
    now:    denied
      registry: from elsewhere
      object.spec.containers.all(c, c.image.startsWith(\"registry.\"))  false
";
    assert!(out.contains(wanted), "{out}");
    assert_eq!((err.as_str(), code), ("", Some(1)));
    let json = replay(folder.path(), &["-p", "policies.yaml", "reviews.jsonl", "-o", "json"]).out;
    let found: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(found["differences"][0]["explanation"][0]["evaluations"][0]["value"], "false", "{found:#}");
}

fn event(verb: &str, stage: &str, code: u16, object: &Value) -> Value {
    json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "auditID": "1", "stage": stage,
        "requestURI": "/api/v1/namespaces/shop/pods", "verb": verb, "user": {"username": "ann", "groups": ["dev"]},
        "objectRef": {"resource": "pods", "namespace": "shop", "name": "web", "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": code}, "requestObject": object,
        "requestReceivedTimestamp": "2026-01-31T12:00:00.000000Z"})
}

#[test]
fn takes_creations_of_an_audit_log_and_says_why_it_takes_nothing_else() {
    let pod = |image: &str| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [{"name": "a", "image": image}]}});
    let without = {
        let mut event = event("create", "ResponseComplete", 201, &pod("a:1"));
        event.as_object_mut().unwrap().remove("requestObject");
        event
    };
    let done = "ResponseComplete";
    let folder = folder(&[
        event("create", done, 201, &pod("a:1")),
        event("create", done, 201, &pod("a:latest")),
        event("create", done, 403, &pod("a:latest")),
        event("create", "RequestReceived", 0, &pod("a:1")),
        event("update", done, 200, &pod("a:1")),
        event("patch", done, 200, &json!({})),
        event("delete", done, 200, &json!({})),
        event("list", done, 200, &json!({})),
        without,
    ]);
    let Outcome { out, err, code } = replay(folder.path(), &["-p", "policies.yaml", "reviews.jsonl"]);
    let wanted = "\
replayed 2 reviews: 1 decided alike, 1 otherwise (1 newly denied), 0 undecidable

newly denied by tags: 1 review
  namespaces: shop 1
  owners:     Pod shop/web 1
  first:      CREATE pods shop/web by ann at 2026-01-31T12:00:00.000000Z
              reviews.jsonl:2
    before: allowed
    now:    denied
      tags: spec.containers[0].image: image \"a:latest\" is not pinned: name a tag other than \"latest\", or a digest

not replayable: 7 lines
        1  audit: another stage of a request than its end
        1  audit: create without its object (its level is below Request)
        1  audit: delete (the log lacks the stored object)
        1  audit: patch (the log lacks what it is applied to)
        1  audit: reads nothing to admit
        1  audit: refused then, by whom is not known: --baseline would judge it
        1  audit: update (the log lacks the stored object)
";
    assert_eq!((out.as_str(), err.as_str(), code), (wanted, "", Some(1)));
    let both = replay(folder.path(), &["-p", "policies.yaml", "--baseline", "policies.yaml", "reviews.jsonl"]);
    assert!(both.out.starts_with("replayed 3 reviews: 3 decided alike"), "{}", both.out);
}

#[test]
fn says_what_a_verdict_needs_that_nobody_knows() {
    let folder = folder(&[answered(review("Pod", "shop", &pod("web", "a:1")), json!({"uid": "u", "allowed": true}))]);
    fs::write(folder.path().join("policies.yaml"), format!("{POLICIES}{TIERS}")).unwrap();
    let Outcome { out, err, code } = replay(folder.path(), &["-p", "policies.yaml", "reviews.jsonl"]);
    let wanted = "\
replayed 1 review: 0 decided alike, 0 otherwise, 1 undecidable

undecidable: 1 review
        1  tiers needs namespace `shop`, which the recording does not hold
";
    assert_eq!((out.as_str(), err.as_str(), code), (wanted, "", Some(0)));
}

#[test]
fn counts_what_is_no_review_and_never_shows_it() {
    let folder = folder(&[answered(review("ConfigMap", "shop", &json!({})), json!({"uid": "u", "allowed": true}))]);
    let path = folder.path().join("reviews.jsonl");
    let mut bytes = fs::read(&path).unwrap();
    for line in [
        "[]",
        "{}",
        "4711-secret",
        "",
        "{\"schemaVersion\":1,\"secret\":1}",
        "{\"schemaVersion\":2}",
        "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"stage\":7}",
    ] {
        bytes.extend(format!("{line}\n").as_bytes());
    }
    bytes.extend(b"\xff\xfe\n{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\"}\n");
    bytes.resize(bytes.len() + 200_000, b'[');
    bytes.extend(b"\n{\"kind\":\"Admi");
    fs::write(&path, bytes).unwrap();
    let Outcome { out, err, code } = replay(folder.path(), &["-p", "policies.yaml", "reviews.jsonl"]);
    let wanted = "\
replayed 1 review: 1 decided alike, 0 otherwise, 0 undecidable

not replayable: 10 lines
        3  no review: not a JSON object
        1  audit: no event of audit.k8s.io/v1
        1  cut off at the end of its file
        1  no review: neither a recording's line, nor an AdmissionReview, nor an audit event of v1
        1  not UTF-8
        1  not a line of a recording
        1  recorded in form 2, this version reads form 1
        1  the AdmissionReview has no request
";
    assert_eq!((out.as_str(), err.as_str(), code), (wanted, "", Some(0)));
}

#[test]
fn ends_with_two_where_nothing_can_be_compared() {
    let folder = folder(&[]);
    let error = |arguments: &[&str]| {
        let Outcome { out: _, err, code } = replay(folder.path(), arguments);
        assert_eq!(code, Some(2));
        err
    };
    assert_eq!(
        error(&["-p", "policies.yaml", "gone"]),
        "error: cannot read \"gone\": No such file or directory (os error 2)\n"
    );
    assert!(error(&["-p", "gone.yaml", "reviews.jsonl"]).starts_with("error: cannot read"));
    assert_eq!(error(&["-p", "policies.yaml", "reviews.jsonl"]), "error: no review could be judged again\n");
}

/// Requests of real clusters, against every pack: nothing panics, and a set agrees with itself.
#[test]
fn judges_the_corpus_alike_with_the_same_policies() {
    let path = crate::http::corpora().join("admission-requests.jsonl");
    let Ok(corpus) = fs::read_to_string(&path) else {
        eprintln!("1 test skipped: {} is not there", path.display());
        return;
    };
    let reviews: Vec<Value> =
        corpus.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["review"].take()).collect();
    let count = reviews.len();
    let folder = folder(&reviews);
    let root = crate::case::root().join("manifests/policies");
    let (starter, hardened) = (root.join("starter"), root.join("hardened"));
    let (starter, hardened) = (starter.to_str().unwrap(), hardened.to_str().unwrap());
    let same = replay(folder.path(), &["-p", starter, "--baseline", starter, "reviews.jsonl", "-o", "json"]);
    let found: Value = serde_json::from_str(&same.out).unwrap();
    assert_eq!(same.code, Some(0), "{found:#}");
    let unfit = found["notReplayable"]["lines"].as_u64().unwrap();
    assert_eq!(found["reviews"].as_u64().unwrap() + unfit, count as u64, "{found:#}");
    let other = replay(folder.path(), &["-p", hardened, "--baseline", starter, "reviews.jsonl", "-o", "json"]);
    let found: Value = serde_json::from_str(&other.out).unwrap();
    assert!(found["different"].as_u64().unwrap() > 0 && other.code == Some(1), "{found:#}");
}
