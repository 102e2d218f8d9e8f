//! Policies that change while requests run.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    control_plane::ControlPlane,
    registration::Registration,
    webhook::{Options, Webhook},
};

/// How soon a change on disk is to be in force.
const SOON: Duration = Duration::from_secs(2);

/// A policy that refuses every ConfigMap whose label `stage` is not `stage`.
fn policy(stage: &str) -> String {
    format!(
        r#"
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: {{ name: stage }}
spec:
  module: required-labels
  settings: {{ labels: [{{ key: stage, pattern: "{stage}" }}] }}
  matchConstraints:
    resourceRules:
      - {{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps] }}
"#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn takes_over_a_changed_policy_while_requests_run() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    control_plane.namespace(&api, "reload", "reload").await;
    let webhook = Webhook::start(&Options { policies: &policy("one"), ..Options::default() });
    Registration::closed("reload").act_on(&api, &webhook, "reload").await;
    let file = webhook.policies().join("policies.yaml");

    let is_over = AtomicBool::new(false);
    // Creates objects until it is told to stop; when each was asked for, and whether it was let in.
    let client = |stage: &'static str| {
        let (api, is_over) = (&api, &is_over);
        async move {
            let object = json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-", "labels": {"stage": stage}}
            });
            let mut answers = Vec::new();
            while !is_over.load(Relaxed) {
                let asked = Instant::now();
                let answer = api.post("/api/v1/namespaces/reload/configmaps?dryRun=All", &object).await;
                match answer.status.as_u16() {
                    201 => answers.push((asked, true)),
                    403 if answer.text.contains("\"validate.reload.example\\\" denied the request: stage: ") => {
                        answers.push((asked, false));
                    }
                    _ => panic!("{}: {}", answer.status, answer.text),
                }
            }
            answers
        }
    };
    let change = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        // As an editor saves: another file takes the name.
        fs::write(webhook.policies().join(".new"), policy("two")).unwrap();
        fs::rename(webhook.policies().join(".new"), &file).unwrap();
        let changed = Instant::now();
        tokio::time::sleep(SOON + Duration::from_millis(300)).await;
        is_over.store(true, Relaxed);
        changed
    };
    let (changed, first, second, ones, twos) =
        tokio::join!(change, client("one"), client("two"), client("one"), client("two"));
    let (ones, twos) = ([first, ones].concat(), [second, twos].concat());
    assert!(ones.len().min(twos.len()) > 50, "{} and {} answers", ones.len(), twos.len());
    for (answers, before) in [(&ones, true), (&twos, false)] {
        let as_before = |&&(_, allowed): &&(Instant, bool)| allowed == before;
        for (asked, allowed) in answers {
            match asked.checked_duration_since(changed) {
                None => assert_eq!(*allowed, before),
                Some(after) => assert!(after < SOON || *allowed != before, "{after:?} after the change"),
            }
        }
        assert!(answers.iter().any(|answer| as_before(&answer)) && !answers.iter().all(|answer| as_before(&answer)));
    }

    // A broken file changes nothing, and says where it is broken.
    fs::write(&file, policy("three").replace("required-labels", "require-labels")).unwrap();
    super::control_plane::wait_for("the report of the broken file", || {
        webhook.log().contains("require-labels").then_some(())
    });
    let labels =
        |stage| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "labels": {"stage": stage}}});
    api.post("/api/v1/namespaces/reload/configmaps?dryRun=All", &labels("two")).await.expect_created();
    api.post("/api/v1/namespaces/reload/configmaps?dryRun=All", &labels("three")).await.expect_failed(403);
}
