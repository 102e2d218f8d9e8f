//! What one policy did in one namespace.

use serde::{Deserialize, Serialize};

use super::sketch::Sketch;

/// How many owners of violations are named.
pub const NAMED: usize = 10;

/// Counters of requests. Times are seconds since 1970, zero for never.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Tally {
    /// Judged: matched, and not a dry run.
    #[serde(skip_serializing_if = "is_zero")]
    pub requests: u64,
    /// In which it found something that it would refuse with the action Deny.
    #[serde(skip_serializing_if = "is_zero")]
    pub violations: u64,
    /// In which it found nothing but what it would only warn about.
    #[serde(skip_serializing_if = "is_zero")]
    pub warnings: u64,
    /// That were refused for it.
    #[serde(skip_serializing_if = "is_zero")]
    pub denied: u64,
    /// Whose object it changed, or would have changed.
    #[serde(skip_serializing_if = "is_zero")]
    pub mutations: u64,
    /// In which it could not be evaluated.
    #[serde(skip_serializing_if = "is_zero")]
    pub errors: u64,
    /// The first and the last request.
    #[serde(skip_serializing_if = "is_zero")]
    pub first: u64,
    /// The last request.
    #[serde(skip_serializing_if = "is_zero")]
    pub last: u64,
    /// The last violation, or evaluation error.
    #[serde(skip_serializing_if = "is_zero")]
    pub last_trouble: u64,
    /// The owners of objects with violations.
    #[serde(skip_serializing_if = "Sketch::is_empty")]
    pub violators: Sketch,
    /// The first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<Violator>,
}

/// Who owns objects with violations: their controller, or they themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Violator {
    /// `NAMESPACE/KIND/NAME`; `KIND/NAME` of what is in no namespace.
    pub owner: String,
    /// Requests with violations.
    pub requests: u64,
    /// The last of them.
    pub last: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The earlier of two times, of which either may be never.
pub(super) fn earlier(left: u64, right: u64) -> u64 {
    if left == 0 || right == 0 { left.max(right) } else { left.min(right) }
}

impl Tally {
    /// What both have counted.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.requests, other.requests),
            (&mut self.violations, other.violations),
            (&mut self.warnings, other.warnings),
            (&mut self.denied, other.denied),
            (&mut self.mutations, other.mutations),
            (&mut self.errors, other.errors),
        ] {
            *sum = sum.saturating_add(more);
        }
        self.first = earlier(self.first, other.first);
        self.last = self.last.max(other.last);
        self.last_trouble = self.last_trouble.max(other.last_trouble);
        self.violators.merge(&other.violators);
        for violator in &other.owners {
            self.name(&violator.owner, violator.requests, violator.last);
        }
    }

    /// Takes down an owner of objects with violations, if there is room.
    pub fn name(&mut self, owner: &str, requests: u64, last: u64) {
        if let Some(known) = self.owners.iter_mut().find(|known| known.owner == owner) {
            known.requests = known.requests.saturating_add(requests);
            known.last = known.last.max(last);
        } else if self.owners.len() < NAMED {
            self.owners.push(Violator { owner: owner.to_owned(), requests, last });
        }
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.requests == 0 && self.errors == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::sketch::Hash;

    fn tally(owner: &str, at: u64) -> Tally {
        let mut tally = Tally { requests: 2, violations: 1, first: at, last: at, last_trouble: at, ..Tally::default() };
        tally.violators.add(Hash::default().part(owner));
        tally.name(owner, 1, at);
        tally
    }

    #[test]
    fn adds_counts_times_and_owners() {
        let mut sum = Tally::default();
        for tally in [tally("a", 20), tally("b", 10), tally("a", 30), Tally { requests: u64::MAX, ..Tally::default() }]
        {
            sum.add(&tally);
        }
        assert_eq!((sum.requests, sum.violations, sum.first, sum.last, sum.last_trouble), (u64::MAX, 3, 10, 30, 30));
        assert_eq!(sum.violators.count(), 2);
        let named: Vec<_> = sum.owners.iter().map(|it| (it.owner.as_str(), it.requests, it.last)).collect();
        assert_eq!(named, [("a", 2, 30), ("b", 1, 10)]);
    }

    #[test]
    fn names_the_first_ten_owners_and_counts_all() {
        let mut sum = Tally::default();
        (0..30).for_each(|number| sum.add(&tally(&number.to_string(), 1)));
        assert_eq!((sum.owners.len(), sum.violators.count()), (NAMED, 30));
        assert_eq!(sum.owners.last().unwrap().owner, "9");
    }
}
