//! JSON patches in the dialect that the API server runs for MutatingAdmissionPolicy: gopkg.in/evanphx/json-patch.v4, as
//! k8s.io/apiserver, pkg/admission/plugin/policy/mutating/patch/json_patch.go, calls it.
//!
//! It is laxer than RFC 6902 ([`super::patch`]) and stranger. `replace` of an absent key adds it; an absent key is as good
//! as null for `copy` and `test`; indices may have signs and leading zeros and count from the end; the first token of a
//! path needs no slash; a failed `test` undoes the patch and is no error. Where the library would panic, this is an error.

mod equal;
mod way;

use std::fmt;
use std::io;

use self::equal::equal;
use self::way::Way;
use super::arena::Arena;
use super::edit::{add_entry, drop_entry, drop_item, insert_item, replace_entry, replace_item};
use super::node::{List, Map, Node, Raw, View};
use super::patch::weigh;

/// How many bytes the `copy` operations of a patch may add (server/config.go, `JSONPatchMaxCopyBytes`).
const MOST_COPIED: usize = 3 << 20;

/// How many values one patch may place, see [`super::patch`].
const MOST_PLACED: usize = 1 << 22;

const MISSING: &str = "missing value";
const INVALID_INDEX: &str = "invalid index referenced";

/// An operation as an expression gives it (`JSONPatch{…}`).
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// `add`, `remove`, `replace`, `move`, `copy`, `test`.
    pub op: &'a str,
    /// Where.
    pub path: &'a str,
    /// The other place of `move` and `copy`; empty where none was given.
    pub from: &'a str,
    /// None where none was given.
    pub value: Option<Node<'a>>,
}

/// Why a patch could not be applied, in the library's words. It holds places, never values of the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerPatchError(String);

impl fmt::Display for ServerPatchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ServerPatchError {}

/// What ends a patch.
enum Stop {
    /// A test failed: the object stays as it was.
    Untouched,
    Error(String),
}

fn stop<T>(text: String) -> Result<T, Stop> {
    Err(Stop::Error(text))
}

/// Where the library dereferences nothing.
fn crash<T>(what: &str) -> Result<T, Stop> {
    stop(format!("{what}: the API server fails on this"))
}

/// The root after all operations; the very `root` if a test failed. What no operation touches is shared with `root`.
///
/// # Errors
/// The first operation that cannot be done.
pub fn apply<'a>(arena: &'a Arena, root: Node<'a>, steps: &[Step<'a>]) -> Result<Node<'a>, ServerPatchError> {
    let mut patch = Patch { arena, root, copied: 0, left: MOST_PLACED, has_placed_null: false };
    for step in steps {
        match patch.step(step) {
            Ok(()) => {}
            Err(Stop::Untouched) => return Ok(root),
            Err(Stop::Error(text)) => return Err(ServerPatchError(text)),
        }
    }
    Ok(if patch.has_placed_null { without_placed_nulls(arena, patch.root) } else { patch.root })
}

/// The library tells a null of the object, which is nothing (a nil pointer), from one that an operation placed, which is
/// the text `null`: only the latter is something that `test` compares. While a patch runs, the latter is unparsed text.
fn placed_null(arena: &Arena) -> Node<'_> {
    Node::raw(arena.keep(Raw { text: "null", arena }))
}

fn is_placed_null(node: Node<'_>) -> bool {
    node.raw_text() == Some("null")
}

fn without_placed_nulls<'a>(arena: &'a Arena, node: Node<'a>) -> Node<'a> {
    if is_placed_null(node) {
        return Node::NULL;
    }
    if node.is_unread() {
        return node;
    }
    match node.view() {
        View::List(items) => {
            let items: Vec<Node<'a>> = items.iter().map(|item| without_placed_nulls(arena, *item)).collect();
            arena.list(&items)
        }
        View::Map(map) => {
            let entries = map.entries().iter().map(|(key, value)| (*key, without_placed_nulls(arena, *value)));
            arena.map(&entries.collect::<Vec<_>>())
        }
        _ => node,
    }
}

struct Patch<'a> {
    arena: &'a Arena,
    root: Node<'a>,
    /// Bytes.
    copied: usize,
    /// Values that may still be placed.
    left: usize,
    has_placed_null: bool,
}

impl<'a> Patch<'a> {
    fn step(&mut self, step: &Step<'a>) -> Result<(), Stop> {
        // Operations are written as JSON by strconv.Quote: one that is not JSON then is not known.
        if quoted(step.op).is_err() {
            return stop("Unexpected kind: unknown".to_owned());
        }
        match step.op {
            "add" => self.add(step),
            "remove" => self.remove(step),
            "replace" => self.replace(step),
            "move" => self.shift(step),
            "copy" => self.copy(step),
            "test" => self.test(step),
            op => stop(format!("Unexpected kind: {op}")),
        }
    }

    /// A value that an operation carries; None where it carries none.
    fn carried(&mut self, step: &Step<'a>, depth: usize) -> Result<Option<Node<'a>>, Stop> {
        let Some(value) = step.value else { return Ok(None) };
        if value.is_null() {
            self.has_placed_null = true;
            return Ok(Some(placed_null(self.arena)));
        }
        weigh(value, depth, &mut self.left).or_else(|problem| stop(problem.to_string()))?;
        Ok(Some(value))
    }

    fn add(&mut self, step: &Step<'a>) -> Result<(), Stop> {
        let path = quoted(step.path).or_else(|_| stop(format!("add operation failed to decode path: {MISSING}")))?;
        let Some(way) = Way::to(self.root, path) else {
            return stop(format!("add operation does not apply: doc is missing path: \"{path}\": {MISSING}"));
        };
        let value = self.carried(step, way.depth())?;
        let place = |why| Stop::Error(format!("error in add for path: '{path}': {why}"));
        self.root = way.add(self.arena, value).map_err(|why| why.within(place))?;
        Ok(())
    }

    fn remove(&mut self, step: &Step<'a>) -> Result<(), Stop> {
        let path = quoted(step.path).or_else(|_| stop(format!("remove operation failed to decode path: {MISSING}")))?;
        let Some(way) = Way::to(self.root, path) else {
            return stop(format!("remove operation does not apply: doc is missing path: \"{path}\": {MISSING}"));
        };
        let place = |why| Stop::Error(format!("error in remove for path: '{path}': {why}"));
        self.root = way.remove(self.arena).map_err(|why| why.within(place))?;
        Ok(())
    }

    fn replace(&mut self, step: &Step<'a>) -> Result<(), Stop> {
        let path = quoted(step.path).or_else(|why| stop(format!("replace operation failed to decode path: {why}")))?;
        if path.is_empty() {
            return match self.carried(step, 0)? {
                None => crash("replace of the root without a value"),
                Some(value) if is_placed_null(value) || matches!(value.view(), View::Map(_) | View::List(_)) => {
                    self.root = value;
                    Ok(())
                }
                Some(_) => stop("replace operation value must be object or array: %!w(<nil>)".to_owned()),
            };
        }
        let Some(way) = Way::to(self.root, path) else {
            return stop(format!("replace operation does not apply: doc is missing path: {path}: {MISSING}"));
        };
        if way.get().is_err() {
            return stop(format!("replace operation does not apply: doc is missing key: {path}: {MISSING}"));
        }
        let value = self.carried(step, way.depth())?;
        let place = |why| Stop::Error(format!("error in remove for path: '{path}': {why}"));
        self.root = way.set(self.arena, value).map_err(|why| why.within(place))?;
        Ok(())
    }

    /// `move`
    fn shift(&mut self, step: &Step<'a>) -> Result<(), Stop> {
        let from = from(step).or_else(|why| stop(format!("move operation failed to decode from: {why}")))?;
        let Some(way) = Way::to(self.root, from) else {
            return stop(format!("move operation does not apply: doc is missing from path: {from}: {MISSING}"));
        };
        let place = |why| Stop::Error(format!("error in move for path: '{}': {why}", way.key));
        let value = way.get().map_err(place)?;
        self.root = way.remove(self.arena).map_err(|why| why.within(place))?;
        let path = quoted(step.path).or_else(|why| stop(format!("move operation failed to decode path: {why}")))?;
        let Some(way) = Way::to(self.root, path) else {
            return stop(format!("move operation does not apply: doc is missing destination path: {path}: {MISSING}"));
        };
        self.weigh(value, way.depth())?;
        let place = |why| Stop::Error(format!("error in move for path: '{path}': {why}"));
        self.root = way.add(self.arena, value).map_err(|why| why.within(place))?;
        Ok(())
    }

    fn copy(&mut self, step: &Step<'a>) -> Result<(), Stop> {
        let from = from(step).or_else(|why| stop(format!("copy operation failed to decode from: {why}")))?;
        let Some(way) = Way::to(self.root, from) else {
            return stop(format!("copy operation does not apply: doc is missing from path: {from}: {MISSING}"));
        };
        let place = |why| Stop::Error(format!("error in copy for from: '{from}': {why}"));
        let value = way.get().map_err(place)?;
        let path = quoted(step.path).or_else(|_| stop(format!("copy operation failed to decode path: {MISSING}")))?;
        let Some(way) = Way::to(self.root, path) else {
            return stop(format!("copy operation does not apply: doc is missing destination path: {path}: {MISSING}"));
        };
        self.weigh(value, way.depth())?;
        self.copied = self.copied.saturating_add(value.map_or(0, size));
        if self.copied > MOST_COPIED {
            return stop(format!(
                "Unable to complete the copy, the accumulated size increase of copy is {}, exceeding the limit \
                 {MOST_COPIED}",
                self.copied
            ));
        }
        let place = |why| Stop::Error(format!("error while adding value during copy: {why}"));
        self.root = way.add(self.arena, value).map_err(|why| why.within(place))?;
        Ok(())
    }

    fn test(&mut self, step: &Step<'a>) -> Result<(), Stop> {
        let path = quoted(step.path).or_else(|why| stop(format!("test operation failed to decode path: {why}")))?;
        let expected = step.value.map(|value| if value.is_null() { placed_null(self.arena) } else { value });
        let found = if path.is_empty() {
            if expected.is_none() {
                return crash("test of the root without a value");
            }
            Some(self.root)
        } else {
            let Some(way) = Way::to(self.root, path) else {
                return stop(format!("test operation does not apply: is missing path: {path}: {MISSING}"));
            };
            way.get().or_else(|why| stop(format!("error in test for path: '{path}': {why}")))?
        };
        let is_equal = match (found, expected) {
            (None, None) => true,
            (None, Some(_)) | (Some(_), None) => false,
            (Some(found), Some(expected)) => equal(found, expected)?,
        };
        if is_equal { Ok(()) } else { Err(Stop::Untouched) }
    }

    fn weigh(&mut self, value: Option<Node<'a>>, depth: usize) -> Result<(), Stop> {
        value.map_or(Ok(()), |value| weigh(value, depth, &mut self.left)).or_else(|problem| stop(problem.to_string()))
    }
}

fn from<'a>(step: &Step<'a>) -> Result<&'a str, String> {
    if step.from.is_empty() {
        return Err(format!("operation, missing from field: {MISSING}"));
    }
    quoted(step.from)
}

/// The text, if it is the same after Go has written it in quotes and JSON has read it. Go's escapes for what cannot be
/// printed are not all JSON's.
fn quoted(text: &str) -> Result<&str, String> {
    let escape = |letter: char| match letter {
        '\u{7}' => Some('a'),
        '\u{b}' => Some('v'),
        '\u{8}' | '\t' | '\n' | '\u{c}' | '\r' => None,
        '\0'..=' ' | '\u{7f}' if letter != ' ' => Some('x'),
        // Tags and private use: the planes where nothing can be printed.
        '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{10ffff}' => Some('U'),
        _ => None,
    };
    match text.chars().find_map(escape) {
        None => Ok(text),
        Some(letter) => Err(format!("invalid character '{letter}' in string escape code")),
    }
}

/// How long it is as JSON.
fn size(value: Node<'_>) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting fails nowhere, and every node can be written.
    let _ = serde_json::to_writer(&mut count, &value);
    count.0
}

#[cfg(test)]
mod tests;
