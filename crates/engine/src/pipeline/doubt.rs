//! Which policies go by what is not known.

use super::Pass;
use crate::policy::Head;
use crate::verdict::{Action, Doubt};

impl Pass<'_, '_> {
    /// Gives a policy its turn, and notes if it looks at what is redacted or asks for what is not recorded. Errors of
    /// Kubernetes' own policies may deny whatever their actions are.
    pub(super) fn watched(&mut self, head: &Head, (action, mutates): (Action, bool), turn: impl FnOnce(&mut Self)) {
        let arena = self.review.arena;
        let before = arena.unknowns();
        turn(self);
        let is_known = |doubt: &Doubt| doubt.origin == head.origin && doubt.mutates == mutates;
        if arena.unknowns() != before && !self.verdict.doubts.iter().any(is_known) {
            let action = if head.is_native() { Action::Deny } else { action };
            self.verdict.doubts.push(Doubt { origin: head.origin.clone(), action, mutates });
        }
    }
}
