//! Values of an evaluation. They borrow the review's tree and the program's constants; new ones live in the arena.

mod time;
pub(in crate::cel) mod quantity;
mod opaque;
mod list;
pub(in crate::cel) mod map;
mod order;
mod equal;

pub use equal::{Equality, contains, equal};
pub use list::{Iter, List, Sum};
pub use map::{Map, ValueMap, whole_int, whole_uint};
pub use opaque::{Authorizer, Cidr, Decision, Opaque, Resource, Semver, Url};
pub use order::compare;
pub use quantity::Quantity;
pub use time::{Duration, Timestamp};

use std::fmt;

use super::types::Type;
use crate::json::{Node, View};

/// A value: a view of 24 bytes, copied freely. Nothing in it needs dropping.
///
/// Its Debug prints the type only, so that no log line can show what an object holds.
#[derive(Clone, Copy, Default)]
pub enum Value<'a> {
    /// `null`
    #[default]
    Null,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `uint`
    Uint(u64),
    /// `double`
    Double(f64),
    /// `string`
    String(&'a str),
    /// `bytes`
    Bytes(&'a [u8]),
    /// `google.protobuf.Duration`
    Duration(Duration),
    /// `google.protobuf.Timestamp`
    Timestamp(Timestamp),
    /// `list`
    List(List<'a>),
    /// `map`
    Map(Map<'a>),
    /// A type as a value: `type(1)`, `int`
    Type(&'a Type),
    /// `optional_type`
    Optional(Option<&'a Value<'a>>),
    /// A value of a struct literal: `Object{}`, `JSONPatch{}`
    Struct(&'a Struct<'a>),
    /// A value that only functions look into.
    Opaque(Opaque<'a>),
}

const _: () = assert!(size_of::<Value<'_>>() == 24, "values are copied everywhere: three words, no more");

/// What a struct literal makes.
#[derive(Clone, Copy)]
pub struct Struct<'a> {
    /// The type's name: `Object.spec`.
    pub name: &'a str,
    /// The fields that were given, in their order.
    pub fields: &'a [(&'a str, Value<'a>)],
}

impl<'a> Value<'a> {
    /// A node of an object as the API server sees it: whole numbers are int, others double. A number from 2^63 is a double
    /// there (its JSON decoder knows int64 and float64 alone).
    #[expect(clippy::cast_precision_loss, reason = "as upstream")]
    pub fn of_node(node: Node<'a>) -> Self {
        match node.view() {
            View::Null => Self::Null,
            View::Bool(value) => Self::Bool(value),
            View::Int(value) => Self::Int(value),
            View::UInt(value) => Self::Double(value as f64),
            View::Float(value) => Self::Double(value),
            View::String(value) => Self::String(value),
            View::List(items) => Self::List(List::Nodes(items)),
            View::Map(map) => Self::Map(Map::Node(map)),
        }
    }

    /// The name of the type that a type value names, parameters left out: `type([1]) == list`.
    pub fn named_type(self) -> Option<String> {
        let Self::Type(named) = self else { return None };
        Some(match named {
            Type::List(_) => "list".to_owned(),
            Type::Map(..) => "map".to_owned(),
            Type::Optional(_) => "optional_type".to_owned(),
            Type::Type(_) => "type".to_owned(),
            other => other.to_string(),
        })
    }

    /// Upstream's name for the value's type if its values cannot be keys of a Go map: to look for one in a literal list or
    /// map ends the evaluation there.
    pub const fn unhashable(self) -> Option<&'static str> {
        match self {
            Self::Bytes(_) => Some("types.Bytes"),
            Self::Opaque(Opaque::Semver(_)) => Some("cel.Semver"),
            Self::Opaque(Opaque::Format(_)) => Some("cel.Format"),
            _ => None,
        }
    }

    /// The name of its type at run time, as cel-go gives it: `int`, `google.protobuf.Timestamp`, `net.IP`.
    pub fn type_name(self) -> &'a str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Type(_) => "type",
            Self::Optional(_) => "optional_type",
            Self::Struct(value) => value.name,
            Self::Opaque(value) => value.type_name(),
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.type_name())
    }
}
