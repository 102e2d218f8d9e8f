//! `MatchResources`: validateMatchResources of k8s.io/kubernetes, pkg/apis/admissionregistration/validation.

use std::collections::BTreeSet;

use super::field_error::{Field, FieldErrors};
use super::formats;
use crate::matching::{RawLabelSelector, RawMatchConstraints, RawResourceRule};

/// All that the API server refuses. Absent fields have their defaults.
pub(super) fn check(raw: &RawMatchConstraints, field: &Field, errors: &mut FieldErrors) {
    if let Some(policy) = raw.match_policy.as_deref()
        && !matches!(policy, "Exact" | "Equivalent")
    {
        errors.not_supported(&field.child("matchPolicy"), policy, &["Equivalent", "Exact"]);
    }
    if let Some(selector) = &raw.namespace_selector {
        label_selector(selector, &field.child("namespaceSelector"), errors);
    }
    if let Some(selector) = &raw.object_selector {
        label_selector(selector, &field.child("objectSelector"), errors);
    }
    for (name, rules) in [("resourceRules", &raw.resource_rules), ("excludeResourceRules", &raw.exclude_resource_rules)]
    {
        for (position, rule) in rules.iter().flatten().enumerate() {
            named_rule(rule, &field.child(name).index(position), errors);
        }
    }
}

/// ValidateLabelSelector of apimachinery.
pub(super) fn label_selector(raw: &RawLabelSelector, field: &Field, errors: &mut FieldErrors) {
    let labels = field.child("matchLabels");
    for (key, value) in raw.match_labels.iter().flatten() {
        formats::label_key(key).iter().for_each(|problem| errors.invalid(&labels, key, problem));
        formats::label_value(value).iter().for_each(|problem| errors.invalid(&labels, value, problem));
    }
    for (position, requirement) in raw.match_expressions.iter().flatten().enumerate() {
        let field = field.child("matchExpressions").index(position);
        let values = requirement.values.as_deref().unwrap_or_default();
        let key = requirement.key.as_deref().unwrap_or_default();
        match requirement.operator.as_deref().unwrap_or_default() {
            "In" | "NotIn" if values.is_empty() => {
                errors.required(&field.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                errors.forbidden(&field.child("values"), detail);
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => errors.invalid(&field.child("operator"), other, "not a valid selector operator"),
        }
        formats::label_key(key).iter().for_each(|problem| errors.invalid(&field.child("key"), key, problem));
        for (position, value) in values.iter().enumerate() {
            let field = field.child("values").index(position);
            formats::label_value(value).iter().for_each(|problem| errors.invalid(&field, value, problem));
        }
    }
}

/// validateNamedRuleWithOperations
fn named_rule(raw: &RawResourceRule, field: &Field, errors: &mut FieldErrors) {
    let mut seen = BTreeSet::new();
    for (position, name) in raw.resource_names.iter().flatten().enumerate() {
        let field = field.child("resourceNames").index(position);
        formats::path_segment(name).iter().for_each(|problem| errors.invalid(&field, name, problem));
        if !seen.insert(name) {
            errors.duplicate(&field, name);
        }
    }
    let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    let operations = list(&raw.operations);
    some_or_all(&operations, &field.child("operations"), "operations", errors);
    for (position, operation) in operations.iter().enumerate() {
        let supported = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
        if !supported.contains(&operation.as_str()) {
            errors.not_supported(&field.child("operations").index(position), operation, &supported);
        }
    }
    some_or_all(&list(&raw.api_groups), &field.child("apiGroups"), "API groups", errors);
    let versions = list(&raw.api_versions);
    some_or_all(&versions, &field.child("apiVersions"), "API versions", errors);
    for (position, _) in versions.iter().enumerate().filter(|(_, version)| version.is_empty()) {
        errors.required(&field.child("apiVersions").index(position), "");
    }
    resources(&list(&raw.resources), &field.child("resources"), errors);
    if let Some(scope) = raw.scope.as_deref()
        && !matches!(scope, "*" | "Cluster" | "Namespaced")
    {
        errors.not_supported(&field.child("scope"), scope, &["*", "Cluster", "Namespaced"]);
    }
}

fn some_or_all(values: &[String], field: &Field, what: &str, errors: &mut FieldErrors) {
    if values.is_empty() {
        errors.required(field, "");
    }
    if values.len() > 1 && values.iter().any(|value| value == "*") {
        errors.invalid(field, values, &format!("if '*' is present, must not specify other {what}"));
    }
}

/// validateResources
fn resources(resources: &[String], field: &Field, errors: &mut FieldErrors) {
    if resources.is_empty() {
        errors.required(field, "");
    }
    let (mut any_subresource_of, mut any_resource_with) = (BTreeSet::new(), BTreeSet::new());
    let mut has_resource_without_subresource = false;
    for (position, text) in resources.iter().enumerate() {
        let field = field.index(position);
        if text.is_empty() {
            errors.required(&field, "");
            continue;
        }
        let Some((resource, subresource)) = text.split_once('/') else {
            // The last one decides, as upstream.
            has_resource_without_subresource = text != "*";
            continue;
        };
        if any_subresource_of.contains(resource) {
            errors.invalid(&field, text, &format!("if '{resource}/*' is present, must not specify {text}"));
        }
        if any_resource_with.contains(subresource) {
            errors.invalid(&field, text, &format!("if '*/{subresource}' is present, must not specify {text}"));
        }
        if subresource == "*" {
            any_subresource_of.insert(resource);
        }
        if resource == "*" {
            any_resource_with.insert(subresource);
        }
    }
    if resources.len() > 1 && resources.iter().any(|text| text == "*/*") {
        errors.invalid(field, resources, "if '*/*' is present, must not specify other resources");
    }
    if resources.iter().any(|text| text == "*") && has_resource_without_subresource {
        let detail = "if '*' is present, must not specify other resources without subresources";
        errors.invalid(field, resources, detail);
    }
}
