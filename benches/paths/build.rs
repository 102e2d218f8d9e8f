//! The sets of policies and the bodies of the paths.

use admittance_engine::document::SourceFile;
use admittance_engine::set::{PolicySet, link};
use admittance_engine::unit::{Unit, compile};
use serde_json::{Value, json};

use super::file;
use crate::Failure;

/// A policy that reads a ConfigMap's labels.
pub(super) const LABELLED: &str = r#"
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: labelled }
spec:
  module: required-labels
  settings: { labels: [{ key: team }] }
  matchConstraints:
    resourceRules:
      - { apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps] }
"#;

/// The set of these files.
pub(super) fn set(texts: &[String]) -> Result<PolicySet, Failure> {
    let mut units = vec![];
    for (position, text) in texts.iter().enumerate() {
        let unit = Unit::of_file(SourceFile::new(format!("{position}.yaml"), text.as_str()));
        units.push(compile(&unit).map_err(|problems| format!("{problems:?}"))?);
    }
    let (set, problems) = link(&units);
    match problems.first() {
        Some(problem) => Err(problem.to_string().into()),
        None => Ok(set),
    }
}

/// The policies in the ConfigMaps of a pack.
pub(super) fn pack(path: &str) -> Result<PolicySet, Failure> {
    let manifests: Vec<Value> = serde_saphyr::from_multiple(&file(path)?)?;
    let data = manifests.iter().filter_map(|manifest| manifest.get("data").and_then(Value::as_object));
    let texts: Vec<String> = data.flat_map(|data| data.values()).filter_map(Value::as_str).map(str::to_owned).collect();
    set(&texts)
}

/// The pod without anything that a hardened cluster fills in.
pub(super) fn plain(pod: &str) -> Result<String, Failure> {
    edited(pod, |request| {
        let spec = request.pointer_mut("/object/spec").and_then(Value::as_object_mut).ok_or("no spec")?;
        spec.remove("securityContext");
        let containers = ["containers", "initContainers"].map(|list| spec.get(list).cloned());
        for (list, containers) in ["containers", "initContainers"].into_iter().zip(containers) {
            let Some(Value::Array(mut containers)) = containers else { continue };
            containers.iter_mut().filter_map(Value::as_object_mut).for_each(|it| drop(it.remove("securityContext")));
            spec.insert(list.to_owned(), containers.into());
        }
        Ok(())
    })
}

/// The same pod, updated: it has got a label.
pub(super) fn update(pod: &str) -> Result<String, Failure> {
    edited(pod, |request| {
        let old = request.get("object").cloned().ok_or("no object")?;
        *request.pointer_mut("/object/metadata/labels/team").ok_or("no label")? = json!("checkout");
        let request = request.as_object_mut().ok_or("no request")?;
        request.insert("oldObject".to_owned(), old);
        request.insert("operation".to_owned(), json!("UPDATE"));
        Ok(())
    })
}

/// The renewal of a Lease: what a cluster sends most of.
pub(super) fn lease(pod: &str) -> Result<String, Failure> {
    let kind = json!({ "group": "coordination.k8s.io", "version": "v1", "kind": "Lease" });
    let resource = json!({ "group": "coordination.k8s.io", "version": "v1", "resource": "leases" });
    let object = |at: &str| {
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": "node-1", "namespace": "kube-node-lease", "resourceVersion": "4711" },
            "spec": { "holderIdentity": "node-1", "leaseDurationSeconds": 40, "renewTime": at },
        })
    };
    edited(pod, |request| {
        let (new, old) = (object("2026-11-22T05:29:54.000000Z"), object("2026-11-22T05:29:44.000000Z"));
        let fields = [("object", new), ("oldObject", old), ("operation", json!("UPDATE")), ("name", json!("node-1"))];
        replace(request, (&kind, &resource), fields)
    })
}

/// A ConfigMap of a megabyte, in files of 4 KB each.
pub(super) fn large_config_map(pod: &str) -> Result<String, Failure> {
    let kind = json!({ "group": "", "version": "v1", "kind": "ConfigMap" });
    let resource = json!({ "group": "", "version": "v1", "resource": "configmaps" });
    let line = "key = \"value\" # of a file of settings\n";
    let data: serde_json::Map<String, Value> =
        (0..256).map(|number| (format!("settings-{number}.toml"), line.repeat(4_096 / line.len()).into())).collect();
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "settings", "namespace": "bench", "labels": { "team": "payments" } },
        "data": data,
    });
    edited(pod, |request| replace(request, (&kind, &resource), [("object", object), ("name", json!("settings"))]))
}

/// The review with another request.
fn edited(review: &str, edit: impl FnOnce(&mut Value) -> Result<(), Failure>) -> Result<String, Failure> {
    let mut review: Value = serde_json::from_str(review)?;
    edit(review.get_mut("request").ok_or("no request")?)?;
    Ok(review.to_string())
}

fn replace<const N: usize>(
    request: &mut Value,
    (kind, resource): (&Value, &Value),
    fields: [(&str, Value); N],
) -> Result<(), Failure> {
    let request = request.as_object_mut().ok_or("no request")?;
    for (key, value) in [("kind", kind), ("requestKind", kind), ("resource", resource), ("requestResource", resource)] {
        request.insert(key.to_owned(), value.clone());
    }
    request.extend(fields.map(|(key, value)| (key.to_owned(), value)));
    Ok(())
}
