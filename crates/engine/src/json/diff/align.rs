//! Which items of two lists belong together.
//!
//! Hashes stand for items here. Two items with one hash are at worst paired wrongly, and the diff of such a pair is still
//! right: it is just not the shortest.

use std::hash::{DefaultHasher, Hasher};

use super::ListKey;
use crate::json::node::{List, Node};
use crate::json::path::{hash_into, hash_of};

/// The longest common subsequence is searched in a table of at most so many cells (a quarter of a megabyte); for longer
/// lists only items that occur once are found again.
const CELLS: usize = 1 << 16;

/// Pairs of items that belong together; both positions grow from pair to pair.
pub(super) struct Alignment {
    /// So many items at the front belong to those at the same position.
    prefix: usize,
    /// Pairs behind them.
    middle: Vec<(usize, usize)>,
    /// So many items at the back belong to those at the same distance from the end.
    suffix: usize,
    /// Whether items were told apart by their keys: one that has no partner is then another thing, not the old one
    /// changed.
    pub(super) by_key: bool,
}

impl Alignment {
    /// All pairs, and in the end the lengths of both lists, where nothing stands.
    pub(super) fn pairs(&self, old: usize, new: usize) -> impl Iterator<Item = (usize, usize)> {
        let prefix = (0..self.prefix).map(|index| (index, index));
        let suffix = (0..=self.suffix).rev().map(move |distance| (old - distance, new - distance));
        prefix.chain(self.middle.iter().copied()).chain(suffix)
    }
}

/// Whether each item belongs to the one at the same position: then nothing was added, removed or moved.
pub(super) fn in_place(from: List<'_>, to: List<'_>, keys: &[ListKey]) -> bool {
    from.len() == to.len() && from.iter().zip(to).all(|(old, new)| old.is_same(*new) || is_known(*old, *new, keys))
}

/// Whether both have the same values of the keys, at least one of them present.
pub(in crate::json) fn is_known(old: Node<'_>, new: Node<'_>, keys: &[ListKey]) -> bool {
    let (Some(old), Some(new)) = (old.as_map(), new.as_map()) else { return false };
    let mut present = false;
    keys.iter().all(|key| {
        let [old, new] = [old.get(key.field), new.get(key.field)].map(|value| value.filter(|value| !value.is_null()));
        present |= old.is_some();
        let default = key.default.map(Node::string);
        old.or(default) == new.or(default)
    }) && present
}

/// The items that stay in their order, as many as can be found at a bounded price.
pub(super) fn align(from: List<'_>, to: List<'_>, keys: &[ListKey]) -> Alignment {
    if let (Some(old), Some(new)) = (identities(from, keys), identities(to, keys)) {
        return Alignment { prefix: 0, middle: once_in_both(&old, &new), suffix: 0, by_key: true };
    }
    let prefix = from.iter().zip(to).take_while(|(old, new)| old == new).count();
    let (old, new) = (from.get(prefix..).unwrap_or(&[]), to.get(prefix..).unwrap_or(&[]));
    let suffix = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let hashes = |items: List<'_>| -> Vec<u64> {
        items.iter().take(items.len().saturating_sub(suffix)).map(|item| hash_of(*item)).collect()
    };
    let mut middle = match (old.len() - suffix, new.len() - suffix) {
        (0, _) | (_, 0) => Vec::new(),
        (rows, columns) if rows.saturating_mul(columns) <= CELLS => longest_common(&hashes(old), &hashes(new)),
        _ => once_in_both(&hashes(old), &hashes(new)),
    };
    for pair in &mut middle {
        *pair = (pair.0 + prefix, pair.1 + prefix);
    }
    Alignment { prefix, middle, suffix, by_key: false }
}

/// A hash of each item's keys; None unless all have one and no two the same.
fn identities(items: List<'_>, keys: &[ListKey]) -> Option<Vec<u64>> {
    if keys.is_empty() {
        return None;
    }
    let all: Vec<u64> = items.iter().map(|item| identity(*item, keys)).collect::<Option<_>>()?;
    let mut sorted = all.clone();
    sorted.sort_unstable();
    let unique = sorted.windows(2).all(|pair| pair.first() != pair.last());
    unique.then_some(all)
}

fn identity(item: Node<'_>, keys: &[ListKey]) -> Option<u64> {
    let map = item.as_map()?;
    let mut hasher = DefaultHasher::new();
    let mut present = false;
    for key in keys {
        let value = map.get(key.field).filter(|value| !value.is_null());
        present |= value.is_some();
        hash_into(value.or(key.default.map(Node::string)).unwrap_or(Node::NULL), &mut hasher);
    }
    present.then(|| hasher.finish())
}

/// Pairs of what occurs exactly once on either side, in the longest order that both have.
fn once_in_both(old: &[u64], new: &[u64]) -> Vec<(usize, usize)> {
    let (old, new) = (once(old), once(new));
    let mut pairs: Vec<(usize, usize)> = new
        .iter()
        .filter_map(|(hash, position)| {
            let found = old.binary_search_by_key(hash, |entry| entry.0).ok()?;
            Some((old.get(found)?.1, *position))
        })
        .collect();
    pairs.sort_unstable_by_key(|pair| pair.1);
    longest_growing(&pairs)
}

/// Hashes that occur once, sorted, with their positions.
fn once(hashes: &[u64]) -> Vec<(u64, usize)> {
    let mut sorted: Vec<(u64, usize)> = hashes.iter().enumerate().map(|(position, hash)| (*hash, position)).collect();
    sorted.sort_unstable();
    sorted
        .chunk_by(|left, right| left.0 == right.0)
        .filter_map(|same| if let [one] = same { Some(*one) } else { None })
        .collect()
}

/// The longest subsequence whose first members grow (their second members do already), in n log n steps.
fn longest_growing(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // ends[n]: the pair with the smallest first member at which a subsequence of n + 1 pairs can end.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    let first = |pair: usize| pairs.get(pair).map(|pair| pair.0);
    for (current, pair) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| first(*end) < Some(pair.0));
        before.push(length.checked_sub(1).and_then(|shorter| ends.get(shorter).copied()));
        match ends.get_mut(length) {
            Some(end) => *end = current,
            None => ends.push(current),
        }
    }
    let last = ends.last().copied();
    let backwards = std::iter::successors(last, |current| before.get(*current).copied().flatten());
    let mut longest: Vec<(usize, usize)> = backwards.filter_map(|pair| pairs.get(pair).copied()).collect();
    longest.reverse();
    longest
}

/// The longest common subsequence.
fn longest_common(old: &[u64], new: &[u64]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    // Cell (row, column): the length of the longest common subsequence of old[row..] and new[column..].
    let mut table = vec![0u32; (old.len() + 1) * width];
    let cell = |table: &[u32], row: usize, column: usize| table.get(row * width + column).copied().unwrap_or(0);
    for (row, left) in old.iter().enumerate().rev() {
        for (column, right) in new.iter().enumerate().rev() {
            let length = if left == right {
                cell(&table, row + 1, column + 1) + 1
            } else {
                cell(&table, row + 1, column).max(cell(&table, row, column + 1))
            };
            if let Some(place) = table.get_mut(row * width + column) {
                *place = length;
            }
        }
    }
    let mut pairs = Vec::new();
    let (mut row, mut column) = (0, 0);
    while let (Some(left), Some(right)) = (old.get(row), new.get(column)) {
        if left == right {
            pairs.push((row, column));
            (row, column) = (row + 1, column + 1);
        } else if cell(&table, row + 1, column) >= cell(&table, row, column + 1) {
            row += 1;
        } else {
            column += 1;
        }
    }
    pairs
}
