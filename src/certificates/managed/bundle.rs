//! Which CAs are to be trusted: the new one before it signs, the old one as long as a leaf of it may be in use.

use std::time::{Duration, SystemTime};

use super::root::Root;

/// So many CAs are trusted beside those in use: a Secret that is deleted again and again must not make bundles grow.
const MOST: usize = 8;
/// The clocks of replicas differ by less than this, or by a sixth of a leaf's life.
const SKEW: Duration = Duration::from_hours(1);

/// All CAs that are known, and those of them that are in use.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    /// The newest first.
    roots: Vec<Root>,
    in_use: Vec<Root>,
    skew: Duration,
}

impl Trust {
    /// Of CAs that are known, twice or more often too, and of some of them that are in use.
    pub(super) fn of(mut roots: Vec<Root>, in_use: Vec<Root>, life: Duration) -> Self {
        roots.extend(in_use.iter().cloned());
        roots.sort();
        roots.dedup();
        Self { roots, in_use, skew: SKEW.min(life / 6) }
    }

    /// All that are known.
    pub(super) fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// What a bundle is to hold that holds `there` now.
    ///
    /// A CA that leaves soon is not removed, and not added where it has left already: replicas whose clocks differ do not
    /// undo what the others do.
    pub(super) fn wanted(&self, there: &[Root], now: SystemTime) -> Vec<Root> {
        let mut others = 0;
        let is_wanted = |root: &&Root| {
            if root.span.not_after <= now {
                return false;
            }
            if self.in_use.contains(root) {
                return true;
            }
            let leaves = self.leaves(root);
            let is_trusted = if there.contains(root) { now < leaves } else { now + self.skew < leaves };
            others += usize::from(is_trusted);
            is_trusted && others <= MOST
        };
        self.roots.iter().filter(is_wanted).cloned().collect()
    }

    /// When a CA stops to be trusted: no leaf that it has signed can be valid any more. It signs until there is a newer one.
    pub(super) fn leaves(&self, root: &Root) -> SystemTime {
        let newer = self.roots.iter().rev().find(|other| other.span.created > root.span.created);
        let last = newer.map_or(root.span.not_after, |newer| newer.span.created + root.leaf_life());
        last.min(root.span.not_after)
    }
}
