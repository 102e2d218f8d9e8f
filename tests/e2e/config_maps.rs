//! Policies in ConfigMaps: edits, broken edits, replicas that come and go.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    api::Api,
    control_plane::{ControlPlane, PATIENCE, say},
    webhook::{Options, Webhook},
};

/// An edit is live within this time.
const LIVE: Duration = Duration::from_secs(1);

pub(super) fn config_map(name: &str, text: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"admittance.dev/policies": "true"}},
        "data": {"rules.yaml": text},
    })
}

pub(super) fn policy(name: &str) -> String {
    format!(
        "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {{ module: host-ports }}\n"
    )
}

pub(super) fn start(control_plane: &ControlPlane, namespace: &str) -> Webhook {
    let kubeconfig = control_plane.kubeconfig().display().to_string();
    let flags = ["--kubeconfig", &kubeconfig, "--config-maps", "--namespace", namespace];
    Webhook::start(&Options { flags: &flags, ..Options::default() })
}

/// The digest of what a server runs, and `UNIT STATE POLICY ...` of each ConfigMap.
async fn page(client: &Api) -> (String, Vec<String>) {
    let page = client.get("/policies").await.expect_ok();
    let unit = |unit: &Value| {
        let policies = unit["policies"].as_array().unwrap().iter().map(|policy| policy["name"].as_str().unwrap());
        let words = [unit["name"].as_str().unwrap(), unit["state"].as_str().unwrap()];
        words.into_iter().chain(policies).collect::<Vec<_>>().join(" ")
    };
    let units = page["units"].as_array().unwrap().iter().map(unit).collect();
    (page["digest"].as_str().unwrap().to_owned(), units)
}

/// Waits until a server says that it runs this, and says how long that took.
pub(super) async fn runs(server: &Webhook, expected: &[&str]) -> Duration {
    let (client, begun) = (server.client(), Instant::now());
    loop {
        let (_, found) = page(&client).await;
        if found == expected {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {expected:?}: {found:?}\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(super) async fn wait_for_list(api: &Api, path: &str, is_meant: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let list = api.get(path).await.expect_ok();
        let items = list["items"].as_array().unwrap();
        if let Some(item) = items.iter().find(|item| is_meant(item)) {
            return item.clone();
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {list}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn keeps_the_last_good_version_of_a_config_map_also_in_a_server_that_starts_while_it_is_broken() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    control_plane.namespace(&api, "config-maps", "units-edited").await;
    let path = "/api/v1/namespaces/units-edited/configmaps";
    api.post(path, &config_map("rules", &policy("first"))).await.expect_created();
    let server = start(control_plane, "units-edited");
    runs(&server, &["units-edited/rules active first"]).await;

    let rules = format!("{path}/rules");
    let edit = async |text: &str| api.patch(&rules, &json!({"data": {"rules.yaml": text}})).await.expect_ok();
    edit(&policy("second")).await;
    let taken = runs(&server, &["units-edited/rules active second"]).await;
    assert!(taken < LIVE, "an edit took {taken:?}");
    say(&format!("a ConfigMap's edit is live after {taken:?}"));
    wait_for_list(&api, &format!("{path}?labelSelector=admittance.dev/last-good=true"), |kept| {
        kept["metadata"]["annotations"]["admittance.dev/unit"] == "units-edited/rules"
            && kept["metadata"]["ownerReferences"][0]["name"] == "rules"
    })
    .await;

    edit(&policy("third").replace("host-ports", "no-such-module")).await;
    runs(&server, &["units-edited/rules stale second"]).await;
    let event = wait_for_list(&api, "/apis/events.k8s.io/v1/namespaces/units-edited/events", |event| {
        event["reason"] == "PoliciesBroken" && event["regarding"]["name"] == "rules"
    })
    .await;
    assert_eq!(event["type"], "Warning");
    let note =
        "the last good version runs on: units-edited/rules/rules.yaml:4:17: error: unknown value `no-such-module`, ";
    assert!(event["note"].as_str().unwrap().starts_with(note), "{event}");

    drop(server);
    let server = start(control_plane, "units-edited");
    runs(&server, &["units-edited/rules stale second"]).await;
    edit(&policy("fourth")).await;
    runs(&server, &["units-edited/rules active fourth"]).await;
    api.delete(&rules).await.expect_ok();
    runs(&server, &[]).await;
}

#[tokio::test]
async fn replicas_that_come_and_go_while_units_are_edited_run_the_same() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    control_plane.namespace(&api, "config-maps", "units-raced").await;
    let path = "/api/v1/namespaces/units-raced/configmaps";
    for name in ["a", "b", "c"] {
        api.post(path, &config_map(name, &policy(name))).await.expect_created();
    }
    let stays = start(control_plane, "units-raced");
    let mut comes_and_goes = None;
    let texts = [policy("one"), policy("two"), "broken".to_owned(), policy("three"), "{".to_owned()];
    for n in 0_usize..24 {
        let (name, text) = (["a", "b", "c"][n % 3], &texts[(n * 7 + n / 3) % texts.len()]);
        api.patch(&format!("{path}/{name}"), &json!({"data": {"rules.yaml": text}})).await.expect_ok();
        match n % 6 {
            1 => comes_and_goes = Some(start(control_plane, "units-raced")),
            4 => comes_and_goes = None,
            _ => tokio::time::sleep(Duration::from_millis(u64::try_from(n * 11 % 60).unwrap())).await,
        }
    }
    drop(comes_and_goes);
    let starts_late = start(control_plane, "units-raced");
    let (first, second, begun) = (stays.client(), starts_late.client(), Instant::now());
    loop {
        let (one, other) = (page(&first).await, page(&second).await);
        if one == other && one.1.len() == 3 {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{one:?} and {other:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The entry `units.admittance.dev`, as the chart has it.
pub(super) fn units_entry(server: &Webhook, namespace: &str) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": namespace},
        "webhooks": [{
            "name": "units.admittance.dev",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {
                "url": format!("https://{}/units", server.address),
                "caBundle": STANDARD.encode(server.certificate()),
            },
            "sideEffects": "None",
            "timeoutSeconds": 5,
            "failurePolicy": "Ignore",
            "rules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE", "DELETE"],
                "resources": ["configmaps"], "scope": "Namespaced",
            }],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "objectSelector": {"matchLabels": {"admittance.dev/policies": "true"}},
        }],
    })
}

#[tokio::test]
async fn refuses_a_broken_config_map_when_it_is_applied() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    control_plane.namespace(&api, "config-maps", "units-applied").await;
    let path = "/api/v1/namespaces/units-applied/configmaps";
    let server = start(control_plane, "units-applied");
    let configurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    api.post(configurations, &units_entry(&server, "units-applied")).await.expect_created();

    let (broken, begun) = (config_map("rules", &policy("x").replace("host-ports", "host-prots")), Instant::now());
    let refused = loop {
        let answer = api.post(&format!("{path}?dryRun=All"), &broken).await;
        if answer.status.as_u16() != 201 {
            break answer.expect_failed(422);
        }
        assert!(begun.elapsed() < PATIENCE, "the entry does not act: {}", server.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let expected = [
        "admission webhook \"units.admittance.dev\" denied the request: the policies are broken",
        "error: unknown value `host-prots`, did you mean `host-ports`?",
        " --> units-applied/rules/rules.yaml:4:17",
    ];
    assert_eq!(refused.lines().take(3).collect::<Vec<_>>(), expected);

    api.post(path, &config_map("rules", &policy("x"))).await.expect_created();
    runs(&server, &["units-applied/rules active x"]).await;
    let taken = api.post(path, &config_map("more", &policy("x"))).await.expect_failed(422);
    assert!(taken.contains("policy `x` is defined in units-applied/rules already"), "{taken}");
    let deleted = api.delete(&format!("{path}/rules")).await;
    assert_eq!(
        deleted.warnings,
        ["units-applied/rules is the last one with policies that deny or mutate: nothing is enforced any more"]
    );
    deleted.expect_ok();
}
