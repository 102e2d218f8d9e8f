//! What policies need, in a real cluster: the rights that `admittance rbac` prints are enough and none is too many, and the rules
//! that `admittance webhook-rules` prints are taken and reach every policy; what a server says when they do not.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    api::Api,
    control_plane::{ControlPlane, PATIENCE, TEST_LABEL},
    webhook::{Options, Webhook},
};

/// What a command says about policies.
fn printed(command: &str, policies: &str, format: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policies.yaml");
    std::fs::write(&path, policies).unwrap();
    let mut asked = Command::new(env!("CARGO_BIN_EXE_admittance"));
    let output = asked.args([command, "-o", format, "-p"]).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const NEEDY: &str = "\
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: budgets }
spec: { module: disruption-budget }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: standards }
spec: { module: pod-security, settings: { namespaceLabels: true } }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: selectors }
spec: { module: unique-service-selectors }
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: limit }
spec:
  paramKind: { apiVersion: v1, kind: ConfigMap }
  matchConstraints: { resourceRules: [{ apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments] }] }
  validations: [{ expression: \"params.data.max == '3' && authorizer.group('').resource('pods').namespace('rights').check('get').allowed()\" }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: to-limit }
spec: { policyName: limit, validationActions: [Deny], paramRef: { name: limits, namespace: rights, parameterNotFoundAction: Deny } }
";

fn review(group: &str, kind: &str, resource: &str, object: &Value, old_object: &Value) -> Value {
    let namespace = if resource == "namespaces" { object["metadata"]["name"].clone() } else { json!("rights") };
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u",
            "kind": {"group": group, "version": "v1", "kind": kind},
            "resource": {"group": group, "version": "v1", "resource": resource},
            "name": object["metadata"]["name"], "namespace": namespace,
            "operation": if old_object.is_null() { "CREATE" } else { "UPDATE" },
            "userInfo": {"username": "admin", "groups": ["system:masters", "system:authenticated"]},
            "object": object, "oldObject": old_object,
        },
    })
}

/// What a server says to requests about which each policy has a question: allowed or the message, and warnings.
async fn answers(server: &Webhook) -> Vec<String> {
    let template =
        json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}});
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "rights"},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template},
    });
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "new", "namespace": "rights"},
        "spec": {"selector": {"app": "web"}},
    });
    let namespace = |level: &str| {
        let labels = json!({"pod-security.kubernetes.io/enforce": level});
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "rights", "labels": labels}})
    };
    let mut said = vec![];
    for review in [
        review("apps", "Deployment", "deployments", &deployment, &Value::Null),
        review("", "Service", "services", &service, &Value::Null),
        review("", "Namespace", "namespaces", &namespace("restricted"), &namespace("privileged")),
    ] {
        let answer = server.client().post("/validate?timeout=10s", &review).await.expect_ok();
        let response = &answer["response"];
        let message = response["status"]["message"].as_str().unwrap_or("allowed");
        let warnings = response["warnings"].as_array().into_iter().flatten().map(|it| it.as_str().unwrap());
        said.push(std::iter::once(message).chain(warnings).collect::<Vec<_>>().join(" | "));
    }
    said
}

#[tokio::test]
async fn the_rights_that_are_printed_are_enough() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    control_plane.namespace(&api, "nobody", "rights").await;
    let place = "/api/v1/namespaces/rights";
    let object = |kind: &str, name: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
    api.post(&format!("{place}/serviceaccounts"), &object("ServiceAccount", "hook")).await.expect_created();
    let mut limits = object("ConfigMap", "limits");
    limits["data"] = json!({"max": "3"});
    api.post(&format!("{place}/configmaps"), &limits).await.expect_created();
    let mut pod = object("Pod", "root");
    pod["spec"] = json!({"containers": [{"name": "a", "image": "a:1"}]});
    api.post(&format!("{place}/pods"), &pod).await.expect_created();

    let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let token = api.post(&format!("{place}/serviceaccounts/hook/token"), &request).await.expect_created();
    let mut kubeconfig: Value =
        serde_saphyr::from_str(&std::fs::read_to_string(control_plane.kubeconfig()).unwrap()).unwrap();
    kubeconfig["users"][0]["user"] = json!({"token": token["status"]["token"]});
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    std::fs::write(&path, kubeconfig.to_string()).unwrap();
    let flags = ["--kubeconfig", path.to_str().unwrap()];
    let server = Webhook::start(&Options { policies: NEEDY, flags: &flags, ..Options::default() });
    let without = answers(&server).await;
    let lacks = "this server's role lacks the right";
    assert!(without[0].contains(lacks) && without[1].contains(lacks), "{without:?}");
    assert!(without[2].contains("failed to list pods while checking new PodSecurity enforce level"), "{without:?}");

    let roles = printed("rbac", NEEDY, "yaml");
    assert!(control_plane.kubectl_with(&["apply", "-f", "-"], &roles).succeeded, "{roles}");
    let subject = "--serviceaccount=rights:hook";
    control_plane
        .kubectl(&["create", "clusterrolebinding", "rights", "--clusterrole=admittance-lookups", subject])
        .well();
    control_plane
        .kubectl(&["create", "rolebinding", "rights", "-n", "rights", "--role=admittance-lookups", subject])
        .well();
    let begun = Instant::now();
    let with = loop {
        let said = answers(&server).await;
        if !said.iter().any(|said| said.contains(lacks) || said.contains("failed to list pods")) {
            break said;
        }
        assert!(begun.elapsed() < PATIENCE, "{said:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let missing = "budgets: spec.replicas: no PodDisruptionBudget selects the pods: create one before them, such as maxUnavailable: 1";
    assert!(with[0].starts_with(&format!("{missing} | standards: would violate PodSecurity")), "{with:?}");
    assert_eq!(with[1], "allowed");
    let existing =
        "existing pods in namespace \"rights\" violate the new PodSecurity enforce level \"restricted:latest\"";
    assert!(with[2].contains(existing), "{with:?}");
}

/// The names of policies that are not asked about everything, by the server's page.
async fn unreached(server: &Webhook) -> Vec<String> {
    let page = server.client().get("/policies").await.expect_ok();
    let policies = page["units"].as_array().unwrap().iter().flat_map(|unit| unit["policies"].as_array().unwrap());
    let unreached = policies.filter(|policy| policy["unreached"].is_string());
    unreached.map(|policy| policy["name"].as_str().unwrap().to_owned()).collect()
}

async fn becomes_unreached(server: &Webhook, expected: &[&str]) {
    let begun = Instant::now();
    loop {
        let found = unreached(server).await;
        if found == expected {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {expected:?}: {found:?}\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

const PATH: &str = "/apis/admissionregistration.k8s.io/v1";

async fn register(api: &Api, server: &Webhook, rules: &Value) {
    for (path, kind, route) in [
        ("mutatingwebhookconfigurations", "MutatingWebhookConfiguration", "mutate"),
        ("validatingwebhookconfigurations", "ValidatingWebhookConfiguration", "validate"),
    ] {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": "needs-rules"},
            "webhooks": [{
                "name": format!("{route}.admittance.dev"),
                "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
                "clientConfig": {
                    "url": format!("https://{}/{route}", server.address), "caBundle": STANDARD.encode(server.certificate()),
                },
                "namespaceSelector": {"matchLabels": {TEST_LABEL: "needs-rules"}},
                "rules": rules[route],
            }],
        });
        api.post(&format!("{PATH}/{path}"), &configuration).await.expect_created();
    }
}

#[tokio::test]
async fn the_rules_that_are_printed_reach_the_policies_and_what_they_do_not_is_said() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    control_plane.namespace(&api, "needs-rules", "needs-rules").await;
    let policy = |name: &str, module: &str| {
        format!(
            "---\napiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec:\n  module: {module}\n  matchConstraints: {{ namespaceSelector: {{ matchLabels: {{ {TEST_LABEL}: needs-rules }} }} }}\n"
        )
    };
    let policies = [policy("ports", "host-ports"), policy("pull", "set-image-pull-policy")].concat();
    let kubeconfig = control_plane.kubeconfig().display().to_string();
    let flags = ["--kubeconfig", &kubeconfig, "--webhook-configuration", "needs-rules"];
    let server = Webhook::start(&Options { policies: &policies, flags: &flags, ..Options::default() });
    let mut printed: Value = serde_json::from_str(&printed("webhook-rules", &policies, "json")).unwrap();
    register(&api, &server, &printed["webhook"]["rules"].take()).await;

    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "web", "image": "nginx:1.27", "ports": [{"containerPort": 80, "hostPort": 80}]}]},
    });
    let begun = Instant::now();
    let denied = loop {
        let answer = api.post("/api/v1/namespaces/needs-rules/pods?dryRun=All", &pod).await;
        if answer.status == 403 {
            break answer.expect_failed(403);
        }
        assert!(begun.elapsed() < PATIENCE, "{}", answer.text);
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(
        denied.starts_with("admission webhook \"validate.admittance.dev\" denied the request: ports: "),
        "{denied}"
    );
    becomes_unreached(&server, &[]).await;

    let configuration = format!("{PATH}/validatingwebhookconfigurations/needs-rules");
    let rules = json!([{"op": "replace", "path": "/webhooks/0/rules", "value": [
        {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["services"]}]}]);
    let patch = rules.to_string().into_bytes();
    api.send(hyper::Method::PATCH, &configuration, "application/json-patch+json", patch).await.expect_ok();
    becomes_unreached(&server, &["ports"]).await;
    let said = "policy `ports` is never asked: validate.admittance.dev has no rule for CREATE and UPDATE of pods, ";
    assert_eq!(server.log().matches(said).count(), 1, "{}", server.log());

    let labels = json!({"admittance.dev/policies": "true"});
    let unit = json!({
        "metadata": {"name": "new", "namespace": "x", "labels": labels},
        "data": {"a.yaml": policy("tags", "latest-tag")},
    });
    let asked =
        json!({"request": {"uid": "u", "operation": "CREATE", "userInfo": {"username": "ann"}, "object": unit}});
    let refused = server.client().post("/units", &asked).await.expect_ok();
    let message = refused["response"]["status"]["message"].as_str().unwrap();
    assert!(
        message.starts_with(
            "policies would never be asked\npolicy `tags` is never asked: validate.admittance.dev has no rule for "
        ),
        "{message}"
    );

    api.delete(&configuration).await.expect_ok();
    becomes_unreached(&server, &[]).await;
    api.delete(&format!("{PATH}/mutatingwebhookconfigurations/needs-rules")).await.expect_ok();
}
