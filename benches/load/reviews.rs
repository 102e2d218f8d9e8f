//! What is sent: the recorded reviews, and what is made of them.

use std::path::Path;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::{Failure, floor};

/// A review as it goes over the wire.
#[derive(Clone)]
pub(crate) struct Review {
    pub(crate) body: Bytes,
    pub(crate) uid: String,
}

impl Review {
    /// A review in a file, sent as it is.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let body = std::fs::read(path).map_err(|error| format!("cannot read \"{}\": {error}", path.display()))?;
        let uid = floor::uid(&serde_json::from_slice(&body)?)?.to_owned();
        Ok(Self { body: body.into(), uid })
    }

    /// A recorded one: `pass`, `fail` or `pass-slim`.
    pub(crate) fn recorded(name: &str) -> Result<Self, Failure> {
        Self::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benches/review-{name}.json")))
    }

    /// `pass`, whose author said nothing about security: what the hardened pack fills in.
    pub(crate) fn open() -> Result<Self, Failure> {
        let mut review = parsed("pass")?;
        remove(&mut review, "/request/object/spec", "securityContext")?;
        let containers = at(&mut review, "/request/object/spec/containers")?.as_array_mut().ok_or("no containers")?;
        for container in containers {
            container.as_object_mut().ok_or("a container is no object")?.remove("securityContext");
        }
        Self::of(&review)
    }

    /// `pass` as an UPDATE, with the object before it, which had another label.
    pub(crate) fn update() -> Result<Self, Failure> {
        let mut review = parsed("pass")?;
        let mut old = at(&mut review, "/request/object")?.clone();
        *at(&mut old, "/metadata/labels/app.kubernetes.io~1version")? = "2.14.2".into();
        let request = at(&mut review, "/request")?;
        request["oldObject"] = old;
        request["operation"] = "UPDATE".into();
        request["options"] = json!({ "kind": "UpdateOptions", "apiVersion": "meta.k8s.io/v1" });
        Self::of(&review)
    }

    /// A pod, without managedFields, of so many bytes to the byte: as many containers as fit, the rest an annotation.
    pub(crate) fn pod(bytes: usize) -> Result<Self, Failure> {
        let mut review = parsed("pass-slim")?;
        let container = at(&mut review, "/request/object/spec/containers/0")?.clone();
        let small = ["name", "image", "resources", "securityContext"]
            .into_iter()
            .map(|key| (key.to_owned(), container.get(key).cloned().unwrap_or_default()))
            .collect::<Map<_, _>>();
        at(&mut review, "/request/object")?["spec"] = json!({
            "containers": [small],
            "restartPolicy": "Always",
            "securityContext": { "runAsUser": 10001, "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
        });
        let metadata = at(&mut review, "/request/object/metadata")?;
        metadata["annotations"] = json!({ "padding": "" });
        metadata["ownerReferences"] = json!([]);
        at(&mut review, "/request")?["userInfo"] = json!({ "username": "system:admin" });
        loop {
            let containers =
                at(&mut review, "/request/object/spec/containers")?.as_array_mut().ok_or("no containers")?;
            let mut next = container.clone();
            *at(&mut next, "/name")? = format!("app-{}", containers.len()).into();
            containers.push(next);
            if Self::of(&review)?.body.len() > bytes {
                at(&mut review, "/request/object/spec/containers")?.as_array_mut().ok_or("no containers")?.pop();
                break;
            }
        }
        let left = bytes.checked_sub(Self::of(&review)?.body.len()).ok_or("a pod is larger than that")?;
        *at(&mut review, "/request/object/metadata/annotations/padding")? = "x".repeat(left).into();
        Self::of(&review)
    }

    /// A ConfigMap with files of lines, of about so many bytes.
    pub(crate) fn config_map(bytes: usize) -> Result<Self, Failure> {
        let mut review = parsed("pass-slim")?;
        let line = "level = info # what is logged, and where it goes to: stdout, stderr or a file\n";
        let file = line.repeat(13);
        let data: Map<String, Value> = (0..bytes / (file.len() + 40))
            .map(|number| (format!("settings-{number:04}.conf"), Value::from(file.as_str())))
            .collect();
        let request = at(&mut review, "/request")?;
        for path in ["/kind/kind", "/requestKind/kind"] {
            *at(request, path)? = "ConfigMap".into();
        }
        for path in ["/resource/resource", "/requestResource/resource"] {
            *at(request, path)? = "configmaps".into();
        }
        request["name"] = "checkout".into();
        request["object"] = json!({
            "kind": "ConfigMap",
            "apiVersion": "v1",
            "metadata": { "name": "checkout", "namespace": "bench", "labels": { "team": "payments" } },
            "data": data,
        });
        Self::of(&review)
    }

    fn of(review: &Value) -> Result<Self, Failure> {
        Ok(Self { body: serde_json::to_vec(review)?.into(), uid: floor::uid(review)?.to_owned() })
    }
}

fn parsed(name: &str) -> Result<Value, Failure> {
    Ok(serde_json::from_slice(&Review::recorded(name)?.body)?)
}

fn at<'a>(value: &'a mut Value, path: &str) -> Result<&'a mut Value, Failure> {
    value.pointer_mut(path).ok_or_else(|| format!("the review has no {path}").into())
}

fn remove(value: &mut Value, path: &str, key: &str) -> Result<(), Failure> {
    let removed = at(value, path)?.as_object_mut().and_then(|object| object.remove(key));
    removed.map(drop).ok_or_else(|| format!("the review has no {path}/{key}").into())
}
