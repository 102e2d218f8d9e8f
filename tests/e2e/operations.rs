//! Every sort of review that an API server sends is answered.

use hyper::Method;
use serde_json::{Value, json};

use super::{
    control_plane::ControlPlane,
    registration::Registration,
    webhook::{Options, Webhook},
};

/// Where the webhook fails closed, what it does not answer fails; so what succeeds was answered.
#[tokio::test]
async fn answers_every_operation_and_subresource() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    control_plane.namespace(&api, "operations", "operations").await;
    let webhook = Webhook::start(&Options {
        policies: include_str!("../../manifests/policies/starter/starter.yaml"),
        ..Options::default()
    });
    Registration::closed("operations").act_on(&api, &webhook, "operations").await;

    let namespace = "/api/v1/namespaces/operations";
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web"},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": "web", "image": "nginx:1.27"}]},
    });
    api.post(&format!("{namespace}/pods"), &pod).await.expect_created();
    let web = format!("{namespace}/pods/web");
    api.patch(&web, &json!({"metadata": {"labels": {"a": "b"}}})).await.expect_ok();
    api.patch(&format!("{web}/status"), &json!({"status": {"phase": "Running"}})).await.expect_ok();
    let debugger = json!({"spec": {"ephemeralContainers": [{"name": "debugger", "image": "busybox:1.37"}]}});
    api.patch(&format!("{web}/ephemeralcontainers"), &debugger).await.expect_ok();
    let resources = json!({"requests": {"cpu": "1"}, "limits": {"cpu": "1"}});
    let burstable = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "large"},
        "spec": {"containers": [{"name": "web", "image": "nginx:1.27", "resources": resources}]},
    });
    let mut large = api.post(&format!("{namespace}/pods"), &burstable).await.expect_created();
    large["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "2"}, "limits": {"cpu": "2"}});
    api.put(&format!("{namespace}/pods/large/resize"), &large).await.expect_ok();

    // No kubelet runs here, so a command cannot. It fails after its review, on the way to the node.
    let exec = api.send(Method::POST, &format!("{web}/exec?command=true&stdout=true"), "", vec![]).await;
    assert_eq!(exec.expect_failed(400), "pod web does not have a host assigned");

    let binding = json!({
        "apiVersion": "v1", "kind": "Binding", "metadata": {"name": "large"}, "target": {"kind": "Node", "name": "none"}
    });
    api.post(&format!("{namespace}/pods/large/binding"), &binding).await.expect_created();
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "large"}});
    api.post(&format!("{namespace}/pods/large/eviction?dryRun=All"), &eviction).await.expect_created();

    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod["spec"]},
        },
    });
    api.post("/apis/apps/v1/namespaces/operations/deployments", &deployment).await.expect_created();
    let scale = json!({"spec": {"replicas": 0}});
    api.patch("/apis/apps/v1/namespaces/operations/deployments/web/scale", &scale).await.expect_ok();

    for name in ["one", "two"] {
        let config_map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
        api.post(&format!("{namespace}/configmaps"), &config_map).await.expect_created();
    }
    api.delete(&format!("{namespace}/configmaps")).await.expect_ok();
    api.delete(&web).await.expect_ok();

    for (operation, kind, subresource, name) in [
        ("CREATE", "Pod", "", "web"),
        ("UPDATE", "Pod", "", "web"),
        ("UPDATE", "Pod", "status", "web"),
        ("UPDATE", "Pod", "ephemeralcontainers", "web"),
        ("UPDATE", "Pod", "resize", "large"),
        ("CONNECT", "PodExecOptions", "exec", "web"),
        ("CREATE", "Binding", "binding", "large"),
        ("CREATE", "Eviction", "eviction", "large"),
        ("UPDATE", "Scale", "scale", "web"),
        // Of a collection each object is reviewed, and its name is read from it.
        ("DELETE", "ConfigMap", "", "one"),
        ("DELETE", "ConfigMap", "", "two"),
        ("DELETE", "Pod", "", "web"),
    ] {
        for route in ["Mutate", "Validate"] {
            let seen = webhook.wait_for_decision(&format!("{route} {operation} {kind}/{subresource} {name}"), |seen| {
                seen.message == route
                    && (seen.operation.as_str(), seen.kind.as_str()) == (operation, kind)
                    && (seen.subresource.as_str(), seen.name.as_str()) == (subresource, name)
            });
            assert_eq!(seen.verdict, "allowed", "{seen:?}");
        }
    }
    // Everything else that the API server and the controllers asked meanwhile was answered as well.
    let log = webhook.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let unanswered: Vec<Value> = lines.filter(|line| line["level"] == "ERROR" || line["level"] == "WARN").collect();
    assert!(unanswered.is_empty(), "{unanswered:?}");
}
