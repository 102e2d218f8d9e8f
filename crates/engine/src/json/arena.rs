//! The memory of one review.

use std::cell::Cell;
use std::fmt;

use bumpalo::Bump;

use super::node::{Entry, Map, Node};
use super::redacted::Redacted;

/// Maps with more keys than this carry a sorted index; below it a scan over the keys is faster.
pub(super) const INDEXED_FROM: usize = 17;

/// All that one review's trees are made of. Everything is freed at once by [`Arena::reset`] or by dropping it, so that
/// dropping a tree of any depth recurses nowhere.
///
/// The arena never refuses an allocation of an edit (those are small); readers of untrusted text ask [`Arena::is_full`]
/// as they go, and the pipeline asks after every policy.
pub struct Arena {
    pub(super) bump: Bump,
    limit: usize,
    unreadable: Cell<bool>,
    /// How many values were redacted.
    redacted: Cell<u32>,
    /// How often somebody asked what is not known.
    unknowns: Cell<u32>,
    /// Bytes that were used by whoever only looked on.
    aside: Cell<usize>,
}

impl Arena {
    /// An arena whose user wants to stay below `limit` bytes.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            bump: Bump::new(),
            limit,
            unreadable: Cell::new(false),
            redacted: Cell::new(0),
            unknowns: Cell::new(0),
            aside: Cell::new(0),
        }
    }

    /// Whether more than the limit is in use.
    pub fn is_full(&self) -> bool {
        self.used() > self.limit
    }

    pub(super) fn is_full_with(&self, more: usize) -> bool {
        self.used() + more > self.limit
    }

    /// Bytes in use, rounded up to whole chunks, without those of [`Arena::aside`].
    pub fn used(&self) -> usize {
        self.bump.allocated_bytes().saturating_sub(self.aside.get())
    }

    /// Looks at values on nobody's behalf: what is read for it is not counted, and that something could not be read, or is
    /// redacted, is not noted.
    pub fn aside<T>(&self, look: impl FnOnce() -> T) -> T {
        let (used, unreadable, unknowns) = (self.used(), self.unreadable.get(), self.unknowns.get());
        let seen = look();
        self.aside.set(self.aside.get() + self.used().saturating_sub(used));
        self.unreadable.set(unreadable);
        self.unknowns.set(unknowns);
        seen
    }

    /// Frees everything; the largest chunk is kept for the next review.
    pub fn reset(&mut self) {
        self.bump.reset();
        self.unreadable.set(false);
        self.redacted.set(0);
        self.unknowns.set(0);
        self.aside.set(0);
    }

    /// A value that nobody may see, with a number of its own: see [`crate::redaction`].
    pub fn redacted(&self) -> Node<'_> {
        self.redacted.set(self.redacted.get() + 1);
        self.redacted_as(self.redacted.get())
    }

    /// The same with a number that somebody else has given it.
    pub fn redacted_as(&self, number: u32) -> Node<'_> {
        Node::redacted(self.keep(Redacted::new(self, number)))
    }

    /// How often somebody has looked at what is redacted, or asked for what a recording does not hold, since the arena was
    /// last reset: whoever did went by something that is not so.
    pub fn unknowns(&self) -> u32 {
        self.unknowns.get()
    }

    /// Notes that somebody asked what is not known.
    pub fn mark_unknown(&self) {
        self.unknowns.set(self.unknowns.get().wrapping_add(1));
    }

    /// Whether a part of an object that was left unparsed turned out not to be readable; whoever looked into it saw null.
    pub fn has_unreadable(&self) -> bool {
        self.unreadable.get()
    }

    pub(super) fn mark_unreadable(&self) {
        self.unreadable.set(true);
    }

    /// A copy of `text` that lives as long as the arena.
    pub fn text(&self, text: &str) -> &str {
        self.bump.alloc_str(text)
    }

    /// The text of `arguments`, which lives as long as the arena.
    pub fn format(&self, arguments: fmt::Arguments<'_>) -> &str {
        if let Some(constant) = arguments.as_str() {
            return constant;
        }
        let mut text = bumpalo::collections::String::new_in(&self.bump);
        // Writing into memory fails only where a Display of an argument does: what was written until then stays.
        let _ = fmt::write(&mut text, arguments);
        text.into_bump_str()
    }

    /// A copy of a list of strings that live as long as the arena.
    pub fn texts<'a>(&'a self, texts: &[&'a str]) -> &'a [&'a str] {
        self.bump.alloc_slice_copy(texts)
    }

    /// A list of these items.
    pub fn list<'a>(&'a self, items: &[Node<'a>]) -> Node<'a> {
        Node::list(self.bump.alloc_slice_copy(items))
    }

    /// The same, made item by item; each may take room in the arena itself.
    pub fn list_of<'a>(&'a self, items: impl ExactSizeIterator<Item = Node<'a>>) -> Node<'a> {
        Node::list(self.bump.alloc_slice_fill_iter(items))
    }

    /// A map of these entries, in this order. The keys must differ from each other: of two equal ones the first is found.
    pub fn map<'a>(&'a self, entries: &[Entry<'a>]) -> Node<'a> {
        Node::map(self.bump.alloc(self.map_body(entries)))
    }

    /// The same, made entry by entry; each may take room in the arena itself.
    pub fn map_of<'a>(&'a self, entries: impl ExactSizeIterator<Item = Entry<'a>>) -> Node<'a> {
        let entries = self.bump.alloc_slice_fill_iter(entries);
        Node::map(self.bump.alloc(self.index(entries)))
    }

    pub(super) fn map_body<'a>(&'a self, entries: &[Entry<'a>]) -> Map<'a> {
        self.index(self.bump.alloc_slice_copy(entries))
    }

    /// The map of entries that are in the arena already.
    pub(super) fn index<'a>(&'a self, entries: &'a [Entry<'a>]) -> Map<'a> {
        if entries.len() < INDEXED_FROM {
            return Map { entries, index: &[] };
        }
        let positions = 0..u32::try_from(entries.len()).unwrap_or(u32::MAX);
        let index = self.bump.alloc_slice_fill_iter(positions);
        index.sort_by_key(|&position| entries.get(position as usize).map(|entry| entry.0));
        Map { entries, index }
    }

    /// `value` in the arena. Copy types alone: nothing in an arena is ever dropped.
    pub fn keep<T: Copy>(&self, value: T) -> &T {
        self.bump.alloc(value)
    }

    /// `value` in the arena, in a place where it can be replaced.
    pub fn keep_cell<T: Copy>(&self, value: T) -> &Cell<T> {
        self.bump.alloc(Cell::new(value))
    }

    /// So many of it, each in a place where it can be replaced.
    pub fn keep_cells<T: Copy>(&self, count: usize, value: T) -> &[Cell<T>] {
        self.bump.alloc_slice_fill_with(count, |_| Cell::new(value))
    }

    /// `count` values in the arena, each made from its position.
    pub fn keep_each<T: Copy>(&self, count: usize, make: impl FnMut(usize) -> T) -> &[T] {
        self.bump.alloc_slice_fill_with(count, make)
    }

    /// A copy of `values` in the arena.
    pub fn keep_slice<T: Copy>(&self, values: &[T]) -> &[T] {
        self.bump.alloc_slice_copy(values)
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Arena({} bytes)", self.used())
    }
}
