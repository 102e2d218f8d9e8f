//! Makes requests.

use serde_json::{Value, json};

use super::chance::Chance;
use super::objects;

/// `missing` is not among the namespaces of a line.
pub(crate) const NAMESPACES: [&str; 3] = ["shop", "kube-system", "default"];

/// A request and what is asked for.
pub(crate) struct Asked {
    pub(crate) kind: &'static str,
    /// `{group, version, resource}`
    pub(crate) resource: Value,
    pub(crate) subresource: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) is_typed: bool,
    pub(crate) request: Value,
}

/// Kind, group, version, resource, whether it is namespaced, subresources.
type Row = (&'static str, &'static str, &'static str, &'static str, bool, &'static [&'static str]);

const KINDS: [Row; 13] = [
    ("Pod", "", "v1", "pods", true, &["", "", "", "", "status", "ephemeralcontainers"]),
    ("Pod", "", "v1", "pods", true, &["", "status"]),
    ("Pod", "", "v1", "pods", true, &[""]),
    ("Deployment", "apps", "v1", "deployments", true, &["", "", "", "status"]),
    ("Deployment", "apps", "v1", "deployments", true, &[""]),
    ("ConfigMap", "", "v1", "configmaps", true, &[""]),
    ("ConfigMap", "", "v1", "configmaps", true, &[""]),
    ("Service", "", "v1", "services", true, &[""]),
    ("Namespace", "", "v1", "namespaces", true, &["", "finalize"]),
    ("Node", "", "v1", "nodes", false, &["", "status"]),
    ("ClusterRole", "rbac.authorization.k8s.io", "v1", "clusterroles", false, &[""]),
    ("Widget", "example.com", "v1", "widgets", true, &["", "status"]),
    ("Gadget", "example.com", "v1beta1", "gadgets", false, &[""]),
];

/// Kinds whose shape in Go is known here (the table of defaults); others count as they are written.
const TYPED: [&str; 3] = ["Pod", "Deployment", "ConfigMap"];

const CONNECTIONS: [(&str, &str); 4] = [
    ("PodExecOptions", "exec"),
    ("PodAttachOptions", "attach"),
    ("PodPortForwardOptions", "portforward"),
    ("PodProxyOptions", "proxy"),
];

pub(crate) fn asked(chance: &mut Chance) -> Asked {
    if chance.percent(6) {
        return connection(chance);
    }
    let (kind, group, version, resource, is_namespaced, subresources) = chance.pick(&KINDS);
    let subresource = chance.pick(subresources);
    let operation = chance.pick(&["CREATE", "CREATE", "CREATE", "UPDATE", "UPDATE", "DELETE"]);
    let namespace = match kind {
        "Namespace" => "shop",
        _ if !is_namespaced => "",
        _ => chance.pick(&NAMESPACES),
    };
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let is_typed = TYPED.contains(&kind) && chance.percent(20);
    let mut object = objects::object(chance, &api_version, kind, namespace);
    if kind == "Namespace" {
        object["metadata"]["labels"]["kubernetes.io/metadata.name"] = "shop".into();
    }
    let mut old = Value::Null;
    if operation != "CREATE" {
        old = object.clone();
        objects::change(chance, &mut old);
    }
    if !is_typed {
        objects::damage(chance, &mut object);
        // A stored Namespace is what the API server knows of it elsewhere, too.
        if kind != "Namespace" {
            objects::damage(chance, &mut old);
        }
    }
    if operation == "DELETE" {
        object = Value::Null;
    }
    let resource = json!({ "group": group, "version": version, "resource": resource });
    let kind_of = json!({ "group": group, "version": version, "kind": kind });
    let shown = if operation == "DELETE" { &old } else { &object };
    let metadata_name = shown["metadata"]["name"].clone();
    let name = if operation == "CREATE" && chance.percent(25) { Value::Null } else { metadata_name };
    let mut request = json!({
        "kind": kind_of, "resource": resource,
        "operation": operation, "userInfo": user(chance),
    });
    // The same as those above: the oracle converts no object into another version, and a webhook gets one version alone.
    if chance.percent(30) {
        request["requestKind"] = kind_of;
        request["requestResource"] = resource.clone();
        request["requestSubResource"] = subresource.into();
    }
    for (key, value) in [
        ("name", name),
        ("namespace", namespace.into()),
        ("object", object),
        ("oldObject", old),
        ("subResource", subresource.into()),
    ] {
        if value.is_string() && value != "" || value.is_object() {
            request[key] = value;
        }
    }
    options(chance, &mut request);
    Asked { kind, resource, subresource, operation, namespace, is_typed, request }
}

fn connection(chance: &mut Chance) -> Asked {
    let (kind, subresource) = chance.pick(&CONNECTIONS);
    let resource = json!({ "group": "", "version": "v1", "resource": "pods" });
    let object = match kind {
        "PodExecOptions" => json!({
            "apiVersion": "v1", "kind": kind, "stdin": true, "container": "main", "command": ["sh", "-c", "ls"],
        }),
        "PodAttachOptions" => json!({ "apiVersion": "v1", "kind": kind, "stdin": true, "container": "main" }),
        "PodPortForwardOptions" => json!({ "apiVersion": "v1", "kind": kind, "ports": [80] }),
        _ => json!({ "apiVersion": "v1", "kind": kind, "path": "/x" }),
    };
    let namespace = chance.pick(&NAMESPACES);
    let mut request = json!({
        "kind": { "group": "", "version": "v1", "kind": kind }, "resource": resource, "subResource": subresource,
        "operation": "CONNECT", "name": "web-0", "namespace": namespace, "userInfo": user(chance), "object": object,
    });
    if chance.percent(10) {
        request["dryRun"] = true.into();
    }
    Asked { kind, resource, subresource, operation: "CONNECT", namespace, is_typed: chance.percent(20), request }
}

fn options(chance: &mut Chance, request: &mut Value) {
    if chance.percent(15) {
        request["dryRun"] = chance.percent(70).into();
    }
    if chance.percent(40) {
        let kind = match request["operation"].as_str() {
            Some("CREATE") => "CreateOptions",
            Some("UPDATE") => "UpdateOptions",
            _ => "DeleteOptions",
        };
        request["options"] = json!({ "apiVersion": "meta.k8s.io/v1", "kind": kind, "fieldManager": "kubectl" });
    }
}

fn user(chance: &mut Chance) -> Value {
    let users = [
        json!({ "username": "jane", "groups": ["dev", "system:authenticated"] }),
        json!({ "username": "admin", "groups": ["system:masters"], "uid": "7" }),
        json!({ "username": "system:serviceaccount:shop:robot", "groups": ["system:serviceaccounts"], "extra": { "scopes": ["a", "b"], "Example.com/Odd": [] } }),
        json!({ "username": "", "groups": [] }),
        json!({ "username": "jürgen müller <&>", "extra": { "": ["x"] } }),
        json!({}),
    ];
    chance.of(&users).clone()
}
