//! The spanned tree: one document as plain values, each with its place in the file.

use std::ops::Range;
use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::offsets::{self, Style};
use super::source::SourceFile;
use super::{json, yaml};
use crate::json::{Arena, Node};

/// A value and the bytes of the file that it was written as.
///
/// What stands under an alias has the place of its definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned {
    /// Byte range in the file. Empty where a value is left out (`key:`); without the line breaks that end a block.
    pub span: Range<usize>,
    /// The value.
    pub kind: Kind,
}

/// A value as JSON knows it, its numbers told apart as Kubernetes does (int64, else float64).
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true`, and in YAML also `yes`, `on`, `y` and their like.
    Bool(bool),
    /// Any integer of 64 bits with a sign.
    Int(i64),
    /// An integer from 2^63 to 2^64 - 1.
    UInt(u64),
    /// Any other number; never infinite, never NaN.
    Float(f64),
    /// A string.
    String(Text),
    /// A list.
    List(Vec<Spanned>),
    /// A map.
    Map(Map),
}

/// A string: what it says, and how it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// The decoded string.
    pub value: String,
    pub(super) style: Style,
    /// Byte range of the notation: quotes included, and of block scalars all lines from the first that is not blank.
    pub(super) raw: Range<usize>,
}

/// A map in the order of the file; keys are unique.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Map {
    /// Keys and values.
    pub entries: Vec<Entry>,
    /// The key under which the map itself stands: where to point when something in it is missing.
    pub held_by: Option<Range<usize>>,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key; numbers and booleans are turned into strings as Kubernetes does.
    pub key: String,
    /// Byte range of the key, quotes included.
    pub key_span: Range<usize>,
    /// The value.
    pub value: Spanned,
}

/// What a file may cost at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Lists and maps inside each other, aliases expanded. Everything that walks a tree recurses this deep.
    pub depth: usize,
    /// Values of all documents, aliases and merges expanded; each 64 bytes of a repeated string count as one more.
    pub nodes: usize,
}

impl Default for Limits {
    /// 16 MiB, 100 levels, two million values: more than the API server takes in one object.
    fn default() -> Self {
        Self { bytes: 16 << 20, depth: 100, nodes: 2_000_000 }
    }
}

/// What [`parse`] found: the documents that can be read, and everything that is wrong.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The documents in order. Empty documents are left out, and so are those with a problem.
    pub documents: Vec<Spanned>,
    /// All problems, in order of their places.
    pub problems: Vec<Diagnostic>,
}

/// With so many problems a file is hardly what it was taken for, and nobody reads on.
const PROBLEMS: usize = 1000;

impl Parsed {
    /// Whether reading on would only add to a long list.
    pub(super) fn is_full(&self) -> bool {
        self.problems.len() >= PROBLEMS
    }

    /// Puts the problems in order, and says so where the file was not read to its end.
    pub(super) fn finish(mut self, file: &Arc<SourceFile>) -> Self {
        self.problems.sort_by_key(|problem| problem.place.span.start);
        if let Some(last) = self.problems.last().filter(|_| self.is_full()) {
            let message = format!("the file has {PROBLEMS} problems, the rest of it is not read");
            let last = Diagnostic::error(file, last.place.span.clone(), message);
            self.problems.push(last);
        }
        self
    }
}

/// Reads all documents of a file.
///
/// YAML is read as Kubernetes reads it (sigs.k8s.io/yaml), but a key that stands twice in a map is an error. A file
/// that begins with `{` is read as a stream of JSON values if it is one, as kubectl does.
pub fn parse(file: &Arc<SourceFile>, limits: &Limits) -> Parsed {
    if file.text().len() > limits.bytes {
        let message = format!("the file has {} bytes, at most {} are read", file.text().len(), limits.bytes);
        return Parsed { documents: Vec::new(), problems: vec![Diagnostic::error(file, 0..0, message)] };
    }
    if !json::looks_like_json(file.text()) {
        return yaml::parse(file, limits);
    }
    let syntax = match json::parse(file, limits) {
        Ok(parsed) => return parsed,
        Err(syntax) => syntax,
    };
    // A flow map of YAML begins with a brace too; one that is neither is taken for what its first key looks like.
    let parsed = yaml::parse(file, limits);
    if !parsed.problems.is_empty() && json::begins_with_quoted_key(file.text()) {
        return Parsed { documents: Vec::new(), problems: vec![*syntax] };
    }
    parsed
}

impl Spanned {
    /// The value at a JSON pointer (RFC 6901: `/spec/settings/allowed/0`, `~1` for `/`, `~0` for `~`).
    pub fn at(&self, pointer: &str) -> Option<&Self> {
        self.walk(pointer).1
    }

    /// Where to point for a JSON pointer: the value there, or as much of the way as exists.
    pub fn place(&self, pointer: &str) -> Range<usize> {
        self.walk(pointer).0.span.clone()
    }

    /// The entry at a JSON pointer that ends in a map: its key has a place too.
    pub fn entry(&self, pointer: &str) -> Option<&Entry> {
        let (parent, key) = pointer.rsplit_once('/')?;
        self.at(parent)?.as_map()?.entry(&unescape(key))
    }

    /// The deepest value on the way, and the value at the end of it.
    fn walk(&self, pointer: &str) -> (&Self, Option<&Self>) {
        let mut node = self;
        if pointer.is_empty() {
            return (node, Some(node));
        }
        let Some(segments) = pointer.strip_prefix('/') else { return (node, None) };
        for segment in segments.split('/') {
            let child = match &node.kind {
                Kind::Map(map) => map.get(&unescape(segment)),
                Kind::List(items) => segment.parse().ok().and_then(|index: usize| items.get(index)),
                _ => None,
            };
            let Some(child) = child else { return (node, None) };
            node = child;
        }
        (node, Some(node))
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(&text.value),
            _ => None,
        }
    }

    /// The same value as the engine judges it, keys in the order of the file. Its strings are those of this tree.
    pub fn to_node<'a>(&'a self, arena: &'a Arena) -> Node<'a> {
        match &self.kind {
            Kind::Null => Node::NULL,
            Kind::Bool(value) => Node::bool(*value),
            Kind::Int(value) => Node::int(*value),
            Kind::UInt(value) => Node::uint(*value),
            Kind::Float(value) => Node::float(*value),
            Kind::String(text) => Node::string(&text.value),
            Kind::List(items) => arena.list(&items.iter().map(|item| item.to_node(arena)).collect::<Vec<_>>()),
            Kind::Map(map) => {
                let entries = map.entries.iter().map(|entry| (entry.key.as_str(), entry.value.to_node(arena)));
                arena.map(&entries.collect::<Vec<_>>())
            }
        }
    }

    /// The same value without places. For offline use: the path of a request reads its objects otherwise.
    pub fn to_value(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Int(value) => Value::from(*value),
            Kind::UInt(value) => Value::from(*value),
            Kind::Float(value) => Value::from(*value),
            Kind::String(text) => Value::String(text.value.clone()),
            Kind::List(items) => items.iter().map(Self::to_value).collect(),
            Kind::Map(map) => {
                Value::Object(map.entries.iter().map(|entry| (entry.key.clone(), entry.value.to_value())).collect())
            }
        }
    }
}

impl Map {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Spanned> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

impl Text {
    /// The bytes of the file that a byte range of the decoded string was written as.
    ///
    /// The range of an escape covers the whole escape; a range over several lines of a block scalar covers their
    /// indentation. Computed when asked: nothing but an error needs it.
    pub fn raw_range(&self, file: &SourceFile, decoded: Range<usize>) -> Range<usize> {
        offsets::raw_range(self, file.text(), &decoded)
    }
}

fn unescape(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}
