//! Mutations that another webhook writes over, and what the API server tells whoever sent the object.

use serde_json::{Value, json};

use super::{
    api::{Answer, Api},
    control_plane::ControlPlane,
    registration::Registration,
    webhook::{Options, Webhook},
};

const OURS: &str = "\
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: pull }
spec: { module: set-image-pull-policy, settings: { policy: Always, overwrite: true }, onDrift: Deny, required: true }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: team }
spec: { module: add-labels, settings: { labels: { team: shop }, overwrite: true }, onDrift: Warn }
";

/// What is asked after ours, and writes over what is marked for it.
const THEIRS: &str = "\
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: never-pull }
spec:
  module: set-image-pull-policy
  settings: { policy: Never, overwrite: true }
  matchConditions: [{ name: marked, expression: \"object.?metadata.labels.?pull.orValue('') == 'theirs'\" }]
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: other-team }
spec:
  module: add-labels
  settings: { labels: { team: bank }, overwrite: true }
  matchConditions: [{ name: marked, expression: \"object.?metadata.labels.?owner.orValue('') == 'theirs'\" }]
  matchConstraints:
    resourceRules:
      - { apiGroups: [\"\"], apiVersions: [v1], operations: [CREATE], resources: [pods] }
";

const WARNING: &str = "team: metadata.labels.team: the mutation is not in the object: wanted \"shop\", found \"bank\"";

const DENIAL: &str = "admission webhook \"validate.drift.example\" denied the request: \
     pull: spec.containers[0].imagePullPolicy: the mutation is not in the object: wanted \"Always\", found \"Never\"";

/// Both servers. The API server asks in the order of the names of their configurations.
async fn set_up(api: &Api, control_plane: &ControlPlane, ours: Registration<'_>, name: &str) -> [Webhook; 2] {
    control_plane.namespace(api, name, name).await;
    let flags = ["--drift-after", "0s"];
    let first = Webhook::start(&Options { policies: OURS, flags: &flags, ..Options::default() });
    ours.act_on(api, &first, name).await;
    let second = Webhook::start(&Options { policies: THEIRS, ..Options::default() });
    let later = format!("{name}-later");
    Registration::closed(&later).once().in_namespaces_of(name).act_on(api, &second, name).await;
    [first, second]
}

async fn create(api: &Api, namespace: &str, labels: &Value) -> Answer {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": labels},
        "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]},
    });
    api.post(&format!("/api/v1/namespaces/{namespace}/pods?dryRun=All"), &pod).await
}

#[tokio::test]
async fn warns_or_denies_where_a_later_webhook_writes_over_a_mutation() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    let [ours, _theirs] = set_up(&api, control_plane, Registration::closed("drift").once(), "drift").await;

    let sound = create(&api, "drift", &json!({})).await;
    assert_eq!(sound.warnings, [""; 0]);
    let pod = sound.expect_created();
    assert_eq!(pod["metadata"]["labels"]["team"], "shop");
    assert_eq!(pod["spec"]["containers"][0]["imagePullPolicy"], "Always");

    let warned = create(&api, "drift", &json!({"owner": "theirs"})).await;
    assert_eq!(warned.warnings, [WARNING]);
    assert_eq!(warned.expect_created()["metadata"]["labels"]["team"], "bank");

    let denied = create(&api, "drift", &json!({"owner": "theirs", "pull": "theirs"})).await;
    assert_eq!(denied.warnings, [WARNING]);
    assert_eq!(denied.expect_failed(403), DENIAL);

    let page = ours.metrics().await;
    for (policy, times) in [("pull", 1), ("team", 2)] {
        let line = format!("admittance_mutation_drift_total{{policy=\"{policy}\"}} {times}\n");
        assert!(page.contains(&line), "{page}");
    }
}

#[tokio::test]
async fn finds_nothing_missing_where_mutations_are_made_again_after_the_later_webhook() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    let _servers = set_up(&api, control_plane, Registration::closed("drift-again"), "drift-again").await;
    let created = create(&api, "drift-again", &json!({"owner": "theirs", "pull": "theirs"})).await;
    assert_eq!(created.warnings, [""; 0]);
    let pod = created.expect_created();
    assert_eq!(pod["metadata"]["labels"]["team"], "shop");
    assert_eq!(pod["spec"]["containers"][0]["imagePullPolicy"], "Always");
}
