//! Twins: ValidatingAdmissionPolicies that refuse what policies refuse, also while no webhook answers.

use std::sync::Arc;

use admittance_engine::export::{Installed, Standing, State};
use admittance_engine::unit::CompiledUnit;

use super::{Finding, Severity, Snapshot};

/// Holds the twins of a cluster against its policies. Who has none wants none.
pub(super) fn examine(snapshot: &Snapshot, units: &[Arc<CompiledUnit>], found: &mut Vec<Finding>) {
    let installed: Vec<Installed> = snapshot.twins.iter().filter_map(Installed::read).collect();
    if installed.is_empty() {
        return;
    }
    let standing = Standing::of(units, &installed);
    let of = |state| standing.twins.iter().filter(move |(_, one)| **one == state).map(|(policy, _)| policy);
    for policy in of(State::Stale) {
        found.push(Finding::new(
            Severity::Medium,
            format!("the twin of policy {policy:?} is stale: the policy has changed since"),
            "the API server refuses by itself what the policy said before",
            "apply what `admittance export vap` prints for the present policies",
        ));
    }
    for name in &standing.orphans {
        found.push(Finding::new(
            Severity::Medium,
            format!("the twin {name:?} is of a policy that is no more"),
            "the API server goes on refusing what nobody asks for",
            "delete it, and its binding",
        ));
    }
    for policy in of(State::Missing) {
        found.push(Finding::new(
            Severity::Low,
            format!("policy {policy:?} has no twin, and others have"),
            "it is not checked while no pod answers",
            "apply what `admittance export vap` prints",
        ));
    }
    for row in standing.unchecked.iter().filter(|row| row.denies) {
        found.push(Finding::new(
            Severity::Low,
            format!("policy {:?} can have no twin: {}", row.source.policy, row.reason),
            "it is not checked while no pod answers",
            "nothing needs to be done; mode `closed` would check it always",
        ));
    }
}
