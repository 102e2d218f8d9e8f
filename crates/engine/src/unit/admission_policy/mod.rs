//! Kubernetes' own policy documents, of admissionregistration.k8s.io/v1 and v1beta1: ValidatingAdmissionPolicy,
//! MutatingAdmissionPolicy and their bindings, taken as they are.
//!
//! `raw` is what documents say; `metadata`, `spec`, `match_resources` and `binding` refuse what the API server
//! refuses, with its texts (`field_error`, `formats`); what passes becomes a [`Native`] or a [`Binding`]. What the API
//! server warns about after comparing expressions with the schemas of the kinds that they match (`status.typeChecking`) is
//! not said here.

mod binding;
pub(crate) mod field_error;
mod formats;
mod match_resources;
mod metadata;
pub(super) mod native;
pub(crate) mod raw;
pub(crate) mod spec;
mod stored;

use std::ops::Range;

use self::field_error::FieldErrors;
use self::raw::{
    RawBinding, RawMutatingBindingSpec, RawMutatingSpec, RawPolicy, RawValidatingBindingSpec, RawValidatingSpec,
};
use self::spec::Place;
use crate::document::{Decoder, Diagnostic, Kind, Spanned, fields_of};
use crate::expression::{CelPolicy, CompileError};
use crate::matching::Problem;
use crate::verdict::Origin;

pub use native::{Binding, InForce, Native};

/// The group of these documents.
pub(super) const GROUP: &str = "admissionregistration.k8s.io";

/// A document of one of the four kinds.
#[derive(Debug)]
pub(super) enum Document {
    Policy(Native),
    Binding(Binding),
}

/// Reads one document of the group. `None` has been reported.
pub(super) fn decode(
    decoder: &Decoder,
    node: &Spanned,
    (version, kind): (&str, &str),
    origin: Origin,
) -> Option<Document> {
    match kind {
        "ValidatingAdmissionPolicy"
        | "ValidatingAdmissionPolicyBinding"
        | "MutatingAdmissionPolicy"
        | "MutatingAdmissionPolicyBinding" => {}
        _ => {
            decoder.error(
                node.place("/kind"),
                format!(
                    "{kind} of {GROUP} is no policy: expected ValidatingAdmissionPolicy, MutatingAdmissionPolicy or a binding of one"
                ),
            );
            return None;
        }
    }
    if !matches!(version, "v1" | "v1beta1") {
        let message =
            format!("{kind} of {GROUP}/{version} is not read: write it as {GROUP}/v1, which has the same fields");
        decoder.error(node.place("/apiVersion"), message);
        return None;
    }
    match kind {
        "ValidatingAdmissionPolicy" => {
            let raw: RawPolicy<RawValidatingSpec> = fields_of(decoder, node)?;
            let native = Native::validating(&raw, origin);
            let mut checked = Checked::new(decoder, node, raw.metadata.as_ref());
            let name = raw.metadata.iter().find_map(|metadata| metadata.name.as_deref()).unwrap_or_default();
            let spec = raw.spec.unwrap_or_default();
            let Checked { errors, expressions, .. } = &mut checked;
            spec::validating(&spec, name, &mut compiled(&native.rule, expressions), errors);
            checked.finish(native.problems()).map(|()| Document::Policy(native))
        }
        "MutatingAdmissionPolicy" => {
            let raw: RawPolicy<RawMutatingSpec> = fields_of(decoder, node)?;
            let native = Native::mutating(&raw, origin);
            let mut checked = Checked::new(decoder, node, raw.metadata.as_ref());
            let spec = raw.spec.unwrap_or_default();
            let Checked { errors, expressions, .. } = &mut checked;
            spec::mutating(&spec, &mut compiled(&native.rule, expressions), errors);
            checked.finish(native.problems()).map(|()| Document::Policy(native))
        }
        "ValidatingAdmissionPolicyBinding" => {
            let raw: RawBinding<RawValidatingBindingSpec> = fields_of(decoder, node)?;
            let mut checked = Checked::new(decoder, node, raw.metadata.as_ref());
            let spec = raw.spec.clone().unwrap_or_default();
            binding::check(
                spec.policy_name.as_deref(),
                spec.param_ref.as_ref(),
                spec.match_resources.as_ref(),
                &mut checked.errors,
            );
            binding::actions(spec.validation_actions.as_deref().unwrap_or_default(), &mut checked.errors);
            let binding = Binding::validating(&raw);
            checked.finish(binding.problems()).map(|()| Document::Binding(binding))
        }
        _ => {
            let raw: RawBinding<RawMutatingBindingSpec> = fields_of(decoder, node)?;
            let mut checked = Checked::new(decoder, node, raw.metadata.as_ref());
            let spec = raw.spec.clone().unwrap_or_default();
            binding::check(
                spec.policy_name.as_deref(),
                spec.param_ref.as_ref(),
                spec.match_resources.as_ref(),
                &mut checked.errors,
            );
            let binding = Binding::mutating(&raw);
            checked.finish(binding.problems()).map(|()| Document::Binding(binding))
        }
    }
}

/// What the checks of one document found.
struct Checked<'d> {
    decoder: &'d Decoder,
    node: &'d Spanned,
    errors: FieldErrors,
    expressions: Expressions,
}

/// Problems inside of expressions.
pub(super) type Expressions = Vec<(String, Range<usize>, String)>;

impl<'d> Checked<'d> {
    fn new(decoder: &'d Decoder, node: &'d Spanned, metadata: Option<&raw::RawMetadata>) -> Self {
        let mut errors = FieldErrors::default();
        let metadata = metadata.cloned().unwrap_or_default();
        metadata::check(&metadata, &mut errors);
        if let Some(warning) = metadata::warning(&metadata) {
            decoder.report(Diagnostic::warning(decoder.file(), node.place("/metadata/name"), warning));
        }
        Self { decoder, node, errors, expressions: vec![] }
    }

    /// Reports everything. None if there was anything.
    fn finish(self, constraints: &[Problem]) -> Option<()> {
        let Self { decoder, node, errors, expressions } = self;
        let mut problems = errors.into_problems();
        if problems.is_empty() {
            // The same rules, checked once more by what the engine works with.
            problems = constraints.to_vec();
        }
        let sound = problems.is_empty() && expressions.is_empty();
        report(decoder, node, problems, expressions);
        sound.then_some(())
    }
}

/// Looks up what became of expressions that have been compiled before.
pub(super) fn compiled<'c>(
    policy: &'c CelPolicy,
    found: &'c mut Expressions,
) -> impl FnMut(&Place<'_>, &str, &mut FieldErrors) + 'c {
    move |place, text, errors| match policy.error(place.role) {
        None => {}
        Some(CompileError::Type(detail)) => errors.invalid(place.field, text, &detail),
        Some(CompileError::Problems(problems) | CompileError::Program(problems)) => {
            found.extend(problems.iter().map(|problem| {
                let span = problem.span.start as usize..problem.span.end as usize;
                (place.field.pointer().to_owned(), span, format!("{}: {}", place.field, problem.message))
            }));
        }
    }
}

/// Reports problems of fields and of expressions where they stand in the file.
pub(super) fn report(decoder: &Decoder, node: &Spanned, problems: Vec<Problem>, expressions: Expressions) {
    for problem in problems {
        decoder.error(node.place(&problem.pointer), problem.message);
    }
    for (pointer, span, message) in expressions {
        let place = match node.at(&pointer).map(|node| &node.kind) {
            Some(Kind::String(text)) => text.raw_range(decoder.file(), span),
            _ => node.place(&pointer),
        };
        decoder.error(place, message);
    }
}

#[cfg(test)]
mod tests;
