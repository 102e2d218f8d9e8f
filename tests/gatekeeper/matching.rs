//! Constraints as policies: `spec.match`, and what the template's parameters become.

use serde_json::{Map, Value, json};

use crate::row::resource;
use crate::templates::{Acts, Template};

/// The policies of a constraint.
///
/// # Errors
/// What it says that no policy can say.
pub(crate) fn policies(template: &Template, constraint: &Value) -> Result<Vec<Value>, String> {
    let none = Value::Object(Map::new());
    let parameters = constraint["spec"].get("parameters").filter(|given| given.is_object()).unwrap_or(&none);
    let criteria = constraint["spec"].get("match").filter(|given| given.is_object()).unwrap_or(&none);
    let specs = (template.map)(parameters)?;
    let policy = |(index, mut spec): (usize, Value)| {
        matched(&mut spec, criteria, template.acts)?;
        // Gatekeeper does not look at what was there before.
        spec["existing"] = "Deny".into();
        let name = format!("{}-{index}", template.library);
        Ok(json!({"apiVersion": "admittance.dev/v1alpha1", "kind": "Policy", "metadata": {"name": name}, "spec": spec}))
    };
    specs.into_iter().enumerate().map(policy).collect()
}

/// Puts `match` into a policy.
fn matched(spec: &mut Value, criteria: &Value, acts: Acts) -> Result<(), String> {
    let known = ["kinds", "namespaces", "excludedNamespaces", "labelSelector", "namespaceSelector", "scope", "name"];
    if let Some(field) = criteria
        .as_object()
        .into_iter()
        .flatten()
        .map(|(field, _)| field)
        .find(|field| !known.contains(&field.as_str()))
    {
        return Err(format!("match.{field} has no counterpart"));
    }
    let mut constraints = Map::new();
    constraints.insert("resourceRules".to_owned(), rules(criteria, acts).into());
    for (theirs, ours) in [("labelSelector", "objectSelector"), ("namespaceSelector", "namespaceSelector")] {
        if let Some(selector) = criteria.get(theirs) {
            constraints.insert(ours.to_owned(), selector.clone());
        }
    }
    spec["matchConstraints"] = constraints.into();
    let mut namespaces = Map::new();
    for (theirs, ours) in [("namespaces", "include"), ("excludedNamespaces", "exclude")] {
        if let Some(patterns) =
            criteria.get(theirs).filter(|patterns| patterns.as_array().is_some_and(|all| !all.is_empty()))
        {
            namespaces.insert(ours.to_owned(), patterns.clone());
        }
    }
    if !namespaces.is_empty() {
        spec["namespaces"] = namespaces.into();
    }
    if let Some(pattern) = criteria["name"].as_str() {
        let expression = match pattern.strip_suffix('*') {
            Some(prefix) => format!("request.name.startsWith({})", json!(prefix)),
            None => format!("request.name == {}", json!(pattern)),
        };
        spec["matchConditions"] = json!([{"name": "name", "expression": expression}]);
    }
    Ok(())
}

/// The rules for the kinds: Gatekeeper names kinds, webhooks resources.
fn rules(criteria: &Value, acts: Acts) -> Vec<Value> {
    let scope = criteria["scope"].as_str().unwrap_or("*");
    let rule = |groups: Value, resources: Value, operations: &[&str]| json!({"apiGroups": groups, "apiVersions": ["*"], "resources": resources, "operations": operations, "scope": scope});
    let texts = |value: &Value| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        let found: Vec<String> = items.filter_map(Value::as_str).map(str::to_owned).collect();
        if found.is_empty() { vec!["*".to_owned()] } else { found }
    };
    let all = [json!({"apiGroups": ["*"], "kinds": ["*"]})];
    let kinds = criteria["kinds"].as_array().filter(|kinds| !kinds.is_empty()).map_or(&all[..], Vec::as_slice);
    let mut rules = vec![];
    for entry in kinds {
        let (groups, names) = (texts(&entry["apiGroups"]), texts(&entry["kinds"]));
        for name in &names {
            // Groups share a kind's plural, where one of them is known.
            let first = groups.first().map_or("", String::as_str);
            let plural = if name == "*" { "*".to_owned() } else { resource(first, name).0 };
            rules.push(rule(json!(groups), json!([plural]), acts.operations()));
            if name == "Pod" && acts != Acts::Update {
                // The one field of a pod that grows later.
                rules.push(rule(json!(groups), json!(["pods/ephemeralcontainers"]), &["UPDATE"]));
            }
        }
    }
    rules
}
