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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::SourceFile;
    use crate::unit::{Unit, compile};

    fn unit(file: &str, names: &[&str]) -> Arc<CompiledUnit> {
        let document = |name: &&str| {
            format!(
                "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {{ module: host-ports }}\n"
            )
        };
        let text = names.iter().map(document).collect::<Vec<_>>().join("---\n");
        compile(&Unit::of_file(SourceFile::new(file, text))).unwrap()
    }

    fn names(set: &PolicySet) -> Vec<&str> {
        set.validators().iter().map(|validator| validator.head.origin.policy.as_str()).collect()
    }

    #[test]
    fn joins_units_in_any_order_to_the_same_set() {
        let (first, second) = (unit("a.yaml", &["x"]), unit("b.yaml", &["w", "z"]));
        let (one, problems) = link(&[Arc::clone(&first), Arc::clone(&second)]);
        let (other, _) = link(&[second, Arc::clone(&first)]);
        assert!(problems.is_empty());
        assert_eq!(names(&one), ["w", "x", "z"]);
        assert_eq!(one.digest(), other.digest());
        assert_ne!(one.digest(), link(&[first]).0.digest());
    }

    #[test]
    fn leaves_the_later_unit_out_and_names_both() {
        let (first, second) = (unit("a.yaml", &["x"]), unit("b.yaml", &["w", "x"]));
        for units in [[Arc::clone(&first), Arc::clone(&second)], [second, first]] {
            let (set, problems) = link(&units);
            assert_eq!(names(&set), ["x"]);
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert_eq!(
                texts,
                [
                    "b.yaml:8:19: error: policy `x` is defined in a.yaml already: all of b.yaml is left out until one of them is renamed"
                ]
            );
        }
    }
}
