//! Modules run until they agree: what one of them adds, an earlier one may have something to say about.
//!
//! Without this a policy that sets the pull policy of all containers would miss the one that a later policy injects. Whatever
//! their order is, the object that comes out is one that no module would change any more.

use std::sync::Arc;

use super::Pass;
use crate::policy::Mutator;
use crate::verdict::Roots;

/// More rounds than any modules need that do not undo each other's work.
const ROUNDS: usize = 8;

impl<'a> Pass<'_, 'a> {
    /// Runs the modules again, in their order, until all of them have seen the object as it is. Where two policies undo each
    /// other's work a round ends where it began: then the last one has its way, as after the first round, and no edit is
    /// recorded.
    pub(super) fn settle<C: Iterator<Item = (usize, &'a Mutator)>>(&mut self, modules: impl Fn() -> C) {
        for _ in 0..ROUNDS {
            let Some(last) = self.last_change.take().filter(|_| self.verdict.refusal().is_none()) else { return };
            let (begun, edits) = (self.verdict.roots, self.verdict.edits.len());
            for (position, mutator) in modules() {
                // The others have run since that change.
                if position >= last && self.last_change.is_none() {
                    return;
                }
                self.run_again(mutator, position);
            }
            if are_equal(begun, self.verdict.roots) {
                self.verdict.roots = begun;
                self.verdict.edits.truncate(edits);
                return;
            }
        }
    }

    /// Runs a mutator that has had its turn; what is said of that stands, and is not said twice.
    fn run_again(&mut self, mutator: &'a Mutator, position: usize) {
        let has_failed = |origin| self.verdict.failures.iter().any(|failure| Arc::ptr_eq(&failure.origin, origin));
        if has_failed(&mutator.head.origin) {
            return;
        }
        let (before, matched, turn) = (self.verdict.roots, self.verdict.matched, self.verdict.turn);
        let (steps, failures) = (self.verdict.trace.len(), self.verdict.failures.len());
        self.mutate(mutator, position);
        self.verdict.matched = matched;
        self.verdict.turn = turn;
        let is_quiet = self.verdict.failures.len() == failures
            && before.mutated.is_same(self.verdict.roots.mutated)
            && before.shadow.is_same(self.verdict.roots.shadow);
        if is_quiet {
            self.verdict.trace.truncate(steps);
        }
    }
}

fn are_equal(left: Roots<'_>, right: Roots<'_>) -> bool {
    left.mutated == right.mutated && left.shadow == right.shadow
}
