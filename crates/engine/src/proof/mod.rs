//! Proof before enforcement: what is shown of a unit before it becomes active.
//!
//! [`case`] runs one case of a PolicyTest through the one function that decides, [`tested`] says which policies a test is
//! about, [`coverage`] what no case shows, [`settings`] makes units that lack a setting. [`idempotence`] runs every mutator
//! twice on a `corpus` of `objects`, [`conflicts`] says which mutators want different things; both by a `trial` of one policy
//! on one object. [`prove`] is what the server asks of a unit. [`routes`] names the requests that change what policies decide
//! by without their being asked, [`mutants`] makes small changes of policies, which tests should notice.

pub mod case;
pub mod conflicts;
mod corpus;
pub mod coverage;
pub mod idempotence;
pub mod mutants;
mod objects;
pub mod routes;
pub mod settings;
pub mod tested;
mod trial;
#[cfg(test)]
mod tests;

use crate::document::Diagnostic;
use crate::json::Arena;
use crate::kubernetes::defaults::Defaults;
use crate::pipeline::Budget;
use crate::unit::{CompiledUnit, Listed};

/// What is known of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nothing speaks against it.
    Proven,
    /// What does, each with its place.
    Refused(Vec<Diagnostic>),
    /// The budget was used up before all of it was seen.
    Pending,
}

/// What a proof may cost. It is counted and not timed, so that all replicas come to the same end: a step is one policy on one
/// object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps(u64);

impl Steps {
    /// So many.
    pub const fn new(steps: u64) -> Self {
        Self(steps)
    }

    /// Takes some. False where so many are not left; then none are.
    pub const fn take(&mut self, steps: u64) -> bool {
        let left = self.0.checked_sub(steps);
        self.0 = match left {
            Some(left) => left,
            None => 0,
        };
        left.is_some()
    }
}

impl Default for Steps {
    /// What fits into the three seconds that an answer at `kubectl apply` may take, many times over.
    fn default() -> Self {
        Self(200_000)
    }
}

/// Whether a unit's own tests pass, those about its own policies, and whether its mutations are idempotent. Pure: the same for
/// the same unit everywhere.
pub fn prove(unit: &CompiledUnit, defaults: &Defaults, steps: &mut Steps) -> Proof {
    let Some(mut problems) = idempotence::problems(unit, defaults, steps) else { return Proof::Pending };
    let mut arena = Arena::with_limit(Budget::REVIEW);
    for test in unit.tests() {
        let set = match tested::own(unit, test) {
            Ok(Some(set)) => set,
            Ok(None) => continue,
            Err(unknown) => {
                problems.extend(unknown);
                continue;
            }
        };
        for case in &test.cases {
            if !steps.take(set.len() as u64) {
                return if problems.is_empty() { Proof::Pending } else { Proof::Refused(problems) };
            }
            problems.extend(case::Report::of(test, case, &set, defaults, &arena).diagnostics());
            arena.reset();
        }
    }
    if problems.is_empty() { Proof::Proven } else { Proof::Refused(problems) }
}

/// The error that a unit has policies and no tests of them. None where it has both, or no policies.
pub fn untested(unit: &CompiledUnit) -> Option<Diagnostic> {
    let has_tests = unit.tests().iter().any(|test| matches!(tested::own(unit, test), Ok(Some(_)) | Err(_)));
    let Listed { name, key, .. } = unit.all_policies().next().filter(|_| !has_tests)?;
    let message = format!("policy `{name}` has no tests, and this server requires them: put a PolicyTest beside it");
    unit.problem_at(&key, message)
}
