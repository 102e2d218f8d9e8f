//! ConfigMaps whose policies do not pass their own tests: refused when they are applied, and never active.

use serde_json::json;

use super::{
    config_maps::{config_map, policy, runs, start, units_entry, wait_for_list},
    control_plane::{ControlPlane, wait_for},
};

const FAILURE: &str = "test `ports`, case `a port of the node` fails: allowed: expected true, got false";

/// A policy with a test; it holds where `is_right`.
fn tested(name: &str, is_right: bool) -> String {
    format!(
        "{}---\n\
         apiVersion: admittance.dev/v1alpha1\n\
         kind: PolicyTest\n\
         metadata: {{ name: ports }}\n\
         spec:\n\
         \x20 cases:\n\
         \x20 - name: a port of the node\n\
         \x20   object:\n\
         \x20     apiVersion: v1\n\
         \x20     kind: Pod\n\
         \x20     metadata: {{ name: web }}\n\
         \x20     spec: {{ containers: [{{ name: web, image: \"nginx:1\", ports: [{{ containerPort: 80, hostPort: 80 }}] }}] }}\n\
         \x20   expect: {{ allowed: {} }}\n",
        policy(name),
        !is_right,
    )
}

#[tokio::test]
async fn keeps_the_version_before_a_config_map_whose_tests_fail_and_names_the_case_everywhere() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    let namespace = "gate-kept";
    control_plane.namespace(&api, "gate", namespace).await;
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    api.post(&path, &config_map("rules", &tested("first", true))).await.expect_created();
    let server = start(control_plane, namespace);
    runs(&server, &["gate-kept/rules active first"]).await;

    let edit = json!({"data": {"rules.yaml": tested("second", false)}});
    api.patch(&format!("{path}/rules"), &edit).await.expect_ok();
    runs(&server, &["gate-kept/rules stale first"]).await;

    let page = server.client().get("/policies").await.expect_ok();
    let problem = page["units"][0]["problems"][0].as_str().unwrap();
    assert!(problem.starts_with("gate-kept/rules/rules.yaml:"), "{problem}");
    assert!(problem.ends_with(&format!("error: {FAILURE}")), "{problem}");
    let event = wait_for_list(&api, &format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events"), |event| {
        event["reason"] == "PoliciesBroken" && event["regarding"]["name"] == "rules"
    })
    .await;
    assert_eq!((&event["type"], &event["regarding"]["kind"]), (&json!("Warning"), &json!("ConfigMap")));
    assert_eq!(event["note"], format!("the last good version runs on: {problem}"));
    wait_for("the failing case in the log", || server.log().contains(FAILURE).then_some(()));
    let metrics = server.metrics().await;
    assert!(metrics.contains("admittance_units{state=\"stale\"} 1\n"), "{metrics}");

    api.patch(&format!("{path}/rules"), &json!({"data": {"rules.yaml": tested("third", true)}})).await.expect_ok();
    runs(&server, &["gate-kept/rules active third"]).await;
}

#[tokio::test]
async fn refuses_a_config_map_whose_tests_fail_when_it_is_applied() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    let namespace = "gate-applied";
    control_plane.namespace(&api, "gate", namespace).await;
    let server = start(control_plane, namespace);
    let configurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    api.post(configurations, &units_entry(&server, namespace)).await.expect_created();
    let apply = |is_right: bool, flags: &[&str]| {
        let text = config_map("rules", &tested("ports", is_right)).to_string();
        control_plane.kubectl_with(&[&["apply", "-n", namespace, "-f", "-"], flags].concat(), &text)
    };
    let refused = wait_for("the entry to act", || {
        let said = apply(false, &["--dry-run=server"]);
        (!said.succeeded).then(|| said.badly())
    });
    assert!(refused.contains("admission webhook \"units.admittance.dev\" denied the request: "), "{refused}");
    assert!(refused.contains(&format!("error: {FAILURE}\n")), "{refused}");
    assert!(refused.contains(" --> gate-applied/rules/rules.yaml:"), "{refused}");
    assert_eq!(apply(true, &[]).well(), "configmap/rules created\n");
    runs(&server, &["gate-applied/rules active ports"]).await;
}
