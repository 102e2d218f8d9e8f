//! Policies that do not pass their own tests never become active: what ran before goes on.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Duration, Instant, sleep};

use crate::binary::{Binary, Client};

const LIVE: Duration = Duration::from_secs(3);

/// A policy against ports of the node other than `allowed`, with a test that port 80 is refused.
fn ports(allowed: u16) -> String {
    format!(
        "\
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: {{ name: ports }}
spec:
  module: host-ports
  settings: {{ allowed: [\"{allowed}\"] }}
---
apiVersion: admittance.dev/v1alpha1
kind: PolicyTest
metadata: {{ name: ports }}
spec:
  cases:
  - name: the port of a web server
    object: {}
    expect:
      allowed: false
",
        pod(80)
    )
}

fn pod(port: u16) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "shop"},
        "spec": {"containers": [{"name": "c", "image": "i:1", "ports": [{"containerPort": port, "hostPort": port}]}]},
    })
}

async fn is_denied(client: &mut Client, port: u16) -> bool {
    let review = json!({
        "uid": "u",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "name": "a",
        "namespace": "shop",
        "operation": "CREATE",
        "userInfo": {"username": "ann"},
        "object": pod(port),
    });
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": review});
    client.review("/validate", review.to_string()).await.response("u")["allowed"] == false
}

fn start(text: &str, arguments: &[&str]) -> (Binary, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ports.yaml"), text).unwrap();
    let arguments = [&["--policies", folder.path().to_str().unwrap()], arguments].concat();
    (Binary::serve(&arguments), folder)
}

/// The only unit on the page, once it stands so.
async fn unit(server: &Binary, state: &str) -> Value {
    let begun = Instant::now();
    loop {
        let page = server.page("/policies").await.json();
        if page["units"][0]["state"] == state {
            return page["units"][0].clone();
        }
        assert!(begun.elapsed() < LIVE, "not {state} after {LIVE:?}: {page}");
        sleep(Duration::from_millis(20)).await;
    }
}

fn write(folder: &Path, text: &str) {
    fs::write(folder.join("ports.yaml"), text).unwrap();
}

#[tokio::test]
async fn keeps_the_version_before_while_the_tests_of_an_edit_fail() {
    let (server, folder) = start(&ports(8080), &[]);
    let mut client = server.client().await;
    unit(&server, "active").await;
    assert!(is_denied(&mut client, 80).await && !is_denied(&mut client, 8080).await);

    write(folder.path(), &ports(80));
    let stale = unit(&server, "stale").await;
    let problem = stale["problems"][0].as_str().unwrap();
    let expected = "error: test `ports`, case `the port of a web server` fails: allowed: expected false, got true";
    assert!(problem.ends_with(expected), "{problem}");
    assert!(is_denied(&mut client, 80).await && !is_denied(&mut client, 8080).await);
    let metrics = server.page("/metrics").await.text();
    assert!(metrics.contains("admittance_units{state=\"stale\"} 1"), "{metrics}");

    write(folder.path(), &ports(9090));
    unit(&server, "active").await;
    assert!(is_denied(&mut client, 8080).await && !is_denied(&mut client, 9090).await);
}

#[tokio::test]
async fn takes_no_policies_without_tests_where_they_are_required() {
    let whole = ports(8080);
    let (policy, _) = whole.split_once("---\n").unwrap();
    let (server, folder) = start(policy, &["--tests", "required"]);
    let mut client = server.client().await;
    let broken = unit(&server, "broken").await;
    let problem = broken["problems"][0].as_str().unwrap();
    let expected = "ports.yaml:3:19: error: policy `ports` has no tests, and this server requires them: put a PolicyTest beside it";
    assert!(problem.ends_with(expected), "{problem}");
    assert!(!is_denied(&mut client, 80).await);
    write(folder.path(), &whole);
    unit(&server, "active").await;
    assert!(is_denied(&mut client, 80).await);
}
