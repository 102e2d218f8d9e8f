//! Values that a program holds: literals, and what was computed from them when it was compiled.

use std::net::IpAddr;

use super::types::Type;
use super::value::map;
use super::value::{Cidr, Duration, List, Map, Opaque, Semver, Timestamp, Value};

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
    Map(Box<ConstantMap>),
    /// A type as a value.
    Type(Box<Type>),
    /// `net.IP`
    Ip(Box<IpAddr>),
    /// `net.CIDR`
    Cidr(Box<Cidr>),
    /// `kubernetes.Semver` without a pre-release or build
    Semver(Box<Semver<'static>>),
    /// `kubernetes.NamedFormat`
    Format(&'static str),
}

/// A map that a program holds.
#[derive(Clone, Debug)]
pub struct ConstantMap {
    entries: Box<[(Constant, Constant)]>,
    /// Positions in `entries`, sorted by key, for large maps; empty for small ones.
    index: Box<[u32]>,
}

impl ConstantMap {
    /// A map of these entries. The keys differ from each other.
    pub fn new(entries: Vec<(Constant, Constant)>) -> Self {
        let mut index: Vec<u32> = vec![];
        if entries.len() >= map::INDEXED_FROM {
            index.extend(0..u32::try_from(entries.len()).unwrap_or(u32::MAX));
            let key = |position: &u32| entries.get(*position as usize).map_or(Value::Null, |entry| entry.0.value());
            index.sort_by(|left, right| map::key_order(key(left), key(right)));
        }
        Self { entries: entries.into(), index: index.into() }
    }

    /// Keys and values, in the order of the literal.
    pub fn entries(&self) -> &[(Constant, Constant)] {
        &self.entries
    }

    /// The value under the very key.
    pub(in crate::cel) fn find(&self, key: Value<'_>) -> Option<Value<'_>> {
        let entry = |position: usize| self.entries.get(position);
        let key_at = |position| entry(position).map(|entry| entry.0.value());
        let position = map::find(self.entries.len(), &self.index, key, key_at)?;
        entry(position).map(|entry| entry.1.value())
    }
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
            Self::Ip(value) => Value::Opaque(Opaque::Ip(value)),
            Self::Cidr(value) => Value::Opaque(Opaque::Cidr(value)),
            Self::Semver(value) => Value::Opaque(Opaque::Semver(value)),
            Self::Format(name) => Value::Opaque(Opaque::Format(name)),
        }
    }
}
