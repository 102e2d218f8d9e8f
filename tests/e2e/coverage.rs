//! `admittance coverage --cluster` against webhook configurations as a real API server stores them.

use std::process::Command;

use serde_json::{Value, json};

use super::control_plane::{ControlPlane, TEST_LABEL};

const POLICY: &str = r#"apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: tags }
spec:
  module: latest-tag
  matchConstraints:
    resourceRules:
      - { apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods, pods/ephemeralcontainers] }
"#;

/// What is stored where only what is needed is said. No namespace has the label: nothing is ever sent.
fn configuration(kind: &str, name: &str, operations: &[&str]) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": "coverage"},
        "webhooks": [{
            "name": name, "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Ignore",
            "clientConfig": {"url": "https://127.0.0.1:1/"},
            "namespaceSelector": {"matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", "sandbox"]},
            ]},
            "objectSelector": {"matchLabels": {TEST_LABEL: "coverage-is-never-asked"}},
            "rules": [{"operations": operations, "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
        }],
    })
}

#[tokio::test]
async fn names_what_stored_webhook_configurations_do_not_send() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    let folder = tempfile::tempdir().unwrap();
    let policies = folder.path().join("policies.yaml");
    std::fs::write(&policies, POLICY).unwrap();
    let coverage = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_admittance"));
        command.args(["coverage", "--cluster", "--webhook-configuration", "coverage", "-o", "json"]);
        let output = command.arg("--kubeconfig").arg(control_plane.kubeconfig()).arg("-p").arg(&policies).output();
        let output = output.unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let gaps = document["gaps"].as_array().into_iter().flatten();
        let text = |gap: &Value| {
            let of = |field: &str| gap[field].as_str().unwrap_or_default().to_owned();
            format!("{} {}: {} | {}", of("severity"), of("sort"), of("route"), of("why"))
        };
        (gaps.map(text).collect::<Vec<_>>(), output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let none = "error: the cluster has no webhook configuration coverage: name it with --webhook-configuration\n";
    assert_eq!(coverage(), (vec![], Some(2), none.to_owned()));

    let base = "/apis/admissionregistration.k8s.io/v1";
    let mutating = configuration("MutatingWebhookConfiguration", "mutate.admittance.dev", &["CREATE"]);
    api.post(&format!("{base}/mutatingwebhookconfigurations"), &mutating).await.expect_created();
    let validating = configuration("ValidatingWebhookConfiguration", "validate.admittance.dev", &["CREATE"]);
    let path = format!("{base}/validatingwebhookconfigurations");
    api.post(&path, &validating).await.expect_created();
    let (narrow, code, problems) = coverage();
    assert_eq!((code, problems.as_str()), (Some(1), ""), "{narrow:#?}");
    let exempt = "accepted namespace: validate.admittance.dev: everything in kube-system, sandbox | \
         the namespaceSelector exempts them: whoever may write there is not judged";
    let open = "accepted failure: validate.admittance.dev: everything | \
         the failurePolicy is Ignore: while no replica answers, requests pass unchecked";
    let unsent = "bypass webhook: not asked about everything | \
         validate.admittance.dev has no rule for UPDATE of pods, and for CREATE and UPDATE of pods/ephemeralcontainers";
    for expected in [exempt, open, unsent] {
        assert!(narrow.iter().any(|gap| gap == expected), "{expected}: {narrow:#?}");
    }

    // With rules that are wide enough what is left is the selector.
    let mut whole = validating["webhooks"].clone();
    whole[0]["rules"][0]["operations"] = json!(["*"]);
    whole[0]["rules"][0]["resources"] = json!(["pods", "pods/*"]);
    api.patch(&format!("{path}/coverage"), &json!({"webhooks": whole})).await.expect_ok();
    let (wide, code, _) = coverage();
    let bypasses: Vec<&String> = wide.iter().filter(|gap| gap.starts_with("bypass ")).collect();
    let selected = "bypass webhook: not asked about everything | \
         validate.admittance.dev sends only objects with admittance-test in (coverage-is-never-asked)";
    assert_eq!((bypasses, code), (vec![&selected.to_owned()], Some(1)));
    assert!(wide.iter().any(|gap| gap == exempt) && wide.iter().any(|gap| gap == open), "{wide:#?}");
    for kind in ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] {
        api.delete(&format!("{base}/{kind}/coverage")).await.expect_ok();
    }
}
