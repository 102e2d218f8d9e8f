//! Which policies a test is about.

use std::collections::BTreeSet;

use crate::document::Diagnostic;
use crate::near_name;
use crate::set::{PolicySet, apart};
use crate::unit::CompiledUnit;
use crate::unit::policy_test::PolicyTest;

/// The policies of the unit that the test is about. None where it is about policies of other units: it names none of these,
/// or names nobody and the unit has no policies.
///
/// # Errors
/// Names of policies that the unit does not have, beside some that it has.
pub fn own(unit: &CompiledUnit, test: &PolicyTest) -> Result<Option<PolicySet>, Vec<Diagnostic>> {
    let known = unit.policies();
    let known: BTreeSet<&str> = known.iter().map(|policy| policy.name.as_str()).collect();
    let is_own = match &test.policies {
        None => !known.is_empty(),
        Some(names) => names.iter().any(|(name, _)| known.contains(name.as_str())),
    };
    if is_own { among(&[unit], test).map(Some) } else { Ok(None) }
}

/// The policies of these units that the test is about; without names all of them.
///
/// # Errors
/// Names of policies that none of the units has.
pub fn among(units: &[&CompiledUnit], test: &PolicyTest) -> Result<PolicySet, Vec<Diagnostic>> {
    let set = apart(units);
    let Some(names) = &test.policies else { return Ok(set) };
    let known: BTreeSet<&str> = set.names().collect();
    let unknown = names.iter().filter(|(name, _)| !known.contains(name.as_str()));
    let unknown: Vec<Diagnostic> = unknown
        .map(|(name, place)| {
            let hint = near_name::hint(name, known.iter().copied());
            Diagnostic::error(&place.file, place.span.clone(), format!("unknown policy `{name}`{hint}"))
        })
        .collect();
    if unknown.is_empty() { Ok(set.only(|name| names.iter().any(|(wanted, _)| wanted == name))) } else { Err(unknown) }
}
