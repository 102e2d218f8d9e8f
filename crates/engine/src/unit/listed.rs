//! The policies of a unit, for whoever asks what of them was seen.

use super::CompiledUnit;
use crate::matching::MatchConstraints;
use crate::policy::Head;
use crate::verdict::Origin;
use crate::verdict::trace::List;

/// A policy of a unit.
pub(crate) struct Listed<'u> {
    pub(crate) name: &'u str,
    /// Under which it has its place: [`CompiledUnit::problem_at`].
    pub(crate) key: String,
    pub(crate) mutates: bool,
    pub(crate) module: Option<&'static str>,
    pub(crate) constraints: &'u MatchConstraints,
    pub(crate) expressions: Vec<(List, usize, &'u str)>,
}

impl<'u> Listed<'u> {
    fn of(head: &'u Head, mutates: bool, expressions: Vec<(List, usize, &'u str)>) -> Self {
        let Origin { policy, module, .. } = head.origin.as_ref();
        Self {
            name: policy,
            key: policy.clone(),
            mutates,
            module: *module,
            constraints: &head.constraints,
            expressions,
        }
    }
}

impl CompiledUnit {
    /// All its policies, in order of their kinds.
    pub(crate) fn all_policies(&self) -> impl Iterator<Item = Listed<'_>> {
        let mutators = self.mutators.iter().map(|one| Listed::of(&one.head, true, one.rule.expressions()));
        let validators = self.validators.iter().map(|one| Listed::of(&one.head, false, one.rule.expressions()));
        let natives = self.natives.iter().map(|one| Listed {
            name: &one.origin.policy,
            key: one.key(),
            mutates: one.mutates,
            module: None,
            constraints: one.constraints(),
            expressions: one.rule.expressions(),
        });
        mutators.chain(validators).chain(natives)
    }
}
