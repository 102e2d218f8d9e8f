//! Sets of characters as Go's parser builds them: ranges in the order in which they were added, sorted when a class is
//! complete (regexp/syntax/parse.go).

use super::tables::{FOLDS, Range};

/// The last code point.
pub(super) const MAX: u32 = 0x0010_ffff;

/// Ranges of code points, first and last. Surrogates may be in them, as in Go; text never holds one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Runes(pub(super) Vec<(u32, u32)>);

impl Runes {
    /// One range.
    pub(super) fn of(low: u32, high: u32) -> Self {
        Self(vec![(low, high)])
    }

    /// Adds a range. The last two are looked at for one that it touches: alphabets folded for case grow in pairs.
    pub(super) fn add(&mut self, low: u32, high: u32) {
        for range in self.0.iter_mut().rev().take(2) {
            if low <= range.1 + 1 && range.0 <= high + 1 {
                *range = (range.0.min(low), range.1.max(high));
                return;
            }
        }
        self.0.push((low, high));
    }

    /// Adds a range and all that differs from its characters in case alone.
    pub(super) fn add_folded(&mut self, low: u32, high: u32) {
        self.add(low, high);
        if low == 0 && high == MAX {
            return;
        }
        let first = FOLDS.partition_point(|((_, end, _), _)| *end < low);
        for &((start, end, stride), _) in FOLDS.iter().skip(first).take_while(|((start, ..), _)| *start <= high) {
            for rune in (start..=end.min(high)).step_by(stride as usize).filter(|rune| *rune >= low) {
                orbit(rune).for_each(|folded| self.add(folded, folded));
            }
        }
    }

    /// Adds a set.
    pub(super) fn add_all(&mut self, other: &Self) {
        other.0.iter().for_each(|&(low, high)| self.add(low, high));
    }

    /// Adds all that a complete set does not hold.
    pub(super) fn add_negated(&mut self, other: &Self) {
        let mut next = 0;
        for &(low, high) in &other.0 {
            if next < low {
                self.add(next, low - 1);
            }
            next = high + 1;
        }
        if next <= MAX {
            self.add(next, MAX);
        }
    }

    /// Adds a complete set, or all that it does not hold.
    pub(super) fn add_signed(&mut self, is_negated: bool, other: &Self) {
        if is_negated {
            self.add_negated(other);
        } else {
            self.add_all(other);
        }
    }

    /// Adds a table.
    pub(super) fn add_table(&mut self, table: &[Range]) {
        for &(low, high, stride) in table {
            if stride == 1 {
                self.add(low, high);
            } else {
                (low..=high).step_by(stride as usize).for_each(|rune| self.add(rune, rune));
            }
        }
    }

    /// Sorts and merges: the set is complete.
    pub(super) fn clean(&mut self) {
        self.0.sort_unstable();
        self.0.dedup_by(|next, kept| {
            let merges = next.0 <= kept.1 + 1;
            if merges {
                kept.1 = kept.1.max(next.1);
            }
            merges
        });
    }

    /// What a complete set does not hold.
    pub(super) fn negated(&self) -> Self {
        let mut negated = Self::default();
        negated.add_negated(self);
        negated
    }

    /// Whether it holds a character.
    pub(super) fn contains(&self, rune: u32) -> bool {
        self.0.iter().any(|&(low, high)| low <= rune && rune <= high)
    }
}

/// The next character that differs in case alone, the smallest after the largest (`unicode.SimpleFold`).
pub(super) fn simple_fold(rune: u32) -> u32 {
    let position = FOLDS.partition_point(|((_, end, _), _)| *end < rune);
    match FOLDS.get(position) {
        Some(&((start, _, stride), delta)) if start <= rune && (rune - start).is_multiple_of(stride) => {
            rune.wrapping_add_signed(delta)
        }
        _ => rune,
    }
}

/// All others that differ from it in case alone.
pub(super) fn orbit(rune: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(simple_fold(rune)), |rune| Some(simple_fold(*rune)))
        .take_while(move |next| *next != rune)
}
