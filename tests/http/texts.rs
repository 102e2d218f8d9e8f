//! The texts of an answer: warnings and audit annotations within the bounds of the API server.

use std::fmt::Write as _;

use super::{Kind, POLICIES, pod, review, server};

#[tokio::test]
async fn writes_what_is_only_audited_under_a_key_without_a_slash() {
    let (server, _folder) = server(POLICIES, &[]);
    let mut client = server.client().await;
    let response = client.review("/validate", review("u", Kind::Pod, &pod("nginx:1.27"))).await.response("u");
    assert_eq!(response["allowed"], true);
    let annotations = response["auditAnnotations"].as_object().unwrap();
    assert_eq!(annotations.keys().collect::<Vec<_>>(), ["validation_failure"]);
    let said = annotations["validation_failure"].as_str().unwrap();
    let expected = "registries: spec.containers[0].image: image \"nginx:1.27\" comes from no allowed registry; allowed: registry.example.com";
    assert_eq!(said, expected);
    assert!(response["warnings"].is_null());
    let response = client.review("/mutate", review("u", Kind::Pod, &pod("nginx:1.27"))).await.response("u");
    let written = serde_json::json!({ "mutations.1": "origin: add /metadata/annotations" });
    assert_eq!(response["auditAnnotations"], written);
}

#[tokio::test]
async fn cuts_warnings_and_counts_what_is_left_out() {
    let policies = POLICIES.replace("actions: [Audit]", "actions: [Warn]");
    let (server, _folder) = server(&policies, &[]);
    let mut client = server.client().await;
    let mut containers = String::new();
    for n in 0..200 {
        let image = format!("ü{}{n}", "ü".repeat(200));
        let _ = write!(containers, r#",{{"name":"c{n}","image":"{image}:1","ports":[{{"hostPort":{}}}]}}"#, n + 1);
    }
    let object =
        format!(r#"{{"metadata":{{"name":"web"}},"spec":{{"containers":[{}]}}}}"#, containers.trim_start_matches(','));
    let response = client.review("/validate", review("u", Kind::Pod, &object)).await.response("u");
    let warnings: Vec<&str> =
        response["warnings"].as_array().unwrap().iter().map(|warning| warning.as_str().unwrap()).collect();
    assert!(warnings.len() > 10 && warnings.iter().all(|warning| warning.len() <= 256), "{warnings:?}");
    assert!(warnings.iter().map(|warning| warning.len()).sum::<usize>() <= 4096);
    let last = warnings.last().unwrap();
    let left: usize = last.strip_prefix("… and ").and_then(|rest| rest.strip_suffix(" more")).unwrap().parse().unwrap();
    assert_eq!(left + warnings.len() - 1, 400);
}

#[tokio::test]
async fn says_everything_that_is_wrong_at_once_and_bounds_it() {
    let (server, _folder) = server(POLICIES, &[]);
    let mut client = server.client().await;
    let containers: Vec<String> = (0..1_000).map(|n| format!(r#"{{"name":"c{n}","image":"nginx"}}"#)).collect();
    let object = format!(r#"{{"metadata":{{"name":"web"}},"spec":{{"containers":[{}]}}}}"#, containers.join(","));
    let response = client.review("/validate", review("u", Kind::Pod, &object)).await.response("u");
    let message = response["status"]["message"].as_str().unwrap();
    assert!(message.starts_with("tags: spec.containers[0].image: ") && message.len() < 17 * 1024, "{message}");
    let left = message.lines().last().unwrap();
    assert!(left.starts_with("… and ") && left.ends_with(" more"), "{left}");
    assert_eq!(response["status"]["details"]["causes"].as_array().unwrap().len(), 100);
    assert!(response["auditAnnotations"]["validation_failure"].as_str().unwrap().len() <= 10_240);
}
