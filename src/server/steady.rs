//! Since when the policies that change objects are the same: only then may an object on `/validate` be held against them.
//!
//! A request that is on its way while they change was mutated by the old ones, here or on another replica that hears of the
//! change a little later.

use std::time::{Duration, Instant};

use crate::source::Active;

/// How long the mutating policies must have been the same.
pub(super) const LONG_ENOUGH: Duration = Duration::from_mins(1);

/// The units with policies that change objects, and since when they are these.
#[derive(Debug)]
pub(super) struct Steady {
    units: Vec<(String, Option<String>)>,
    since: Instant,
}

impl Steady {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self { units: vec![], since: Instant::now() }
    }

    /// The same time where the units that change objects are the same versions, else now.
    pub(super) fn after(&self, active: &Active) -> Self {
        let changes = |name: &str| active.set.mutators().iter().any(|mutator| mutator.head.origin.policy == name);
        let units: Vec<(String, Option<String>)> = active
            .units
            .iter()
            .filter(|unit| unit.policies.iter().any(|policy| changes(&policy.name)))
            .map(|unit| (unit.name.clone(), unit.digest.clone()))
            .collect();
        let since = if units == self.units { self.since } else { Instant::now() };
        Self { units, since }
    }

    /// Whether they have been the same for that long.
    pub(super) fn is_for(&self, long_enough: Duration) -> bool {
        self.since.elapsed() >= long_enough
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use admittance_engine::document::SourceFile;
    use admittance_engine::unit::Unit;

    use super::*;
    use crate::source::{Loaded, Read, Revision, Tests};

    fn active(loaded: &mut Loaded, files: &[(&str, &str)]) -> Active {
        let unit = |(name, spec): &(&str, &str)| {
            let text = format!(
                "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {spec}\n"
            );
            Read::Unit(Unit::of_file(SourceFile::new(*name, text)), Revision::default())
        };
        loaded.update(files.iter().map(unit).collect(), &BTreeMap::new()).active
    }

    #[test]
    fn begins_anew_where_a_policy_that_changes_objects_does() {
        let (mut loaded, label) =
            (Loaded::new(false, Tests::Honoured), "{ module: add-labels, settings: { labels: { team: shop } } }");
        let first = Steady::new().after(&active(&mut loaded, &[("team", label), ("tags", "{ module: latest-tag }")]));
        let same = first.after(&active(&mut loaded, &[("team", label), ("tags", "{ module: host-ports }")]));
        assert_eq!(same.since, first.since, "a policy that judges is not asked");
        let other = same.after(&active(&mut loaded, &[("team", &label.replace("shop", "bank"))]));
        assert!(other.since > same.since);
        assert!(other.is_for(Duration::ZERO) && !other.is_for(LONG_ENOUGH));
        let gone = other.after(&active(&mut loaded, &[]));
        assert!(gone.since > other.since);
    }
}
