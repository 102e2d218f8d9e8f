//! From text to a tree.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::arena::{Arena, INDEXED_FROM};
use super::node::{Entry, Map, Node, Raw};

/// Why a text could not be read. Never holds any part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// It is not JSON, or deeper than 128 levels, or holds a key twice or a number that no double can hold.
    Syntax {
        /// What is wrong, without content.
        reason: &'static str,
        /// 1-based line.
        line: usize,
        /// 1-based column in bytes.
        column: usize,
    },
    /// Its tree is larger than the arena's limit.
    TooLarge,
    /// A part that is left unparsed until somebody looks into it (managedFields) is not readable.
    Part,
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { reason, line, column } => write!(formatter, "{reason} at line {line} column {column}"),
            Self::TooLarge => formatter.write_str("the object is too large to be judged"),
            Self::Part => formatter.write_str("its managedFields are not readable"),
        }
    }
}

impl std::error::Error for ReadError {}

const DUPLICATE: &str = "duplicate key";
const FULL: &str = "arena is full";

/// Reads one JSON text into the arena. Strings without escapes are borrowed from the text; `managedFields` stays unparsed
/// until somebody looks into it (it is half of a typical object, and policies hardly ever read it).
///
/// # Errors
/// [`ReadError`], which never shows content.
pub fn read<'a>(arena: &'a Arena, text: &'a str) -> Result<Node<'a>, ReadError> {
    let mut scratch = Scratch::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Seed { arena, scratch: &mut scratch };
    seed.deserialize(&mut deserializer)
        .and_then(|node| deserializer.end().map(|()| node))
        .map_err(|error| classify(&error))
}

/// Reads a part of a larger text that somebody else's decoder is in the middle of.
pub(crate) struct Tree<'a>(pub(crate) &'a Arena);

impl<'de: 'a, 'a> DeserializeSeed<'de> for Tree<'a> {
    type Value = Node<'a>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Node<'a>, D::Error> {
        Seed { arena: self.0, scratch: &mut Scratch::default() }.deserialize(deserializer)
    }
}

/// serde_json's own texts may quote content (unknown variants, invalid values): ours name the class of the problem.
pub(crate) fn classify(error: &serde_json::Error) -> ReadError {
    let text = error.to_string();
    if text.starts_with(FULL) {
        return ReadError::TooLarge;
    }
    let reason = match error.classify() {
        _ if text.starts_with(DUPLICATE) => DUPLICATE,
        _ if text.starts_with("recursion limit") => "nested more than 128 levels deep",
        _ if text.starts_with("number out of range") => "number out of range",
        serde_json::error::Category::Eof => "the JSON ends too early",
        serde_json::error::Category::Data => "a value has the wrong type",
        _ => "invalid JSON",
    };
    ReadError::Syntax { reason, line: error.line(), column: error.column() }
}

/// Children wait here until their list or map is complete; a stack shared by all levels, so that reading allocates a
/// handful of times however large the tree.
#[derive(Default)]
struct Scratch<'a> {
    items: Vec<Node<'a>>,
    entries: Vec<Entry<'a>>,
}

struct Seed<'s, 'a> {
    arena: &'a Arena,
    scratch: &'s mut Scratch<'a>,
}

struct Key<'a>(&'a Arena);

impl<'de: 'a, 'a> DeserializeSeed<'de> for Seed<'_, 'a> {
    type Value = Node<'a>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Node<'a>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Seed<'_, 'a> {
    type Value = Node<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'a>, E> {
        Ok(Node::NULL)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'a>, E> {
        Ok(Node::bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'a>, E> {
        Ok(Node::int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'a>, E> {
        Ok(Node::uint(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node<'a>, E> {
        Ok(Node::float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Node<'a>, E> {
        Ok(Node::string(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node<'a>, E> {
        Ok(Node::string(self.arena.text(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node<'a>, A::Error> {
        let Seed { arena, scratch } = self;
        let start = scratch.items.len();
        while let Some(item) = access.next_element_seed(Seed { arena, scratch })? {
            scratch.items.push(item);
            bounded(arena, scratch)?;
        }
        let list = arena.list(scratch.items.get(start..).unwrap_or(&[]));
        scratch.items.truncate(start);
        Ok(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node<'a>, A::Error> {
        let Seed { arena, scratch } = self;
        let start = scratch.entries.len();
        while let Some(key) = access.next_key_seed(Key(arena))? {
            let value = if key == "managedFields" {
                let text = access.next_value::<&'de RawValue>()?.get();
                unparsed(arena, text).map_err(A::Error::custom)?
            } else {
                access.next_value_seed(Seed { arena, scratch })?
            };
            let so_far = scratch.entries.get(start..).unwrap_or(&[]);
            if so_far.len() < INDEXED_FROM && so_far.iter().any(|entry| entry.0 == key) {
                return Err(A::Error::custom(DUPLICATE));
            }
            scratch.entries.push((key, value));
            bounded(arena, scratch)?;
        }
        // An object may hold a million empty maps: they cost nothing.
        if scratch.entries.len() == start {
            return Ok(Node::map(&Map::EMPTY));
        }
        let map = arena.map_body(scratch.entries.get(start..).unwrap_or(&[]));
        scratch.entries.truncate(start);
        let key_at = |position: &u32| map.entries.get(*position as usize).map(|entry| entry.0);
        if map.index.windows(2).any(|pair| pair.first().and_then(key_at) == pair.last().and_then(key_at)) {
            return Err(A::Error::custom(DUPLICATE));
        }
        Ok(Node::map(arena.keep(map)))
    }
}

/// A list or map that is read when somebody looks into it; another value is read at once: there is nothing to save.
fn unparsed<'a>(arena: &'a Arena, text: &'a str) -> Result<Node<'a>, &'static str> {
    if text.starts_with(['[', '{']) {
        return Ok(Node::raw(arena.keep(Raw { text, arena })));
    }
    read(arena, text).map_err(|error| match error {
        ReadError::Syntax { reason, .. } => reason,
        ReadError::TooLarge => FULL,
        ReadError::Part => "a value cannot be read",
    })
}

fn bounded<E: serde::de::Error>(arena: &Arena, scratch: &Scratch<'_>) -> Result<(), E> {
    // What waits in the scratch counts as well: one flat list of millions of items never reaches the arena before its end.
    let waiting = size_of_val(scratch.items.as_slice()) + size_of_val(scratch.entries.as_slice());
    if arena.is_full_with(waiting) { Err(E::custom(FULL)) } else { Ok(()) }
}

impl<'de: 'a, 'a> DeserializeSeed<'de> for Key<'a> {
    type Value = &'a str;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<&'a str, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for Key<'a> {
    type Value = &'a str;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<&'a str, E> {
        Ok(value)
    }

    fn visit_str<E>(self, value: &str) -> Result<&'a str, E> {
        Ok(self.0.text(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        read(&Arena::with_limit(1 << 20), text).unwrap_err().to_string()
    }

    #[test]
    fn borrows_plain_strings_and_decodes_escaped_ones() {
        let text = r#"{"plain":"text","escaped":"a\n\u00fc\ud83d\ude00","k\u0065y":1}"#;
        let arena = Arena::with_limit(1 << 20);
        let node = read(&arena, text).unwrap();
        let plain = node.str("plain").unwrap();
        assert!(text.as_bytes().as_ptr_range().contains(&plain.as_ptr()));
        assert_eq!((plain, node.str("escaped")), ("text", Some("a\nü😀")));
        assert_eq!(node.get("key").and_then(Node::as_i64), Some(1));
    }

    #[test]
    fn leaves_managed_fields_unparsed_until_read() {
        let arena = Arena::with_limit(1 << 20);
        let node = read(&arena, r#"{"metadata":{"managedFields":[{"manager":"kubectl"}]}}"#).unwrap();
        let fields = node.at(&["metadata", "managedFields"]).unwrap();
        assert_eq!(format!("{fields:?}"), "unparsed, 23 bytes");
        assert_eq!(fields.items().first().and_then(|item| item.str("manager")), Some("kubectl"));
        assert!(!arena.has_unreadable());
    }

    #[test]
    fn reads_what_is_called_managed_fields_and_is_no_list() {
        let arena = Arena::with_limit(1 << 20);
        let node = read(&arena, r#"{"labels":{"managedFields":"a"},"metadata":{"managedFields": null }}"#).unwrap();
        assert_eq!(node.at(&["labels"]).and_then(|labels| labels.str("managedFields")), Some("a"));
        assert!(node.get("metadata").unwrap().field("managedFields").is_none());
        assert_eq!(error(r#"{"managedFields":1e999}"#).split(" at").next(), Some("number out of range"));
    }

    #[test]
    fn marks_an_unparsed_part_that_cannot_be_read() {
        let arena = Arena::with_limit(1 << 20);
        let node = read(&arena, r#"{"managedFields":[1e999]}"#).unwrap();
        assert!(node.get("managedFields").unwrap().items().is_empty() && arena.has_unreadable());
    }

    #[test]
    fn names_what_is_wrong_without_showing_content() {
        assert_eq!(error(r#"{"secret":"x","secret":"y"}"#), "duplicate key at line 1 column 27");
        let large = (0..40).map(|n| format!("\"k{}\":0", n % 39)).collect::<Vec<_>>().join(",");
        assert_eq!(error(&format!("{{{large}}}")).split(" at").next(), Some("duplicate key"));
        assert_eq!(error(&"[".repeat(100_000)), "nested more than 128 levels deep at line 1 column 128");
        assert_eq!(error("{\"a\":\n1e999}"), "number out of range at line 2 column 5");
        assert_eq!(error(r#"{"a":"#), "the JSON ends too early at line 1 column 5");
        assert_eq!(error("{} {}"), "invalid JSON at line 1 column 4");
        assert_eq!(error(r#"{"a":hunter2}"#), "invalid JSON at line 1 column 6");
    }

    #[test]
    fn stops_at_the_limit_of_the_arena() {
        let text = format!("[{}0]", "0,".repeat(100_000));
        assert_eq!(read(&Arena::with_limit(1 << 20), &text).unwrap_err(), ReadError::TooLarge);
        assert!(read(&Arena::with_limit(1 << 23), &text).is_ok());
    }

    #[test]
    fn reads_the_largest_object_of_empty_maps_that_the_api_server_takes() {
        let text = format!("[{}{{}}]", "{},".repeat((3 << 20) / 3));
        assert!(read(&Arena::with_limit(crate::pipeline::Budget::REVIEW), &text).is_ok());
    }
}
