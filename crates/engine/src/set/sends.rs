//! Whether an entry of a webhook configuration sends one request.

use super::reach::{Entry, NAME, fits};
use crate::review::Review;

impl Entry {
    /// Whether its rules and selectors send this request for certain. Namespaces are known by their name alone: an entry that
    /// selects them by other labels is not taken to send anything, nor is one whose rules name another version.
    pub fn sends(&self, review: &Review<'_>) -> bool {
        let sends = self.constraints();
        if !sends.fits_rules(review) {
            return false;
        }
        let in_namespace = sends.namespace_selector.requirements().iter().all(|requirement| {
            requirement.key == NAME && (review.namespace.is_empty() || fits(&requirement.test, review.namespace))
        });
        let labels = review.judged().ok().and_then(|object| object.at(&["metadata", "labels"])).unwrap_or_default();
        in_namespace && sends.object_selector.unmet(labels).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Arena;
    use crate::matching::RawMatchConstraints;
    use crate::review::Envelope;

    fn sends(webhook: &str, request: &str) -> bool {
        let raw: RawMatchConstraints = serde_json::from_str(webhook).unwrap();
        let arena = Arena::with_limit(1 << 20);
        let body = format!(
            r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","kind":{{"version":"v1","kind":"Pod"}},"resource":{{"version":"v1","resource":"pods"}},"object":{{"metadata":{{"labels":{{"a":"b"}}}}}},{request}}}}}"#
        );
        let (envelope, read) = Envelope::read(&arena, body.as_bytes());
        read.unwrap();
        Entry::new("mutate", &raw).sends(&envelope.into_review(&arena).unwrap())
    }

    #[test]
    fn sends_what_rules_and_names_of_namespaces_let_through() {
        let rules =
            r#""resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["pods"]}]"#;
        let exempt = r#""namespaceSelector":{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["kube-system"]}]}"#;
        let entry = format!("{{{rules},{exempt}}}");
        assert!(sends(&entry, r#""operation":"CREATE","namespace":"shop""#));
        assert!(!sends(&entry, r#""operation":"CREATE","namespace":"kube-system""#));
        assert!(!sends(&entry, r#""operation":"UPDATE","namespace":"shop""#));
        let by_label = |labels: &str| format!(r#"{{{rules},"objectSelector":{{"matchLabels":{labels}}}}}"#);
        assert!(sends(&by_label(r#"{"a":"b"}"#), r#""operation":"CREATE","namespace":"shop""#));
        assert!(!sends(&by_label(r#"{"a":"c"}"#), r#""operation":"CREATE","namespace":"shop""#));
        let unknown = format!(r#"{{{rules},"namespaceSelector":{{"matchLabels":{{"tier":"web"}}}}}}"#);
        assert!(!sends(&unknown, r#""operation":"CREATE","namespace":"shop""#));
    }
}
