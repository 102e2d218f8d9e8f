//! A stream of JSON values, as kubectl reads a file that begins with `{`.
//!
//! serde_json checks the syntax; its `RawValue`s are slices of the text, and their addresses are the places.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::diagnostic::Diagnostic;
use super::offsets::Style;
use super::source::SourceFile;
use super::tree::{Entry, Kind, Limits, Map, Parsed, Spanned, Text};

/// Whether the first character that is not white is `{`.
pub(super) fn looks_like_json(text: &str) -> bool {
    body(text).trim_start().starts_with('{')
}

/// Whether that brace is followed by a quoted key.
pub(super) fn begins_with_quoted_key(text: &str) -> bool {
    body(text).trim_start().strip_prefix('{').is_some_and(|map| map.trim_start().starts_with('"'))
}

/// Reads all values; the error is the first syntax error, and the file may yet be YAML.
pub(super) fn parse(file: &Arc<SourceFile>, limits: &Limits) -> Result<Parsed, Box<Diagnostic>> {
    let mut reader = Reader { file, limits, nodes: 0, parsed: Parsed::default() };
    let text = body(file.text());
    let skipped = file.text().len() - text.len();
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        values.push(value.map_err(|error| Box::new(reader.syntax_error(&error, skipped)))?);
    }
    for value in values {
        let before = reader.parsed.problems.len();
        let Some(document) = reader.value(value, 0, None) else { break };
        if reader.parsed.problems.len() == before && document.kind != Kind::Null {
            reader.parsed.documents.push(document);
        }
    }
    Ok(reader.parsed.finish(file))
}

/// The text without a byte order mark.
fn body(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    limits: &'a Limits,
    nodes: usize,
    parsed: Parsed,
}

impl Reader<'_> {
    /// The place of an error in the stream, whose text begins `skipped` bytes into the first line.
    fn syntax_error(&self, error: &serde_json::Error, skipped: usize) -> Diagnostic {
        let column = if error.line() == 1 { error.column() + skipped } else { error.column() };
        let at = self.file.offset_of(error.line(), column);
        let end = at + self.file.slice(&(at..self.file.text().len())).chars().next().map_or(0, char::len_utf8);
        Diagnostic::error(self.file, at..end, message(error))
    }

    fn span(&self, raw: &RawValue) -> Range<usize> {
        // The value borrows from the file's text, hence the difference of the addresses is its offset.
        let start = raw.get().as_ptr().addr().saturating_sub(self.file.text().as_ptr().addr());
        start..start + raw.get().len()
    }

    fn problem(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.parsed.problems.push(Diagnostic::error(self.file, span, message));
    }

    /// None when the file costs too much to go on.
    fn value(&mut self, raw: &RawValue, depth: usize, held_by: Option<Range<usize>>) -> Option<Spanned> {
        if self.parsed.is_full() {
            return None;
        }
        let span = self.span(raw);
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            self.problem(span, format!("the file holds more than {} values", self.limits.nodes));
            return None;
        }
        let text = raw.get();
        let nested = text.starts_with(['{', '[']);
        if nested && depth >= self.limits.depth {
            let message = format!("lists and maps are nested deeper than {} levels", self.limits.depth);
            self.problem(span.start..span.start + 1, message);
            return None;
        }
        let kind = match text.as_bytes().first() {
            Some(b'{') => self.map(text, depth, held_by)?,
            Some(b'[') => self.list(text, depth)?,
            Some(b'"') => match serde_json::from_str::<String>(text) {
                Ok(value) => Kind::String(Text { value, style: Style::Double, raw: span.clone() }),
                Err(error) => self.unreadable(&span, &error),
            },
            Some(b't') => Kind::Bool(true),
            Some(b'f') => Kind::Bool(false),
            Some(b'n') => Kind::Null,
            _ => number(text).unwrap_or_else(|| {
                self.problem(span.clone(), format!("the number {text} is out of range"));
                Kind::Null
            }),
        };
        Some(Spanned { span, kind })
    }

    fn unreadable(&mut self, span: &Range<usize>, error: &serde_json::Error) -> Kind {
        self.problem(span.clone(), message(error));
        Kind::Null
    }

    fn list(&mut self, text: &str, depth: usize) -> Option<Kind> {
        let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            list.push(self.value(item, depth + 1, None)?);
        }
        Some(Kind::List(list))
    }

    fn map(&mut self, text: &str, depth: usize, held_by: Option<Range<usize>>) -> Option<Kind> {
        let RawEntries(raw) = serde_json::from_str(text).unwrap_or_default();
        let mut places: HashMap<String, Range<usize>> = HashMap::with_capacity(raw.len());
        let mut entries = Vec::with_capacity(raw.len());
        for (key, value) in raw {
            let key_span = self.span(key);
            let key = match serde_json::from_str::<Cow<'_, str>>(key.get()) {
                Ok(key) => key.into_owned(),
                Err(error) => {
                    self.unreadable(&key_span, &error);
                    continue;
                }
            };
            let value = self.value(value, depth + 1, Some(key_span.clone()))?;
            if let Some(first) = places.get(&key) {
                self.parsed.problems.push(
                    Diagnostic::error(self.file, key_span, format!("duplicate key `{key}`"))
                        .label("set again here")
                        .related(self.file, first.clone(), "first set here"),
                );
                continue;
            }
            places.insert(key.clone(), key_span.clone());
            entries.push(Entry { key, key_span, value });
        }
        Some(Kind::Map(Map { entries, held_by }))
    }
}

/// int64 if it has neither point nor exponent and fits, else float64.
fn number(text: &str) -> Option<Kind> {
    if !text.contains(['.', 'e', 'E']) {
        if let Ok(value) = text.parse() {
            return Some(Kind::Int(value));
        }
        if let Ok(value) = text.parse() {
            return Some(Kind::UInt(value));
        }
    }
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(Kind::Float)
}

/// serde_json's message without its own place.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// The entries of an object in order, duplicates too.
#[derive(Default)]
struct RawEntries<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for RawEntries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = RawEntries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::with_capacity(map.size_hint().unwrap_or_default());
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(RawEntries(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
