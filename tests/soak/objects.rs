//! The objects that are made, and what the hardened pack must make of each.

use serde_json::{Value, json};

/// Judged by the webhook.
pub(crate) const JUDGED: &str = "soak";
/// Never sent to it.
pub(crate) const EXEMPT: &str = "soak-exempt";

/// What is made, and so what must become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Says nothing of its rights: gets the security context filled in.
    GoodPod,
    /// Privileged: refused.
    BadPod,
    /// Privileged, in an exempt namespace: made as it is.
    ExemptPod,
    /// Its pods get their security context.
    GoodDeployment,
    /// Refused.
    BadDeployment,
}

/// In which order they are made: of ten, four good pods and two bad ones.
const ORDER: [Sort; 10] = [
    Sort::GoodPod,
    Sort::BadPod,
    Sort::GoodPod,
    Sort::GoodDeployment,
    Sort::ExemptPod,
    Sort::GoodPod,
    Sort::BadPod,
    Sort::GoodPod,
    Sort::BadDeployment,
    Sort::ExemptPod,
];

impl Sort {
    /// Of the object with this number.
    pub(crate) fn of(number: u64) -> Self {
        let index = usize::try_from(number % 10).unwrap_or(0);
        ORDER.get(index).copied().unwrap_or(Self::GoodPod)
    }

    pub(crate) fn is_bad(self) -> bool {
        matches!(self, Self::BadPod | Self::BadDeployment)
    }

    pub(crate) fn namespace(self) -> &'static str {
        if self == Self::ExemptPod { EXEMPT } else { JUDGED }
    }

    /// Where objects of this sort are.
    pub(crate) fn collection(self) -> String {
        let namespace = self.namespace();
        match self {
            Self::GoodDeployment | Self::BadDeployment => format!("/apis/apps/v1/namespaces/{namespace}/deployments"),
            _ => format!("/api/v1/namespaces/{namespace}/pods"),
        }
    }

    /// The object. No pod is scheduled, so that it costs nothing but what is said about it.
    pub(crate) fn object(self, name: &str) -> Value {
        let privileged = matches!(self, Self::BadPod | Self::ExemptPod | Self::BadDeployment);
        let mut container = json!({"name": "main", "image": "registry.example/soak:1.0"});
        if privileged && let Some(fields) = container.as_object_mut() {
            fields.insert("securityContext".to_owned(), json!({"privileged": true}));
        }
        let spec = json!({"schedulingGates": [{"name": "soak.example/never"}], "containers": [container]});
        let metadata = json!({"name": name, "labels": {"soak": "load"}});
        match self {
            Self::GoodDeployment | Self::BadDeployment => json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
                "spec": {
                    "replicas": 1, "selector": {"matchLabels": {"of": name}},
                    "template": {"metadata": {"labels": {"of": name, "soak": "load"}}, "spec": spec},
                },
            }),
            _ => json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}),
        }
    }
}

/// Whether the hardened pack has filled in all that a pod of ours leaves open.
pub(crate) fn is_hardened(pod: &Value) -> bool {
    let at = |pointer: &str| pod.pointer(pointer).cloned().unwrap_or_default();
    let either = |field: &str| {
        let of_container = at(&format!("/spec/containers/0/securityContext/{field}"));
        if of_container.is_null() { at(&format!("/spec/securityContext/{field}")) } else { of_container }
    };
    at("/spec/containers/0/securityContext/allowPrivilegeEscalation") == json!(false)
        && at("/spec/containers/0/securityContext/capabilities/drop") == json!(["ALL"])
        && either("runAsNonRoot") == json!(true)
        && either("seccompProfile") == json!({"type": "RuntimeDefault"})
}

/// Whether a pod of an exempt namespace is as it was sent.
pub(crate) fn is_untouched(pod: &Value) -> bool {
    pod.pointer("/spec/containers/0/securityContext") == Some(&json!({"privileged": true}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(container: &Value, own: &Value) -> Value {
        json!({"spec": {"securityContext": own, "containers": [{"securityContext": container}]}})
    }

    #[test]
    fn knows_a_hardened_pod_from_others() {
        let container = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
        let own = json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
        assert!(is_hardened(&pod(&container, &own)));
        assert!(!is_hardened(&pod(&container, &json!({}))));
        assert!(!is_hardened(&pod(&json!({}), &own)));
        assert!(!is_hardened(&Sort::GoodPod.object("web")));
    }

    #[test]
    fn knows_an_exempt_pod_that_was_changed() {
        assert!(is_untouched(&Sort::ExemptPod.object("web")));
        assert!(!is_untouched(&pod(&json!({"privileged": true, "runAsNonRoot": true}), &json!({}))));
    }
}
