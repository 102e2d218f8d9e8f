//! Edits: each returns a new root that shares everything it did not touch with the old one.
//!
//! A path is a slice of keys (`&["metadata", "labels", key]`) or of segments where it leads through lists
//! (`&[Segment::Key("spec"), Segment::Key("containers"), Segment::at(0)]`). Only the maps and lists on the path are
//! copied, and only their own entries: the cost is the width of the path, not the size of the object.
//!
//! An edit that changes nothing (the new value equals the old one as JSON does, so that 1.0 over 1 is no change) returns
//! the very root it was given: [`Node::is_same`] tells whether a policy did anything, at no cost.
//!
//! ```
//! use admittance_engine::json::{Arena, Node, edit, read};
//!
//! let arena = Arena::with_limit(1 << 20);
//! let pod = read(&arena, r#"{"spec":{"containers":[{"name":"web"},{"name":"log","imagePullPolicy":"Never"}]}}"#)?;
//! let pod = edit::set(&arena, pod, &["metadata", "labels", "team"], Node::string("blue"))?;
//! let pod = edit::update(&arena, pod, &["spec", "containers"], |containers| {
//!     edit::map_items(&arena, containers, |_, container| {
//!         edit::set_default(&arena, container, &["imagePullPolicy"], Node::string("Always"))
//!     })
//! })?;
//! assert_eq!(
//!     serde_json::to_string(&pod)?,
//!     r#"{"spec":{"containers":[{"name":"web","imagePullPolicy":"Always"},{"name":"log","imagePullPolicy":"Never"}]},"metadata":{"labels":{"team":"blue"}}}"#
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing here bounds depth: an edit deepens a tree by its own path and its value, and policies' paths are constants.

use std::fmt;

use super::arena::Arena;
use super::node::{Entry, List, Map, Node};
use super::path::{PathBuf, Segment};

/// Why an edit was refused. It names the place and the kind of what was found there, never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditError {
    /// The place that could not be walked through or written to; empty for the root.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: EditProblem,
}

/// What is wrong with a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditProblem {
    /// The path leads to a key of something that is neither a map nor null.
    NotAMap {
        /// Its [`Node::kind`].
        found: &'static str,
    },
    /// The path leads to an item of something that is no list, or an item should be added to something that is neither a
    /// list nor null.
    NotAList {
        /// Its [`Node::kind`].
        found: &'static str,
    },
    /// The list has no such position.
    NoItem {
        /// The position asked for, from 0.
        index: usize,
        /// How many items there are.
        len: usize,
    },
}

impl EditError {
    fn here(problem: EditProblem) -> Self {
        Self { path: PathBuf::default(), problem }
    }

    /// The same error seen from the container of the place.
    fn under(mut self, segment: Segment<'_>) -> Self {
        self.path.0.insert(0, segment.into());
        self
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.0.is_empty() {
            formatter.write_str("the object")?;
        } else {
            write!(formatter, "\"{}\"", self.path)?;
        }
        match self.problem {
            EditProblem::NotAMap { found } => write!(formatter, " is a {found}, not a map"),
            EditProblem::NotAList { found: "null" } => formatter.write_str(" is null, not a list"),
            EditProblem::NotAList { found } => write!(formatter, " is a {found}, not a list"),
            EditProblem::NoItem { index, len: 1 } => write!(formatter, " has 1 item, none at position {index}"),
            EditProblem::NoItem { index, len } => write!(formatter, " has {len} items, none at position {index}"),
        }
    }
}

impl std::error::Error for EditError {}

/// What an edit results in.
pub type Edited<'a> = Result<Node<'a>, EditError>;

/// Puts `value` at the end of `path`. Parents that are absent or null become maps; an item of a list must exist.
pub fn set<'a, 'p, S>(arena: &'a Arena, root: Node<'a>, path: &[S], value: Node<'a>) -> Edited<'a>
where
    S: Copy + Into<Segment<'p>>,
{
    whole(change(arena, Some(root), path, |_| Ok(Some(value))))
}

/// Puts `value` at the end of `path` unless something other than null stands there.
pub fn set_default<'a, 'p, S>(arena: &'a Arena, root: Node<'a>, path: &[S], value: Node<'a>) -> Edited<'a>
where
    S: Copy + Into<Segment<'p>>,
{
    let fill = |old: Option<Node<'a>>| Ok(old.filter(|old| !old.is_null()).or(Some(value)));
    whole(change(arena, Some(root), path, fill))
}

/// Replaces what stands at the end of `path` by what `with` makes of it: null where nothing stands, and null for nothing
/// leaves it so (no parent is created). An error of `with` is returned with its path seen from the root.
pub fn update<'a, 'p, S, F>(arena: &'a Arena, root: Node<'a>, path: &[S], with: F) -> Edited<'a>
where
    S: Copy + Into<Segment<'p>>,
    F: FnOnce(Node<'a>) -> Edited<'a>,
{
    let with = |old: Option<Node<'a>>| match old {
        Some(old) => with(old).map(Some),
        None => with(Node::NULL).map(|new| Some(new).filter(|new| !new.is_null())),
    };
    whole(change(arena, Some(root), path, with))
}

/// Takes away the key or the item at the end of `path`. Where nothing stands (also because the path leads through
/// something that has no such part) the root is returned as it is. A map or list that becomes empty stays.
pub fn remove<'a, 'p, S>(arena: &'a Arena, root: Node<'a>, path: &[S]) -> Node<'a>
where
    S: Copy + Into<Segment<'p>>,
{
    let found = path.iter().try_fold(root, |node, segment| match (*segment).into() {
        Segment::Key(key) => node.get(key),
        Segment::Item { index, .. } => node.items().get(index).copied(),
    });
    if found.is_none() {
        return root;
    }
    // The place was found, so that no step of the path can be refused; an empty path removes the root: null.
    change(arena, Some(root), path, |_| Ok(None)).ok().flatten().unwrap_or(Node::NULL)
}

/// Adds `item` to the end of the list at `path`, which is created where it is absent or null.
pub fn append<'a, 'p, S>(arena: &'a Arena, root: Node<'a>, path: &[S], item: Node<'a>) -> Edited<'a>
where
    S: Copy + Into<Segment<'p>>,
{
    let append = |old: Option<Node<'a>>| {
        let items = items_or_none(old)?;
        Ok(Some(insert_item(arena, items, items.len(), item)))
    };
    whole(change(arena, Some(root), path, append))
}

/// Adds `item` to the list at `path`, which is created where it is absent or null, so that it stands at `position`: from 0
/// to the number of items.
pub fn insert<'a, 'p, S>(arena: &'a Arena, root: Node<'a>, path: &[S], position: usize, item: Node<'a>) -> Edited<'a>
where
    S: Copy + Into<Segment<'p>>,
{
    let insert = |old: Option<Node<'a>>| {
        let items = items_or_none(old)?;
        if position > items.len() {
            return Err(EditError::here(EditProblem::NoItem { index: position, len: items.len() }));
        }
        Ok(Some(insert_item(arena, items, position, item)))
    };
    whole(change(arena, Some(root), path, insert))
}

/// The list of what `with` makes of each item, given its position; null has no items and stays null. The list is copied
/// once, at the first item that changes, and returned as it is when none does. An error of `with` is returned with its
/// path seen from the list.
pub fn map_items<'a, F>(arena: &'a Arena, list: Node<'a>, mut with: F) -> Edited<'a>
where
    F: FnMut(usize, Node<'a>) -> Edited<'a>,
{
    let items = items_or_none(Some(list))?;
    let mut copy: Option<&'a mut [Node<'a>]> = None;
    for (index, item) in items.iter().enumerate() {
        let new = with(index, *item).map_err(|error| error.under(Segment::at(index)))?;
        if new != *item
            && let Some(place) = copy.get_or_insert_with(|| arena.bump.alloc_slice_copy(items)).get_mut(index)
        {
            *place = new;
        }
    }
    Ok(copy.map_or(list, |items| Node::list(items)))
}

/// An edit of a whole object cannot remove it.
fn whole(root: Result<Option<Node<'_>>, EditError>) -> Edited<'_> {
    root.map(|root| root.unwrap_or(Node::NULL))
}

fn items_or_none(node: Option<Node<'_>>) -> Result<List<'_>, EditError> {
    match node {
        None => Ok(&[]),
        Some(node) if node.is_null() => Ok(&[]),
        Some(node) => node.as_list().ok_or_else(|| EditError::here(EditProblem::NotAList { found: node.kind() })),
    }
}

/// The one walk behind all edits: None is a place where nothing stands, before and after.
fn change<'a, 'p, S, F>(
    arena: &'a Arena,
    here: Option<Node<'a>>,
    path: &[S],
    with: F,
) -> Result<Option<Node<'a>>, EditError>
where
    S: Copy + Into<Segment<'p>>,
    F: FnOnce(Option<Node<'a>>) -> Result<Option<Node<'a>>, EditError>,
{
    let Some((first, rest)) = path.split_first() else {
        let new = with(here)?;
        return Ok(if new == here { here } else { new });
    };
    let segment: Segment<'p> = (*first).into();
    let below = |old| change(arena, old, rest, with).map_err(|error| error.under(segment));
    match segment {
        Segment::Key(key) => {
            let map = map_or_none(here)?;
            let position = map.position(key);
            let old = position.and_then(|position| map.entries().get(position)).map(|entry| entry.1);
            let new = below(old)?;
            Ok(match (position, new) {
                (None, None) => here,
                (Some(_), Some(new)) if old.is_some_and(|old| old.is_same(new)) => here,
                (Some(position), Some(new)) => Some(replace_entry(arena, map, position, new)),
                (None, Some(new)) => Some(add_entry(arena, map, key, new)),
                (Some(position), None) => Some(drop_entry(arena, map, position)),
            })
        }
        Segment::Item { index, .. } => {
            let kind = here.map_or("null", Node::kind);
            let items =
                here.and_then(Node::as_list).ok_or_else(|| EditError::here(EditProblem::NotAList { found: kind }))?;
            let old =
                *items.get(index).ok_or_else(|| EditError::here(EditProblem::NoItem { index, len: items.len() }))?;
            Ok(match below(Some(old))? {
                Some(new) if old.is_same(new) => here,
                Some(new) => Some(replace_item(arena, items, index, new)),
                None => Some(drop_item(arena, items, index)),
            })
        }
    }
}

fn map_or_none(node: Option<Node<'_>>) -> Result<Map<'_>, EditError> {
    match node {
        None => Ok(Map { entries: &[], index: &[] }),
        Some(node) if node.is_null() => Ok(Map { entries: &[], index: &[] }),
        Some(node) => {
            node.as_map().copied().ok_or_else(|| EditError::here(EditProblem::NotAMap { found: node.kind() }))
        }
    }
}

/// The same keys with another value at `position`.
pub(super) fn replace_entry<'a>(arena: &'a Arena, map: Map<'a>, position: usize, value: Node<'a>) -> Node<'a> {
    let entries = arena.bump.alloc_slice_copy(map.entries);
    if let Some(entry) = entries.get_mut(position) {
        entry.1 = value;
    }
    // The index holds positions by key, and no key has changed.
    Node::map(arena.keep(Map { entries, index: map.index }))
}

/// One more entry, at the end. The key must be new.
pub(super) fn add_entry<'a>(arena: &'a Arena, map: Map<'a>, key: &str, value: Node<'a>) -> Node<'a> {
    let added: Entry<'a> = (arena.text(key), value);
    let entry_at = |position| map.entries.get(position).copied().unwrap_or(added);
    Node::map(arena.keep(arena.index(arena.bump.alloc_slice_fill_with(map.len() + 1, entry_at))))
}

/// Without the entry at `position`, which must exist.
pub(super) fn drop_entry<'a>(arena: &'a Arena, map: Map<'a>, position: usize) -> Node<'a> {
    let (before, after) = (map.entries.get(..position).unwrap_or(&[]), map.entries.get(position + 1..).unwrap_or(&[]));
    Node::map(arena.keep(arena.index(join(arena, before, after))))
}

/// Another item at `index`.
pub(super) fn replace_item<'a>(arena: &'a Arena, items: List<'a>, index: usize, item: Node<'a>) -> Node<'a> {
    let items = arena.bump.alloc_slice_copy(items);
    if let Some(place) = items.get_mut(index) {
        *place = item;
    }
    Node::list(items)
}

/// One more item, which then stands at `index`: from 0 to the number of items.
pub(super) fn insert_item<'a>(arena: &'a Arena, items: List<'a>, index: usize, item: Node<'a>) -> Node<'a> {
    let item_at = |position: usize| match position.cmp(&index) {
        std::cmp::Ordering::Less => items.get(position).copied().unwrap_or(item),
        std::cmp::Ordering::Equal => item,
        std::cmp::Ordering::Greater => items.get(position - 1).copied().unwrap_or(item),
    };
    Node::list(arena.bump.alloc_slice_fill_with(items.len() + 1, item_at))
}

/// Without the item at `index`, which must exist.
pub(super) fn drop_item<'a>(arena: &'a Arena, items: List<'a>, index: usize) -> Node<'a> {
    let (before, after) = (items.get(..index).unwrap_or(&[]), items.get(index + 1..).unwrap_or(&[]));
    Node::list(join(arena, before, after))
}

fn join<'a, T: Copy>(arena: &'a Arena, before: &[T], after: &[T]) -> &'a [T] {
    let mut joined = bumpalo::collections::Vec::with_capacity_in(before.len() + after.len(), &arena.bump);
    joined.extend_from_slice_copy(before);
    joined.extend_from_slice_copy(after);
    joined.into_bump_slice()
}

#[cfg(test)]
mod tests;
