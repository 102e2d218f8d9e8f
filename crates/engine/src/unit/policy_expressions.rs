//! The fields of a Policy document that hold expressions: those of ValidatingAdmissionPolicy and MutatingAdmissionPolicy, with
//! the API server's rules and texts.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::admission_policy::field_error::{Field, FieldErrors};
use super::admission_policy::raw::{RawAuditAnnotation, RawMatchCondition, RawMutation, RawValidation, RawVariable};
use super::admission_policy::{compiled, native, report, spec};
use crate::document::{Decoder, Fields, Spanned, fields_of};
use crate::expression::{CelPolicy, Expressions};

/// What the expressions of a policy do.
#[derive(Debug)]
pub(super) enum Does {
    /// Nothing by themselves: at most there are match conditions for a module.
    Nothing(Option<Arc<CelPolicy>>),
    /// They judge.
    Judges(Arc<CelPolicy>),
    /// They change objects.
    Changes(Arc<CelPolicy>),
}

/// Reads them all: compiled, and as they are written. None if anything is wrong; it has been reported.
pub(super) fn read(
    decoder: &Decoder,
    root: &Spanned,
    fields: &mut Fields<'_, '_>,
    name: &str,
) -> Option<(Does, Expressions)> {
    let conditions = list::<RawMatchCondition>(decoder, fields, "matchConditions");
    let variables = list::<RawVariable>(decoder, fields, "variables");
    let validations = list::<RawValidation>(decoder, fields, "validations");
    let annotations = list::<RawAuditAnnotation>(decoder, fields, "auditAnnotations");
    let mutations = list::<RawMutation>(decoder, fields, "mutations");
    let (conditions, variables, validations, annotations, mutations) =
        (conditions?, variables?, validations?, annotations?, mutations?);

    let source = Expressions {
        has_params: false,
        conditions: native::conditions(Some(&conditions)),
        variables: native::variables(Some(&variables)),
        validations: native::validations(Some(&validations)),
        annotations: native::annotations(Some(&annotations)),
        mutations: native::mutations(Some(&mutations)),
    };
    let policy = CelPolicy::compile(source.clone());
    let (field, mut errors, mut found) = (Field::root("spec"), FieldErrors::default(), vec![]);
    let mut compile = compiled(&policy, &mut found);
    spec::match_conditions(&conditions, &field, &mut compile, &mut errors);
    spec::variables(&variables, &field, &mut compile, &mut errors);
    let (judges, changes) = (!validations.is_empty(), !mutations.is_empty());
    if judges || !annotations.is_empty() {
        spec::judgements(&validations, Some(&annotations), (name, &field), &mut compile, &mut errors);
    }
    if changes {
        spec::mutations(&mutations, &field, &mut compile, &mut errors);
    }
    if judges && changes {
        errors.forbidden(&field.child("mutations"), "a policy has either `validations` or `mutations`");
    }
    if !judges && !annotations.is_empty() {
        errors.forbidden(&field.child("auditAnnotations"), "they stand beside `validations`");
    }
    if !judges && !changes && !variables.is_empty() {
        errors.forbidden(&field.child("variables"), "they are for `validations` and `mutations`");
    }
    drop(compile);
    let is_sound = errors.is_empty() && found.is_empty();
    report(decoder, root, errors.into_problems(), found);
    let policy = Arc::new(policy);
    let does = match (judges, changes) {
        (true, _) => Does::Judges(policy),
        (_, true) => Does::Changes(policy),
        _ => Does::Nothing((!conditions.is_empty()).then_some(policy)),
    };
    is_sound.then_some((does, source))
}

/// A list that may be absent; None has been reported.
fn list<T: DeserializeOwned + JsonSchema>(
    decoder: &Decoder,
    fields: &mut Fields<'_, '_>,
    name: &'static str,
) -> Option<Vec<T>> {
    match fields.entry(name) {
        None => Some(vec![]),
        Some(entry) => fields_of(decoder, &entry.value),
    }
}
