//! What webhooks select, by labels and by rules.

use admittance_engine::deadline::Deadline;
use admittance_engine::expression::query::answer;
use admittance_engine::matching::selectors::Test;
use admittance_engine::matching::{LabelSelector, RawLabelSelector};
use serde_json::{Value, json};

use crate::cluster::at;

/// Whether a label selector holds for an object's labels. One that is not there holds for all.
pub(super) fn selects(selector: &Value, labels: &Value) -> bool {
    if selector.is_null() {
        return true;
    }
    let raw: RawLabelSelector = serde_json::from_value(selector.clone()).unwrap_or_default();
    let selector = LabelSelector::read(&raw).unwrap_or_default();
    selector.requirements().iter().all(|requirement| {
        let value = labels.get(&requirement.key).and_then(Value::as_str);
        let is_among = |values: &[String]| value.is_some_and(|value| values.iter().any(|known| known == value));
        match &requirement.test {
            Test::In(values) => is_among(values),
            Test::NotIn(values) => !is_among(values),
            Test::Exists => value.is_some(),
            Test::DoesNotExist => value.is_none(),
        }
    })
}

/// The strings of a list.
pub(super) fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The items of a list.
pub(super) fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// Whether a webhook's rules send this operation on this resource of a group.
pub(super) fn sends(webhook: &Value, operation: &str, group: &str, resource: &str, is_namespaced: bool) -> bool {
    let has = |list: &Value, wanted: &str| texts(list).any(|one| one == "*" || one == wanted);
    items(at(webhook, "/rules")).any(|rule| {
        let scope = at(rule, "/scope").as_str().unwrap_or("*");
        has(at(rule, "/operations"), operation)
            && has(at(rule, "/apiGroups"), group)
            && texts(at(rule, "/resources"))
                .any(|one| one == resource || matches!(one, "*" | "*/*") || one.strip_suffix("/*") == Some(resource))
            && (scope == "*" || (scope == "Namespaced") == is_namespaced)
    })
}

/// Whether a webhook's conditions let a request pass to it. One that fails does not keep it away for certain.
pub(super) fn conditions_hold(webhook: &Value, request: &Value) -> bool {
    items(at(webhook, "/matchConditions")).all(|condition| {
        let expression = at(condition, "/expression").as_str().unwrap_or_default();
        let line = json!({"expr": expression, "vars": {"request": request}, "params": false}).to_string();
        answer(&line, Deadline::never()).value.is_none_or(|value| value.get() != r#"{"bool":false}"#)
    })
}

/// Whether it refuses what it is not asked about. That is the default.
pub(super) fn fails_closed(webhook: &Value) -> bool {
    at(webhook, "/failurePolicy") != "Ignore"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evaluates_conditions_as_the_api_server_does() {
        let webhook = |expression: &str| json!({"matchConditions": [{"name": "a", "expression": expression}]});
        let request =
            json!({"resource": {"group": "", "version": "v1", "resource": "nodes"}, "userInfo": {"username": "x"}});
        for (expression, expected) in [
            ("request.resource.resource != 'nodes'", false),
            ("request.resource.resource == 'nodes'", true),
            ("!(request.resource.group in ['', 'x']) || request.resource.resource != 'nodes'", false),
            ("no such thing", true),
        ] {
            assert_eq!(conditions_hold(&webhook(expression), &request), expected, "{expression}");
        }
        assert!(conditions_hold(&json!({}), &request));
    }

    #[test]
    fn selects_by_labels() {
        let labels = json!({"a": "b"});
        for (selector, expected) in [
            (json!(null), true),
            (json!({}), true),
            (json!({"matchLabels": {"a": "b"}}), true),
            (json!({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}), false),
            (json!({"matchExpressions": [{"key": "c", "operator": "Exists"}]}), false),
        ] {
            assert_eq!(selects(&selector, &labels), expected, "{selector}");
        }
    }
}
