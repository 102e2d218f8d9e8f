//! Makes objects, sound ones and others.

use serde_json::{Value, json};

use super::chance::Chance;

pub(crate) fn object(chance: &mut Chance, api_version: &str, kind: &str, namespace: &str) -> Value {
    let mut object = match kind {
        "Pod" => json!({ "spec": pod(chance) }),
        "Deployment" => json!({ "spec": {
            "replicas": chance.pick(&[0, 1, 3, 10]),
            "selector": { "matchLabels": { "app": "web" } },
            "strategy": { "type": "RollingUpdate" },
            "template": { "metadata": { "labels": { "app": "web" } }, "spec": pod(chance) },
        } }),
        "ConfigMap" => json!({ "data": { "key": "value", "max": "3", "a/b~c": "d" } }),
        "Service" => json!({ "spec": {
            "type": chance.pick(&["ClusterIP", "NodePort"]), "selector": { "app": "web" },
            "ports": [{ "name": "http", "port": 80, "protocol": "TCP" }, { "name": "dns", "port": 80, "protocol": "UDP" }],
        } }),
        "Namespace" => json!({ "spec": { "finalizers": ["kubernetes"] } }),
        "Node" => {
            json!({ "spec": { "podCIDR": "10.0.0.0/24", "taints": [{ "key": "a", "effect": "NoSchedule" }], "unschedulable": true } })
        }
        "ClusterRole" => json!({ "rules": [{ "apiGroups": ["*"], "resources": ["pods"], "verbs": ["get", "list"] }] }),
        _ => json!({ "spec": {
            "size": 3, "ratio": 0.5, "whole": 2.0, "items": [{ "name": "a", "value": 1 }, { "name": "b" }], "tags": ["x", "y"],
            "nested": { "deep": { "on": true } }, "nothing": null,
        } }),
    };
    object["apiVersion"] = api_version.into();
    object["kind"] = kind.into();
    let mut metadata = json!({ "name": if kind == "Namespace" { "shop" } else { "web-0" } });
    if !namespace.is_empty() && kind != "Namespace" {
        metadata["namespace"] = namespace.into();
    }
    let labels = [
        json!({ "app": "web" }),
        json!({ "app": "web", "env": "prod", "tier": "" }),
        json!({ "skip": "true", "a.example.com/b": "" }),
        json!({}),
    ];
    if chance.percent(80) {
        metadata["labels"] = chance.of(&labels).clone();
    }
    if chance.percent(50) {
        metadata["annotations"] = chance
            .of(&[json!({ "note": "ünï", "a/b~c": "1" }), json!({ "limit": "10Gi", "long": "x".repeat(300) })])
            .clone();
    }
    if chance.percent(10) {
        metadata["finalizers"] = json!(["example.com/keep"]);
    }
    if chance.percent(10) {
        metadata["ownerReferences"] =
            json!([{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "u", "controller": true }]);
    }
    object["metadata"] = metadata;
    object
}

fn pod(chance: &mut Chance) -> Value {
    let main = json!({
        "name": "main", "image": chance.pick(&["nginx:1.25", "nginx", "registry.k8s.io/pause:3.9@sha256:00"]),
        "ports": [{ "containerPort": 80, "protocol": "TCP" }, { "name": "s", "containerPort": 8443, "protocol": "TCP" }],
        "env": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }],
        "resources": { "limits": { "cpu": "500m", "memory": "1Gi" } },
        "securityContext": { "privileged": chance.percent(50) },
    });
    let side =
        json!({ "name": "side", "image": "busybox", "command": ["sh", "-c", "sleep 1"], "args": [], "resources": {} });
    let mut spec = json!({ "containers": if chance.percent(60) { json!([main, side]) } else { json!([main]) } });
    if chance.percent(25) {
        spec["initContainers"] = json!([side]);
    }
    if chance.percent(30) {
        spec["tolerations"] = json!([{ "key": "a", "operator": "Exists" }, { "key": "b", "operator": "Equal", "value": "c", "effect": "NoSchedule" }]);
    }
    if chance.percent(30) {
        spec["volumes"] = json!([{ "name": "tmp", "emptyDir": {} }, { "name": "cfg", "configMap": { "name": "c" } }]);
    }
    if chance.percent(30) {
        spec["nodeSelector"] = json!({ "disk": "ssd" });
    }
    if chance.percent(20) {
        spec["hostNetwork"] = true.into();
    }
    if chance.percent(20) {
        spec["imagePullSecrets"] = json!([{ "name": "pull" }]);
    }
    if chance.percent(20) {
        spec["terminationGracePeriodSeconds"] = json!(30);
    }
    spec
}

/// What an update changes.
pub(crate) fn change(chance: &mut Chance, object: &mut Value) {
    match chance.below(4) {
        0 => {}
        1 => object["metadata"]["labels"]["app"] = "old".into(),
        2 if object["spec"].is_object() => object["spec"]["replicas"] = json!(2),
        _ => object["metadata"]["annotations"] = json!({ "old": "yes" }),
    }
}

/// Takes out, empties and replaces some parts; leaves half of the objects alone.
pub(crate) fn damage(chance: &mut Chance, object: &mut Value) {
    if !object.is_object() || chance.percent(50) {
        return;
    }
    for _ in 0..=chance.below(3) {
        let mut paths = Vec::new();
        walk(object, "", &mut paths);
        paths.retain(|path| path != "/apiVersion" && path != "/kind");
        if paths.is_empty() {
            return;
        }
        let path = chance.of(&paths).clone();
        let (parent, key) = path.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        let wrong = [
            json!(null),
            json!({}),
            json!([]),
            json!(""),
            json!(0),
            json!("text"),
            json!(true),
            json!({ "odd": [null, {}] }),
            json!([1, "a"]),
            json!(1.5),
            json!(null),
            json!(null),
        ];
        let other = chance.of(&wrong).clone();
        let parent = object.pointer_mut(parent).unwrap();
        match (chance.below(3), parent) {
            (0, Value::Object(fields)) => drop(fields.remove(&key)),
            (0, Value::Array(items)) => drop(items.remove(key.parse().unwrap())),
            (1, Value::Object(fields)) => drop(fields.insert("odd/~key".to_owned(), other)),
            (1, Value::Array(items)) => items.push(other),
            (_, Value::Object(fields)) => drop(fields.insert(key, other)),
            (_, Value::Array(items)) => items[key.parse::<usize>().unwrap()] = other,
            _ => {}
        }
    }
}

fn walk(value: &Value, path: &str, paths: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect::<Vec<_>>(),
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        _ => vec![],
    };
    for (key, child) in children {
        let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
        walk(child, &path, paths);
        paths.push(path);
    }
}
