//! JSON Patch (RFC 6902): its operations, read from JSON, applied to a tree, printed as JSON.
//!
//! A patch is applied whole or not at all: [`apply`] returns a new root, the old one stays what it was. This is the RFC
//! to the letter; the API server's library is laxer (it takes `01` and `-2` for indices, `replace` for `add`), and what
//! is valid here means the same there.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use super::arena::Arena;
use super::edit::{add_entry, drop_entry, drop_item, insert_item, replace_entry, replace_item};
use super::node::{List, Map, Node, View};
use super::pointer::{first, is_pointer, position, tokens};

/// How many levels deep the result may be. It bounds the recursion of everybody who walks the result; the reader of
/// untrusted text stops at 128, so that any value it read fits at the deepest place of any object it read.
const DEEPEST: usize = 256;

/// How many values one patch may place, counted with all that is inside of them. A few `copy` operations of the root into
/// itself would else make an object that nobody can print: each doubles it.
const MOST_PLACED: usize = 1 << 22;

/// One operation (RFC 6902, section 4). Paths are JSON pointers (RFC 6901). Printed by serde as the RFC writes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Operation<'a> {
    /// Sets a key, or inserts an item before the one at this position (`-`: after the last).
    Add {
        /// The new place; its container must exist.
        path: String,
        /// What shall stand there.
        value: Node<'a>,
    },
    /// Takes a key or an item away.
    Remove {
        /// A place that exists.
        path: String,
    },
    /// Puts another value in the place of one.
    Replace {
        /// A place that exists; empty for the root.
        path: String,
        /// What shall stand there.
        value: Node<'a>,
    },
    /// Remove and add.
    Move {
        /// A place that exists.
        from: String,
        /// The new place; not inside of `from`.
        path: String,
    },
    /// Adds a copy.
    Copy {
        /// A place that exists.
        from: String,
        /// The new place.
        path: String,
    },
    /// Fails unless the value is there.
    Test {
        /// A place that exists.
        path: String,
        /// What it must equal.
        value: Node<'a>,
    },
}

impl<'a> Operation<'a> {
    /// The place that it is about; for `move` and `copy` the new one.
    pub fn path(&self) -> &str {
        match self {
            Self::Add { path, .. }
            | Self::Remove { path }
            | Self::Replace { path, .. }
            | Self::Move { path, .. }
            | Self::Copy { path, .. }
            | Self::Test { path, .. } => path,
        }
    }

    /// The value that it carries.
    pub fn value(&self) -> Option<Node<'a>> {
        match self {
            Self::Add { value, .. } | Self::Replace { value, .. } | Self::Test { value, .. } => Some(*value),
            Self::Remove { .. } | Self::Move { .. } | Self::Copy { .. } => None,
        }
    }

    /// `add`, `remove`, `replace`, `move`, `copy` or `test`.
    pub fn op(&self) -> &'static str {
        match self {
            Self::Add { .. } => "add",
            Self::Remove { .. } => "remove",
            Self::Replace { .. } => "replace",
            Self::Move { .. } => "move",
            Self::Copy { .. } => "copy",
            Self::Test { .. } => "test",
        }
    }
}

/// Why a patch could not be read or applied. It holds places and kinds, never values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchError {
    /// Which operation, from 0; None if the patch as a whole is none.
    pub operation: Option<usize>,
    /// What is wrong with it.
    pub problem: PatchProblem,
}

/// What is wrong with an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatchProblem {
    /// The patch is no list.
    NotAList(&'static str),
    /// The operation is no map.
    NotAMap(&'static str),
    /// A member that this operation needs is absent.
    Missing(&'static str),
    /// A member is no string: its name and its kind.
    NotAString(&'static str, &'static str),
    /// `op` is none of the six.
    UnknownOp(String),
    /// Text that is no JSON pointer.
    NotAPointer(String),
    /// Nothing stands at this place.
    Absent(String),
    /// The path leads through something that is neither map nor list: its place and its kind.
    NoContainer(String, &'static str),
    /// The last or an inner part of the path is no position in the list that it leads through.
    NoIndex(String),
    /// The root cannot be removed.
    Root,
    /// `move` into what is moved.
    IntoItself(String),
    /// `test` found another value.
    TestFailed(String),
    /// The result would be deeper than 256 levels.
    TooDeep,
    /// The patch places more than 4,194,304 values.
    TooLarge,
}

impl fmt::Display for PatchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(operation) = self.operation else {
            return write!(formatter, "the patch {}", self.problem);
        };
        write!(formatter, "operation {operation} {}", self.problem)
    }
}

impl fmt::Display for PatchProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAList(found) => write!(formatter, "is a {found}, not a list of operations"),
            Self::NotAMap(found) => write!(formatter, "is a {found}, not a map"),
            Self::Missing(member) => write!(formatter, "has no \"{member}\""),
            Self::NotAString(member, found) => write!(formatter, "has a {found} as \"{member}\", not a string"),
            Self::UnknownOp(op) => {
                write!(formatter, "has the unknown op \"{op}\": use add, remove, replace, move, copy or test")
            }
            Self::NotAPointer(text) => write!(
                formatter,
                "has the path \"{text}\", which is no JSON pointer: it is empty or starts with /, and ~ is written ~0"
            ),
            Self::Absent(place) => write!(formatter, "needs \"{place}\", which does not exist"),
            Self::NoContainer(place, found) => {
                write!(formatter, "leads through \"{place}\", which is a {found}, not a map or a list")
            }
            Self::NoIndex(place) => write!(formatter, "needs \"{place}\", which is no position in that list"),
            Self::Root => formatter.write_str("cannot remove the root: replace it"),
            Self::IntoItself(from) => write!(formatter, "moves \"{from}\" into itself"),
            Self::TestFailed(place) => write!(formatter, "found another value than it tests for at \"{place}\""),
            Self::TooDeep => write!(formatter, "makes an object of more than {DEEPEST} levels"),
            Self::TooLarge => write!(formatter, "exceeds the {MOST_PLACED} values that a patch may place"),
        }
    }
}

impl std::error::Error for PatchError {}

/// Reads a patch from its JSON, a list of maps. Members that an operation does not know are ignored (RFC 6902, section 4).
pub fn read(patch: Node<'_>) -> Result<Vec<Operation<'_>>, PatchError> {
    let Some(items) = patch.as_list() else {
        return Err(PatchError { operation: None, problem: PatchProblem::NotAList(patch.kind()) });
    };
    items
        .iter()
        .enumerate()
        .map(|(index, item)| read_operation(*item).map_err(|problem| PatchError { operation: Some(index), problem }))
        .collect()
}

fn read_operation(item: Node<'_>) -> Result<Operation<'_>, PatchProblem> {
    if item.as_map().is_none() {
        return Err(PatchProblem::NotAMap(item.kind()));
    }
    let text = |member: &'static str| {
        let node = item.get(member).ok_or(PatchProblem::Missing(member))?;
        node.as_str().ok_or_else(|| PatchProblem::NotAString(member, node.kind()))
    };
    let pointer = |member| {
        let text = text(member)?;
        if is_pointer(text) { Ok(text.to_owned()) } else { Err(PatchProblem::NotAPointer(text.to_owned())) }
    };
    let value = || item.get("value").ok_or(PatchProblem::Missing("value"));
    Ok(match text("op")? {
        "add" => Operation::Add { path: pointer("path")?, value: value()? },
        "remove" => Operation::Remove { path: pointer("path")? },
        "replace" => Operation::Replace { path: pointer("path")?, value: value()? },
        "move" => Operation::Move { from: pointer("from")?, path: pointer("path")? },
        "copy" => Operation::Copy { from: pointer("from")?, path: pointer("path")? },
        "test" => Operation::Test { path: pointer("path")?, value: value()? },
        unknown => return Err(PatchProblem::UnknownOp(unknown.to_owned())),
    })
}

/// The root after all operations, or the first that cannot be done. What no operation touches is shared with `root`.
pub fn apply<'a>(arena: &'a Arena, root: Node<'a>, patch: &[Operation<'a>]) -> Result<Node<'a>, PatchError> {
    let mut left = MOST_PLACED;
    patch.iter().enumerate().try_fold(root, |root, (index, operation)| {
        step(arena, root, operation, &mut left).map_err(|problem| PatchError { operation: Some(index), problem })
    })
}

fn step<'a>(
    arena: &'a Arena,
    root: Node<'a>,
    operation: &Operation<'a>,
    left: &mut usize,
) -> Result<Node<'a>, PatchProblem> {
    match operation {
        Operation::Add { path, value } => add(arena, root, path, *value, left),
        Operation::Remove { path } => remove(arena, root, path),
        Operation::Replace { path, value } => {
            let walk = Walk::new(root, path)?;
            weigh(*value, walk.tokens.len(), left)?;
            walk.put(arena, |old| match old {
                Place::Entry(map, position, _) => position.map(|position| replace_entry(arena, map, position, *value)),
                Place::Item(items, index) if index < items.len() => Some(replace_item(arena, items, index, *value)),
                Place::Item(..) => None,
                Place::Root => Some(*value),
            })
        }
        Operation::Move { from, path } => {
            let value = find(root, from)?;
            if path == from {
                return Ok(root);
            }
            if path.strip_prefix(from.as_str()).is_some_and(|rest| rest.starts_with('/')) {
                return Err(PatchProblem::IntoItself(from.clone()));
            }
            add(arena, remove(arena, root, from)?, path, value, left)
        }
        Operation::Copy { from, path } => add(arena, root, path, find(root, from)?, left),
        Operation::Test { path, value } => {
            if find(root, path)? == *value {
                Ok(root)
            } else {
                Err(PatchProblem::TestFailed(path.clone()))
            }
        }
    }
}

fn add<'a>(
    arena: &'a Arena,
    root: Node<'a>,
    path: &str,
    value: Node<'a>,
    left: &mut usize,
) -> Result<Node<'a>, PatchProblem> {
    let walk = Walk::new(root, path)?;
    weigh(value, walk.tokens.len(), left)?;
    walk.put(arena, |old| match old {
        Place::Entry(map, Some(position), _) => Some(replace_entry(arena, map, position, value)),
        Place::Entry(map, None, key) => Some(add_entry(arena, map, key, value)),
        Place::Item(items, index) => Some(insert_item(arena, items, index, value)),
        Place::Root => Some(value),
    })
}

fn remove<'a>(arena: &'a Arena, root: Node<'a>, path: &str) -> Result<Node<'a>, PatchProblem> {
    if path.is_empty() {
        return Err(PatchProblem::Root);
    }
    Walk::new(root, path)?.put(arena, |old| match old {
        Place::Entry(map, position, _) => position.map(|position| drop_entry(arena, map, position)),
        Place::Item(items, index) if index < items.len() => Some(drop_item(arena, items, index)),
        Place::Item(..) | Place::Root => None,
    })
}

/// What stands at a place (RFC 6901, section 4).
pub(crate) fn find<'a>(root: Node<'a>, pointer: &str) -> Result<Node<'a>, PatchProblem> {
    let tokens = tokens(pointer).ok_or_else(|| PatchProblem::NotAPointer(pointer.to_owned()))?;
    tokens.iter().enumerate().try_fold(root, |node, (depth, token)| child(node, token, pointer, depth))
}

fn child<'a>(node: Node<'a>, token: &str, pointer: &str, depth: usize) -> Result<Node<'a>, PatchProblem> {
    let absent = || PatchProblem::Absent(first(pointer, depth + 1));
    match node.view() {
        View::Map(map) => map.get(token).ok_or_else(absent),
        View::List(items) => {
            let index = position(token).ok_or_else(|| PatchProblem::NoIndex(first(pointer, depth + 1)))?;
            items.get(index).copied().ok_or_else(absent)
        }
        _ => Err(PatchProblem::NoContainer(first(pointer, depth), node.kind())),
    }
}

/// The place that an operation is about, in its container.
enum Place<'a, 'p> {
    Root,
    /// The map, where the key stands in it, the key.
    Entry(Map<'a>, Option<usize>, &'p str),
    /// The list and a position in it or at its end.
    Item(List<'a>, usize),
}

/// The way down to a place: the containers that an edit must copy, from the root.
struct Walk<'a, 'p> {
    pointer: &'p str,
    tokens: Vec<Cow<'p, str>>,
    containers: Vec<Node<'a>>,
}

impl<'a, 'p> Walk<'a, 'p> {
    fn new(root: Node<'a>, pointer: &'p str) -> Result<Self, PatchProblem> {
        let tokens = tokens(pointer).ok_or_else(|| PatchProblem::NotAPointer(pointer.to_owned()))?;
        let mut containers = Vec::with_capacity(tokens.len());
        let mut node = root;
        for (depth, token) in tokens.iter().enumerate() {
            containers.push(node);
            if depth + 1 < tokens.len() {
                node = child(node, token, pointer, depth)?;
            }
        }
        Ok(Self { pointer, tokens, containers })
    }

    /// The new root, given what becomes of the last container; None from `edit` means that the place does not exist.
    fn put<F>(self, arena: &'a Arena, edit: F) -> Result<Node<'a>, PatchProblem>
    where
        F: FnOnce(Place<'a, '_>) -> Option<Node<'a>>,
    {
        let absent = || PatchProblem::Absent(self.pointer.to_owned());
        let mut above = self.containers.iter().zip(&self.tokens).rev();
        let Some((container, token)) = above.next() else {
            return edit(Place::Root).ok_or_else(absent);
        };
        let place = match container.view() {
            View::Map(map) => Place::Entry(*map, map.position(token), token),
            View::List(items) => {
                let index = if token == "-" { Some(items.len()) } else { position(token) };
                let index = index.filter(|index| *index <= items.len());
                Place::Item(items, index.ok_or_else(|| PatchProblem::NoIndex(self.pointer.to_owned()))?)
            }
            _ => {
                let depth = self.tokens.len().saturating_sub(1);
                return Err(PatchProblem::NoContainer(first(self.pointer, depth), container.kind()));
            }
        };
        let new = edit(place).ok_or_else(absent)?;
        // Every token on the way was found when walking down, so that each container takes its new part.
        Ok(above.fold(new, |new, (container, token)| match container.view() {
            View::Map(map) => map.position(token).map_or(new, |position| replace_entry(arena, *map, position, new)),
            View::List(items) => position(token).map_or(new, |index| replace_item(arena, items, index, new)),
            _ => new,
        }))
    }
}

/// Refuses a value that would make the tree too deep or the patch's result too large.
pub(super) fn weigh(value: Node<'_>, depth: usize, left: &mut usize) -> Result<(), PatchProblem> {
    // What is unparsed is text of 128 levels at most, and is copied as text: a value takes about eight bytes of it.
    let (deepest, weight) = value.raw_text().map_or((depth, 1), |text| (depth + 128, 1 + text.len() / 8));
    if deepest > DEEPEST {
        return Err(PatchProblem::TooDeep);
    }
    *left = left.checked_sub(weight).ok_or(PatchProblem::TooLarge)?;
    if value.is_unread() {
        return Ok(());
    }
    match value.view() {
        View::List(items) => items.iter().try_for_each(|item| weigh(*item, depth + 1, left)),
        View::Map(map) => map.entries().iter().try_for_each(|entry| weigh(entry.1, depth + 1, left)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
