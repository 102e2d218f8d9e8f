//! A map of YAML while its entries arrive: unique keys, and merges that may be set again.

use std::collections::HashMap;
use std::ops::Range;

use super::tree::Entry;

/// Maps with more keys than this are searched by an index.
const SMALL_MAP: usize = 16;

#[derive(Default)]
pub(super) struct OpenMap {
    pub(super) entries: Vec<Entry>,
    /// Which entries came by a merge and may be set again, in step with `entries`.
    merged: Vec<bool>,
    index: HashMap<String, usize>,
    pub(super) key: Option<Key>,
    pub(super) held_by: Option<Range<usize>>,
}

/// A key that waits for its value.
pub(super) enum Key {
    Name(String, Range<usize>),
    Merge(Range<usize>),
    /// Not a key at all; reported, and its value is read for its own problems.
    Bad,
}

impl OpenMap {
    /// An empty map that stands under the key at `held_by`.
    pub(super) fn new(held_by: Option<Range<usize>>) -> Self {
        Self { held_by, ..Self::default() }
    }

    /// Sets a key, and says where it was set before if that was no merge (then the first value stays).
    pub(super) fn set(&mut self, entry: Entry, merge: bool) -> Option<Range<usize>> {
        let known = if self.entries.len() <= SMALL_MAP {
            self.entries.iter().position(|known| known.key == entry.key)
        } else {
            if self.index.is_empty() {
                self.index = self.entries.iter().enumerate().map(|(at, known)| (known.key.clone(), at)).collect();
            }
            self.index.get(&entry.key).copied()
        };
        let Some(at) = known else {
            if !self.index.is_empty() {
                self.index.insert(entry.key.clone(), self.entries.len());
            }
            self.entries.push(entry);
            self.merged.push(merge);
            return None;
        };
        let (known, was_merged) = (self.entries.get_mut(at)?, self.merged.get_mut(at)?);
        if !merge && !*was_merged {
            return Some(known.key_span.clone());
        }
        *known = entry;
        *was_merged = merge && *was_merged;
        None
    }
}
