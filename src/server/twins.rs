//! Whether the twins in the cluster say what the policies say.

use std::sync::Arc;

use admittance_engine::export::{Installed, Standing, State};
use admittance_engine::unit::CompiledUnit;
use arc_swap::ArcSwapOption;

/// The twins in the cluster, as far as they are known, and how they stand.
#[derive(Debug, Default)]
pub struct Twins {
    installed: ArcSwapOption<Vec<Installed>>,
    standing: ArcSwapOption<Standing>,
}

impl Twins {
    /// All twins that are there from now on.
    pub fn know(&self, installed: Vec<Installed>) {
        self.installed.store(Some(Arc::new(installed)));
    }

    /// Holds the policies against the twins and says what is newly stale; None where the twins are not known.
    pub fn hold(&self, units: &[Arc<CompiledUnit>]) -> Option<Arc<Standing>> {
        let installed = self.installed.load_full()?;
        let standing = Arc::new(Standing::of(units, &installed));
        let before = self.standing.swap(Some(Arc::clone(&standing)));
        let was_stale =
            |policy: &String| before.as_ref().is_some_and(|before| before.twins.get(policy) == Some(&State::Stale));
        for (policy, _) in standing.twins.iter().filter(|(_, state)| **state == State::Stale) {
            if !was_stale(policy) {
                tracing::warn!(policy, "its twin is stale: apply what `admittance export vap` prints");
            }
        }
        for name in &standing.orphans {
            if before.as_ref().is_none_or(|before| !before.orphans.contains(name)) {
                tracing::warn!(twin = name, "it is of a policy that is no more: delete it and its binding");
            }
        }
        Some(standing)
    }

    /// How the twin of a policy stands: `current`, `stale`, `missing`, or `none` where there can be none; None where twins are
    /// not known.
    pub fn of(&self, policy: &str) -> Option<&'static str> {
        let standing = self.standing.load_full()?;
        Some(standing.twins.get(policy).map_or("none", |state| state.as_str()))
    }
}
