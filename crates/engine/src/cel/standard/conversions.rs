//! Conversions between types (cel-go, common/stdlib/standard.go, `ConvertToType` of common/types).

use super::number;
use super::timestamp::TimestampError;
use crate::cel::context::Context;
use crate::cel::error::{ErrorKind, Outcome};
use crate::cel::function::{Library, Overload, Version, global};
use crate::cel::value::{Duration, Timestamp, Value};

/// `bool`, `bytes`, `double`, `duration`, `int`, `string`, `timestamp`, `uint`
pub(super) const LIBRARY: Library =
    Library { name: "conversions", since: Version(0), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    global("bool_to_bool", "bool", &["bool"], "bool", same_bool),
    global("string_to_bool", "bool", &["string"], "bool", string_to_bool),
    global("bytes_to_bytes", "bytes", &["bytes"], "bytes", same_bytes),
    global("string_to_bytes", "bytes", &["string"], "bytes", string_to_bytes),
    global("double_to_double", "double", &["double"], "double", same_double),
    global("int64_to_double", "double", &["int"], "double", int_to_double),
    global("string_to_double", "double", &["string"], "double", string_to_double),
    global("uint64_to_double", "double", &["uint"], "double", uint_to_double),
    global("duration_to_duration", "duration", &["duration"], "duration", same_duration),
    global("int64_to_duration", "duration", &["int"], "duration", int_to_duration),
    global("string_to_duration", "duration", &["string"], "duration", string_to_duration),
    global("int64_to_int64", "int", &["int"], "int", same_int),
    global("double_to_int64", "int", &["double"], "int", double_to_int),
    global("duration_to_int64", "int", &["duration"], "int", duration_to_int),
    global("string_to_int64", "int", &["string"], "int", string_to_int),
    global("timestamp_to_int64", "int", &["timestamp"], "int", timestamp_to_int),
    global("uint64_to_int64", "int", &["uint"], "int", uint_to_int),
    global("string_to_string", "string", &["string"], "string", to_string),
    global("bool_to_string", "string", &["bool"], "string", to_string),
    global("bytes_to_string", "string", &["bytes"], "string", to_string),
    global("double_to_string", "string", &["double"], "string", to_string),
    global("duration_to_string", "string", &["duration"], "string", to_string),
    global("int64_to_string", "string", &["int"], "string", to_string),
    global("timestamp_to_string", "string", &["timestamp"], "string", to_string),
    global("uint64_to_string", "string", &["uint"], "string", to_string),
    global("timestamp_to_timestamp", "timestamp", &["timestamp"], "timestamp", same_timestamp),
    global("int64_to_timestamp", "timestamp", &["int"], "timestamp", int_to_timestamp),
    global("string_to_timestamp", "timestamp", &["string"], "timestamp", string_to_timestamp),
    global("uint64_to_uint64", "uint", &["uint"], "uint", same_uint),
    global("double_to_uint64", "uint", &["double"], "uint", double_to_uint),
    global("int64_to_uint64", "uint", &["int"], "uint", int_to_uint),
    global("string_to_uint64", "uint", &["string"], "uint", string_to_uint),
];

fn refuse<'a>(context: &Context<'_, 'a>, from: &str, to: &str) -> Outcome<'a> {
    context.raise_text(format_args!("type conversion error from '{from}' to '{to}'"))
}

fn overflow<'a>(context: &Context<'_, 'a>, what: &'static str) -> Outcome<'a> {
    context.raise(ErrorKind::Overflow(what))
}

/// A conversion to the type that the value has.
fn same<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>], is_same: fn(Value<'a>) -> bool) -> Outcome<'a> {
    match *arguments {
        [value] if is_same(value) => Ok(value),
        _ => context.no_such_overload(),
    }
}

fn same_bool<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    same(context, arguments, |value| matches!(value, Value::Bool(_)))
}

fn same_bytes<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    same(context, arguments, |value| matches!(value, Value::Bytes(_)))
}

fn same_double<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    same(context, arguments, |value| matches!(value, Value::Double(_)))
}

fn same_duration<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    same(context, arguments, |value| matches!(value, Value::Duration(_)))
}

fn same_int<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    same(context, arguments, |value| matches!(value, Value::Int(_)))
}

fn same_timestamp<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    same(context, arguments, |value| matches!(value, Value::Timestamp(_)))
}

fn same_uint<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    same(context, arguments, |value| matches!(value, Value::Uint(_)))
}

/// A conversion of a text, where the text has to be the type's.
fn of_string<'a>(
    context: &Context<'_, 'a>,
    arguments: &[Value<'a>],
    to: &str,
    parse: impl FnOnce(&'a str) -> Option<Value<'a>>,
) -> Outcome<'a> {
    let &[Value::String(text)] = arguments else { return context.no_such_overload() };
    context.step(text.len() / 64)?;
    match parse(text) {
        Some(value) => Ok(value),
        None => refuse(context, "string", to),
    }
}

fn string_to_bool<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    of_string(context, arguments, "bool", |text| number::parse_bool(text).map(Value::Bool))
}

fn string_to_bytes<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    of_string(context, arguments, "bytes", |text| Some(Value::Bytes(text.as_bytes())))
}

fn string_to_double<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    of_string(context, arguments, "double", |text| number::parse_double(text).map(Value::Double))
}

fn string_to_duration<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    of_string(context, arguments, "google.protobuf.Duration", |text| Duration::parse(text).map(Value::Duration))
}

fn string_to_int<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    of_string(context, arguments, "int", |text| number::parse_int(text).map(Value::Int))
}

fn string_to_uint<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    of_string(context, arguments, "uint", |text| number::parse_uint(text).map(Value::Uint))
}

fn string_to_timestamp<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text)] = arguments else { return context.no_such_overload() };
    match Timestamp::parse(text) {
        Ok(timestamp) => Ok(Value::Timestamp(timestamp)),
        Err(TimestampError::Overflow) => overflow(context, "timestamp"),
        Err(TimestampError::Syntax) => refuse(context, "string", "google.protobuf.Timestamp"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "the nearest double, as upstream")]
fn int_to_double<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Int(number)] = arguments else { return context.no_such_overload() };
    Ok(Value::Double(number as f64))
}

#[expect(clippy::cast_precision_loss, reason = "the nearest double, as upstream")]
fn uint_to_double<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Uint(number)] = arguments else { return context.no_such_overload() };
    Ok(Value::Double(number as f64))
}

/// Declared, and always an error, as upstream.
fn int_to_duration<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Int(_)] = arguments else { return context.no_such_overload() };
    refuse(context, "int", "google.protobuf.Duration")
}

/// Cuts the fraction off. The smallest int is out of range too, as upstream.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn double_to_int<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Double(number)] = arguments else { return context.no_such_overload() };
    if number > -9_223_372_036_854_775_808.0 && number < 9_223_372_036_854_775_808.0 {
        Ok(Value::Int(number as i64))
    } else {
        overflow(context, "integer")
    }
}

/// Cuts the fraction off.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn double_to_uint<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Double(number)] = arguments else { return context.no_such_overload() };
    if (0.0..18_446_744_073_709_551_616.0).contains(&number) {
        Ok(Value::Uint(number as u64))
    } else {
        overflow(context, "unsigned integer")
    }
}

fn int_to_uint<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Int(number)] = arguments else { return context.no_such_overload() };
    u64::try_from(number).map_or_else(|_| overflow(context, "unsigned integer"), |number| Ok(Value::Uint(number)))
}

fn uint_to_int<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Uint(number)] = arguments else { return context.no_such_overload() };
    i64::try_from(number).map_or_else(|_| overflow(context, "integer"), |number| Ok(Value::Int(number)))
}

/// Nanoseconds.
fn duration_to_int<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Duration(duration)] = arguments else { return context.no_such_overload() };
    Ok(Value::Int(duration.nanoseconds))
}

/// Seconds since 1970.
fn timestamp_to_int<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Timestamp(timestamp)] = arguments else { return context.no_such_overload() };
    Ok(Value::Int(timestamp.seconds))
}

fn int_to_timestamp<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Int(seconds)] = arguments else { return context.no_such_overload() };
    match Timestamp::of_seconds(seconds) {
        Some(timestamp) => Ok(Value::Timestamp(timestamp)),
        None => overflow(context, "timestamp"),
    }
}

fn to_string<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[value] = arguments else { return context.no_such_overload() };
    string_of(value, context).map(Value::String)
}

/// `string(value)`, of every type that has it.
pub(super) fn string_of<'a>(value: Value<'a>, context: &Context<'_, 'a>) -> Outcome<'a, &'a str> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(true) => Ok("true"),
        Value::Bool(false) => Ok("false"),
        Value::Int(number) => context.text(&number.to_string()),
        Value::Uint(number) => context.text(&number.to_string()),
        Value::Double(number) => context.text(&number::print_double(number)),
        Value::Duration(duration) => context.text(&duration.print()),
        Value::Timestamp(timestamp) => context.text(&timestamp.print()),
        Value::Bytes(bytes) => {
            context.step(bytes.len() / 64)?;
            match std::str::from_utf8(bytes) {
                Ok(text) => Ok(text),
                Err(_) => context.raise(ErrorKind::Text("invalid UTF-8 in bytes, cannot convert to string")),
            }
        }
        _ => context.no_such_overload(),
    }
}
