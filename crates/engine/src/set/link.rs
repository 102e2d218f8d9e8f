//! From units to one set: a pure function of their contents, so that replicas agree.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::policy_set::PolicySet;
use crate::document::Diagnostic;
use crate::unit::CompiledUnit;

/// Joins units to a set. A unit that uses the name of a policy in another one is left out, the one that comes later by
/// name, on every replica alike; the diagnostics say which and why.
pub fn link(units: &[Arc<CompiledUnit>]) -> (PolicySet, Vec<Diagnostic>) {
    let mut sorted: Vec<&Arc<CompiledUnit>> = units.iter().collect();
    sorted.sort_by(|left, right| left.name().cmp(right.name()));
    let mut owners: BTreeMap<&str, &CompiledUnit> = BTreeMap::new();
    let mut problems = Vec::new();
    let (mut mutators, mut validators, mut hash) = (vec![], vec![], Sha256::new());
    for unit in sorted {
        let taken: Vec<(&str, &CompiledUnit)> =
            unit.names().filter_map(|name| owners.get(name).map(|owner| (name, *owner))).collect();
        for (name, owner) in &taken {
            let message = format!(
                "policy `{name}` is defined in {} already: all of {} is left out until one of them is renamed",
                owner.name(),
                unit.name()
            );
            problems.extend(unit.problem_at(name, message));
        }
        if !taken.is_empty() {
            continue;
        }
        owners.extend(unit.names().map(|name| (name, unit.as_ref())));
        mutators.extend(unit.mutators.iter().cloned());
        validators.extend(unit.validators.iter().cloned());
        hash.update(unit.name().len().to_le_bytes());
        hash.update(unit.name());
        hash.update(unit.digest());
    }
    (PolicySet::new(mutators, validators, crate::unit::hexadecimal(&hash.finalize())), problems)
}
