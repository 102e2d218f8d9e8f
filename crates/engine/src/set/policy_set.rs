//! All policies of all sources, compiled; immutable.

use std::fmt;
use std::sync::Arc;

use crate::kubernetes::defaults::Defaults;
use crate::kubernetes::kinds::Kinds;
use crate::matching::Index;
use crate::policy::{Head, Mutator, Validator};
use crate::review::{Review, Target};
use crate::unit::Parameter;

/// The name by which policies are ordered, and the one of the binding.
fn name(head: &Head) -> (&str, &str) {
    (&head.origin.policy, head.origin.binding.as_ref().map_or("", |binding| &binding.name))
}

/// What the pipeline runs. Made by [`super::link`]; swapped as a whole.
pub struct PolicySet {
    mutators: Vec<Arc<Mutator>>,
    validators: Vec<Arc<Validator>>,
    mutator_index: Index,
    validator_index: Index,
    kinds: Kinds,
    parameters: Vec<Parameter>,
    digest: String,
}

impl PolicySet {
    /// A set of these policies. Mutators run by order, then by name; validators by name.
    pub fn new(mut mutators: Vec<Arc<Mutator>>, mut validators: Vec<Arc<Validator>>, digest: String) -> Self {
        mutators.sort_by(|left, right| (left.order, name(&left.head)).cmp(&(right.order, name(&right.head))));
        validators.sort_by(|left, right| name(&left.head).cmp(&name(&right.head)));
        Self::in_order(mutators, validators, digest)
    }

    /// A set of policies that run in the order in which they are given.
    pub fn in_order(mutators: Vec<Arc<Mutator>>, validators: Vec<Arc<Validator>>, digest: String) -> Self {
        if !mutators.is_empty() {
            // What the mutators did is looked for in objects with their defaults.
            Defaults::shared();
        }
        let mutator_index = Index::new(mutators.iter().map(|mutator| &mutator.head.constraints));
        let validator_index = Index::new(validators.iter().map(|validator| &validator.head.constraints));
        Self {
            mutators,
            validators,
            mutator_index,
            validator_index,
            kinds: Kinds::built_in(),
            parameters: vec![],
            digest,
        }
    }

    /// The same set with objects that policies may name as parameters.
    #[must_use]
    pub fn with_parameters(mut self, parameters: Vec<Parameter>) -> Self {
        self.parameters = parameters;
        self
    }

    /// Objects among the policy documents that policies may name as parameters.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The mutators that could match, in the order in which they run.
    pub fn mutators_for(&self, review: &Review<'_>) -> impl Iterator<Item = &Mutator> {
        self.mutator_index
            .candidates(&review.target())
            .filter_map(|position| self.mutators.get(position).map(Arc::as_ref))
    }

    /// The validators that could match, by name.
    pub fn validators_for(&self, review: &Review<'_>) -> impl Iterator<Item = &Validator> {
        self.validator_index
            .candidates(&review.target())
            .filter_map(|position| self.validators.get(position).map(Arc::as_ref))
    }

    /// Whether a mutator (`mutates`) or a validator could match: whether anybody will read the object.
    pub fn concerns(&self, target: &Target<'_>, mutates: bool) -> bool {
        let index = if mutates { &self.mutator_index } else { &self.validator_index };
        index.candidates(target).next().is_some()
    }

    /// Whether a mutator is in shadow mode.
    pub fn has_shadow_mutators(&self) -> bool {
        self.mutators.iter().any(|mutator| mutator.shadow)
    }

    /// All mutators, in the order in which they run.
    pub fn mutators(&self) -> &[Arc<Mutator>] {
        &self.mutators
    }

    /// All validators, by name.
    pub fn validators(&self) -> &[Arc<Validator>] {
        &self.validators
    }

    /// The kinds that the API server serves.
    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// The policies of which `is_wanted` says so by their names, in the same order.
    #[must_use]
    pub fn only(self, is_wanted: impl Fn(&str) -> bool) -> Self {
        let mutators = self.mutators.into_iter().filter(|one| is_wanted(&one.head.origin.policy)).collect();
        let validators = self.validators.into_iter().filter(|one| is_wanted(&one.head.origin.policy)).collect();
        Self::in_order(mutators, validators, self.digest).with_parameters(self.parameters)
    }

    /// The names of all policies; one with several bindings stands several times.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let heads = self.mutators.iter().map(|one| &one.head).chain(self.validators.iter().map(|one| &one.head));
        heads.map(|head| head.origin.policy.as_str())
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.mutators.len() + self.validators.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// SHA-256 over the digests of the units, in hexadecimal: equal on every replica that runs the same policies.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// The set without a policy.
impl Default for PolicySet {
    fn default() -> Self {
        Self::new(vec![], vec![], String::new())
    }
}

impl fmt::Debug for PolicySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PolicySet({} mutators, {} validators)", self.mutators.len(), self.validators.len())
    }
}
