//! Bindings: validateValidatingAdmissionPolicyBindingSpec and its like for mutating policies, of k8s.io/kubernetes.

use std::collections::BTreeSet;

use super::field_error::{Field, FieldErrors};
use super::raw::RawParamRef;
use super::{formats, match_resources};
use crate::matching::RawMatchConstraints;

pub(super) fn check(
    policy_name: Option<&str>,
    param_ref: Option<&RawParamRef>,
    match_resources: Option<&RawMatchConstraints>,
    errors: &mut FieldErrors,
) {
    let field = Field::root("spec");
    match policy_name.unwrap_or_default() {
        "" => errors.required(&field.child("policyName"), ""),
        name => {
            let problems = formats::subdomain(name);
            problems.iter().for_each(|problem| errors.invalid(&field.child("policyName"), name, problem));
        }
    }
    if let Some(raw) = param_ref {
        self::param_ref(raw, &field.child("paramRef"), errors);
    }
    if let Some(raw) = match_resources {
        match_resources::check(raw, &field.child("matchResources"), errors);
    }
}

/// validateParamRef
fn param_ref(raw: &RawParamRef, field: &Field, errors: &mut FieldErrors) {
    let name = raw.name.as_deref().unwrap_or_default();
    let both = "name and selector are mutually exclusive";
    if !name.is_empty() {
        formats::path_segment(name).iter().for_each(|problem| errors.invalid(&field.child("name"), name, problem));
        if raw.selector.is_some() {
            errors.forbidden(&field.child("name"), both);
        }
    }
    if let Some(selector) = &raw.selector {
        match_resources::label_selector(selector, &field.child("selector"), errors);
        if !name.is_empty() {
            errors.forbidden(&field.child("selector"), both);
        }
    } else if name.is_empty() {
        errors.required(field, "one of name or selector must be specified");
    }
    match raw.parameter_not_found_action.as_deref().unwrap_or_default() {
        "" => errors.required(&field.child("parameterNotFoundAction"), ""),
        "Allow" | "Deny" => {}
        other => errors.not_supported(&field.child("parameterNotFoundAction"), other, &["Deny", "Allow"]),
    }
}

/// validateValidationActions
pub(super) fn actions(raw: &[String], errors: &mut FieldErrors) {
    let field = Field::root("spec").child("validationActions");
    let mut seen = BTreeSet::new();
    for (position, action) in raw.iter().enumerate() {
        if !matches!(action.as_str(), "Deny" | "Warn" | "Audit") {
            errors.not_supported(&field.index(position), action, &["Audit", "Deny", "Warn"]);
        }
        if !seen.insert(action.as_str()) {
            errors.duplicate(&field.index(position), action);
        }
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        errors.invalid(
            &field,
            raw,
            "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)",
        );
    }
    if seen.is_empty() {
        errors.required(&field, "at least one validation action is required");
    }
}
