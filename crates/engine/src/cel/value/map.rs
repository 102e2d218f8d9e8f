//! Maps.

use std::cmp::Ordering;

use super::{Timestamp, Value};
use crate::cel::constant::ConstantMap;
use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::json;

/// A map: of an object, or of a literal. Keys are bool, int, uint or string.
#[derive(Clone, Copy)]
pub enum Map<'a> {
    /// Of an object; all keys are strings.
    Node(&'a json::Map<'a>),
    /// Made by the evaluation.
    Values(&'a ValueMap<'a>),
    /// A literal of constants, in the program.
    Constants(&'a ConstantMap),
}

/// A map that the evaluation made.
#[derive(Clone, Copy)]
pub struct ValueMap<'a> {
    /// In the order in which they were put in.
    entries: &'a [(Value<'a>, Value<'a>)],
    /// Positions in `entries`, sorted by key, for large maps; empty for small ones.
    index: &'a [u32],
}

/// Maps with fewer keys are searched from the front.
pub(in crate::cel) const INDEXED_FROM: usize = 17;

impl<'a> Map<'a> {
    /// A map of these entries. The keys differ from each other.
    pub fn of(entries: &[(Value<'a>, Value<'a>)], context: &Context<'_, 'a>) -> Outcome<'a, Self> {
        let entries = context.keep_slice(entries)?;
        let index = if entries.len() < INDEXED_FROM {
            &[]
        } else {
            context.step(entries.len().saturating_mul(4))?;
            let mut index: Vec<u32> = (0..u32::try_from(entries.len()).unwrap_or(u32::MAX)).collect();
            let key = |position: &u32| entries.get(*position as usize).map_or(Value::Null, |entry| entry.0);
            index.sort_by(|left, right| key_order(key(left), key(right)));
            context.keep_slice(&index)?
        };
        Ok(Self::Values(context.keep(ValueMap { entries, index })?))
    }

    /// How many keys it has.
    pub fn len(self) -> usize {
        match self {
            Self::Node(map) => map.len(),
            Self::Values(map) => map.entries.len(),
            Self::Constants(map) => map.entries().len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The value under `key`: under the very key, else, for a number, under an equal one of another type (cel-go,
    /// common/types/map.go `refValMapAccessor.Find`).
    pub fn get(self, key: Value<'_>) -> Option<Value<'a>> {
        match self {
            Self::Node(map) => match key {
                Value::String(key) => map.get(key).map(Value::of_node),
                _ => None,
            },
            Self::Values(map) => by_equal_key(key, |key| map.find(key)),
            Self::Constants(map) => by_equal_key(key, |key| map.find(key)),
        }
    }

    /// The value under a string.
    pub fn field(self, key: &str) -> Option<Value<'a>> {
        match self {
            Self::Node(map) => map.get(key).map(Value::of_node),
            Self::Values(map) => map.find(Value::String(key)),
            Self::Constants(map) => map.find(Value::String(key)),
        }
    }

    /// Keys and values, in the order in which they were put in. Whoever walks them counts the steps.
    pub fn iter(self) -> impl Iterator<Item = (Value<'a>, Value<'a>)> {
        let (nodes, values, constants) = match self {
            Self::Node(map) => (map.entries(), &[][..], &[][..]),
            Self::Values(map) => (&[][..], map.entries, &[][..]),
            Self::Constants(map) => (&[][..], &[][..], map.entries()),
        };
        let nodes = nodes.iter().map(|(key, node)| (Value::String(key), Value::of_node(*node)));
        let constants = constants.iter().map(|(key, value)| (key.value(), value.value()));
        nodes.chain(values.iter().copied()).chain(constants)
    }
}

impl<'a> ValueMap<'a> {
    fn find(&self, key: Value<'_>) -> Option<Value<'a>> {
        let entry = |position: usize| self.entries.get(position);
        let position = find(self.entries.len(), self.index, key, |position| entry(position).map(|entry| entry.0))?;
        entry(position).map(|entry| entry.1)
    }
}

/// The position of the very key among `len` keys.
pub(in crate::cel) fn find<'k>(
    len: usize,
    index: &[u32],
    key: Value<'_>,
    key_at: impl Fn(usize) -> Option<Value<'k>>,
) -> Option<usize> {
    let order = |position: usize| key_at(position).map_or(Ordering::Greater, |other| key_order(other, key));
    if index.is_empty() {
        return (0..len).find(|&position| order(position) == Ordering::Equal);
    }
    let at = index.binary_search_by(|&position| order(position as usize)).ok()?;
    index.get(at).map(|&position| position as usize)
}

fn by_equal_key<'a>(key: Value<'_>, find: impl Fn(Value<'_>) -> Option<Value<'a>>) -> Option<Value<'a>> {
    let find_int = |found: Option<i64>| found.and_then(|key| find(Value::Int(key)));
    let find_unsigned = |found: Option<u64>| found.and_then(|key| find(Value::Uint(key)));
    match key {
        Value::Int(number) => find(key).or_else(|| find_unsigned(u64::try_from(number).ok())),
        Value::Uint(number) => find(key).or_else(|| find_int(i64::try_from(number).ok())),
        // Go finds no key that is no number, not even itself.
        Value::Double(number) if number.is_nan() => None,
        Value::Double(number) => {
            find(key).or_else(|| find_int(whole_int(number))).or_else(|| find_unsigned(whole_uint(number)))
        }
        Value::Bool(_) | Value::String(_) | Value::Duration(_) | Value::Timestamp(_) | Value::Null => find(key),
        _ => None,
    }
}

/// The int that a double is, if it is one.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
pub fn whole_int(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number))
        .then_some(number as i64)
}

/// The uint that a double is, if it is one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
pub fn whole_uint(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && (0.0..18_446_744_073_709_551_616.0).contains(&number)).then_some(number as u64)
}

/// A total order of keys: by type, then by value.
pub(in crate::cel) fn key_order(left: Value<'_>, right: Value<'_>) -> Ordering {
    const fn rank(key: Value<'_>) -> u8 {
        match key {
            Value::Bool(_) => 0,
            Value::Int(_) => 1,
            Value::Uint(_) => 2,
            Value::String(_) => 3,
            Value::Double(_) => 4,
            Value::Duration(_) => 5,
            Value::Timestamp(_) => 6,
            Value::Null => 7,
            _ => 8,
        }
    }
    match (left, right) {
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Int(left), Value::Int(right)) => left.cmp(&right),
        (Value::Uint(left), Value::Uint(right)) => left.cmp(&right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(&right),
        // Both zeros are one key.
        (Value::Double(left), Value::Double(right)) => (left + 0.0).total_cmp(&(right + 0.0)),
        (Value::Duration(left), Value::Duration(right)) => left.cmp(&right),
        (Value::Timestamp(left), Value::Timestamp(right)) => {
            let key = |time: Timestamp| (time.seconds, time.nanoseconds, time.offset);
            key(left).cmp(&key(right))
        }
        _ => rank(left).cmp(&rank(right)),
    }
}
