use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::post;
use serde_json::{Value, json};

use super::*;
use crate::cluster::made_up;
use crate::evidence::counting::tests::active;

/// The users that the cluster has asked itself about.
type Asked = Arc<Mutex<Vec<String>>>;

async fn token_review(State(asked): State<Asked>, Json(review): Json<Value>) -> Response {
    assert_eq!(review["spec"]["audiences"], json!([AUDIENCE]));
    let token = review["spec"]["token"].as_str().unwrap();
    asked.lock().unwrap().push(format!("who is {token}"));
    let user = json!({"username": token, "uid": "7", "groups": ["g"], "extra": {"k": ["v"]}});
    let status = match token {
        "ann" | "bob" => json!({"authenticated": true, "audiences": [AUDIENCE], "user": user}),
        "kubectl" => json!({"authenticated": true, "audiences": ["https://kubernetes.default.svc"], "user": user}),
        "late" => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        _ => json!({"authenticated": false, "error": "token is expired"}),
    };
    Json(json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {}, "status": status}))
        .into_response()
}

async fn access_review(State(asked): State<Asked>, Json(review): Json<Value>) -> Json<Value> {
    let spec = &review["spec"];
    assert_eq!(spec["nonResourceAttributes"], json!({"path": "/explain", "verb": "get"}));
    assert_eq!((&spec["uid"], &spec["groups"], &spec["extra"]), (&json!("7"), &json!(["g"]), &json!({"k": ["v"]})));
    let user = spec["user"].as_str().unwrap();
    asked.lock().unwrap().push(format!("may {user}"));
    Json(
        json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {}, "status": {"allowed": user == "ann"}}),
    )
}

async fn door() -> (Door, Asked) {
    let asked = Asked::default();
    let router = Router::new()
        .route("/apis/authentication.k8s.io/v1/tokenreviews", post(token_review))
        .route("/apis/authorization.k8s.io/v1/subjectaccessreviews", post(access_review))
        .with_state(Arc::clone(&asked));
    (Door::new(made_up::client(router).await), asked)
}

/// The status, the challenge and the text.
async fn knock(door: &Door, name: &str, value: &str) -> (u16, String, String) {
    let mut headers = HeaderMap::new();
    if !name.is_empty() {
        headers.insert(name.parse::<axum::http::HeaderName>().unwrap(), value.parse().unwrap());
    }
    match door.open(&headers).await {
        Ok(()) => (200, String::new(), String::new()),
        Err(refused) => {
            let response = refused.response();
            let challenge = response.headers().get(WWW_AUTHENTICATE).map(|it| it.to_str().unwrap().to_owned());
            let status = response.status().as_u16();
            let text = to_bytes(response.into_body(), 1 << 20).await.unwrap();
            (status, challenge.unwrap_or_default(), String::from_utf8(text.to_vec()).unwrap())
        }
    }
}

#[tokio::test]
async fn lets_in_who_the_cluster_knows_and_who_may() {
    let (door, asked) = door().await;
    let bearer = |token: &str| format!("Bearer {token}");
    let refused = |status: u16, text: &str| {
        let challenge = if status == 401 { "Bearer realm=\"admittance\"" } else { "" };
        (status, challenge.to_owned(), format!("{text}\n"))
    };
    let header = AUTHORIZATION.as_str();
    assert_eq!(knock(&door, header, &bearer("ann")).await.0, 200);
    assert_eq!(knock(&door, TOKEN_HEADER, "ann").await.0, 200);
    assert_eq!(*asked.lock().unwrap(), ["who is ann", "may ann"], "asked once");
    assert_eq!(knock(&door, header, &bearer("bob")).await, refused(403, "bob may not get /explain"));
    assert_eq!(knock(&door, "", "").await, refused(401, "a bearer token is needed"));
    assert_eq!(knock(&door, header, "Basic YTpi").await, refused(401, "a bearer token is needed"));
    assert_eq!(knock(&door, header, "Bearer ").await, refused(401, "the token is not accepted"));
    assert_eq!(knock(&door, TOKEN_HEADER, "").await, refused(401, "the token is not accepted"));
    assert_eq!(knock(&door, header, &bearer(&"x".repeat(20_000))).await, refused(401, "the token is not accepted"));
    let expired = refused(401, "the token is not accepted: token is expired");
    assert_eq!(knock(&door, header, &bearer("eve")).await, expired);
    let foreign = refused(401, "the token is not accepted: its audience is not admittance.dev");
    assert_eq!(knock(&door, header, &bearer("kubectl")).await, foreign);
    let unknown = refused(503, "the cluster could not be asked who this is");
    assert_eq!(knock(&door, header, &bearer("late")).await, unknown);
    assert_eq!(knock(&door, header, &bearer("late")).await, unknown, "what was not answered is asked again");
    let asked = asked.lock().unwrap();
    assert_eq!(asked.iter().filter(|question| *question == "who is late").count(), 2);
    assert!(!asked.contains(&"may kubectl".to_owned()) && !asked.contains(&"may eve".to_owned()));
}

const POLICIES: &str = "
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: tags }
spec: { module: latest-tag }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: password }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], resources: [pods, secrets], operations: [CREATE] }] }
  validations:
    - expression: \"!has(object.spec) || object.spec.containers.all(c, c.env.all(e, e.value != 'hunter' + '2'))\"
      message: refused
    - expression: \"!has(object.data) || object.data.password != 'aHVudGVyMg' + '=='\"
      message: refused
";

fn review(uid: &str, kind: &str, object: &Value) -> Vec<u8> {
    let resource = format!("{}s", kind.to_lowercase());
    let request = json!({
        "uid": uid, "operation": "CREATE", "namespace": "shop", "userInfo": {"username": "ann"}, "object": object,
        "kind": {"group": "", "version": "v1", "kind": kind}, "resource": {"group": "", "version": "v1", "resource": resource},
    });
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).to_string().into_bytes()
}

fn pod(image: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "c", "image": image, "env": [{"name": "P", "value": "hunter2"}]}]},
    })
}

async fn page(explain: &Explain, question: &str) -> Value {
    let answer = answer(explain, Some(question));
    assert_eq!(answer.status(), StatusCode::OK);
    serde_json::from_slice(&to_bytes(answer.into_body(), 1 << 24).await.unwrap()).unwrap()
}

async fn kept(explain: &Explain, number: usize) {
    let begun = Instant::now();
    while page(explain, "").await["kept"] != number {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn explains_denials_and_samples_and_keeps_no_secret() {
    let explain = Explain::start(1 << 20, 2).unwrap();
    let active = Arc::new(active(POLICIES));
    let take = |body: &[u8], denied: bool| {
        explain.take(
            &Decided { route: Route::Validate, denied, judges_drift: false, body, active: &active },
            Facts::default,
        );
    };
    take(&review("u-1", "Pod", &pod("nginx")), true);
    for uid in ["a", "b", "c"] {
        take(&review(uid, "Pod", &json!({"metadata": {"name": uid}})), false);
    }
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"password": "aHVudGVyMg=="}});
    take(&review("u-2", "Secret", &secret), true);
    kept(&explain, 4).await;

    let denied = page(&explain, "denied=true&namespace=shop&kind=Pod&policy=tags").await;
    let one = &denied["explanations"][0];
    assert_eq!(denied["explanations"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&one["uid"], &one["name"], &one["allowed"], &one["code"]),
        (&json!("u-1"), &json!("web"), &json!(false), &json!(422))
    );
    assert!(one["message"].as_str().unwrap().contains("\ntags: spec.containers[0].image: "), "{one}");
    let steps = one["trace"].as_array().unwrap();
    let fates: Vec<_> =
        steps.iter().map(|step| (step["policy"].as_str().unwrap(), step["outcome"].as_str().unwrap())).collect();
    assert_eq!(fates, [("password", "found"), ("tags", "found")]);
    assert_eq!(steps[0]["evaluations"][0]["value"], "false", "{one}");
    let all = page(&explain, "").await.to_string();
    for secret in ["hunter2", "aHVudGVyMg=="] {
        assert!(!all.contains(secret), "{all}");
    }
    let samples: Vec<_> = page(&explain, "").await["explanations"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["allowed"] == true)
        .map(|it| it["uid"].clone())
        .collect();
    assert_eq!(samples, ["c", "a"], "one in two");
}

#[tokio::test]
async fn counts_what_cannot_be_explained_again() {
    let explain = Explain::start(1 << 20, 0).unwrap();
    let active = Arc::new(active(POLICIES));
    let body = review("u", "Pod", &pod("nginx"));
    let take = |body: &[u8], denied: bool| {
        explain.take(
            &Decided { route: Route::Validate, denied, judges_drift: false, body, active: &active },
            Facts::default,
        );
    };
    take(&body, false);
    take(b"{}", true);
    take(&vec![b' '; WAITING_BYTES + 1], true);
    take(&body, true);
    kept(&explain, 1).await;
    assert_eq!(page(&explain, "").await["missed"], 2);
}

#[tokio::test]
async fn explains_a_denial_of_what_was_not_mutated() {
    let explain = Explain::start(1 << 20, 0).unwrap();
    let active = Arc::new(active(
        "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: { name: team }\nspec:\n  module: add-labels\n  \
         settings: { labels: { team: shop } }\n  required: true\n  onDrift: Deny\n",
    ));
    let body = review("u", "Pod", &pod("nginx:1"));
    let decided = Decided { route: Route::Validate, denied: true, judges_drift: true, body: &body, active: &active };
    explain.take(&decided, Facts::default);
    kept(&explain, 1).await;
    let one = &page(&explain, "").await["explanations"][0];
    assert_eq!((&one["allowed"], &one["code"], &one["policies"]), (&json!(false), &json!(403), &json!(["team"])));
    assert!(one["message"].as_str().unwrap().contains("the mutation is not in the object"), "{one}");
}
