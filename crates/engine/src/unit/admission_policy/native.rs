//! A policy and a binding as the engine works with them.

use std::fmt;
use std::sync::Arc;

use super::raw::{
    RawAuditAnnotation, RawBinding, RawMatchCondition, RawMetadata, RawMutatingBindingSpec, RawMutatingSpec,
    RawMutation, RawParamKind, RawParamRef, RawPolicy, RawValidatingBindingSpec, RawValidatingSpec, RawValidation,
    RawVariable,
};
use crate::expression::{
    Bound, CelPolicy, Expressions, MutationText, Named, ParamKind, ParamRef, PatchType, ValidationText,
};
use crate::matching::{LabelSelector, MatchConstraints, NamespaceGlobs, Problem, RawMatchConstraints, UnknownVersions};
use crate::policy::{Actions, Existing, FailurePolicy, Head, Mutator, Validator};
use crate::verdict::{Action, BoundBy, Origin, Refusal};

/// A ValidatingAdmissionPolicy or MutatingAdmissionPolicy. It does nothing without a binding.
pub struct Native {
    /// Where it comes from; without a binding.
    pub origin: Origin,
    /// Whether it changes objects.
    pub mutates: bool,
    /// What it does.
    pub rule: Arc<CelPolicy>,
    failure_policy: FailurePolicy,
    is_reinvoked: bool,
    constraints: MatchConstraints,
    problems: Vec<Problem>,
    param_kind: Option<Arc<ParamKind>>,
    is_lenient: bool,
}

/// What puts a policy in force.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Its name.
    pub name: String,
    /// The policy's name.
    pub policy: String,
    /// Whether it is for a MutatingAdmissionPolicy.
    pub mutates: bool,
    constraints: Option<MatchConstraints>,
    problems: Vec<Problem>,
    param_ref: Option<ParamRef>,
    actions: Vec<Action>,
}

/// A policy under one binding.
#[derive(Debug)]
pub enum InForce {
    /// It changes objects.
    Mutates(Mutator),
    /// It judges them.
    Judges(Validator),
}

impl Native {
    /// The policy that a ValidatingAdmissionPolicy describes. What is wrong with it is kept: see `constraints` and
    /// [`CelPolicy::error`].
    pub fn validating(raw: &RawPolicy<RawValidatingSpec>, origin: Origin) -> Self {
        let spec = raw.spec.clone().unwrap_or_default();
        let expressions = Expressions {
            has_params: spec.param_kind.is_some(),
            conditions: conditions(spec.match_conditions.as_deref()),
            variables: variables(spec.variables.as_deref()),
            validations: validations(spec.validations.as_deref()),
            annotations: annotations(spec.audit_annotations.as_deref()),
            mutations: vec![],
        };
        Self {
            origin: named(origin, raw.metadata.as_ref()),
            mutates: false,
            rule: Arc::new(CelPolicy::compile(expressions)),
            failure_policy: failure_policy(spec.failure_policy.as_deref()),
            is_reinvoked: false,
            constraints: spec.match_constraints.as_ref().map(MatchConstraints::as_written).unwrap_or_default(),
            problems: below(
                "/spec/matchConstraints",
                MatchConstraints::of_policy(&spec.match_constraints.clone().unwrap_or_default()),
            ),
            param_kind: param_kind(spec.param_kind.as_ref()),
            is_lenient: false,
        }
    }

    /// The policy that a MutatingAdmissionPolicy describes.
    pub fn mutating(raw: &RawPolicy<RawMutatingSpec>, origin: Origin) -> Self {
        let spec = raw.spec.clone().unwrap_or_default();
        let expressions = Expressions {
            has_params: spec.param_kind.is_some(),
            conditions: conditions(spec.match_conditions.as_deref()),
            variables: variables(spec.variables.as_deref()),
            validations: vec![],
            annotations: vec![],
            mutations: mutations(spec.mutations.as_deref()),
        };
        Self {
            origin: named(origin, raw.metadata.as_ref()),
            mutates: true,
            rule: Arc::new(CelPolicy::compile(expressions)),
            failure_policy: failure_policy(spec.failure_policy.as_deref()),
            is_reinvoked: spec.reinvocation_policy.as_deref() == Some("IfNeeded"),
            constraints: spec.match_constraints.as_ref().map(MatchConstraints::as_written).unwrap_or_default(),
            problems: below(
                "/spec/matchConstraints",
                MatchConstraints::of_policy(&spec.match_constraints.clone().unwrap_or_default()),
            ),
            param_kind: param_kind(spec.param_kind.as_ref()),
            is_lenient: false,
        }
    }

    /// The same where the cluster serves no versions of resources but those of the request.
    pub(super) fn knowing_all_versions(mut self) -> Self {
        self.constraints.unknown_versions = UnknownVersions::NotServed;
        self
    }

    /// The same for objects as they stand, whether or not their kinds have all of their fields.
    #[must_use]
    pub fn for_untyped_objects(mut self) -> Self {
        self.is_lenient = true;
        self
    }

    /// What is wrong with its match constraints.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// What it matches.
    pub(crate) fn constraints(&self) -> &MatchConstraints {
        &self.constraints
    }

    /// Whether it matches by labels of namespaces.
    pub fn selects_namespaces(&self) -> bool {
        !self.constraints.namespace_selector.is_empty()
    }

    /// The kind of its parameters.
    pub fn param_kind(&self) -> Option<&ParamKind> {
        self.param_kind.as_deref()
    }

    /// What names it in its set: policies of different kinds may have the same name.
    pub fn key(&self) -> String {
        let kind = if self.mutates { "MutatingAdmissionPolicy" } else { "ValidatingAdmissionPolicy" };
        format!("{kind}/{}", self.origin.policy)
    }

    /// The same policy, said to start on another line: the one in the file around its own.
    pub(in crate::unit) fn on_line(mut self, line: u32) -> Self {
        self.origin.line = line;
        self
    }

    /// The policy under this binding.
    pub fn bind(&self, binding: &Binding) -> InForce {
        let by = BoundBy { name: binding.name.clone(), actions: binding.actions.clone() };
        let rule =
            Bound::new(self.rule.clone(), self.param_kind.clone(), binding.param_ref.clone()).lenient(self.is_lenient);
        let head = Head {
            origin: Arc::new(Origin { binding: Some(by), ..self.origin.clone() }),
            constraints: self.constraints.clone(),
            namespaces: NamespaceGlobs::default(),
            binding: binding.constraints.clone().map(|constraints| MatchConstraints {
                unknown_versions: self.constraints.unknown_versions,
                ..constraints
            }),
            failure_policy: self.failure_policy,
            public: &[],
            lookups: rule.lookups(),
        };
        if self.mutates {
            InForce::Mutates(Mutator {
                head,
                order: 0,
                shadow: false,
                is_reinvoked: self.is_reinvoked,
                on_drift: None,
                rule: Box::new(rule),
            })
        } else {
            let audit = binding.actions.contains(&Action::Audit);
            let actions = if binding.actions.contains(&Action::Deny) {
                Actions::Deny { audit }
            } else if binding.actions.contains(&Action::Warn) {
                Actions::Warn { audit }
            } else {
                Actions::Audit
            };
            InForce::Judges(Validator { head, actions, existing: Existing::Deny, message: None, rule: Box::new(rule) })
        }
    }
}

impl Binding {
    /// A ValidatingAdmissionPolicyBinding.
    pub fn validating(raw: &RawBinding<RawValidatingBindingSpec>) -> Self {
        let spec = raw.spec.clone().unwrap_or_default();
        let action = |name: &String| match name.as_str() {
            "Deny" => Some(Action::Deny),
            "Warn" => Some(Action::Warn),
            "Audit" => Some(Action::Audit),
            _ => None,
        };
        Self {
            actions: spec.validation_actions.iter().flatten().filter_map(action).collect(),
            ..Self::of(raw.metadata.as_ref(), spec.policy_name, spec.param_ref.as_ref(), spec.match_resources.as_ref())
        }
    }

    /// A MutatingAdmissionPolicyBinding.
    pub fn mutating(raw: &RawBinding<RawMutatingBindingSpec>) -> Self {
        let spec = raw.spec.clone().unwrap_or_default();
        Self {
            mutates: true,
            ..Self::of(raw.metadata.as_ref(), spec.policy_name, spec.param_ref.as_ref(), spec.match_resources.as_ref())
        }
    }

    /// What puts a policy in force for everything that it matches, with all objects of the kind of its parameters, where its
    /// own bindings are not known.
    pub fn everywhere(policy: &Native) -> Self {
        let all =
            ParamRef { name: None, namespace: None, selector: Some(LabelSelector::default()), denies_without: true };
        Self {
            name: policy.origin.policy.clone(),
            policy: policy.origin.policy.clone(),
            mutates: policy.mutates,
            constraints: None,
            problems: vec![],
            param_ref: policy.param_kind.is_some().then_some(all),
            actions: if policy.mutates { vec![] } else { vec![Action::Deny] },
        }
    }

    fn of(
        metadata: Option<&RawMetadata>,
        policy: Option<String>,
        reference: Option<&RawParamRef>,
        resources: Option<&RawMatchConstraints>,
    ) -> Self {
        Self {
            name: metadata.and_then(|metadata| metadata.name.clone()).unwrap_or_default(),
            policy: policy.unwrap_or_default(),
            mutates: false,
            constraints: resources.map(MatchConstraints::as_written),
            problems: resources
                .map(|resources| below("/spec/matchResources", MatchConstraints::of_binding(resources)))
                .unwrap_or_default(),
            param_ref: reference.map(param_ref),
            actions: vec![],
        }
    }

    /// Whether it matches by labels of namespaces.
    pub fn selects_namespaces(&self) -> bool {
        self.constraints.as_ref().is_some_and(|constraints| !constraints.namespace_selector.is_empty())
    }

    /// Whether it takes parameters.
    pub fn takes_parameters(&self) -> bool {
        self.param_ref.is_some()
    }

    /// What is wrong with its match resources.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// What names it in its set.
    pub fn key(&self) -> String {
        let kind = if self.mutates { "MutatingAdmissionPolicyBinding" } else { "ValidatingAdmissionPolicyBinding" };
        format!("{kind}/{}", self.name)
    }

    /// What names its policy in its set.
    pub fn policy_key(&self) -> String {
        let kind = if self.mutates { "MutatingAdmissionPolicy" } else { "ValidatingAdmissionPolicy" };
        format!("{kind}/{}", self.policy)
    }
}

fn named(origin: Origin, metadata: Option<&RawMetadata>) -> Origin {
    let policy = metadata.and_then(|metadata| metadata.name.clone()).unwrap_or_default();
    Origin { policy, ..origin }
}

fn below(pointer: &str, result: Result<MatchConstraints, Vec<Problem>>) -> Vec<Problem> {
    let moved = |problem: Problem| Problem { pointer: format!("{pointer}{}", problem.pointer), ..problem };
    result.err().into_iter().flatten().map(moved).collect()
}

fn failure_policy(raw: Option<&str>) -> FailurePolicy {
    if raw == Some("Ignore") { FailurePolicy::Ignore } else { FailurePolicy::Fail }
}

fn param_kind(raw: Option<&RawParamKind>) -> Option<Arc<ParamKind>> {
    raw.map(|raw| {
        Arc::new(ParamKind {
            api_version: raw.api_version.clone().unwrap_or_default(),
            kind: raw.kind.clone().unwrap_or_default(),
        })
    })
}

fn param_ref(raw: &RawParamRef) -> ParamRef {
    let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    ParamRef {
        name: some(&raw.name),
        namespace: some(&raw.namespace),
        selector: raw.selector.as_ref().map(|selector| LabelSelector::read(selector).unwrap_or_default()),
        denies_without: raw.parameter_not_found_action.as_deref() == Some("Deny"),
    }
}

pub(in crate::unit) fn conditions(raw: Option<&[RawMatchCondition]>) -> Vec<Named> {
    raw.iter().copied().flatten().map(|raw| name(raw.name.as_ref(), raw.expression.as_ref())).collect()
}

pub(in crate::unit) fn variables(raw: Option<&[RawVariable]>) -> Vec<Named> {
    raw.iter().copied().flatten().map(|raw| name(raw.name.as_ref(), raw.expression.as_ref())).collect()
}

pub(in crate::unit) fn annotations(raw: Option<&[RawAuditAnnotation]>) -> Vec<Named> {
    raw.iter().copied().flatten().map(|raw| name(raw.key.as_ref(), raw.value_expression.as_ref())).collect()
}

pub(in crate::unit) fn validations(raw: Option<&[RawValidation]>) -> Vec<ValidationText> {
    let refusal = |reason: Option<&str>| match reason {
        Some("Forbidden") => Refusal::FORBIDDEN,
        Some("RequestEntityTooLarge") => Refusal::TOO_LARGE,
        Some("Unauthorized") => Refusal::UNAUTHORIZED,
        _ => Refusal::INVALID,
    };
    let validation = |raw: &RawValidation| ValidationText {
        expression: raw.expression.clone().unwrap_or_default(),
        message: raw.message.clone().unwrap_or_default(),
        message_expression: raw.message_expression.clone().unwrap_or_default(),
        refusal: refusal(raw.reason.as_deref()),
    };
    raw.iter().copied().flatten().map(validation).collect()
}

pub(in crate::unit) fn mutations(raw: Option<&[RawMutation]>) -> Vec<MutationText> {
    let mutation = |raw: &RawMutation| {
        let (patch_type, part) = match raw.patch_type.as_deref() {
            Some("JSONPatch") => (PatchType::JsonPatch, &raw.json_patch),
            _ => (PatchType::ApplyConfiguration, &raw.apply_configuration),
        };
        let expression = part.as_ref().and_then(|part| part.expression.clone()).unwrap_or_default();
        MutationText { patch_type, expression }
    };
    raw.iter().copied().flatten().map(mutation).collect()
}

fn name(name: Option<&String>, expression: Option<&String>) -> Named {
    Named { name: name.cloned().unwrap_or_default(), expression: expression.cloned().unwrap_or_default() }
}

impl fmt::Debug for Native {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Native({})", self.origin.policy)
    }
}
