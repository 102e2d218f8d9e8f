//! Maps.

use super::Value;
use crate::cel::constant::Constant;
use crate::json;

/// A map: of an object, or of a literal. Keys are bool, int, uint or string; numbers of different types are the same key
/// where they are equal.
#[derive(Clone, Copy)]
pub enum Map<'a> {
    /// Of an object; all keys are strings.
    Node(&'a json::Map<'a>),
    /// Made by the evaluation.
    Values(&'a ValueMap<'a>),
    /// A literal of constants, in the program.
    Constants(&'a Box<[(Constant, Constant)]>),
}

/// A map that the evaluation made.
#[derive(Clone, Copy)]
pub struct ValueMap<'a> {
    /// In the order in which they were put in.
    pub(super) entries: &'a [(Value<'a>, Value<'a>)],
    /// Positions in `entries`, sorted by key, for large maps; empty for small ones.
    pub(super) index: &'a [u32],
}

impl Map<'_> {
    /// How many keys it has.
    pub fn len(self) -> usize {
        match self {
            Self::Node(map) => map.len(),
            Self::Values(map) => map.entries.len(),
            Self::Constants(entries) => entries.len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}
