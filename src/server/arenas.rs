//! Memory for reviews, kept warm from one to the next.

use std::sync::{Mutex, PoisonError};

use admittance_engine::json::Arena;
use admittance_engine::pipeline::Budget;

/// Arenas that wait for the next review: their memory is warm.
#[derive(Debug, Default)]
pub(super) struct Arenas(Mutex<Vec<Arena>>);

/// How many arenas wait at the most, and how large one may be: what one huge review took is given back.
const KEPT_ARENAS: usize = 64;
const KEPT_BYTES: usize = 1 << 20;

impl Arenas {
    pub(super) fn take(&self) -> Arena {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| Arena::with_limit(Budget::REVIEW))
    }

    pub(super) fn give_back(&self, arena: Arena) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_ARENAS && arena.used() <= KEPT_BYTES {
            kept.push(arena);
        }
    }
}
