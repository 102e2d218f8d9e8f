//! Which checks hold at a level of a version.

use super::check::{Check, Forbidden, Judge, PodFields, Revision};
use super::checks::CHECKS;
use super::level::{Level, Standard, Version};

/// The newest version of Kubernetes whose standards are known: that in which a check changed last.
pub(super) const NEWEST: usize = 37;

/// The checks of each version, in the order of their results.
pub(super) struct Table {
    baseline: Vec<Vec<Judge>>,
    restricted: Vec<Vec<Judge>>,
}

impl Table {
    pub(super) fn new() -> Self {
        let of = |level| (0..=NEWEST).map(|minor| judges(level, minor)).collect();
        Self { baseline: of(Level::Baseline), restricted: of(Level::Restricted) }
    }

    /// What `standard` forbids in the pod, in order.
    pub(super) fn judge(&self, standard: Standard, pod: &PodFields<'_>) -> Vec<Forbidden> {
        let newest = |minor: u64| usize::try_from(minor).map_or(NEWEST, |minor| minor.min(NEWEST));
        let minor = match standard.version {
            Version::Latest => NEWEST,
            Version::Minor(minor) => newest(minor),
        };
        let judges = match standard.level {
            Level::Privileged => None,
            Level::Baseline => self.baseline.get(minor),
            Level::Restricted => self.restricted.get(minor),
        };
        judges.into_iter().flatten().filter_map(|judge| judge(pod)).collect()
    }
}

/// The form of a check that holds in a version.
fn revision(check: &Check, minor: usize) -> Option<&Revision> {
    check.revisions.iter().rev().find(|revision| revision.since <= minor)
}

fn judges(level: Level, minor: usize) -> Vec<Judge> {
    let held = || CHECKS.iter().filter(|check| check.level <= level);
    let replaced: Vec<&str> =
        held().filter_map(|check| revision(check, minor)).flat_map(|revision| revision.replaces).copied().collect();
    let remaining = held().filter(|check| !replaced.contains(&check.id));
    remaining.filter_map(|check| revision(check, minor)).map(|revision| revision.judge).collect()
}

/// `reason (detail), reason (detail)`: what users are told about a pod.
pub(super) fn details(forbidden: &[Forbidden]) -> String {
    let mut text = String::new();
    for Forbidden { reason, detail } in forbidden {
        text.push_str(if text.is_empty() { "" } else { ", " });
        text.push_str(reason);
        if !detail.is_empty() {
            text.push_str(" (");
            text.push_str(detail);
            text.push(')');
        }
    }
    text
}

/// `reason, reason`: what users are told about many pods.
pub(super) fn reasons(forbidden: &[Forbidden]) -> String {
    forbidden.iter().map(|forbidden| forbidden.reason).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(level: Level) -> Vec<&'static str> {
        CHECKS.iter().filter(|check| check.level == level).map(|check| check.id).collect()
    }

    #[test]
    fn checks_stand_in_the_order_of_their_results() {
        let (baseline, restricted) = (ids(Level::Baseline), ids(Level::Restricted));
        assert!(baseline.is_sorted() && restricted.is_sorted(), "{baseline:?} {restricted:?}");
        let all: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
        assert_eq!(all, [baseline, restricted].concat());
    }

    #[test]
    fn revisions_stand_oldest_first_and_replace_what_there_is() {
        let mut newest = 0;
        for check in CHECKS {
            assert!(check.revisions.is_sorted_by(|left, right| left.since < right.since), "{}", check.id);
            for revision in check.revisions {
                newest = newest.max(revision.since);
                assert!(revision.replaces.iter().all(|id| ids(Level::Baseline).contains(id)), "{}", check.id);
                assert!(revision.replaces.is_empty() || check.level == Level::Restricted, "{}", check.id);
            }
        }
        assert_eq!(newest, NEWEST);
    }
}
