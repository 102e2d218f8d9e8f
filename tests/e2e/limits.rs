//! Large, wrong and broken requests.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    control_plane::ControlPlane,
    registration::Registration,
    webhook::{Options, Webhook},
};

const MARK: &str = r#"
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: mark }
spec:
  module: add-labels
  settings: { labels: { judged: "yes" } }
  matchConstraints:
    resourceRules:
      - { apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps, pods] }
"#;

fn config_map(name: &str, data: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": data}})
}

/// Only what cannot be answered by its uid is answered by a bare status.
#[tokio::test]
async fn answers_bodies_without_a_uid_with_a_bare_status() {
    let webhook = Webhook::start(&Options { flags: &["--max-body-mib", "1"], ..Options::default() });
    let client = webhook.client();
    let json = "application/json";
    let large = || vec![b' '; 2 << 20];
    for path in ["/mutate", "/validate"] {
        for (method, content_type, body, status, text) in [
            (Method::GET, "", vec![], 405, "GET is not allowed here, POST an AdmissionReview\n"),
            (Method::PUT, json, b"{}".to_vec(), 405, "PUT is not allowed here, POST an AdmissionReview\n"),
            (Method::POST, "text/plain", b"{}".to_vec(), 415, "expected content type application/json\n"),
            (Method::POST, "", b"{}".to_vec(), 415, "expected content type application/json\n"),
            (Method::POST, json, large(), 413, "the request body is too large\n"),
            (Method::POST, json, vec![], 400, ""),
            (Method::POST, json, b"{\"kind\":".to_vec(), 400, ""),
            (Method::POST, json, b"\xff\xfe".to_vec(), 400, ""),
            (Method::POST, json, b"[]".to_vec(), 400, ""),
            (Method::POST, json, b"{}".to_vec(), 400, ""),
        ] {
            let answer = client.send(method.clone(), path, content_type, body).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text);
            assert!(text.is_empty() || answer.text == text, "{method} {path}: {}", answer.text);
            assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
            assert_eq!(
                answer.headers.get("allow").map(|allowed| allowed.to_str().unwrap()),
                (status == 405).then_some("POST")
            );
        }
    }
    // Once the uid is known, the same is a denial inside a 200: anything else opens the door where the webhook fails open.
    let uid = br#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1""#;
    let mut cut = uid.to_vec();
    let mut too_large = [uid, &b","[..]].concat();
    too_large.extend(large());
    cut.extend(b",\"kind\":");
    for (content_type, body, code) in [(json, cut.clone(), 400), (json, too_large, 413), ("text/plain", cut, 415)] {
        let answer = client.send(Method::POST, "/validate", content_type, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.body["response"]["uid"], "u-1");
        assert_eq!(answer.body["response"]["allowed"], false);
        assert_eq!(answer.body["response"]["status"]["code"], code);
    }
}

/// The API server writes each `<` with six bytes: a review may be six times as large as its object.
#[tokio::test]
async fn judges_an_object_that_swells_on_its_way() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    control_plane.namespace(&api, "large", "large").await;
    let webhook = Webhook::start(&Options { policies: MARK, ..Options::default() });
    Registration::closed("large").act_on(&api, &webhook, "large").await;
    let brackets = "<".repeat(1_300_000);

    let container = json!({"name": "web", "image": "nginx:1.27", "args": [brackets]});
    let pod =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "large"}, "spec": {"containers": [container]}});
    let stored = api.post("/api/v1/namespaces/large/pods", &pod).await.expect_created();
    assert_eq!(stored["metadata"]["labels"], json!({"judged": "yes"}));
    assert_eq!(stored["spec"]["containers"][0]["args"], json!([brackets]));
    webhook.wait_for_decision("the validation", |seen| seen.message == "Validate" && seen.name == "large");
    // An update holds it twice.
    let update = json!({"metadata": {"annotations": {"a": "b"}}});
    api.patch("/api/v1/namespaces/large/pods/large", &update).await.expect_ok();

    // A ConfigMap of this size is for the API server to refuse, after it was changed.
    let answer = api.post("/api/v1/namespaces/large/configmaps", &config_map("large", &brackets)).await;
    let message = "ConfigMap \"large\" is invalid: []: Too long: may not be more than 1048576 bytes";
    assert_eq!(answer.expect_failed(422), message);
    webhook.wait_for_decision("the mutation", |seen| {
        seen.kind == "ConfigMap" && seen.name == "large" && seen.verdict == "patched"
    });
}

#[tokio::test]
async fn refuses_what_is_too_large_even_where_it_fails_open() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    control_plane.namespace(&api, "too-large", "too-large").await;
    let flags = &["--max-body-mib", "1"];
    let webhook = Webhook::start(&Options { policies: MARK, flags, ..Options::default() });
    Registration::open("too-large").act_on(&api, &webhook, "too-large").await;
    let small = config_map("small", &"<".repeat(100_000));
    let stored = api.post("/api/v1/namespaces/too-large/configmaps", &small).await.expect_created();
    assert_eq!(stored["metadata"]["labels"], json!({"judged": "yes"}));
    let large = config_map("large", &"<".repeat(1_300_000));
    let message = api.post("/api/v1/namespaces/too-large/configmaps", &large).await.expect_failed(413);
    assert_eq!(
        message,
        "admission webhook \"mutate.too-large.example\" denied the request: the request body is too large"
    );
}
