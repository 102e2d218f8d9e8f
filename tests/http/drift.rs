//! Mutations that are not in the object when `/validate` sees it.

use serde_json::Value;

use super::{Kind, pod, review, server};

const POLICIES: &str = r"
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: pull }
spec: { module: set-image-pull-policy, settings: { policy: Always, overwrite: true }, onDrift: Deny, required: true }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: team }
spec: { module: add-labels, settings: { labels: { team: shop } } }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: origin }
spec: { module: add-annotations, settings: { annotations: { origin: secret-4711 } }, onDrift: Warn }
";

const DENIAL: &str = "pull: spec.containers[0].imagePullPolicy: the mutation is not in the object: wanted \"Always\", found \"IfNotPresent\"";

fn changed(pull_policy: &str, metadata: &str) -> String {
    pod("nginx:1.27")
        .replace(r#""image":"nginx:1.27""#, &format!(r#""image":"nginx:1.27","imagePullPolicy":"{pull_policy}""#))
        .replacen(r#""name":"web""#, &format!(r#""name":"web"{metadata}"#), 1)
}

#[tokio::test]
async fn denies_warns_or_reports_what_is_missing_and_counts_it() {
    let (server, _folder) = server(POLICIES, &["--drift-after", "0s"]);
    let mut client = server.client().await;
    let mutated = r#","labels":{"team":"shop"},"annotations":{"origin":"secret-4711"}"#;
    let sound = client.review("/validate", review("u", Kind::Pod, &changed("Always", mutated))).await.response("u");
    assert_eq!((&sound["allowed"], &sound["auditAnnotations"]), (&Value::Bool(true), &Value::Null));

    let response = client.review("/validate", review("u", Kind::Pod, &changed("IfNotPresent", ""))).await.response("u");
    assert_eq!((&response["allowed"], &response["status"]["code"]), (&Value::Bool(false), &Value::from(403)));
    assert_eq!(response["status"]["message"], DENIAL);
    let warning = "origin: metadata.annotations.origin: the mutation is not in the object: wanted (a string, not shown), found nothing";
    assert_eq!(response["warnings"], Value::from(vec![warning]));
    let said = response["auditAnnotations"]["mutation_drift"].as_str().unwrap();
    let mut lines: Vec<&str> = said.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            warning,
            DENIAL,
            "team: metadata.labels.team: the mutation is not in the object: wanted \"shop\", found nothing"
        ]
    );
    assert!(!response.to_string().contains("secret-4711"));
    let page = server.page("/metrics").await.text();
    for policy in ["pull", "team", "origin"] {
        assert!(page.contains(&format!("admittance_mutation_drift_total{{policy=\"{policy}\"}} 1\n")), "{page}");
    }
    assert!(server.log().iter().all(|line| !line.contains("secret-4711")));
}

#[tokio::test]
async fn says_nothing_before_the_policies_have_been_the_same_for_a_minute() {
    let (server, _folder) = server(POLICIES, &[]);
    let mut client = server.client().await;
    let response = client.review("/validate", review("u", Kind::Pod, &changed("IfNotPresent", ""))).await.response("u");
    assert_eq!((&response["allowed"], &response["auditAnnotations"]), (&Value::Bool(true), &Value::Null));
}
