//! What the loops behind `transformMap` and `transformMapEntry` call (cel-go, ext/comprehensions.go). The evaluator collects
//! entries itself and does not come here for each; the outcome is the same.

use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::function::{Library, Overload, Version, global};
use crate::cel::value::{Map, Value};

/// `cel.@mapInsert`
pub(super) const LIBRARY: Library =
    Library { name: "two-variable comprehensions", since: Version(32), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    global("@mapInsert_map_key_value", "cel.@mapInsert", &["map(A, B)", "A", "B"], "map(A, B)", insert),
    global("@mapInsert_map_map", "cel.@mapInsert", &["map(A, B)", "map(A, B)"], "map(A, B)", insert_all),
];

fn insert<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Map(map), key, value] = arguments else { return context.no_such_overload() };
    let mut entries = entries_of(map, context)?;
    put(context, &mut entries, map, key, value)?;
    Ok(Value::Map(Map::of(&entries, context)?))
}

fn insert_all<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Map(map), Value::Map(added)] = arguments else { return context.no_such_overload() };
    let mut entries = entries_of(map, context)?;
    for (key, value) in added.iter() {
        put(context, &mut entries, map, key, value)?;
    }
    Ok(Value::Map(Map::of(&entries, context)?))
}

type Entries<'a> = Vec<(Value<'a>, Value<'a>)>;

fn entries_of<'a>(map: Map<'a>, context: &Context<'_, 'a>) -> Outcome<'a, Entries<'a>> {
    context.take(map.len().saturating_mul(size_of::<(Value<'_>, Value<'_>)>()))?;
    Ok(map.iter().collect())
}

/// Adds an entry, whose key must be new; numbers that are equal are one key.
fn put<'a>(
    context: &Context<'_, 'a>,
    entries: &mut Entries<'a>,
    map: Map<'a>,
    key: Value<'a>,
    value: Value<'a>,
) -> Outcome<'a, ()> {
    if map.get(key).is_some() {
        return match key {
            Value::String(key) => context.raise_text(format_args!("insert failed: key {key} already exists")),
            Value::Int(key) => context.raise_text(format_args!("insert failed: key {key} already exists")),
            Value::Uint(key) => context.raise_text(format_args!("insert failed: key {key} already exists")),
            Value::Bool(key) => context.raise_text(format_args!("insert failed: key {key} already exists")),
            _ => context.no_such_overload(),
        };
    }
    if !matches!(key, Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::String(_)) {
        return context.raise_text(format_args!("unsupported key type: {}", key.type_name()));
    }
    entries.push((key, value));
    Ok(())
}
