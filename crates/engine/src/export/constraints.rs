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
    let mut fields = Map::new();
    let mut set = |field: &str, value: Value| drop(fields.insert(field.to_owned(), value));
    let resources: Vec<String> = rule.resources.iter().map(ToString::to_string).collect();
    set("apiGroups", names(&rule.groups));
    set("apiVersions", names(&rule.versions));
    set("operations", json!(operations(rule.operations)));
    set("resources", json!(resources));
    if rule.scope != Scope::Any {
        set("scope", rule.scope.as_str().into());
    }
    if !rule.names.is_empty() {
        set("resourceNames", json!(rule.names));
    }
    Value::Object(fields)
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
        match values {
            Some(values) => json!({ "key": requirement.key, "operator": operator, "values": values }),
            None => json!({ "key": requirement.key, "operator": operator }),
        }
    };
    json!({ "matchExpressions": selector.requirements().iter().map(requirement).collect::<Vec<_>>() })
}
