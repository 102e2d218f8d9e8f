//! Match constraints, written as they are read.

use serde_json::{Map, Value, json};

use crate::matching::selectors::Test;
use crate::matching::{LabelSelector, MatchConstraints, MatchPolicy, Names, Operations, ResourceRule, Scope};
use crate::review::Operation;

/// `matchConstraints` of a ValidatingAdmissionPolicy.
pub(super) fn of(constraints: &MatchConstraints) -> Value {
    let mut map = Map::new();
    let rules = |rules: &[ResourceRule]| rules.iter().map(rule).collect::<Value>();
    map.insert("resourceRules".to_owned(), rules(&constraints.resource_rules));
    if !constraints.exclude_resource_rules.is_empty() {
        map.insert("excludeResourceRules".to_owned(), rules(&constraints.exclude_resource_rules));
    }
    if constraints.match_policy == MatchPolicy::Exact {
        map.insert("matchPolicy".to_owned(), "Exact".into());
    }
    for (field, selector) in
        [("namespaceSelector", &constraints.namespace_selector), ("objectSelector", &constraints.object_selector)]
    {
        if !selector.is_empty() {
            map.insert(field.to_owned(), self::selector(selector));
        }
    }
    Value::Object(map)
}

fn rule(rule: &ResourceRule) -> Value {
    let names = |names: &Names| match names {
        Names::Any => json!(["*"]),
        Names::Only(names) => json!(names),
    };
    let mut value = json!({
        "apiGroups": names(&rule.groups),
        "apiVersions": names(&rule.versions),
        "operations": operations(rule.operations),
        "resources": rule.resources.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    if let Some(value) = value.as_object_mut() {
        value.extend((rule.scope != Scope::Any).then(|| ("scope".to_owned(), rule.scope.as_str().into())));
        value.extend((!rule.names.is_empty()).then(|| ("resourceNames".to_owned(), json!(rule.names))));
    }
    value
}

fn operations(operations: Operations) -> Vec<&'static str> {
    Operation::ALL.into_iter().filter(|operation| operations.has(*operation)).map(Operation::as_str).collect()
}

fn selector(selector: &LabelSelector) -> Value {
    let requirement = |requirement: &crate::matching::selectors::Requirement| {
        let (operator, values) = match &requirement.test {
            Test::In(values) => ("In", Some(values)),
            Test::NotIn(values) => ("NotIn", Some(values)),
            Test::Exists => ("Exists", None),
            Test::DoesNotExist => ("DoesNotExist", None),
        };
        let mut value = json!({ "key": requirement.key, "operator": operator });
        if let Some(value) = value.as_object_mut() {
            value.extend(values.map(|values| ("values".to_owned(), json!(values))));
        }
        value
    };
    json!({ "matchExpressions": selector.requirements().iter().map(requirement).collect::<Vec<_>>() })
}
