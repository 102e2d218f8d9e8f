//! The pods of a namespace, of each what the Pod Security Standards look at: what thousands of pods say besides must not stay
//! in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use super::Fact;

/// How many are asked for: as many as the API server's own admission looks at.
pub(super) const MOST: usize = 3_000;
/// How many bytes of them are kept: a policy reads them within its own budget.
const MOST_BYTES: usize = 2 * 1024 * 1024;

#[derive(Deserialize)]
struct PodList {
    #[serde(default)]
    metadata: ListMeta,
    #[serde(deserialize_with = "or_default")]
    items: Vec<Pod>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMeta {
    #[serde(default)]
    remaining_item_count: Option<usize>,
}

#[derive(Deserialize, Serialize)]
struct Pod {
    #[serde(default)]
    metadata: Meta,
    #[serde(default)]
    spec: Spec,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_references: Option<Vec<Owner>>,
}

#[derive(Deserialize, Serialize)]
struct Owner {
    #[serde(default)]
    controller: bool,
    #[serde(default)]
    uid: String,
}

/// The fields of a spec that checks read.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    init_containers: Vec<Container>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    containers: Vec<Container>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    ephemeral_containers: Vec<Container>,
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    volumes: Vec<Map<String, Value>>,
    #[serde(rename = "hostIPC", skip_serializing_if = "Option::is_none")]
    host_ipc: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_network: Option<Value>,
    #[serde(rename = "hostPID", skip_serializing_if = "Option::is_none")]
    host_pid: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_users: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    os: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_class_name: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    security_context: Option<Value>,
}

/// The fields of a container that checks read.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Container {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ports: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lifecycle: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    liveness_probe: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    readiness_probe: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    startup_probe: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    security_context: Option<Value>,
}

/// What is kept of a list.
#[derive(Serialize)]
struct Kept<'k> {
    metadata: Value,
    items: &'k [Box<serde_json::value::RawValue>],
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// What the API server's list of pods says.
pub(super) fn read(text: &str) -> Fact {
    prune(text, MOST_BYTES).map_or(Fact::Failed("the cluster's answer cannot be read"), Fact::Found)
}

fn prune(text: &str, most_bytes: usize) -> Option<Arc<str>> {
    let PodList { metadata, items } = serde_json::from_str(text).ok()?;
    let total = items.len() + metadata.remaining_item_count.unwrap_or_default();
    let (mut kept, mut bytes) = (vec![], 0);
    for mut pod in items {
        if let Some(annotations) = &mut pod.metadata.annotations {
            annotations
                .retain(|key, _| key.contains("seccomp.security.alpha.") || key.contains("apparmor.security.beta."));
        }
        for volume in &mut pod.spec.volumes {
            volume
                .iter_mut()
                .filter(|(key, value)| *key != "name" && !value.is_null())
                .for_each(|(_, it)| *it = json!({}));
        }
        let pod = serde_json::value::to_raw_value(&pod).ok()?;
        bytes += pod.get().len();
        if bytes > most_bytes {
            break;
        }
        kept.push(pod);
    }
    let metadata = json!({ "remainingItemCount": total - kept.len() });
    serde_json::to_string(&Kept { metadata, items: &kept }).ok().map(Arc::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"{"kind":"PodList","metadata":{"continue":"x","remainingItemCount":7},"items":[
        {"metadata":{"name":"a","managedFields":[{}],"ownerReferences":[{"controller":true,"uid":"u","name":"r"}],
          "annotations":{"x":"secret","seccomp.security.alpha.kubernetes.io/pod":"y"}},
         "spec":{"hostPID":true,"containers":[{"name":"c","env":[{"name":"n","value":"secret"}],"securityContext":{"privileged":true}}],
          "volumes":[{"name":"v","hostPath":{"path":"/secret"}},{"name":"w","emptyDir":null}],"initContainers":null},
         "status":{"phase":"Running"}},
        {"metadata":{"name":"b","annotations":null},"spec":{"containers":[]}}]}"#;

    #[test]
    fn keeps_what_the_standards_look_at() {
        let kept: Value = serde_json::from_str(&prune(LIST, 10_000).unwrap()).unwrap();
        let expected = json!({ "metadata": { "remainingItemCount": 7 }, "items": [
            { "metadata": { "name": "a", "annotations": { "seccomp.security.alpha.kubernetes.io/pod": "y" },
                "ownerReferences": [{ "controller": true, "uid": "u" }] },
              "spec": { "hostPID": true,
                "containers": [{ "name": "c", "securityContext": { "privileged": true } }],
                "volumes": [{ "name": "v", "hostPath": {} }, { "name": "w", "emptyDir": null }] } },
            { "metadata": { "name": "b" }, "spec": {} },
        ] });
        assert_eq!(kept, expected);
    }

    #[test]
    fn counts_what_is_too_much_to_keep() {
        let kept: Value = serde_json::from_str(&prune(LIST, 300).unwrap()).unwrap();
        assert_eq!((kept["items"].as_array().unwrap().len(), &kept["metadata"]["remainingItemCount"]), (1, &json!(8)));
        assert!(prune(r#"{"items":3}"#, 300).is_none());
    }
}
