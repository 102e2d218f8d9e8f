//! What a webhook lives with every day: new certificates, new policies, neighbours that want the processor.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cluster::{Cluster, Mode, await_some, await_that};
use crate::objects::JUDGED;
use crate::scenario::Size;

const SECRET: &str = "/api/v1/namespaces/admittance/secrets/admittance-certificates";
const CONFIG_MAPS: &str = "/api/v1/namespaces/admittance/configmaps";

/// Waits for further certificates.
pub(super) fn rotate(cluster: &Cluster, _: Mode, size: &Size) -> Result<String, String> {
    let leaf = || cluster.api.get(SECRET).json().pointer("/data/tls.crt").and_then(Value::as_str).map(str::to_owned);
    let within = Duration::from_mins(3);
    let mut last = await_some(within, "a certificate", leaf)?;
    for _ in 0..size.rotations {
        last = await_some(within, "another certificate", || leaf().filter(|now| *now != last))?;
    }
    Ok(format!("{}x", size.rotations))
}

/// Changes a policy again and again. What is broken reaches the server too: it is labelled as a part of the chart, which is
/// not checked beforehand. The last good version must stay until the next one.
pub(super) fn edit(cluster: &Cluster, _: Mode, size: &Size) -> Result<String, String> {
    let path = format!("{CONFIG_MAPS}/soak");
    let object = config_map("[]");
    let _ = cluster.api.delete(&path);
    let made = cluster.api.create(CONFIG_MAPS, &object);
    if !made.is_good() {
        return Err(format!("the ConfigMap cannot be made: {}", made.message()));
    }
    let mut longest = Duration::ZERO;
    let mut good = 0;
    for number in 1..=size.edits {
        let is_broken = number % 5 == 0;
        let text = if is_broken { "[this is: {no list".to_owned() } else { format!("[edit-{number}]") };
        let edited = cluster.api.merge(&path, &json!({"data": files(&text)}));
        if !edited.is_good() {
            return Err(format!("the ConfigMap cannot be changed: {}", edited.message()));
        }
        let began = Instant::now();
        if is_broken {
            await_that(Duration::from_secs(20), "an event about the broken policies", || broken_is_told(cluster))?;
        } else {
            good = number;
        }
        await_that(Duration::from_secs(20), "what the edited policy says", || is_denied(cluster, good))?;
        longest = longest.max(began.elapsed());
    }
    let gone = cluster.api.delete(&path);
    if !gone.is_good() {
        return Err(format!("the ConfigMap cannot be deleted: {}", gone.message()));
    }
    Ok(format!("{} edits, each acts within {:.1} s", size.edits, longest.as_secs_f64()))
}

/// Keeps every processor of the node busy.
pub(super) fn starve(cluster: &Cluster, _: Mode, size: &Size) -> Result<String, String> {
    let seconds = size.starved.as_secs();
    let loops = "for i in 1 2 3 4; do nice -n 5 timeout \"$1\" sh -c 'while :; do :; done' & done; wait";
    cluster.script("enter", &["sh", "-c", loops, "sh", &seconds.to_string()])?;
    // The kubelet's probes may have failed meanwhile: this is over when they do not.
    cluster.settle()?;
    sleep(Duration::from_secs(1));
    Ok(format!("for {seconds} s"))
}

fn files(tags: &str) -> Value {
    let policy = format!(
        "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: soak-tags }}\nspec:\n  module: latest-tag\n  settings:\n    movingTags: {tags}\n"
    );
    json!({"tags.yaml": policy})
}

fn config_map(tags: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "soak", "labels": {"admittance.dev/policies": "true", "admittance.dev/pack": "soak"}},
        "data": files(tags),
    })
}

fn is_denied(cluster: &Cluster, edit: usize) -> bool {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "edited"},
        "spec": {"containers": [{"name": "main", "image": format!("registry.example/soak:edit-{edit}")}]},
    });
    let answer = cluster.api.create(&format!("/api/v1/namespaces/{JUDGED}/pods?dryRun=All"), &pod);
    answer.status == 403 && answer.text.contains("soak-tags: ")
}

fn broken_is_told(cluster: &Cluster) -> bool {
    // One of the unit's own pages: the ConfigMap's last good version is in use, and the new one is broken.
    cluster.pods().iter().any(|pod| {
        let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let page = cluster.api.get(&format!("/api/v1/namespaces/admittance/pods/{name}:9797/proxy/policies")).json();
        let units = page.get("units").and_then(Value::as_array).cloned().unwrap_or_default();
        units.iter().any(|unit| unit["name"] == "admittance/soak" && unit["state"] == "stale")
    })
}
