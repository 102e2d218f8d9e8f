//! The one form of an object on the path of a request.

use std::fmt;

use super::arena::Arena;
use super::read;
use super::redacted::Redacted;

/// Up to here keys are searched one by one, also where there is an index: what a binary search saves in keys it loses in
/// comparisons of texts.
const SCANNED: usize = 32;

/// A key and its value.
pub type Entry<'a> = (&'a str, Node<'a>);

/// A JSON value in a review's arena: an immutable view, 24 bytes, copied freely.
///
/// Its Debug prints kind and size only, so that no log line can show what an object holds.
#[derive(Clone, Copy)]
pub struct Node<'a>(Repr<'a>);

#[derive(Clone, Copy)]
enum Repr<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    String(&'a str),
    List(&'a [Node<'a>]),
    Map(&'a Map<'a>),
    Raw(&'a Raw<'a>),
    Redacted(&'a Redacted<'a>),
}

/// Text that is valid JSON and that nobody has looked into yet.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a> {
    pub(super) text: &'a str,
    pub(super) arena: &'a Arena,
}

/// What a [`Node`] is.
#[derive(Clone, Copy, Debug)]
pub enum View<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A whole number from -2^63 to 2^63 - 1.
    Int(i64),
    /// A whole number from 2^63 to 2^64 - 1.
    UInt(u64),
    /// Every other number; never NaN or infinite when read from JSON.
    Float(f64),
    /// A string.
    String(&'a str),
    /// An array.
    List(List<'a>),
    /// An object.
    Map(&'a Map<'a>),
}

/// The items of a list.
pub type List<'a> = &'a [Node<'a>];

/// The entries of a JSON object in the order of the text. No key occurs twice in a map that was read from text.
#[derive(Clone, Copy)]
pub struct Map<'a> {
    pub(super) entries: &'a [Entry<'a>],
    /// Positions in `entries` sorted by key, for large maps; empty for small ones.
    pub(super) index: &'a [u32],
}

impl<'a> Node<'a> {
    /// `null`
    pub const NULL: Node<'static> = Node(Repr::Null);

    /// `true` or `false`.
    pub const fn bool(value: bool) -> Self {
        Self(Repr::Bool(value))
    }

    /// A whole number.
    pub const fn int(value: i64) -> Self {
        Self(Repr::Int(value))
    }

    /// A whole number; one that fits becomes an [`View::Int`], so that equal numbers have one form.
    pub fn uint(value: u64) -> Self {
        i64::try_from(value).map_or(Self(Repr::UInt(value)), Self::int)
    }

    /// A number with a fraction or an exponent.
    pub const fn float(value: f64) -> Self {
        Self(Repr::Float(value))
    }

    /// A string.
    pub const fn string(value: &'a str) -> Self {
        Self(Repr::String(value))
    }

    /// A list.
    pub const fn list(items: &'a [Node<'a>]) -> Self {
        Self(Repr::List(items))
    }

    /// A map.
    pub const fn map(map: &'a Map<'a>) -> Self {
        Self(Repr::Map(map))
    }

    pub(super) const fn raw(raw: &'a Raw<'a>) -> Self {
        Self(Repr::Raw(raw))
    }

    pub(super) const fn redacted(redacted: &'a Redacted<'a>) -> Self {
        Self(Repr::Redacted(redacted))
    }

    /// What it is. A part that was left unparsed is parsed here, each time anew; one that is redacted is its marker, and the
    /// arena notes that somebody looked.
    pub fn view(self) -> View<'a> {
        match self.0 {
            Repr::Null => View::Null,
            Repr::Bool(value) => View::Bool(value),
            Repr::Int(value) => View::Int(value),
            Repr::UInt(value) => View::UInt(value),
            Repr::Float(value) => View::Float(value),
            Repr::String(value) => View::String(value),
            Repr::List(items) => View::List(items),
            Repr::Map(map) => View::Map(map),
            Repr::Raw(raw) => match read::read(raw.arena, raw.text) {
                Ok(node) => node.view(),
                Err(_) => {
                    raw.arena.mark_unreadable();
                    View::Null
                }
            },
            Repr::Redacted(redacted) => View::String(redacted.look()),
        }
    }

    /// What it was replaced with, if it is redacted.
    pub(super) fn as_redacted(self) -> Option<&'a Redacted<'a>> {
        if let Repr::Redacted(redacted) = self.0 { Some(redacted) } else { None }
    }

    /// The text of a part that nobody has looked into; None for every other node.
    pub(super) fn raw_text(self) -> Option<&'a str> {
        match self.0 {
            Repr::Raw(raw) => Some(raw.text),
            _ => None,
        }
    }

    /// Whether it was left unparsed and nobody has looked into it, or is redacted and nobody can.
    pub fn is_unread(self) -> bool {
        matches!(self.0, Repr::Raw(_) | Repr::Redacted(_))
    }

    /// Whether this is `null`.
    pub fn is_null(self) -> bool {
        matches!(self.0, Repr::Null)
    }

    /// The value under `key`; None if this is no map or has no such key.
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        self.as_map()?.get(key)
    }

    /// The value under `key` unless it is absent or null: Kubernetes treats the two alike.
    pub fn field(self, key: &str) -> Option<Node<'a>> {
        self.get(key).filter(|node| !node.is_null())
    }

    /// The value at the end of these keys; None if one of them is absent or null.
    pub fn at(self, keys: &[&str]) -> Option<Node<'a>> {
        keys.iter().try_fold(self, |node, key| node.field(key))
    }

    /// The string under `key`; None if it is absent or no string.
    pub fn str(self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_str()
    }

    /// The items under `key`; none if it is absent or no list.
    pub fn items_of(self, key: &str) -> List<'a> {
        self.get(key).map_or(&[], Node::items)
    }

    /// The entries under `key`; none if it is absent or no map.
    pub fn entries_of(self, key: &str) -> &'a [Entry<'a>] {
        self.get(key).map_or(&[], Node::entries)
    }

    /// The string, if it is one.
    pub fn as_str(self) -> Option<&'a str> {
        match self.0 {
            Repr::String(value) => Some(value),
            Repr::Redacted(redacted) => Some(redacted.look()),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(self) -> Option<bool> {
        if let Repr::Bool(value) = self.0 { Some(value) } else { self.look_for_nothing() }
    }

    /// The whole number, if it is one that fits.
    pub fn as_i64(self) -> Option<i64> {
        if let Repr::Int(value) = self.0 { Some(value) } else { self.look_for_nothing() }
    }

    /// A marker is no boolean, no number, no list and no map; what it stands for may be one.
    fn look_for_nothing<T>(self) -> Option<T> {
        if let Repr::Redacted(redacted) = self.0 {
            redacted.look();
        }
        None
    }

    /// The map, if it is one.
    pub fn as_map(self) -> Option<&'a Map<'a>> {
        match self.0 {
            Repr::Map(map) => Some(map),
            Repr::Raw(_) => match self.view() {
                View::Map(map) => Some(map),
                _ => None,
            },
            _ => self.look_for_nothing(),
        }
    }

    /// The items, if it is a list.
    pub fn as_list(self) -> Option<List<'a>> {
        match self.0 {
            Repr::List(items) => Some(items),
            Repr::Raw(_) => match self.view() {
                View::List(items) => Some(items),
                _ => None,
            },
            _ => self.look_for_nothing(),
        }
    }

    /// The items of a list; none if it is something else.
    pub fn items(self) -> List<'a> {
        self.as_list().unwrap_or(&[])
    }

    /// The entries of a map; none if it is something else.
    pub fn entries(self) -> &'a [Entry<'a>] {
        self.as_map().map_or(&[], |map| map.entries)
    }

    /// `null`, `boolean`, `number`, `string`, `list` or `map`: for messages.
    pub fn kind(self) -> &'static str {
        match self.view() {
            View::Null => "null",
            View::Bool(_) => "boolean",
            View::Int(_) | View::UInt(_) | View::Float(_) => "number",
            View::String(_) => "string",
            View::List(_) => "list",
            View::Map(_) => "map",
        }
    }

    /// Whether both are the very same place in memory (or the same small value): true means equal at no cost; false says
    /// nothing.
    pub fn is_same(self, other: Node<'_>) -> bool {
        match (self.0, other.0) {
            (Repr::Null, Repr::Null) => true,
            (Repr::Bool(left), Repr::Bool(right)) => left == right,
            (Repr::Int(left), Repr::Int(right)) => left == right,
            (Repr::UInt(left), Repr::UInt(right)) => left == right,
            (Repr::Float(left), Repr::Float(right)) => left.to_bits() == right.to_bits(),
            (Repr::String(left), Repr::String(right)) => {
                left.len() == right.len() && std::ptr::eq(left.as_ptr(), right.as_ptr())
            }
            (Repr::List(left), Repr::List(right)) => {
                left.len() == right.len() && std::ptr::eq(left.as_ptr().cast::<u8>(), right.as_ptr().cast::<u8>())
            }
            (Repr::Map(left), Repr::Map(right)) => {
                std::ptr::eq(std::ptr::from_ref(left).cast::<u8>(), std::ptr::from_ref(right).cast::<u8>())
            }
            (Repr::Raw(left), Repr::Raw(right)) => {
                left.text.len() == right.text.len() && std::ptr::eq(left.text.as_ptr(), right.text.as_ptr())
            }
            (Repr::Redacted(left), Repr::Redacted(right)) => left.is_same(right),
            _ => false,
        }
    }
}

impl Default for Node<'_> {
    fn default() -> Self {
        Self::NULL
    }
}

/// JSON equality (RFC 6902, section 4.6): numbers by value, maps without regard to order.
impl PartialEq<Node<'_>> for Node<'_> {
    fn eq(&self, other: &Node<'_>) -> bool {
        if self.is_same(*other) {
            return true;
        }
        if let (Some(left), Some(right)) = (self.raw_text(), other.raw_text())
            && left == right
        {
            return true;
        }
        match (self.view(), other.view()) {
            (View::Null, View::Null) => true,
            (View::Bool(left), View::Bool(right)) => left == right,
            (View::Int(left), View::Int(right)) => left == right,
            (View::UInt(left), View::UInt(right)) => left == right,
            (View::Float(left), View::Float(right)) => left.to_bits() == right.to_bits() || left == right,
            (View::Float(float), View::Int(int)) | (View::Int(int), View::Float(float)) => {
                same_number(float, int.into())
            }
            (View::Float(float), View::UInt(int)) | (View::UInt(int), View::Float(float)) => {
                same_number(float, int.into())
            }
            (View::String(left), View::String(right)) => left == right,
            (View::List(left), View::List(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left == right)
            }
            (View::Map(left), View::Map(right)) => {
                left.len() == right.len()
                    && left.entries.iter().all(|(key, value)| right.get(key).is_some_and(|other| *value == other))
            }
            _ => false,
        }
    }
}

/// Exact comparison: 2^53 + 1 is not the double nearest to it.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked first, and the fraction is zero")]
fn same_number(float: f64, int: i128) -> bool {
    float.fract() == 0.0 && float.abs() < 1e30 && float as i128 == int
}

impl<'a> Map<'a> {
    /// The map without a key.
    pub const EMPTY: Map<'static> = Map { entries: &[], index: &[] };

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keys and values in the order of the text.
    pub fn entries(&self) -> &'a [Entry<'a>] {
        self.entries
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<Node<'a>> {
        self.position(key).and_then(|position| self.entries.get(position)).map(|entry| entry.1)
    }

    /// Where in [`Map::entries`] `key` stands.
    pub fn position(&self, key: &str) -> Option<usize> {
        // Most keys differ in length already, so that a scan touches no text.
        if self.entries.len() <= SCANNED {
            return self.entries.iter().position(|entry| entry.0 == key);
        }
        let key_at = |position: u32| self.entries.get(position as usize).map_or("", |entry| entry.0);
        let found = self.index.partition_point(|&position| key_at(position) < key);
        let position = *self.index.get(found)?;
        (key_at(position) == key).then_some(position as usize)
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Null => formatter.write_str("null"),
            Repr::Bool(_) => formatter.write_str("boolean"),
            Repr::Int(_) | Repr::UInt(_) | Repr::Float(_) => formatter.write_str("number"),
            Repr::String(value) => write!(formatter, "string of {} bytes", value.len()),
            Repr::List(items) => write!(formatter, "list of {}", items.len()),
            Repr::Map(map) => map.fmt(formatter),
            Repr::Raw(raw) => write!(formatter, "unparsed, {} bytes", raw.text.len()),
            Repr::Redacted(_) => formatter.write_str("redacted"),
        }
    }
}

impl fmt::Debug for Map<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "map of {}", self.entries.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    #[test]
    fn finds_every_key_of_small_and_of_indexed_maps() {
        for count in [0, 1, 16, 17, 300] {
            let text = format!("{{{}}}", (0..count).map(|n| format!("\"k{n}\":{n}")).collect::<Vec<_>>().join(","));
            let arena = Arena::with_limit(1 << 20);
            let node = read(&arena, &text).unwrap();
            for n in 0..count {
                assert_eq!(node.get(&format!("k{n}")).and_then(Node::as_i64), Some(n));
            }
            assert!(node.get("k").is_none() && node.get("").is_none() && node.get("l").is_none());
        }
    }

    #[test]
    fn compares_numbers_by_value_and_exactly() {
        let arena = Arena::with_limit(1 << 20);
        let equal = |left, right| read(&arena, left).unwrap() == read(&arena, right).unwrap();
        assert!(equal("1", "1.0") && equal("-0.0", "0") && equal("18446744073709551615", "18446744073709551615"));
        assert!(!equal("9007199254740993", "9007199254740992.0") && !equal("1", "1.5") && !equal("1", "\"1\""));
        assert!(!equal("-1", "18446744073709551615"));
    }

    #[test]
    fn compares_maps_without_order_and_lists_with_it() {
        let arena = Arena::with_limit(1 << 20);
        let equal = |left, right| read(&arena, left).unwrap() == read(&arena, right).unwrap();
        assert!(equal(r#"{"a":1,"b":[{}]}"#, r#"{"b":[{}],"a":1}"#));
        assert!(!equal("[1,2]", "[2,1]") && !equal(r#"{"a":null}"#, "{}") && !equal(r#"{"a":1}"#, r#"{"b":1}"#));
    }

    #[test]
    fn shows_kind_and_size_but_no_content_in_debug_output() {
        let arena = Arena::with_limit(1 << 20);
        let node = read(&arena, r#"{"password":"hunter2","n":[4711]}"#).unwrap();
        assert_eq!(format!("{node:?}"), "map of 2");
        assert_eq!(format!("{:?}", node.get("password")), "Some(string of 7 bytes)");
        assert_eq!(format!("{:?}", node.get("n").unwrap().items()), "[number]");
    }
}
