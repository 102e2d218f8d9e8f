//! What became of an object, as a JSON Patch.
//!
//! [`diff`] of two roots is the patch that a webhook answers with, and [`diff`] of neighbouring roots says which policy
//! wrote what. Both need it small and honest: an operation for what changed and none for what did not, so that nobody's
//! entry is written a second time by somebody else.
//!
//! - Only `add`, `remove` and `replace` are used, in an order in which each can be applied to what those before it left.
//! - Maps are compared key by key; a key that is new is one `add` of its whole value.
//! - Items of a list belong together if their [`ListKey`]s are equal, where the list has such keys and every item of both
//!   sides has its own; else if the items are equal. A container inserted at the front is one `add`, wherever the others
//!   move; items that change place are removed and added.
//! - A map or list of which nothing stays (no key, no item) is replaced as a whole instead of emptied and filled. So is an
//!   item without identity, and a list of such after more than eight operations, where that makes the shorter patch.
//! - Values are compared as JSON: 1 and 1.0 are equal, the order of keys is nothing, null is not absence.
//!
//! Parts that two roots share are skipped by address, and equal roots cost no allocation. The patch avoids what the API
//! server's library (evanphx/json-patch v4) cannot do: it never uses `add` on the root, and replaces the root by a map or
//! list whenever the new root is one.
//!
//! Recursion is as deep as the trees, but no deeper than 256 levels: what lies below is compared and replaced as a whole.
//! That comparison (and printing) relies on what bounds the trees themselves: the reader stops at 128 levels, a patch at
//! 256, and an edit adds the length of a path that a policy holds as a constant. A stack of 2 MiB takes several times that.

use super::node::{List, Map, Node, View};
use super::patch::Operation;
use super::path::{Path, Segment};

mod align;

pub(super) use align::is_known;

/// How deep the trees are compared part by part.
const DEEPEST: usize = 256;

/// As many operations on a list without identities are kept although one replacement may be shorter.
const SHORT: usize = 8;

/// A field that tells the items of a list apart, alone or together with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListKey {
    /// Its name.
    pub field: &'static str,
    /// What an item without it is taken to have.
    pub default: Option<&'static str>,
}

impl ListKey {
    /// A field that has no default.
    pub const fn new(field: &'static str) -> Self {
        Self { field, default: None }
    }

    /// A field with a default.
    pub const fn with_default(field: &'static str, default: &'static str) -> Self {
        Self { field, default: Some(default) }
    }
}

/// The keys of a list: `field` is the name it stands under, `parent` the name that the map around it stands under (for a
/// map in a list the list's name; empty for the root). None for a list whose items have no identity.
pub type ListKeys = fn(parent: &str, field: &str) -> &'static [ListKey];

/// For objects of which nothing is known: no list has keys.
pub const NO_KEYS: ListKeys = |_, _| &[];

/// The operations that make `to` of `from`; none if they are equal.
pub fn diff<'a>(from: Node<'a>, to: Node<'a>, keys: ListKeys) -> Vec<Operation<'a>> {
    let mut differ = Differ { keys, operations: Vec::new() };
    differ.value(Place { path: None, parent: "", field: "", depth: 0 }, from, to);
    differ.operations
}

/// Where the two trees are being compared. Nothing is written down before there is an operation.
#[derive(Clone, Copy)]
struct Place<'p> {
    path: Option<&'p Path<'p>>,
    parent: &'p str,
    field: &'p str,
    depth: usize,
}

impl<'p> Place<'p> {
    fn path_to(self, segment: Segment<'p>) -> Path<'p> {
        Path::below(self.path, segment)
    }

    /// The place of an entry, given its path.
    fn entry(self, path: &'p Path<'p>, key: &'p str) -> Self {
        Self { path: Some(path), parent: self.field, field: key, depth: self.depth + 1 }
    }

    /// The place of an item, given its path. Its fields' parent is the list's name.
    fn item(self, path: &'p Path<'p>) -> Self {
        Self { path: Some(path), depth: self.depth + 1, ..self }
    }

    fn pointer(self) -> String {
        self.path.map(Path::to_pointer).unwrap_or_default()
    }
}

struct Differ<'a> {
    keys: ListKeys,
    operations: Vec<Operation<'a>>,
}

impl<'a> Differ<'a> {
    /// Adds the operations for one place. False if nothing of `from` stays.
    fn value(&mut self, place: Place<'_>, from: Node<'a>, to: Node<'a>) -> bool {
        if from.is_same(to) || (from.raw_text().is_some() && from.raw_text() == to.raw_text()) {
            return true;
        }
        if place.depth < DEEPEST {
            match (from.view(), to.view()) {
                (View::Map(old), View::Map(new)) => return self.maps(place, old, new, to),
                (View::List(old), View::List(new)) => return self.lists(place, old, new, to),
                _ => {}
            }
        }
        if from == to {
            return true;
        }
        self.operations.push(Operation::Replace { path: place.pointer(), value: to });
        false
    }

    fn maps(&mut self, place: Place<'_>, from: &'a Map<'a>, to: &'a Map<'a>, whole: Node<'a>) -> bool {
        let start = self.operations.len();
        let mut stays = from.is_empty() && to.is_empty();
        for (position, (key, old)) in from.entries().iter().enumerate() {
            let path = place.path_to(Segment::Key(key));
            if let Some(new) = entry(to, position, key) {
                stays = true;
                self.value(place.entry(&path, key), *old, new);
            } else {
                self.operations.push(Operation::Remove { path: path.to_pointer() });
            }
        }
        for (position, (key, new)) in to.entries().iter().enumerate() {
            if entry(from, position, key).is_none() {
                let path = place.path_to(Segment::Key(key)).to_pointer();
                self.operations.push(Operation::Add { path, value: *new });
            }
        }
        self.replace_if(!stays && self.operations.len() > start + 1, start, place, whole);
        stays
    }

    fn lists(&mut self, place: Place<'_>, from: List<'a>, to: List<'a>, whole: Node<'a>) -> bool {
        let keys = (self.keys)(place.parent, place.field);
        if align::in_place(from, to, keys) {
            for (index, (old, new)) in from.iter().zip(to).enumerate() {
                let path = place.path_to(Segment::at(index));
                self.value(place.item(&path), *old, *new);
            }
            return true;
        }
        let start = self.operations.len();
        let alignment = align::align(from, to, keys);
        let mut stays = false;
        let (mut old_next, mut new_next) = (0, 0);
        for (old_pair, new_pair) in alignment.pairs(from.len(), to.len()) {
            let old_gap = from.get(old_next..old_pair).unwrap_or(&[]);
            let new_gap = to.get(new_next..new_pair).unwrap_or(&[]);
            stays |= self.gap(place, new_next, alignment.by_key, old_gap, new_gap);
            if let (Some(old), Some(new)) = (from.get(old_pair), to.get(new_pair)) {
                let path = place.path_to(Segment::at(new_pair));
                self.value(place.item(&path), *old, *new);
                stays = true;
            }
            (old_next, new_next) = (old_pair + 1, new_pair + 1);
        }
        let count = self.operations.len() - start;
        let long = !alignment.by_key && count > SHORT && self.is_longer_than(start, place, whole);
        self.replace_if((!stays && count > 1) || long, start, place, whole);
        stays
    }

    /// Items that have no partner, between two that have. What stands before `position` is as it shall be already, so that
    /// positions in the new list are those in the list that the next operation is applied to.
    fn gap(&mut self, list: Place<'_>, position: usize, by_key: bool, from: List<'a>, to: List<'a>) -> bool {
        let mut stays = false;
        for (index, (old, new)) in (position..).zip(from.iter().zip(to)) {
            stays |= self.successor(list, index, by_key, *old, *new);
        }
        let common = from.len().min(to.len());
        for _ in common..from.len() {
            let path = list.path_to(Segment::at(position + common)).to_pointer();
            self.operations.push(Operation::Remove { path });
        }
        for (index, new) in (position..).zip(to).skip(common) {
            let path = list.path_to(Segment::at(index)).to_pointer();
            self.operations.push(Operation::Add { path, value: *new });
        }
        stays
    }

    /// An item in the place of one that it does not belong to. False if nothing of the old one stays.
    fn successor(&mut self, list: Place<'_>, index: usize, by_key: bool, from: Node<'a>, to: Node<'a>) -> bool {
        let path = list.path_to(Segment::at(index));
        let place = list.item(&path);
        if by_key {
            self.operations.push(Operation::Replace { path: place.pointer(), value: to });
            return false;
        }
        let start = self.operations.len();
        let stays = self.value(place, from, to);
        let long = self.operations.len() > start + 1 && self.is_longer_than(start, place, to);
        self.replace_if(long, start, place, to);
        stays && !long
    }

    fn replace_if(&mut self, condition: bool, start: usize, place: Place<'_>, value: Node<'a>) {
        if condition {
            self.operations.truncate(start);
            self.operations.push(Operation::Replace { path: place.pointer(), value });
        }
    }

    /// Whether the operations from `start` on take more text than one that puts `whole` at `place`.
    fn is_longer_than(&self, start: usize, place: Place<'_>, whole: Node<'a>) -> bool {
        // `{"op":"replace","path":"","value":},`
        const FRAME: usize = 36;
        let operations = self.operations.get(start..).unwrap_or(&[]).iter();
        let lengths = operations.map(|operation| FRAME + operation.path().len() + operation.value().map_or(0, length));
        lengths.sum::<usize>() > FRAME + place.pointer().len() + length(whole)
    }
}

/// The value under `key`, looked for first where the other map has it: maps that were made of each other mostly agree.
fn entry<'a>(map: &Map<'a>, position: usize, key: &str) -> Option<Node<'a>> {
    match map.entries().get(position) {
        Some((there, value)) if *there == key => Some(*value),
        _ => map.get(key),
    }
}

/// About how many bytes the value takes as text.
fn length(value: Node<'_>) -> usize {
    if let Some(text) = value.raw_text() {
        return text.len();
    }
    if let Some(redacted) = value.as_redacted() {
        return 3 + redacted.marker().len();
    }
    match value.view() {
        View::Null | View::Bool(_) | View::Int(_) | View::UInt(_) | View::Float(_) => 4,
        View::String(text) => 3 + text.len(),
        View::List(items) => 2 + items.iter().map(|item| 1 + length(*item)).sum::<usize>(),
        View::Map(map) => 2 + map.entries().iter().map(|(key, value)| 4 + key.len() + length(*value)).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests;
