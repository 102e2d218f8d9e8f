//! Optional values (cel-go, cel/library.go `OptionalTypes`). `optMap` and `optFlatMap` are macros.

use super::operators::{element, list_index};
use crate::cel::context::Context;
use crate::cel::error::{ErrorKind, Outcome};
use crate::cel::function::{Library, Overload, Version, global, member};
use crate::cel::value::{List, Value};

/// `optional.of` and its like, `.?`, `[?]`
pub(super) const LIBRARY: Library =
    Library { name: "optionals", since: Version(28), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    global("optional_of", "optional.of", &["A"], "optional_type(A)", of),
    global("optional_ofNonZeroValue", "optional.ofNonZeroValue", &["A"], "optional_type(A)", of_non_zero_value),
    global("optional_none", "optional.none", &[], "optional_type(A)", none),
    member("optional_value", "value", &["optional_type(A)"], "A", value),
    member("optional_hasValue", "hasValue", &["optional_type(A)"], "bool", has_value),
    member("optional_or_optional", "or", &["optional_type(A)", "optional_type(A)"], "optional_type(A)", or),
    member("optional_orValue_value", "orValue", &["optional_type(A)", "A"], "A", or_value),
    global("select_optional_field", "_?._", &["dyn", "string"], "optional_type(A)", optional_index),
    global("list_optindex_optional_int", "_[?_]", &["list(A)", "int"], "optional_type(A)", optional_index),
    global(
        "optional_list_optindex_optional_int",
        "_[?_]",
        &["optional_type(list(A))", "int"],
        "optional_type(A)",
        optional_index,
    ),
    global("map_optindex_optional_value", "_[?_]", &["map(A, B)", "A"], "optional_type(B)", optional_index),
    global(
        "optional_map_optindex_optional_value",
        "_[?_]",
        &["optional_type(map(A, B))", "A"],
        "optional_type(B)",
        optional_index,
    ),
    global("optional_list_index_int", "_[_]", &["optional_type(list(A))", "int"], "optional_type(A)", optional_index),
    global("optional_map_index_value", "_[_]", &["optional_type(map(A, B))", "A"], "optional_type(B)", optional_index),
    member("list_last", "last", &["list(A)"], "optional_type(A)", last),
    member("list_first", "first", &["list(A)"], "optional_type(A)", first),
    global("optional_unwrap", "optional.unwrap", &["list(optional_type(A))"], "list(A)", unwrap),
    member("optional_unwrapOpt", "unwrapOpt", &["list(optional_type(A))"], "list(A)", unwrap),
];

fn of<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[value] = arguments else { return context.no_such_overload() };
    context.some(value)
}

fn of_non_zero_value<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[value] = arguments else { return context.no_such_overload() };
    if is_zero(value) { Ok(Value::Optional(None)) } else { context.some(value) }
}

/// Whether upstream's type has a zero value (traits.Zeroer) and this is it.
fn is_zero(value: Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Int(number) => number == 0,
        Value::Uint(number) => number == 0,
        Value::Double(number) => number == 0.0,
        Value::String(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::Duration(duration) => duration.nanoseconds == 0,
        Value::Timestamp(timestamp) => timestamp.is_zero(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Struct(value) => value.fields.is_empty(),
        Value::Type(_) | Value::Optional(_) | Value::Opaque(_) => false,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the form of all functions")]
fn none<'a>(_: &Context<'_, 'a>, _: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Optional(None))
}

fn value<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match *arguments {
        [Value::Optional(Some(value))] => Ok(*value),
        [Value::Optional(None)] => context.raise(ErrorKind::Text("optional.none() dereference")),
        _ => context.no_such_overload(),
    }
}

fn has_value<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Optional(value)] = arguments else { return context.no_such_overload() };
    Ok(Value::Bool(value.is_some()))
}

/// What is no optional is taken as it is. The evaluator does not evaluate what is not needed.
fn or<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match *arguments {
        [Value::Optional(None), other] => Ok(other),
        [value, _] => Ok(value),
        _ => context.no_such_overload(),
    }
}

/// What is no optional is taken as it is. The evaluator does not evaluate what is not needed.
fn or_value<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match *arguments {
        [Value::Optional(None), other] => Ok(other),
        [Value::Optional(Some(value)), _] => Ok(*value),
        [value, _] => Ok(value),
        _ => context.no_such_overload(),
    }
}

/// `container.?key`, `container[?key]`, and `optional[key]`: an optional of what is there.
fn optional_index<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[mut container, key] = arguments else { return context.no_such_overload() };
    while let Value::Optional(inner) = container {
        let Some(inner) = inner else { return Ok(Value::Optional(None)) };
        context.step(1)?;
        container = *inner;
    }
    let found = match container {
        Value::List(list) => element(list, list_index(key, context)?, context)?,
        Value::Map(map) => map.get(key),
        _ => None,
    };
    found.map_or(Ok(Value::Optional(None)), |value| context.some(value))
}

fn first<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::List(list)] = arguments else { return context.no_such_overload() };
    list.get(0, context)?.map_or(Ok(Value::Optional(None)), |value| context.some(value))
}

fn last<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::List(list)] = arguments else { return context.no_such_overload() };
    let Some(index) = list.len().checked_sub(1) else { return Ok(Value::Optional(None)) };
    list.get(index, context)?.map_or(Ok(Value::Optional(None)), |value| context.some(value))
}

/// The values of those that have one.
fn unwrap<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::List(list)] = arguments else { return context.no_such_overload() };
    let mut values = vec![];
    for (position, optional) in list.iter().enumerate() {
        match optional {
            Value::Optional(Some(value)) => {
                context.take(size_of::<Value<'_>>())?;
                values.push(*value);
            }
            Value::Optional(None) => context.step(1)?,
            // Upstream looks at the first element to tell whether the function is meant.
            _ if position == 0 => return context.no_such_overload(),
            other => return context.raise_text(format_args!("value {} is not optional", other.type_name())),
        }
    }
    Ok(Value::List(List::Values(context.arena().keep_slice(&values))))
}
