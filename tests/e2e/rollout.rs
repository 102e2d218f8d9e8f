//! Evidence that replicas keep together, and explanations for whom the cluster knows.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::control_plane::{ControlPlane, PATIENCE};
use super::webhook::{Options, Webhook};

const POLICY: &str =
    "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: { name: ports }\nspec: { module: host-ports }\n";

fn review(namespace: &str) -> Value {
    let object = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "c", "image": "nginx:1", "ports": [{"containerPort": 80, "hostPort": 80}]}]},
    });
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u", "operation": "CREATE", "namespace": namespace, "userInfo": {"username": "ann"}, "object": object,
            "kind": {"group": "", "version": "v1", "kind": "Pod"}, "resource": {"group": "", "version": "v1", "resource": "pods"},
        },
    })
}

#[tokio::test]
async fn keeps_together_what_replicas_have_counted_when_they_end() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    let namespace = "evidence-kept";
    control_plane.namespace(&api, "rollout", namespace).await;
    let policies = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "ours", "labels": {"admittance.dev/policies": "true"}}, "data": {"rules.yaml": POLICY},
    });
    api.post(&format!("/api/v1/namespaces/{namespace}/configmaps"), &policies).await.expect_created();
    let kubeconfig = control_plane.kubeconfig().display().to_string();
    let flags = ["--kubeconfig", &kubeconfig, "--config-maps", "--namespace", namespace, "--drain-seconds", "0"];
    let start = || Webhook::start(&Options { flags: &flags, ..Options::default() });
    let replicas = [start(), start()];
    for (replica, requests) in replicas.iter().zip([1, 2]) {
        for _ in 0..requests {
            replica.client().post("/validate", &review("shop")).await.expect_ok();
        }
    }
    for replica in replicas {
        replica.terminate();
        assert!(replica.end().0.success());
    }
    let kept = api.get(&format!("/api/v1/namespaces/{namespace}/configmaps/admittance-evidence")).await.expect_ok();
    assert_eq!(kept["metadata"]["labels"], json!({"admittance.dev/evidence": "true"}));
    let (later, begun) = (start(), Instant::now());
    loop {
        let page = later.operations().get("/evidence").await.expect_ok();
        let ports = &page["policies"][0];
        if (&page["shared"], &ports["requests"], &ports["denied"]) == (&json!(true), &json!(3), &json!(3)) {
            assert_eq!(ports["violatingOwners"][0]["owner"], "shop/Pod/web");
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{page}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn explains_to_tokens_that_are_meant_for_it_and_may() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    let namespace = "explanations";
    control_plane.namespace(&api, "rollout", namespace).await;
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let named = |name: &str| json!({"metadata": {"name": name}});
    let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
    for account in ["asker", "other"] {
        api.post(&accounts, &named(account)).await.expect_created();
    }
    let role = json!({
        "metadata": {"name": "admittance-explain-e2e"}, "rules": [{"nonResourceURLs": ["/explain"], "verbs": ["get"]}],
    });
    api.post(&format!("{rbac}/clusterroles"), &role).await.expect_created();
    let binding = json!({
        "metadata": {"name": "admittance-explain-e2e"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admittance-explain-e2e"},
        "subjects": [{"kind": "ServiceAccount", "name": "asker", "namespace": namespace}],
    });
    api.post(&format!("{rbac}/clusterrolebindings"), &binding).await.expect_created();
    let token = async |account: &str, audiences: Value| {
        let request = json!({"spec": {"audiences": audiences, "expirationSeconds": 600}});
        let made = api.post(&format!("{accounts}/{account}/token"), &request).await.expect_created();
        made["status"]["token"].as_str().unwrap().to_owned()
    };
    let kubeconfig = control_plane.kubeconfig().display().to_string();
    let flags = ["--kubeconfig", &kubeconfig, "--explain"];
    let server = Webhook::start(&Options { policies: POLICY, flags: &flags, ..Options::default() });
    let client = server.client();
    let denied = client.post("/validate", &review("shop")).await.expect_ok();
    let message = denied["response"]["status"]["message"].as_str().unwrap();
    assert!(message.ends_with("\nwhy: admittance explain --denied -n shop"), "{message}");

    let ours = json!(["admittance.dev"]);
    let knock = async |token: &str| client.saying("Authorization", &format!("Bearer {token}")).get("/explain").await;
    let asker = token("asker", ours.clone()).await;
    let begun = Instant::now();
    loop {
        let page = knock(&asker).await.expect_ok();
        let one = &page["explanations"][0];
        if one["uid"] == "u" {
            assert_eq!((&one["allowed"], &one["trace"][0]["outcome"]), (&json!(false), &json!("found")));
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{page}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let other = knock(&token("other", ours).await).await;
    let expected = format!("system:serviceaccount:{namespace}:other may not get /explain\n");
    assert_eq!((other.status.as_u16(), other.text), (403, expected));
    let foreign = knock(&token("asker", json!([])).await).await;
    assert_eq!(foreign.status.as_u16(), 401, "{}", foreign.text);
    assert!(foreign.text.starts_with("the token is not accepted: "), "{}", foreign.text);
    assert_eq!(client.get("/explain").await.status.as_u16(), 401);
}
