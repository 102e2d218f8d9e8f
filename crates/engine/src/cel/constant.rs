//! Values that a program holds: literals, and what was computed from them when it was compiled.

use std::net::IpAddr;

use super::types::Type;
use super::value::{Cidr, Duration, List, Map, Opaque, Quantity, Semver, Timestamp, Value};

/// An owned value of a program. An evaluation borrows it.
#[derive(Clone, Debug)]
pub enum Constant {
    /// `null`
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
    String(Box<str>),
    /// `bytes`
    Bytes(Box<[u8]>),
    /// `google.protobuf.Duration`
    Duration(Duration),
    /// `google.protobuf.Timestamp`
    Timestamp(Timestamp),
    /// `list`
    List(Box<[Constant]>),
    /// `map`
    Map(Box<[(Constant, Constant)]>),
    /// A type as a value.
    Type(Box<Type>),
    /// `kubernetes.Quantity`
    Quantity(Box<Quantity<'static>>),
    /// `net.IP`
    Ip(Box<IpAddr>),
    /// `net.CIDR`
    Cidr(Box<Cidr>),
    /// `kubernetes.Semver` without a pre-release or build
    Semver(Box<Semver<'static>>),
    /// `kubernetes.NamedFormat`
    Format(&'static str),
}

impl Constant {
    /// The value, borrowed.
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Uint(value) => Value::Uint(*value),
            Self::Double(value) => Value::Double(*value),
            Self::String(value) => Value::String(value),
            Self::Bytes(value) => Value::Bytes(value),
            Self::Duration(value) => Value::Duration(*value),
            Self::Timestamp(value) => Value::Timestamp(*value),
            Self::List(values) => Value::List(List::Constants(values)),
            Self::Map(entries) => Value::Map(Map::Constants(entries)),
            Self::Type(value) => Value::Type(value),
            Self::Quantity(value) => Value::Opaque(Opaque::Quantity(value)),
            Self::Ip(value) => Value::Opaque(Opaque::Ip(value)),
            Self::Cidr(value) => Value::Opaque(Opaque::Cidr(value)),
            Self::Semver(value) => Value::Opaque(Opaque::Semver(value)),
            Self::Format(name) => Value::Opaque(Opaque::Format(name)),
        }
    }
}
