//! The two pods.

use std::path::Path;

use bytes::Bytes;
use serde_json::Value;

use crate::{Failure, scene::NAMESPACE};

/// Where both are posted: nothing is stored, all of admission runs.
pub(crate) const DRY_RUN: &str = "/api/v1/namespaces/bench/pods?dryRun=All";

/// What is posted, JSON.
pub(crate) struct Pods {
    /// Passes every rule: the pod of `benches/review-pass.json`, as the ReplicaSet controller wrote it.
    pub(crate) good: Bytes,
    /// Breaks every rule, so that the API server's count of refusals tells how many are in force.
    pub(crate) bad: Bytes,
}

impl Pods {
    /// `benches`: the folder with the reviews.
    pub(crate) fn read(benches: &Path) -> Result<Self, Failure> {
        let mut review: Value = serde_json::from_slice(&std::fs::read(benches.join("review-pass.json"))?)?;
        let pod = review.pointer_mut("/request/object").and_then(Value::as_object_mut);
        let pod = pod.ok_or("the review has no request.object")?;
        pod.remove("status");
        let metadata = pod.get_mut("metadata").and_then(Value::as_object_mut).ok_or("the pod has no metadata")?;
        if metadata.get("namespace").and_then(Value::as_str) != Some(NAMESPACE) {
            return Err(format!("the pod of the review is not in namespace {NAMESPACE}").into());
        }
        // What the API server adds; the name it makes of generateName.
        for added in ["name", "uid", "generation", "creationTimestamp", "managedFields"] {
            metadata.remove(added);
        }
        Ok(Self { good: serde_json::to_vec(pod)?.into(), bad: Bytes::from_static(include_bytes!("bad.json")) })
    }
}
