//! What policies need to know beyond the request is asked of the API server.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{
    control_plane::{ControlPlane, PATIENCE, say},
    registration::Registration,
    webhook::{Options, Webhook},
};

const POLICIES: &str = "
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: gold-host-ports }
spec:
  module: host-ports
  matchConstraints: { namespaceSelector: { matchLabels: { tier: gold } } }
";

/// A review does not hold the labels of its namespace.
#[tokio::test]
async fn selects_namespaces_by_the_labels_that_they_have_in_the_cluster() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    let kubeconfig = control_plane.kubeconfig().display().to_string();
    let webhook =
        Webhook::start(&Options { policies: POLICIES, flags: &["--kubeconfig", &kubeconfig], ..Options::default() });
    for name in ["lookups-gold", "lookups-plain"] {
        control_plane.namespace(&api, "lookups", name).await;
    }
    Registration::closed("lookups").act_on(&api, &webhook, "lookups-plain").await;
    let gold = json!({"metadata": {"labels": {"tier": "gold"}}});
    api.patch("/api/v1/namespaces/lookups-gold", &gold).await.expect_ok();

    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web"},
        "spec": {"containers": [
            {"name": "web", "image": "nginx:1.27", "ports": [{"containerPort": 80, "hostPort": 80}]}
        ]},
    });
    api.post("/api/v1/namespaces/lookups-plain/pods?dryRun=All", &pod).await.expect_created();
    let denied = api.post("/api/v1/namespaces/lookups-gold/pods?dryRun=All", &pod).await.expect_failed(403);
    assert_eq!(
        denied,
        "admission webhook \"validate.lookups.example\" denied the request: gold-host-ports: spec.containers[0].ports[0].hostPort: host port 80 is not allowed; none is"
    );
}

const INGRESSES: &str = "
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: hosts }
spec:
  module: unique-ingress-hosts
";

fn ingress(name: &str, host: &str) -> serde_json::Value {
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name},
        "spec": {"rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]},
    })
}

/// The server watches what its policies look up: a request asks nobody, and what changed is known.
#[tokio::test]
async fn keeps_what_policies_look_up() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    let kubeconfig = control_plane.kubeconfig().display().to_string();
    let webhook =
        Webhook::start(&Options { policies: INGRESSES, flags: &["--kubeconfig", &kubeconfig], ..Options::default() });
    for name in ["mirrors-one", "mirrors-two"] {
        control_plane.namespace(&api, "mirrors", name).await;
    }
    Registration::closed("mirrors").act_on(&api, &webhook, "mirrors-one").await;
    let path = |namespace: &str| format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses");
    api.post(&path("mirrors-one"), &ingress("a", "mirrors.example.com")).await.expect_created();
    let begun = Instant::now();
    let denied = loop {
        let answer =
            api.post(&format!("{}?dryRun=All", path("mirrors-two")), &ingress("b", "mirrors.example.com")).await;
        if answer.status.as_u16() != 201 {
            break answer.expect_failed(403);
        }
        assert!(begun.elapsed() < PATIENCE, "the first Ingress is not seen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(denied.contains("mirrors.example.com"), "{denied}");
    say(&format!("an Ingress is known to other requests after {:?}", begun.elapsed()));
    let metrics = webhook.metrics().await;
    assert!(metrics.contains("admittance_lookup_cache_objects{kind=\"Ingress\"} "), "{metrics}");

    api.delete(&format!("{}/a", path("mirrors-one"))).await.expect_ok();
    let begun = Instant::now();
    while api.post(&format!("{}?dryRun=All", path("mirrors-two")), &ingress("b", "mirrors.example.com")).await.status
        != 201
    {
        assert!(begun.elapsed() < PATIENCE, "the Ingress that is gone is still seen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
