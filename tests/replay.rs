//! `serve --record` and `replay`: what a server was asked is judged again.

mod inputs;
mod recorded;

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

/// What nobody may find in a recording.
const MARK: &str = "c3VwZXItc2VjcmV0LTQ3MTE=";

/// A policy that denies, one that warns, one that changes, and one that reads what is secret.
const POLICIES: &str = r#"
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: tags }
spec: { module: latest-tag }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: ports }
spec: { module: host-ports, actions: [Warn] }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: origin }
spec: { module: add-annotations, settings: { annotations: { origin: admittance } } }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: pins }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [secrets] }] }
  validations:
    - { expression: 'object.data.pin.size() > 10', messageExpression: '"the pin " + object.data.pin + " is short"' }
"#;

/// One that asks for the namespace.
const TIERS: &str = r"---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: tiers }
spec:
  module: required-labels
  settings: { labels: [{ key: tier }] }
  matchConstraints: { namespaceSelector: { matchLabels: { tiers: required } } }
";

/// How a command ended.
struct Outcome {
    out: String,
    err: String,
    code: Option<i32>,
}

fn replay(folder: &Path, arguments: &[&str]) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_admittance"))
        .arg("replay")
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
}

fn recordings(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// All that is in the recordings of a folder.
fn text(folder: &Path) -> String {
    let mut text = String::new();
    for path in recordings(folder) {
        MultiGzDecoder::new(fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    }
    text
}

fn review(kind: &str, namespace: &str, object: &Value) -> Value {
    let (resource, name) = (format!("{}s", kind.to_lowercase()), object["metadata"]["name"].clone());
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u", "kind": {"group": "", "version": "v1", "kind": kind},
        "resource": {"group": "", "version": "v1", "resource": resource},
        "namespace": namespace, "name": name, "operation": "CREATE", "userInfo": {"username": "ann", "groups": ["dev"]},
        "object": object, "oldObject": null, "dryRun": false, "options": null,
    }})
}

fn pod(name: &str, image: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": format!("{{\"env\":\"{MARK}\"}}")},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "1", "controller": true}]},
        "spec": {"containers": [{"name": "web", "image": image, "env": [{"name": "PIN", "value": MARK}],
            "ports": [{"containerPort": 80, "hostPort": 80}]}]}})
}
