//! Objects that were changed on their way in, and the tools that apply manifests again and again.

use serde_json::{Value, json};

use super::{
    control_plane::{ControlPlane, say, wait_for},
    registration::Registration,
    webhook::{Options, Webhook},
};

/// One mutation of each sort. Those that may be are on Deployments too.
const POLICIES: &str = r#"
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: annotate }
spec:
  module: add-annotations
  settings: { annotations: { origin: fromMutation } }
  matchConstraints:
    resourceRules:
      - { apiGroups: [""], apiVersions: ["*"], operations: [CREATE, UPDATE], resources: [pods] }
      - { apiGroups: [apps], apiVersions: ["*"], operations: [CREATE, UPDATE], resources: [deployments] }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: ship-logs }
spec:
  module: inject-sidecar
  settings:
    native: true
    container: { name: log-shipper, image: "registry.example.com/log-shipper:2.4.1" }
  matchConstraints:
    resourceRules:
      - { apiGroups: [""], apiVersions: ["*"], operations: [CREATE, UPDATE], resources: [pods] }
      - { apiGroups: [apps], apiVersions: ["*"], operations: [CREATE, UPDATE], resources: [deployments] }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: ask-the-registry }
spec:
  module: set-image-pull-policy
  settings: { policy: Always }
"#;

fn manifest(kind: &str, metadata: &Value) -> String {
    let pod = json!({
        "initContainers": [{"name": "prepare", "image": "busybox:1.37", "command": ["true"]}],
        "containers": [{"name": "web", "image": "nginx:1.27"}],
    });
    let manifest = if kind == "Pod" {
        json!({"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": pod})
    } else {
        let labels = json!({"app": "web"});
        let template = json!({"metadata": {"labels": labels}, "spec": pod});
        let spec = json!({"replicas": 0, "selector": {"matchLabels": labels}, "template": template});
        json!({"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec})
    };
    manifest.to_string()
}

async fn set_up(control_plane: &ControlPlane, test: &str, policies: &str) -> Webhook {
    let api = control_plane.api().await;
    control_plane.namespace(&api, test, test).await;
    let webhook = Webhook::start(&Options { policies, ..Options::default() });
    Registration::closed(test).act_on(&api, &webhook, test).await;
    webhook
}

fn get(control_plane: &ControlPlane, namespace: &str, what: &str) -> Value {
    let said = control_plane.kubectl(&["get", "-n", namespace, what, "--show-managed-fields", "-o", "json"]).well();
    serde_json::from_str(&said).unwrap()
}

#[track_caller]
fn assert_mutated(object: &Value) {
    let is_pod = object["kind"] == "Pod";
    let spec = if is_pod { &object["spec"] } else { &object["spec"]["template"]["spec"] };
    assert_eq!(object["metadata"]["annotations"]["origin"], "fromMutation", "{object}");
    let pull_policy = if is_pod { "Always" } else { "IfNotPresent" };
    assert_eq!(spec["containers"][0]["imagePullPolicy"], pull_policy, "{object}");
    let containers = ["initContainers", "containers"].iter().filter_map(|list| spec[list].as_array()).flatten();
    let sidecars = containers.filter(|container| container["name"] == "log-shipper");
    assert_eq!(sidecars.count(), 1, "{object}");
}

#[tokio::test]
async fn applies_again_by_the_server_without_conflict_or_drift() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let _webhook = set_up(control_plane, "server-side", POLICIES).await;
    for (kind, what) in [("Pod", "pod/web"), ("Deployment", "deployment.apps/web")] {
        let manifest = manifest(kind, &json!({"name": "web"}));
        let server_side = |verb, manager| {
            let arguments = [verb, "--server-side", "--field-manager", manager, "-n", "server-side", "-f", "-"];
            control_plane.kubectl_with(&arguments, &manifest).well()
        };
        let applied = format!("{what} serverside-applied\n");
        assert_eq!(server_side("apply", "gitops"), applied);
        let first = get(control_plane, "server-side", what);
        assert_mutated(&first);

        assert_eq!(server_side("diff", "gitops"), "");
        assert_eq!(server_side("apply", "gitops"), applied);
        // The very same fields with the very same owners: not even a new resourceVersion.
        assert_eq!(get(control_plane, "server-side", what), first);

        // Somebody else who applies the same becomes an owner of the same fields, and of none that a policy set.
        assert_eq!(server_side("apply", "somebody-else"), applied);
        let second = get(control_plane, "server-side", what);
        assert_eq!(
            (&second["spec"], &second["metadata"]["annotations"]),
            (&first["spec"], &first["metadata"]["annotations"])
        );

        let said =
            control_plane.kubectl(&["patch", "-n", "server-side", what, "-p", r#"{"metadata":{"labels":{"a":"b"}}}"#]);
        assert_eq!(said.well(), format!("{what} patched\n"));
        assert_eq!(server_side("apply", "gitops"), applied);
        let patched = get(control_plane, "server-side", what);
        assert_eq!((&patched["spec"], &patched["metadata"]["labels"]["a"]), (&first["spec"], &json!("b")));
    }
}

#[tokio::test]
async fn applies_again_by_kubectl_without_drift() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let _webhook = set_up(control_plane, "client-side", POLICIES).await;
    for (kind, what) in [("Pod", "pod/web"), ("Deployment", "deployment.apps/web")] {
        let manifest = manifest(kind, &json!({"name": "web"}));
        let kubectl = |verb| control_plane.kubectl_with(&[verb, "-n", "client-side", "-f", "-"], &manifest).well();
        assert_eq!(kubectl("apply"), format!("{what} created\n"));
        let first = get(control_plane, "client-side", what);
        assert_mutated(&first);

        assert_eq!(kubectl("diff"), "");
        // Wherever a list holds more than the manifest says, be it a sidecar of anybody's, kubectl sends the order of the
        // list alone, and says "configured"; the object stays what it is, down to its resourceVersion.
        assert_eq!(kubectl("apply"), format!("{what} configured\n"));
        assert_eq!(get(control_plane, "client-side", what), first);

        let said =
            control_plane.kubectl(&["patch", "-n", "client-side", what, "-p", r#"{"metadata":{"labels":{"a":"b"}}}"#]);
        assert_eq!(said.well(), format!("{what} patched\n"));
        let patched = get(control_plane, "client-side", what);
        assert_eq!((&patched["spec"], &patched["metadata"]["labels"]["a"]), (&first["spec"], &json!("b")));
    }
}

#[tokio::test]
async fn changes_pods_that_are_named_by_the_api_server() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let webhook = set_up(control_plane, "generate-name", POLICIES).await;
    let manifest = manifest("Pod", &json!({"generateName": "web-"}));
    let said = control_plane.kubectl_with(&["create", "-n", "generate-name", "-f", "-"], &manifest).well();
    let name = said.strip_suffix(" created\n").unwrap();
    assert!(name.starts_with("pod/web-"), "{said}");
    assert_mutated(&get(control_plane, "generate-name", name));
    webhook.wait_for_decision("the review of the pod", |seen| seen.kind == "Pod" && seen.verdict == "patched");
}

#[tokio::test]
async fn changes_pods_of_a_deployment_and_leaves_its_template_alone() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    if !control_plane.has_controllers {
        say("SKIPPED: pods of a Deployment, for want of kube-controller-manager: unset KUBEBUILDER_ASSETS to build it");
        return;
    }
    let demo = include_str!("../../manifests/policies/reference-demo/reference-demo.yaml")
        .replace("include: [special]", "include: [controllers]");
    let _webhook = set_up(control_plane, "controllers", &demo).await;
    let create = ["create", "deployment", "web", "-n", "controllers", "--image=nginx:alpine", "--replicas=2"];
    assert_eq!(control_plane.kubectl(&create).well(), "deployment.apps/web created\n");
    let pods = wait_for("the pods of the Deployment", || {
        let list = get(control_plane, "controllers", "pods");
        list["items"].as_array().filter(|pods| pods.len() == 2).cloned()
    });
    for pod in &pods {
        assert_eq!(pod["metadata"]["annotations"]["origin"], "fromMutation");
        let names: Vec<_> = pod["spec"]["containers"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
        assert_eq!(names, ["nginx", "test-sidecar"]);
        assert_eq!(pod["metadata"]["ownerReferences"][0]["kind"], "ReplicaSet");
    }
    for what in ["deployments", "replicasets"] {
        let list = get(control_plane, "controllers", what);
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{what}");
        let template = &list["items"][0]["spec"]["template"];
        assert_eq!(template["metadata"]["annotations"], Value::Null, "{what}");
        assert_eq!(template["spec"]["containers"].as_array().map(Vec::len), Some(1), "{what}");
    }
}
