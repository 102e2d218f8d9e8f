//! A decoder that collects: typed values out of a spanned tree, with every problem and not only the first.
//!
//! ```
//! use admittance_engine::document::{Decode, Decoder, Limits, Paint, SourceFile, Spanned, parse};
//!
//! struct Port { name: String, number: u16, aliases: Vec<String> }
//!
//! impl<'t> Decode<'t> for Port {
//!     fn expected() -> String { "a port".to_owned() }
//!     fn expected_many() -> String { "ports".to_owned() }
//!     fn decode(decoder: &Decoder, node: &'t Spanned) -> Option<Self> {
//!         let mut fields = decoder.fields(node)?;
//!         let name = fields.required("name");
//!         let number = fields.required("number");
//!         let aliases = fields.optional("aliases");
//!         fields.finish();
//!         Some(Self { name: name?, number: number?, aliases: aliases.unwrap_or_default() })
//!     }
//! }
//!
//! let file = SourceFile::new("port.yaml", "nmae: web\nnumber: 80\naliases: www\n");
//! let documents = parse(&file, &Limits::default()).documents;
//! let decoder = Decoder::new(&file);
//! assert!(decoder.decode::<Port>(&documents[0]).is_none());
//! let problems: Vec<String> = decoder.finish().iter().map(ToString::to_string).collect();
//! assert_eq!(problems, [
//!     "port.yaml:1:1: error: missing field `name`",
//!     "port.yaml:1:1: error: unknown field `nmae`, did you mean `name`?",
//!     "port.yaml:3:10: error: expected a list of strings, found the string \"www\"",
//! ]);
//! ```

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::diagnostic::{Diagnostic, Severity};
use super::source::SourceFile;
use super::tree::{Entry, Kind, Map, Spanned};
use crate::near_name;

/// How many characters of a value a message shows.
const SHOWN: usize = 40;

/// Collects the problems of one file while typed values are read from its trees.
#[derive(Debug)]
pub struct Decoder {
    file: Arc<SourceFile>,
    problems: RefCell<Vec<Diagnostic>>,
}

/// A type that can be read from a tree.
///
/// `decode` returns `None` only after it has reported why, and reads on past a problem as far as it can.
pub trait Decode<'t>: Sized {
    /// What messages call one of these, with its article: `a string`.
    fn expected() -> String;
    /// What messages call several of these: `strings`.
    fn expected_many() -> String;
    /// Reads the value.
    fn decode(decoder: &Decoder, node: &'t Spanned) -> Option<Self>;
}

/// A decoded value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Range<usize>,
}

impl Decoder {
    /// A decoder for the trees of `file`.
    pub fn new(file: &Arc<SourceFile>) -> Self {
        Self { file: Arc::clone(file), problems: RefCell::default() }
    }

    /// The file whose trees are read.
    pub fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    /// Reads a value of any type that can be decoded.
    pub fn decode<'t, T: Decode<'t>>(&self, node: &'t Spanned) -> Option<T> {
        T::decode(self, node)
    }

    /// The fields of a map; anything else is reported.
    pub fn fields<'d, 't>(&'d self, node: &'t Spanned) -> Option<Fields<'d, 't>> {
        let Some(map) = node.as_map() else {
            self.mistyped(node, "a map");
            return None;
        };
        Some(Fields { decoder: self, node, map, known: Vec::new() })
    }

    /// The meaning of a string that must be one of a few names.
    pub fn choice<T: Clone>(&self, node: &Spanned, choices: &[(&str, T)]) -> Option<T> {
        let names = || choices.iter().map(|(name, _)| *name);
        let Some(text) = node.as_str() else {
            self.mistyped(node, &near_name::one_of(&names().collect::<Vec<_>>()));
            return None;
        };
        let chosen = choices.iter().find(|(name, _)| *name == text).map(|(_, meaning)| meaning.clone());
        if chosen.is_none() {
            let hint = near_name::hint(text, names());
            self.error(node.span.clone(), format!("unknown value `{}`{hint}", shorten(text)));
        }
        chosen
    }

    /// Reports a value of the wrong type; `expected` has an article: `a list of strings`.
    pub fn mistyped(&self, node: &Spanned, expected: &str) {
        self.report(mistyped(&self.file, node, expected));
    }

    /// Reports an error at a place of the file.
    pub fn error(&self, span: Range<usize>, message: impl Into<String>) {
        self.report(Diagnostic::error(&self.file, span, message));
    }

    /// Adds a problem of any kind.
    pub fn report(&self, problem: Diagnostic) {
        self.problems.borrow_mut().push(problem);
    }

    /// Whether an error has been reported (warnings do not count).
    pub fn has_errors(&self) -> bool {
        self.problems.borrow().iter().any(|problem| problem.severity == Severity::Error)
    }

    /// All problems in order of their places.
    pub fn finish(self) -> Vec<Diagnostic> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.place.span.start);
        problems
    }
}

/// The fields of one map. A field that is `null` counts as absent, as it does for the API server.
#[derive(Debug)]
pub struct Fields<'d, 't> {
    decoder: &'d Decoder,
    node: &'t Spanned,
    map: &'t Map,
    known: Vec<&'static str>,
}

impl<'t> Fields<'_, 't> {
    /// A field that must be there. `None` has been reported.
    pub fn required<T: Decode<'t>>(&mut self, name: &'static str) -> Option<T> {
        self.required_with(name, T::decode)
    }

    /// A field that may be absent. `None` means absent, or wrong and reported.
    pub fn optional<T: Decode<'t>>(&mut self, name: &'static str) -> Option<T> {
        self.optional_with(name, T::decode)
    }

    /// As [`Fields::required`], read by a function.
    pub fn required_with<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Decoder, &'t Spanned) -> Option<T>,
    ) -> Option<T> {
        let Some(entry) = self.entry(name) else {
            self.decoder.report(missing(&self.decoder.file, self.node, name));
            return None;
        };
        read(self.decoder, &entry.value)
    }

    /// As [`Fields::optional`], read by a function.
    pub fn optional_with<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&Decoder, &'t Spanned) -> Option<T>,
    ) -> Option<T> {
        let entry = self.entry(name)?;
        read(self.decoder, &entry.value)
    }

    /// The key and value of a field as they stand; absent if null.
    pub fn entry(&mut self, name: &'static str) -> Option<&'t Entry> {
        self.known.push(name);
        self.map.entry(name).filter(|entry| entry.value.kind != Kind::Null)
    }

    /// Where to point when something about the map as a whole is wrong.
    pub fn place(&self) -> Range<usize> {
        head(self.node)
    }

    /// Reports every field that was not asked for.
    pub fn finish(self) {
        for entry in &self.map.entries {
            if !self.known.contains(&entry.key.as_str()) {
                self.decoder.report(unknown(&self.decoder.file, entry, self.known.iter().copied()));
            }
        }
    }
}

/// Where a map begins, for what is missing in it: the key that holds it, else its first key.
pub(super) fn head(node: &Spanned) -> Range<usize> {
    let Some(map) = node.as_map() else { return node.span.clone() };
    let first = || map.entries.first().map(|entry| entry.key_span.clone());
    map.held_by.clone().or_else(first).unwrap_or_else(|| node.span.clone())
}

pub(super) fn missing(file: &Arc<SourceFile>, node: &Spanned, name: &str) -> Diagnostic {
    Diagnostic::error(file, head(node), format!("missing field `{name}`"))
}

pub(super) fn unknown<'a>(
    file: &Arc<SourceFile>,
    entry: &Entry,
    accepted: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let hint = near_name::hint(&entry.key, accepted);
    Diagnostic::error(file, entry.key_span.clone(), format!("unknown field `{}`{hint}", shorten(&entry.key)))
}

pub(super) fn mistyped(file: &Arc<SourceFile>, node: &Spanned, expected: &str) -> Diagnostic {
    let written = file.slice(&node.span);
    let problem = |found: &str| {
        let span = match node.kind {
            // A caret under a page of text says less than one under its beginning.
            Kind::Map(_) | Kind::List(_) => first_line(file, &node.span),
            _ => node.span.clone(),
        };
        Diagnostic::error(file, span, format!("expected {expected}, found {found}"))
    };
    match &node.kind {
        Kind::Null if node.span.is_empty() => problem("nothing"),
        Kind::Null => problem("null"),
        Kind::Bool(_) | Kind::Int(_) | Kind::UInt(_) | Kind::Float(_) => {
            let name = match node.kind {
                Kind::Bool(_) => "boolean",
                Kind::Float(_) => "number",
                _ => "integer",
            };
            let problem = problem(&format!("the {name} `{written}`"));
            if expected == "a string" { problem.help(format!("quote it: \"{written}\"")) } else { problem }
        }
        Kind::String(text) => problem(&format!("the string {:?}", shorten(&text.value))),
        Kind::List(_) => problem("a list"),
        Kind::Map(_) => problem("a map"),
    }
}

fn first_line(file: &SourceFile, span: &Range<usize>) -> Range<usize> {
    let line = file.slice(span).lines().next().unwrap_or_default();
    span.start..span.start + line.trim_end().len()
}

/// The beginning of a text, with a mark where it was cut.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl<'t> Decode<'t> for &'t Spanned {
    fn expected() -> String {
        "a value".to_owned()
    }
    fn expected_many() -> String {
        "values".to_owned()
    }
    fn decode(_: &Decoder, node: &'t Spanned) -> Option<Self> {
        Some(node)
    }
}

impl<'t> Decode<'t> for &'t str {
    fn expected() -> String {
        "a string".to_owned()
    }
    fn expected_many() -> String {
        "strings".to_owned()
    }
    fn decode(decoder: &Decoder, node: &'t Spanned) -> Option<Self> {
        if node.as_str().is_none() {
            decoder.mistyped(node, &Self::expected());
        }
        node.as_str()
    }
}

impl<'t> Decode<'t> for String {
    fn expected() -> String {
        <&str>::expected()
    }
    fn expected_many() -> String {
        <&str>::expected_many()
    }
    fn decode(decoder: &Decoder, node: &'t Spanned) -> Option<Self> {
        decoder.decode::<&str>(node).map(str::to_owned)
    }
}

impl<'t> Decode<'t> for bool {
    fn expected() -> String {
        "true or false".to_owned()
    }
    fn expected_many() -> String {
        "booleans".to_owned()
    }
    fn decode(decoder: &Decoder, node: &'t Spanned) -> Option<Self> {
        if let Kind::Bool(value) = node.kind {
            return Some(value);
        }
        decoder.mistyped(node, &Self::expected());
        None
    }
}

macro_rules! decode_integers {
    ($($integer:ty)*) => {$(
        impl<'t> Decode<'t> for $integer {
            fn expected() -> String {
                format!("an integer from {} to {}", Self::MIN, Self::MAX)
            }
            fn expected_many() -> String {
                "integers".to_owned()
            }
            fn decode(decoder: &Decoder, node: &'t Spanned) -> Option<Self> {
                let value = match node.kind {
                    Kind::Int(value) => value.try_into().ok(),
                    Kind::UInt(value) => value.try_into().ok(),
                    _ => None,
                };
                if value.is_none() {
                    decoder.mistyped(node, &Self::expected());
                }
                value
            }
        }
    )*};
}
decode_integers!(u8 u16 u32 u64 i32 i64);

impl<'t, T: Decode<'t>> Decode<'t> for Vec<T> {
    fn expected() -> String {
        format!("a list of {}", T::expected_many())
    }
    fn expected_many() -> String {
        format!("lists of {}", T::expected_many())
    }
    fn decode(decoder: &Decoder, node: &'t Spanned) -> Option<Self> {
        let Kind::List(items) = &node.kind else {
            decoder.mistyped(node, &Self::expected());
            return None;
        };
        // All items are read before the first that failed counts.
        let read: Vec<Option<T>> = items.iter().map(|item| decoder.decode(item)).collect();
        read.into_iter().collect()
    }
}

impl<'t, T: Decode<'t>> Decode<'t> for BTreeMap<String, T> {
    fn expected() -> String {
        format!("a map of {}", T::expected_many())
    }
    fn expected_many() -> String {
        format!("maps of {}", T::expected_many())
    }
    fn decode(decoder: &Decoder, node: &'t Spanned) -> Option<Self> {
        let Some(map) = node.as_map() else {
            decoder.mistyped(node, &Self::expected());
            return None;
        };
        let read: Vec<Option<(String, T)>> =
            map.entries.iter().map(|entry| Some((entry.key.clone(), decoder.decode(&entry.value)?))).collect();
        read.into_iter().collect()
    }
}

impl<'t, T: Decode<'t>> Decode<'t> for Located<T> {
    fn expected() -> String {
        T::expected()
    }
    fn expected_many() -> String {
        T::expected_many()
    }
    fn decode(decoder: &Decoder, node: &'t Spanned) -> Option<Self> {
        Some(Self { value: decoder.decode(node)?, span: node.span.clone() })
    }
}
