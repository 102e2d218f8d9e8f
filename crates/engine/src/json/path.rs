//! Names of places in an object.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::node::{Node, View};
use super::pointer;

/// One step down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'p> {
    /// A key of a map.
    Key(&'p str),
    /// An item of a list.
    Item {
        /// Its position, from 0.
        index: usize,
        /// The field that tells it from its neighbours (Kubernetes' merge key) and that field's value.
        key: Option<(&'static str, &'p str)>,
    },
}

impl Segment<'_> {
    /// The item at this position, from 0.
    pub const fn at(index: usize) -> Self {
        Self::Item { index, key: None }
    }
}

impl<'p> From<&'p str> for Segment<'p> {
    fn from(key: &'p str) -> Self {
        Self::Key(key)
    }
}

/// A place in an object while it is being visited: a chain on the stack, which costs nothing until somebody finds something.
#[derive(Clone, Copy)]
pub struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    segment: Segment<'p>,
}

impl<'p> Path<'p> {
    /// The place under `key` of the root.
    pub const fn root(key: &'p str) -> Self {
        Self { parent: None, segment: Segment::Key(key) }
    }

    /// The place one step below `parent`, which is None for the root.
    pub(super) const fn below(parent: Option<&'p Path<'p>>, segment: Segment<'p>) -> Self {
        Self { parent, segment }
    }

    /// The place under `key` of this one.
    pub const fn key(&'p self, key: &'p str) -> Self {
        Self { parent: Some(self), segment: Segment::Key(key) }
    }

    /// Item `index` of this list.
    pub const fn index(&'p self, index: usize) -> Self {
        Self { parent: Some(self), segment: Segment::Item { index, key: None } }
    }

    /// Item `index` of this list, which is known among its neighbours by the string under `key` (`name` of a container).
    /// An item without it is known by its position.
    pub fn item(&'p self, index: usize, key: &'static str, item: Node<'p>) -> Self {
        let key = item.str(key).map(|value| (key, value));
        Self { parent: Some(self), segment: Segment::Item { index, key } }
    }

    /// As a JSON pointer (RFC 6901): `/metadata/annotations/example.com~1owner`.
    pub fn to_pointer(&self) -> String {
        let mut pointer = self.parent.map(Path::to_pointer).unwrap_or_default();
        match self.segment {
            Segment::Key(key) => pointer::push_key(&mut pointer, key),
            Segment::Item { index, .. } => pointer::push_key(&mut pointer, &index.to_string()),
        }
        pointer
    }

    /// From the root to here, for keeping.
    pub fn to_buf(&self) -> PathBuf {
        let mut segments = self.parent.map(Path::to_buf).unwrap_or_default().0;
        segments.push(self.segment.into());
        PathBuf(segments)
    }
}

/// One step down, owned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SegmentBuf {
    /// A key of a map.
    Key(String),
    /// An item of a list.
    Item {
        /// Its position, from 0.
        index: usize,
        /// The merge key's field and value.
        key: Option<(&'static str, String)>,
    },
}

impl From<Segment<'_>> for SegmentBuf {
    fn from(segment: Segment<'_>) -> Self {
        match segment {
            Segment::Key(key) => Self::Key(key.to_owned()),
            Segment::Item { index, key } => {
                Self::Item { index, key: key.map(|(field, value)| (field, value.to_owned())) }
            }
        }
    }
}

/// A place in an object, for keeping. Printed as Kubernetes prints field paths: `spec.containers[0].image`,
/// `metadata.annotations[example.com/owner]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathBuf(pub Vec<SegmentBuf>);

impl PathBuf {
    /// The place that a JSON pointer names in `root`: what is a list there says which parts are positions.
    pub fn of_pointer(root: Node<'_>, pointer: &str) -> Self {
        let (mut node, mut segments) = (root, Vec::new());
        for token in pointer::tokens(pointer).unwrap_or_default() {
            let (segment, below) = match node.view() {
                View::List(items) => {
                    let index = pointer::position(&token).unwrap_or(items.len());
                    (SegmentBuf::Item { index, key: None }, items.get(index).copied())
                }
                _ => (SegmentBuf::Key(token.clone().into_owned()), node.field(&token)),
            };
            segments.push(segment);
            node = below.unwrap_or_default();
        }
        Self(segments)
    }

    /// Whether both name the same place although list items may have moved: items with a merge key are compared by it.
    pub fn is_same_place(&self, other: &PathBuf) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|pair| match pair {
                (SegmentBuf::Key(left), SegmentBuf::Key(right)) => left == right,
                (SegmentBuf::Item { index: left, key: None }, SegmentBuf::Item { index: right, key: None }) => {
                    left == right
                }
                (SegmentBuf::Item { key: Some(left), .. }, SegmentBuf::Item { key: Some(right), .. }) => left == right,
                _ => false,
            })
    }

    /// The name of the container that the place is in, if it is in one.
    pub fn container(&self) -> Option<&str> {
        self.0.windows(2).find_map(|pair| match pair {
            [SegmentBuf::Key(list), SegmentBuf::Item { key: Some((_, name)), .. }]
                if matches!(list.as_str(), "containers" | "initContainers" | "ephemeralContainers") =>
            {
                Some(name.as_str())
            }
            _ => None,
        })
    }
}

impl fmt::Display for PathBuf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                SegmentBuf::Key(key) if is_plain(key) => {
                    write!(formatter, "{}{key}", if position == 0 { "" } else { "." })?;
                }
                SegmentBuf::Key(key) => write!(formatter, "[{key}]")?,
                SegmentBuf::Item { index, .. } => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Keys that are no identifiers (labels, annotations, file names) stand in brackets, as in field.Path of apimachinery.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$'))
}

/// A hash of a value, so that two findings can be compared without keeping what they found. Not for untrusted comparison:
/// equal values have equal hashes, and a collision would need 2^32 tries.
pub fn hash_of(node: Node<'_>) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    hash_into(node, &mut hasher);
    hasher.finish()
}

pub(super) fn hash_into(node: Node<'_>, hasher: &mut impl Hasher) {
    match node.view() {
        View::Null => 0u8.hash(hasher),
        View::Bool(value) => (1u8, value).hash(hasher),
        View::Int(value) => (2u8, value).hash(hasher),
        View::UInt(value) => (3u8, value).hash(hasher),
        View::Float(value) => match whole(value) {
            Some(View::Int(value)) => (2u8, value).hash(hasher),
            Some(View::UInt(value)) => (3u8, value).hash(hasher),
            _ => (4u8, value.to_bits()).hash(hasher),
        },
        View::String(value) => (5u8, value).hash(hasher),
        View::List(items) => {
            (6u8, items.len()).hash(hasher);
            items.iter().for_each(|item| hash_into(*item, hasher));
        }
        View::Map(map) => {
            // Order does not count: the sum of the entries' own hashes is the same in every order.
            let sum = map.entries().iter().fold(0u64, |sum, (key, value)| {
                let mut entry = std::hash::DefaultHasher::new();
                key.hash(&mut entry);
                hash_into(*value, &mut entry);
                sum.wrapping_add(entry.finish())
            });
            (7u8, map.len(), sum).hash(hasher);
        }
    }
}

/// The whole number that equals this one, so that 1 and 1.0 hash alike.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range and the fraction are checked")]
fn whole(value: f64) -> Option<View<'static>> {
    // 2^63 and 2^64 are doubles; the largest i64 and u64 are not.
    const I64_END: f64 = 9_223_372_036_854_775_808.0;
    const U64_END: f64 = 18_446_744_073_709_551_616.0;
    match value {
        _ if value.fract() != 0.0 => None,
        _ if (-I64_END..I64_END).contains(&value) => Some(View::Int(value as i64)),
        _ if (I64_END..U64_END).contains(&value) => Some(View::UInt(value as u64)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Arena, read};

    #[test]
    fn prints_as_kubernetes_does() {
        let spec = Path::root("spec");
        let list = spec.key("containers");
        let item = list.index(1);
        assert_eq!(item.key("image").to_buf().to_string(), "spec.containers[1].image");
        let annotations = Path::root("metadata");
        let annotations = annotations.key("annotations");
        assert_eq!(annotations.key("example.com/a").to_buf().to_string(), "metadata.annotations[example.com/a]");
    }

    #[test]
    fn reads_pointers_as_places_of_an_object() {
        let arena = Arena::with_limit(1 << 20);
        let object = read(&arena, r#"{"spec":{"0":{},"containers":[{"name":"a"}]},"metadata":{"labels":{"a/b":1}}}"#);
        let place = |pointer| PathBuf::of_pointer(object.as_ref().copied().unwrap(), pointer).to_string();
        assert_eq!(place("/spec/containers/0/image"), "spec.containers[0].image");
        assert_eq!(place("/spec/containers/-"), "spec.containers[1]");
        assert_eq!(place("/spec/0"), "spec.0");
        assert_eq!(place("/metadata/labels/a~1b"), "metadata.labels[a/b]");
        assert_eq!(place("/metadata/annotations/a"), "metadata.annotations.a");
    }

    #[test]
    fn knows_an_item_by_its_merge_key_wherever_it_stands() {
        let arena = Arena::with_limit(1 << 20);
        let web = read(&arena, r#"{"name":"web"}"#).unwrap();
        let list = Path::root("containers");
        let (first, third) = (list.item(0, "name", web), list.item(2, "name", web));
        assert!(first.to_buf().is_same_place(&third.to_buf()));
        assert!(!list.index(0).to_buf().is_same_place(&list.index(2).to_buf()));
        assert!(!first.to_buf().is_same_place(&list.index(0).to_buf()));
        assert_eq!(first.key("image").to_buf().container(), Some("web"));
        assert_eq!(list.to_buf().container(), None);
    }

    #[test]
    fn hashes_equal_maps_alike_in_any_order() {
        let arena = Arena::with_limit(1 << 20);
        let hash = |text| hash_of(read(&arena, text).unwrap());
        assert_eq!(hash(r#"{"a":1,"b":[2]}"#), hash(r#"{"b":[2],"a":1}"#));
        assert_ne!(hash(r#"{"a":1,"b":2}"#), hash(r#"{"a":2,"b":1}"#));
        assert_ne!(hash("[]"), hash("{}"));
    }

    #[test]
    fn hashes_equal_numbers_alike_in_any_form() {
        let arena = Arena::with_limit(1 << 20);
        let hash = |text| hash_of(read(&arena, text).unwrap());
        assert_eq!(hash("[1,0,-3]"), hash("[1.0,-0.0,-3e0]"));
        assert_eq!(hash("9223372036854775808"), hash("9223372036854775808.0"));
        assert_eq!(hash("-9223372036854775808"), hash("-9223372036854775808.0"));
        assert_ne!(hash("9223372036854775807"), hash("9223372036854775808.0"));
        assert_ne!(hash("18446744073709551615"), hash("18446744073709551616.0"));
        assert_ne!(hash("1"), hash("1.5"));
    }

    #[test]
    fn writes_pointers_with_their_escapes() {
        let root = Path::root("a~b");
        let list = root.key("x/~1");
        assert_eq!(list.index(10).key("").to_pointer(), "/a~0b/x~1~01/10/");
    }
}
