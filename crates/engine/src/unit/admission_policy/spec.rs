//! The rules about specs but for their expressions: pkg/apis/admissionregistration/validation of k8s.io/kubernetes, in its
//! order and with its texts. What the fields that hold expressions must look like stands here, whether the expressions
//! compile does not.

use std::collections::BTreeSet;

use super::field_error::{Field, FieldErrors};
use super::raw::{
    RawAuditAnnotation, RawMatchCondition, RawMutatingSpec, RawMutation, RawParamKind, RawValidatingSpec,
    RawValidation, RawVariable,
};
use super::{formats, match_resources};
use crate::expression::Role;
use crate::matching::RawMatchConstraints;

/// What compiles an expression at its field; what is wrong with it goes to the same list.
pub(crate) type Compile<'c> = &'c mut dyn FnMut(&Place<'_>, &str, &mut FieldErrors);

/// An expression on its way to the compiler.
pub(crate) struct Place<'f> {
    pub(crate) field: &'f Field,
    pub(crate) role: Role,
}

/// The most audit annotations of a policy, and the longest expression of one, in bytes.
const AUDIT_ANNOTATIONS: usize = 20;
const VALUE_EXPRESSION: usize = 5 * 1024;
/// The most match conditions of a policy.
const MATCH_CONDITIONS: usize = 64;

/// validateValidatingAdmissionPolicySpec
pub(super) fn validating(raw: &RawValidatingSpec, name: &str, compile: Compile<'_>, errors: &mut FieldErrors) {
    let field = Field::root("spec");
    failure_policy(raw.failure_policy.as_deref(), &field, errors);
    if let Some(kind) = &raw.param_kind {
        param_kind(kind, &field.child("paramKind"), errors);
    }
    match_constraints(raw.match_constraints.as_ref(), &field, errors);
    match_conditions(raw.match_conditions.as_deref().unwrap_or_default(), &field, compile, errors);
    variables(raw.variables.as_deref().unwrap_or_default(), &field, compile, errors);
    judgements(
        raw.validations.as_deref().unwrap_or_default(),
        raw.audit_annotations.as_deref(),
        (name, &field),
        compile,
        errors,
    );
}

/// validateMutatingAdmissionPolicySpec
pub(super) fn mutating(raw: &RawMutatingSpec, compile: Compile<'_>, errors: &mut FieldErrors) {
    let field = Field::root("spec");
    failure_policy(raw.failure_policy.as_deref(), &field, errors);
    if let Some(kind) = &raw.param_kind {
        param_kind(kind, &field.child("paramKind"), errors);
    }
    match_constraints(raw.match_constraints.as_ref(), &field, errors);
    let rules = raw.match_constraints.iter().filter_map(|constraints| constraints.resource_rules.as_ref()).flatten();
    for (position, rule) in rules.enumerate() {
        for (index, operation) in rule.operations.iter().flatten().enumerate() {
            let supported = ["*", "CONNECT", "CREATE", "UPDATE"];
            if !supported.contains(&operation.as_str()) {
                let rules = field.child("matchConstraints").child("resourceRules");
                let place = rules.index(position).child("operations").index(index);
                errors.not_supported(&rules.child("operations").pointing_at(&place), operation, &supported);
            }
        }
    }
    match_conditions(raw.match_conditions.as_deref().unwrap_or_default(), &field, compile, errors);
    variables(raw.variables.as_deref().unwrap_or_default(), &field, compile, errors);
    mutations(raw.mutations.as_deref().unwrap_or_default(), &field, compile, errors);
    match raw.reinvocation_policy.as_deref().unwrap_or_default() {
        "" => errors.required(&field.child("reinvocationPolicy"), ""),
        "Never" | "IfNeeded" => {}
        other => errors.not_supported(&field.child("reinvocationPolicy"), other, &["IfNeeded", "Never"]),
    }
}

fn failure_policy(value: Option<&str>, field: &Field, errors: &mut FieldErrors) {
    if let Some(value) = value
        && !matches!(value, "Fail" | "Ignore")
    {
        errors.not_supported(&field.child("failurePolicy"), value, &["Fail", "Ignore"]);
    }
}

fn match_constraints(raw: Option<&RawMatchConstraints>, field: &Field, errors: &mut FieldErrors) {
    let field = field.child("matchConstraints");
    let Some(raw) = raw else { return errors.required(&field, "") };
    match_resources::check(raw, &field, errors);
    if raw.resource_rules.as_ref().is_none_or(Vec::is_empty) {
        errors.required(&field.child("resourceRules"), "");
    }
}

/// validateParamKind
fn param_kind(raw: &RawParamKind, field: &Field, errors: &mut FieldErrors) {
    let api_version = raw.api_version.as_deref().unwrap_or_default();
    let place = field.child("apiVersion");
    match api_version.split('/').collect::<Vec<_>>().as_slice() {
        [""] => errors.required(&place, ""),
        // parseGroupVersion takes a lone slash for nothing at all.
        ["", ""] => errors.invalid(&place, api_version, "version must be specified"),
        parts @ ([_] | [_, _]) => {
            let (group, version) = if let [group, version] = parts { (*group, *version) } else { ("", api_version) };
            let problems = if group.is_empty() { vec![] } else { formats::subdomain(group) };
            if !problems.is_empty() {
                errors.invalid(&place, group, &problems.join(","));
            }
            let problems = formats::label_1035(version);
            if version.is_empty() {
                errors.invalid(&place, api_version, "version must be specified");
            } else if !problems.is_empty() {
                errors.invalid(&place, version, &problems.join(","));
            }
        }
        _ => errors.invalid(&place, api_version, &format!("unexpected GroupVersion string: {api_version}")),
    }
    let kind = raw.kind.as_deref().unwrap_or_default();
    let problems = formats::label_1035(&kind.to_lowercase());
    if kind.is_empty() {
        errors.required(&field.child("kind"), "");
    } else if !problems.is_empty() {
        let detail = format!("may have mixed case, but should otherwise match: {}", problems.join(","));
        errors.invalid(&field.child("kind"), kind, &detail);
    }
}

/// validateMatchConditions
pub(crate) fn match_conditions(
    raw: &[RawMatchCondition],
    field: &Field,
    compile: Compile<'_>,
    errors: &mut FieldErrors,
) {
    let field = field.child("matchConditions");
    if raw.len() > MATCH_CONDITIONS {
        errors.too_many(&field, raw.len(), MATCH_CONDITIONS);
    }
    let mut names = BTreeSet::new();
    for (position, raw) in raw.iter().enumerate() {
        let field = field.index(position);
        let place = field.child("expression");
        match raw.expression.as_deref().unwrap_or_default() {
            text if text.trim().is_empty() => errors.required(&place, ""),
            text => compile(&Place { field: &place, role: Role::MatchCondition(position) }, text, errors),
        }
        let place = field.child("name");
        match raw.name.as_deref().unwrap_or_default() {
            "" => errors.required(&place, ""),
            name => {
                formats::label_key(name).iter().for_each(|problem| errors.invalid(&place, name, problem));
                if !names.insert(name) {
                    errors.duplicate(&place, name);
                }
            }
        }
    }
}

/// validateVariable
pub(crate) fn variables(raw: &[RawVariable], field: &Field, compile: Compile<'_>, errors: &mut FieldErrors) {
    for (position, raw) in raw.iter().enumerate() {
        let field = field.child("variables").index(position);
        match raw.name.as_deref().unwrap_or_default() {
            name if name.trim().is_empty() => errors.required(&field.child("name"), "name is not specified"),
            name if !formats::is_cel_identifier(name) => {
                errors.invalid(&field.child("name"), name, "must be a valid CEL identifier");
            }
            _ => {}
        }
        let place = field.child("expression");
        match raw.expression.as_deref().unwrap_or_default() {
            text if text.trim().is_empty() => errors.required(&place, "expression is not specified"),
            text => compile(&Place { field: &place, role: Role::Variable(position) }, text, errors),
        }
    }
}

/// Validations and audit annotations of the policy `name`.
pub(crate) fn judgements(
    validations: &[RawValidation],
    annotations: Option<&[RawAuditAnnotation]>,
    (name, field): (&str, &Field),
    compile: Compile<'_>,
    errors: &mut FieldErrors,
) {
    if validations.is_empty() && annotations.is_none_or(<[_]>::is_empty) {
        for name in ["validations", "auditAnnotations"] {
            let detail = "validations or auditAnnotations must contain at least one item";
            errors.required(&field.child(name), detail);
        }
        return;
    }
    for (position, raw) in validations.iter().enumerate() {
        validation(raw, position, &field.child("validations").index(position), compile, errors);
    }
    let (field, annotations) = (field.child("auditAnnotations"), annotations.unwrap_or_default());
    if annotations.len() > AUDIT_ANNOTATIONS {
        let detail = format!("must not have more than {AUDIT_ANNOTATIONS} auditAnnotations");
        let shown: Vec<serde_json::Value> = annotations
            .iter()
            .map(|raw| serde_json::json!({ "Key": raw.key, "ValueExpression": raw.value_expression }))
            .collect();
        errors.invalid(&field, &shown, &detail);
    }
    let mut keys = BTreeSet::new();
    for (position, raw) in annotations.iter().enumerate() {
        let field = field.index(position);
        let key = raw.key.as_deref().unwrap_or_default();
        audit_annotation(raw, position, (name, &field), compile, errors);
        if !keys.insert(key) {
            errors.duplicate(&field.child("key"), key);
        }
    }
}

/// validateValidation
fn validation(raw: &RawValidation, position: usize, field: &Field, compile: Compile<'_>, errors: &mut FieldErrors) {
    let place = field.child("expression");
    match raw.expression.as_deref().unwrap_or_default() {
        text if text.trim().is_empty() => errors.required(&place, "expression is not specified"),
        text => compile(&Place { field: &place, role: Role::Validation(position) }, text, errors),
    }
    let place = field.child("messageExpression");
    match raw.message_expression.as_deref().unwrap_or_default() {
        "" => {}
        text if text.trim().is_empty() => errors.invalid(&place, text, "must be non-empty if specified"),
        text => compile(&Place { field: &place, role: Role::Message(position) }, text, errors),
    }
    let place = field.child("message");
    match raw.message.as_deref().unwrap_or_default() {
        "" => {}
        text if text.trim().is_empty() => errors.invalid(&place, text, "must be non-empty if specified"),
        text if text.trim().contains(['\n', '\r']) => errors.invalid(&place, text, "must not contain line breaks"),
        _ => {}
    }
    if let Some(reason) = raw.reason.as_deref()
        && !matches!(reason, "Forbidden" | "Invalid" | "RequestEntityTooLarge")
    {
        errors.not_supported(&field.child("reason"), reason, &["Forbidden", "Invalid", "RequestEntityTooLarge"]);
    }
}

/// validateAuditAnnotation
fn audit_annotation(
    raw: &RawAuditAnnotation,
    position: usize,
    (name, field): (&str, &Field),
    compile: Compile<'_>,
    errors: &mut FieldErrors,
) {
    let (key, place) = (raw.key.as_deref().unwrap_or_default(), field.child("key"));
    if name.is_empty() {
        errors.invalid(&place, key, "requires metadata.name be non-empty");
    } else {
        let full = format!("{name}/{key}");
        formats::label_key(&full).iter().for_each(|problem| errors.invalid(&place, &full, problem));
    }
    let place = field.child("valueExpression");
    match raw.value_expression.as_deref().unwrap_or_default() {
        text if text.trim().is_empty() => errors.required(&place, "valueExpression is not specified"),
        text if text.trim().len() > VALUE_EXPRESSION => {
            errors.required(&place, &format!("must not exceed {VALUE_EXPRESSION} bytes in length"));
        }
        text => compile(&Place { field: &place, role: Role::AuditAnnotation(position) }, text, errors),
    }
}

/// validateMutation of each
pub(crate) fn mutations(raw: &[RawMutation], field: &Field, compile: Compile<'_>, errors: &mut FieldErrors) {
    let list = field.child("mutations");
    if raw.is_empty() {
        errors.required(&list, "mutations must contain at least one item");
    }
    for (position, raw) in raw.iter().enumerate() {
        let field = list.index(position);
        let parts = [("jsonPatch", &raw.json_patch), ("applyConfiguration", &raw.apply_configuration)];
        let (patch_type, (name, wanted), (other_name, other)) = match raw.patch_type.as_deref().unwrap_or_default() {
            "" => {
                errors.required(&field.child("patchType"), "");
                continue;
            }
            text @ "JSONPatch" => (text, parts[0], parts[1]),
            text @ "ApplyConfiguration" => (text, parts[1], parts[0]),
            text => {
                errors.not_supported(&field.child("patchType"), text, &["ApplyConfiguration", "JSONPatch"]);
                continue;
            }
        };
        match wanted {
            None => errors.required(&field.child(name), &format!("must be specified when patchType is {patch_type}")),
            Some(wanted) => {
                let place = field.child(name).child("expression");
                match wanted.expression.as_deref().unwrap_or_default() {
                    text if text.trim().is_empty() => errors.required(&place, ""),
                    text => compile(&Place { field: &place, role: Role::Mutation(position) }, text, errors),
                }
            }
        }
        if other.is_some() {
            let detail = format!("must not be specified when patchType is {patch_type}");
            errors.invalid(&field.child(other_name), &format!("{{{other_name}}}"), &detail);
        }
    }
}
