//! What is compared, and how it is seen whether it is in force.

use hyper::StatusCode;
use serde_json::{Value, json};

/// What the API server asks about a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Configuration {
    /// Nothing.
    NoPolicy,
    /// A webhook that allows everything and reads nothing.
    NullWebhook,
    /// Its own ValidatingAdmissionPolicies: the rules.
    Native,
    /// The product with the same file.
    Admittance,
}

impl Configuration {
    pub(crate) const ALL: [Self; 4] = [Self::NoPolicy, Self::NullWebhook, Self::Native, Self::Admittance];

    /// As in the CSV, column `server`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NoPolicy => "no-policy",
            Self::NullWebhook => "null-webhook",
            Self::Native => "native-policies",
            Self::Admittance => "admittance",
        }
    }

    /// The name of its webhook, and of the configuration that registers it.
    pub(crate) fn webhook_name(self) -> Option<&'static str> {
        match self {
            Self::NoPolicy | Self::Native => None,
            Self::NullWebhook => Some("null.webhook.example"),
            Self::Admittance => Some("admittance.webhook.example"),
        }
    }

    /// The admission plugin that does what is compared here, as the API server's metrics name it.
    pub(crate) fn plugin(self) -> Option<&'static str> {
        match self {
            Self::NoPolicy => None,
            Self::Native => Some("ValidatingAdmissionPolicy"),
            Self::NullWebhook | Self::Admittance => Some("ValidatingAdmissionWebhook"),
        }
    }

    /// Whether this answer to the pod that breaks every rule is right. `refusals`: the API server's own count of its
    /// policies' refusals of this one pod. `calls`: its count of calls of this configuration's webhook.
    pub(crate) fn explains(self, rules: &[String], answer: &(StatusCode, String), refusals: f64, calls: f64) -> bool {
        let (status, text) = answer;
        let is = |count: f64, expected: f64| (count - expected).abs() < 0.5;
        let in_force = if self == Self::Native { rules.len() } else { 0 };
        u32::try_from(in_force).is_ok_and(|in_force| is(refusals, f64::from(in_force)))
            && is(calls, if self.webhook_name().is_some() { 1.0 } else { 0.0 })
            && match self {
                Self::NoPolicy | Self::NullWebhook => *status == StatusCode::CREATED,
                Self::Native => {
                    let refused = |rule| text.contains(&format!("ValidatingAdmissionPolicy '{rule}' with binding"));
                    *status == StatusCode::UNPROCESSABLE_ENTITY && rules.iter().any(refused)
                }
                Self::Admittance => {
                    *status == StatusCode::UNPROCESSABLE_ENTITY
                        && text.contains("\\\"admittance.webhook.example\\\" denied the request")
                        && rules.iter().all(|rule| text.contains(&format!("{rule}: ")))
                }
            }
    }
}

/// The ValidatingWebhookConfiguration `name`, whose only webhook is reached through the Service at `port`.
///
/// Through a Service, because that is how webhooks are installed: the API server takes another protocol to loopback URLs.
pub(crate) fn registration(name: &str, namespace: &str, service: &str, port: u16, ca_bundle: &str) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [{
            "name": name,
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Fail",
            "timeoutSeconds": 5,
            "clientConfig": {
                "service": {"namespace": namespace, "name": service, "port": port, "path": "/validate"},
                "caBundle": ca_bundle,
            },
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}],
        }],
    })
}
