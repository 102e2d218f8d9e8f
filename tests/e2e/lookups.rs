//! What policies need to know beyond the request is asked of the API server.

use serde_json::json;

use super::{
    control_plane::ControlPlane,
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
