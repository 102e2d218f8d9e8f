//! Whether the API server sends what the policies are for.

use std::collections::BTreeSet;
use std::sync::Arc;

use admittance_engine::set::{Entries, PolicySet, Unreached, unreached};
use arc_swap::{ArcSwap, ArcSwapOption};

/// What the API server sends, as far as it is known, and what policies miss of it.
#[derive(Debug, Default)]
pub struct Reach {
    entries: ArcSwapOption<Entries>,
    unreached: ArcSwap<Vec<Unreached>>,
}

impl Reach {
    /// What is sent from now on; None where it is not known.
    pub fn know(&self, entries: Option<Entries>) {
        self.entries.store(entries.map(Arc::new));
    }

    /// What is sent.
    pub fn entries(&self) -> Option<Arc<Entries>> {
        self.entries.load_full()
    }

    /// Holds the policies against what is sent, says what is new, and counts the policies that are not asked about everything.
    pub fn hold(&self, set: &PolicySet) -> usize {
        let found = self.entries().map(|entries| unreached(set, &entries)).unwrap_or_default();
        let before = self.unreached.load_full();
        for one in found.iter().filter(|one| !before.contains(one)) {
            tracing::warn!(policy = one.policy, "{}", one.text);
        }
        let policies: BTreeSet<&str> = found.iter().map(|one| one.policy.as_str()).collect();
        let count = policies.len();
        self.unreached.store(Arc::new(found));
        count
    }

    /// What a policy misses.
    pub fn of(&self, policy: &str) -> Option<String> {
        self.unreached.load().iter().find(|one| one.policy == policy).map(|one| one.text.clone())
    }
}
