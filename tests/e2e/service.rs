//! Through a Service, as in a cluster.

use serde_json::json;

use super::{
    control_plane::ControlPlane,
    registration::Registration,
    webhook::{Options, Webhook},
};

/// A Service of type ExternalName takes the same way through the API server as one with pods behind it, and needs no
/// kube-proxy. The API server speaks HTTP/1.1 to Services, and expects the Service's name in the certificate.
#[tokio::test]
async fn answers_through_a_service() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    control_plane.namespace(&api, "service", "service").await;
    control_plane.namespace(&api, "nobody", "admittance").await;
    let service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "webhook"},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    });
    api.post("/api/v1/namespaces/admittance/services", &service).await.expect_created();
    let webhook = Webhook::start(&Options {
        policies: include_str!("../../manifests/policies/reference-demo/reference-demo.yaml"),
        name: Some("webhook.admittance.svc"),
        ..Options::default()
    });
    Registration::closed("service").through_service("admittance", "webhook").act_on(&api, &webhook, "service").await;

    let said = control_plane.kubectl(&["run", "web", "-n", "service", "--image=nginx:alpine", "--dry-run=server"]);
    assert_eq!(said.well(), "pod/web created (server dry run)\n");
    let seen = webhook.wait_for_decision("the pod", |seen| seen.name == "web" && seen.message == "Mutate");
    assert_eq!((seen.verdict.as_str(), seen.user.as_str()), ("patched", "admin"));
    let said = control_plane.kubectl(&["run", "latest", "-n", "service", "--image=nginx:latest"]);
    assert!(
        said.badly()
            .contains("\"validate.service.example\" denied the request: no-latest-tag: spec.containers[0].image")
    );
}
