//! Label selectors in objects (metav1 LabelSelector).

use crate::json::Node;

/// Whether the selector, a map, holds for these labels, a map of strings or null. The empty one holds for all. What the API
/// server would refuse holds for none.
pub fn selects(selector: Node<'_>, labels: Node<'_>) -> bool {
    let has_all = selector.entries_of("matchLabels").iter().all(|(key, value)| {
        let expected = value.as_str();
        expected.is_some() && labels.str(key) == expected
    });
    has_all && selector.items_of("matchExpressions").iter().all(|requirement| is_met(*requirement, labels))
}

fn is_met(requirement: Node<'_>, labels: Node<'_>) -> bool {
    let Some(found) = requirement.str("key").map(|key| labels.str(key)) else { return false };
    let is_among = || {
        let values = requirement.items_of("values");
        found.is_some_and(|found| values.iter().any(|value| value.as_str() == Some(found)))
    };
    match requirement.str("operator") {
        Some("In") => is_among(),
        Some("NotIn") => !is_among(),
        Some("Exists") => found.is_some(),
        Some("DoesNotExist") => found.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Arena, read};

    #[test]
    fn holds_as_kubernetes_reads_it() {
        let arena = Arena::with_limit(1 << 20);
        let node = |text: &str| read(&arena, arena.text(text)).unwrap();
        let labels = node(r#"{"app":"web","tier":"front"}"#);
        let expression = |key: &str, operator: &str, values: &str| {
            let text =
                format!(r#"{{"matchExpressions":[{{"key":"{key}","operator":"{operator}","values":{values}}}]}}"#);
            selects(node(&text), labels)
        };
        assert!(selects(node("{}"), labels) && selects(node(r#"{"matchLabels":{"app":"web"}}"#), labels));
        assert!(!selects(node(r#"{"matchLabels":{"app":"web","tier":"back"}}"#), labels));
        assert!(!selects(node(r#"{"matchLabels":{"app":null}}"#), labels));
        assert!(!selects(node(r#"{"matchLabels":{"zone":"a"}}"#), labels));
        assert!(expression("app", "In", r#"["db","web"]"#) && !expression("app", "In", r#"["db"]"#));
        assert!(expression("app", "NotIn", r#"["db"]"#) && expression("zone", "NotIn", r#"["db"]"#));
        assert!(expression("app", "Exists", "[]") && !expression("zone", "Exists", "null"));
        assert!(expression("zone", "DoesNotExist", "[]") && !expression("app", "DoesNotExist", "[]"));
        assert!(!expression("app", "Like", r#"["web"]"#) && !selects(node(r#"{"matchExpressions":[7]}"#), labels));
        assert!(!selects(node(r#"{"matchLabels":{"app":"web"}}"#), Node::NULL));
    }
}
