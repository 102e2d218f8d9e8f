//! `admittance doctor` on a real cluster, which has one after the other of what it looks for.

use std::process::Command;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::control_plane::ControlPlane;

fn doctor(kubeconfig: &str) -> (Vec<String>, Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_admittance"));
    let output = command.args(["doctor", "--kubeconfig", kubeconfig, "-o", "json"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let found = document["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|finding| format!("{}: {}", finding["severity"].as_str().unwrap(), finding["what"].as_str().unwrap()));
    (found.collect(), output.status.code(), String::from_utf8(output.stderr).unwrap())
}

const SELECTS: &str = "kubernetes.io/metadata.name";

#[tokio::test]
async fn finds_what_could_lock_the_cluster_and_nothing_once_it_is_repaired() {
    let Some(control_plane) = ControlPlane::without_controllers() else { return };
    let api = control_plane.api().await;
    let kubeconfig = control_plane.kubeconfig().display().to_string();
    assert_eq!(
        doctor(&kubeconfig).0,
        [
            "high: there is no MutatingWebhookConfiguration admittance",
            "high: there is no ValidatingWebhookConfiguration admittance",
        ]
    );

    for name in ["admittance", "cni"] {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        api.post("/api/v1/namespaces", &namespace).await.expect_created();
    }
    let own = "/api/v1/namespaces/admittance";
    let labels = json!({"app": "hook"});
    let service = json!({"metadata": {"name": "admittance"}, "spec": {
        "type": "ExternalName", "externalName": "localhost", "selector": labels, "ports": [{"port": 443}]}});
    api.post(&format!("{own}/services"), &service).await.expect_created();
    let containers = json!([{"name": "a", "image": "a:1", "args": ["serve"]}]);
    for (name, node) in [("a", "n1"), ("b", "n2")] {
        let pod = json!({
            "metadata": {"name": name, "labels": labels},
            "spec": {"nodeName": node, "serviceAccountName": "hook", "containers": containers},
        });
        api.post(&format!("{own}/pods"), &pod).await.expect_created();
        let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        api.patch(&format!("{own}/pods/{name}/status"), &ready).await.expect_ok();
    }
    let agent = json!({
        "metadata": {"name": "agent"},
        "spec": {"selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels}, "spec": {"hostNetwork": true, "containers": containers}}},
    });
    api.post("/apis/apps/v1/namespaces/cni/daemonsets", &agent).await.expect_created();
    let unit = |namespace: &str, module: &str| {
        let text = format!(
            "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: a }}\nspec: {{ module: {module} }}\n"
        );
        let metadata = json!({"name": "unit", "namespace": namespace, "labels": {"admittance.dev/policies": "true"}});
        json!({"metadata": metadata, "data": {"a.yaml": text}})
    };
    api.post(&format!("{own}/configmaps"), &unit("admittance", "disruption-budget")).await.expect_created();
    api.post("/api/v1/namespaces/cni/configmaps", &unit("cni", "host-ports")).await.expect_created();

    // As one might write it by hand.
    let configuration = |kind: &str, name: &str, route: &str| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name},
            "webhooks": [{
                "name": format!("{route}.{}", if name == "admittance" { "admittance.dev" } else { "example.com" }),
                "admissionReviewVersions": ["v1"], "sideEffects": "None", "timeoutSeconds": 30,
                "clientConfig": {"service": {"namespace": "admittance", "name": "admittance", "path": "/x"}},
                "rules": [{"operations": ["CREATE"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}],
            }],
        })
    };
    let path = "/apis/admissionregistration.k8s.io/v1";
    let validating = format!("{path}/validatingwebhookconfigurations");
    let mutating = format!("{path}/mutatingwebhookconfigurations");
    api.post(&validating, &configuration("ValidatingWebhookConfiguration", "admittance", "validate"))
        .await
        .expect_created();
    api.post(&validating, &configuration("ValidatingWebhookConfiguration", "other", "validate")).await.expect_created();
    api.post(&mutating, &configuration("MutatingWebhookConfiguration", "admittance", "mutate")).await.expect_created();
    let (found, code, _) = doctor(&kubeconfig);
    assert_eq!(code, Some(1));
    for expected in [
        "high: validate.admittance.dev has no caBundle",
        "high: mutate.admittance.dev does not exempt the namespace kube-system",
        "high: mutate.admittance.dev does not exempt the namespace admittance",
        "high: validate.admittance.dev sends nodes",
        "high: validate.admittance.dev sends leases",
        "high: validate.admittance.dev sends subjectaccessreviews",
        "high: the DaemonSet cni/agent uses the network of its nodes, and its namespace is not exempt",
        "medium: validate.admittance.dev has a timeout of 30 s",
        "medium: mutate.admittance.dev and validate.admittance.dev refuse what is not judged, and no PodDisruptionBudget protects the pods",
        "medium: the webhook validate.example.com of the ValidatingWebhookConfiguration other judges pods in admittance, and refuses them while nobody answers for it",
        "medium: the ConfigMap cni/unit has policies, and nobody watches its namespace",
    ] {
        assert!(found.iter().any(|found| found == expected), "{expected}\n{found:#?}");
    }
    let starts = |text: &str| found.iter().any(|found| found.starts_with(text));
    assert!(
        starts("medium: policy `a` is not asked about everything: validate.admittance.dev has no rule for UPDATE of "),
        "{found:#?}"
    );
    // They are sent to the webhook, too.
    let unasked = "high: what the servers may do cannot be asked: /apis/authorization.k8s.io/v1/subjectaccessreviews answers 500: ";
    assert!(starts(unasked), "{found:#?}");

    // What refuses everything can still be taken away.
    api.delete(&format!("{validating}/other")).await.expect_ok();
    api.delete(&format!("{validating}/admittance")).await.expect_ok();
    api.delete(&format!("{mutating}/admittance")).await.expect_ok();
    api.delete("/api/v1/namespaces/cni/configmaps/unit").await.expect_ok();
    let begun = std::time::Instant::now();
    let budget =
        json!({"metadata": {"name": "hook"}, "spec": {"selector": {"matchLabels": labels}, "maxUnavailable": 1}});
    while !api.post("/apis/policy/v1/namespaces/admittance/poddisruptionbudgets", &budget).await.status.is_success() {
        assert!(begun.elapsed() < super::control_plane::PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let repaired = |kind: &str, route: &str| {
        let mut one = configuration(kind, "admittance", route);
        let entry = &mut one["webhooks"][0];
        entry["timeoutSeconds"] = json!(5);
        entry["clientConfig"]["caBundle"] = json!(STANDARD.encode(certificate()));
        entry["rules"] = json!([{"operations": ["CREATE", "UPDATE"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"], "scope": "*"}]);
        entry["namespaceSelector"] = json!({"matchExpressions": [{"key": SELECTS, "operator": "NotIn",
            "values": ["kube-system", "kube-node-lease", "admittance", "cni"]}]});
        entry["matchConditions"] = json!([
            {"name": "a", "expression": "!(request.resource.resource in ['nodes', 'leases', 'events'])"},
            {"name": "b", "expression": "!(request.resource.group in ['authentication.k8s.io', 'authorization.k8s.io', 'rbac.authorization.k8s.io'])"},
        ]);
        one
    };
    api.post(&validating, &repaired("ValidatingWebhookConfiguration", "validate")).await.expect_created();
    api.post(&mutating, &repaired("MutatingWebhookConfiguration", "mutate")).await.expect_created();
    let found = doctor(&kubeconfig).0;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("high: the servers may not create configmaps in admittance, "), "{found:#?}");
    assert!(found[0].contains(", list poddisruptionbudgets.policy, "), "{found:#?}");
    let bind =
        ["create", "clusterrolebinding", "hook", "--clusterrole=cluster-admin", "--serviceaccount=admittance:hook"];
    control_plane.kubectl(&bind).well();
    let begun = std::time::Instant::now();
    while doctor(&kubeconfig).1 != Some(0) && begun.elapsed() < super::control_plane::PATIENCE {}
    let (found, code, err) = doctor(&kubeconfig);
    assert_eq!((found, code, err), (vec![], Some(0), String::new()));
}

fn certificate() -> String {
    rcgen::generate_simple_self_signed(["admittance.admittance.svc".to_owned()]).unwrap().cert.pem()
}

#[test]
fn says_when_there_is_no_cluster_to_look_at() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("kubeconfig").display().to_string();
    let (found, code, err) = doctor(&missing);
    assert_eq!((found.len(), code), (0, Some(2)));
    assert!(err.starts_with("error: the cluster cannot be looked at: cannot use the kubeconfig "), "{err}");
}
