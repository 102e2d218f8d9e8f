//! Fields whose values may be shown wherever they stand, whoever writes them.
//!
//! Most of what a mutation writes may be a secret: annotations, environment, arguments, data. What is named here is read by
//! everybody who may see the object's rows: images, ports, labels, and what Kubernetes itself enumerates.

use crate::json::{PathBuf, SegmentBuf};

/// Fields with one value.
const FIELDS: [&str; 22] = [
    "allowPrivilegeEscalation",
    "automountServiceAccountToken",
    "containerPort",
    "dnsPolicy",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostPort",
    "image",
    "imagePullPolicy",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "privileged",
    "readOnlyRootFilesystem",
    "replicas",
    "restartPolicy",
    "runAsNonRoot",
    "runAsUser",
    "runtimeClassName",
    "schedulerName",
    "terminationGracePeriodSeconds",
];

/// Fields with a map or a list of such values.
const AROUND: [&str; 8] =
    ["capabilities", "labels", "limits", "matchLabels", "nodeSelector", "requests", "seccompProfile", "tolerations"];

/// Whether the value at this place may stand in messages.
///
/// ```
/// use admittance_engine::json::{Arena, PathBuf, read};
/// use admittance_engine::kubernetes::public_fields::is_public;
///
/// let arena = Arena::with_limit(1 << 20);
/// let object = read(&arena, r#"{"spec":{"containers":[{}]}}"#)?;
/// assert!(is_public(&PathBuf::of_pointer(object, "/spec/containers/0/image")));
/// assert!(!is_public(&PathBuf::of_pointer(object, "/spec/containers/0/env/0/value")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn is_public(path: &PathBuf) -> bool {
    let keys: Vec<&str> = path
        .0
        .iter()
        .filter_map(|segment| match segment {
            SegmentBuf::Key(key) => Some(key.as_str()),
            SegmentBuf::Item { .. } => None,
        })
        .collect();
    // Below these stands what a user names freely, whatever it is called there.
    let is_private =
        keys.iter().any(|key| matches!(*key, "annotations" | "data" | "stringData" | "binaryData" | "env"));
    let ends = keys.last().is_some_and(|last| FIELDS.contains(last) || AROUND.contains(last));
    let around = keys.iter().rev().skip(1).take(1).any(|parent| AROUND.contains(parent));
    !is_private && (ends || around)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(keys: &[&str]) -> PathBuf {
        PathBuf(keys.iter().map(|key| SegmentBuf::Key((*key).to_owned())).collect())
    }

    #[test]
    fn shows_labels_and_images_and_nothing_that_may_be_secret() {
        assert!(is_public(&path(&["metadata", "labels", "team"])));
        assert!(is_public(&path(&["spec", "containers", "imagePullPolicy"])));
        assert!(!is_public(&path(&["metadata", "annotations", "image"])));
        assert!(!is_public(&path(&["data", "labels", "image"])));
        assert!(!is_public(&path(&["spec", "containers", "args"])));
        assert!(!is_public(&path(&[])));
    }
}
