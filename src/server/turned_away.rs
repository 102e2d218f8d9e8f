//! Who was turned away once: the second time the answer is a denial.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

/// The uids that were turned away lately, as hashes.
#[derive(Debug, Default)]
pub(super) struct TurnedAway(Mutex<VecDeque<u64>>);

/// How many uids are remembered: more retries than an API server has under way.
const REMEMBERED: usize = 4_096;

impl TurnedAway {
    pub(super) fn is_first(&self, uid: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        uid.hash(&mut hasher);
        let hash = hasher.finish();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(&hash) {
            return false;
        }
        if seen.len() == REMEMBERED {
            seen.pop_front();
        }
        seen.push_back(hash);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_first_overload_of_a_request_from_its_second() {
        let turned_away = TurnedAway::default();
        assert!(turned_away.is_first("a") && turned_away.is_first("b") && !turned_away.is_first("a"));
        for n in 0..REMEMBERED {
            turned_away.is_first(&n.to_string());
        }
        assert!(turned_away.is_first("a"));
    }
}
