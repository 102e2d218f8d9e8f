//! Arithmetic, and what else `+` joins (cel-go, common/stdlib/standard.go, common/types/overflow.go). Numbers of different
//! types do not mix.

use crate::cel::context::Context;
use crate::cel::error::{ErrorKind, Outcome};
use crate::cel::function::{Library, Overload, Version, global};
use crate::cel::value::{Duration, Value};

/// `+ - * / %`
pub(super) const LIBRARY: Library =
    Library { name: "arithmetic", since: Version(0), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    global("add_bytes", "_+_", &["bytes", "bytes"], "bytes", add),
    global("add_double", "_+_", &["double", "double"], "double", add),
    global("add_duration_duration", "_+_", &["duration", "duration"], "duration", add),
    global("add_duration_timestamp", "_+_", &["duration", "timestamp"], "timestamp", add),
    global("add_timestamp_duration", "_+_", &["timestamp", "duration"], "timestamp", add),
    global("add_int64", "_+_", &["int", "int"], "int", add),
    global("add_list", "_+_", &["list(A)", "list(A)"], "list(A)", add),
    global("add_string", "_+_", &["string", "string"], "string", add),
    global("add_uint64", "_+_", &["uint", "uint"], "uint", add),
    global("divide_double", "_/_", &["double", "double"], "double", divide),
    global("divide_int64", "_/_", &["int", "int"], "int", divide),
    global("divide_uint64", "_/_", &["uint", "uint"], "uint", divide),
    global("modulo_int64", "_%_", &["int", "int"], "int", modulo),
    global("modulo_uint64", "_%_", &["uint", "uint"], "uint", modulo),
    global("multiply_double", "_*_", &["double", "double"], "double", multiply),
    global("multiply_int64", "_*_", &["int", "int"], "int", multiply),
    global("multiply_uint64", "_*_", &["uint", "uint"], "uint", multiply),
    global("negate_double", "-_", &["double"], "double", negate),
    global("negate_int64", "-_", &["int"], "int", negate),
    global("subtract_double", "_-_", &["double", "double"], "double", subtract),
    global("subtract_duration_duration", "_-_", &["duration", "duration"], "duration", subtract),
    global("subtract_int64", "_-_", &["int", "int"], "int", subtract),
    global("subtract_timestamp_duration", "_-_", &["timestamp", "duration"], "timestamp", subtract),
    global("subtract_timestamp_timestamp", "_-_", &["timestamp", "timestamp"], "duration", subtract),
    global("subtract_uint64", "_-_", &["uint", "uint"], "uint", subtract),
];

const INT: &str = "integer";
const UINT: &str = "unsigned integer";
const TIMESTAMP: &str = "timestamp";

fn checked<'a, T>(context: &Context<'_, 'a>, result: Option<T>, what: &'static str) -> Outcome<'a, T> {
    match result {
        Some(result) => Ok(result),
        None => context.raise(ErrorKind::Overflow(what)),
    }
}

fn duration<'a>(context: &Context<'_, 'a>, nanoseconds: Option<i64>) -> Outcome<'a> {
    Ok(Value::Duration(Duration { nanoseconds: checked(context, nanoseconds, INT)? }))
}

/// `left + right`
pub(super) fn add<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(match *arguments {
        [Value::Int(left), Value::Int(right)] => Value::Int(checked(context, left.checked_add(right), INT)?),
        [Value::Uint(left), Value::Uint(right)] => Value::Uint(checked(context, left.checked_add(right), UINT)?),
        [Value::Double(left), Value::Double(right)] => Value::Double(left + right),
        [Value::String(left), Value::String(right)] => match (left, right) {
            ("", text) | (text, "") => Value::String(text),
            _ => {
                context.take(left.len().saturating_add(right.len()))?;
                Value::String(context.arena().format(format_args!("{left}{right}")))
            }
        },
        [Value::Bytes(left), Value::Bytes(right)] => {
            context.take(left.len().saturating_add(right.len()))?;
            Value::Bytes(context.arena().keep_slice(&[left, right].concat()))
        }
        [Value::List(left), Value::List(right)] => Value::List(left.plus(right, context)?),
        [Value::Duration(left), Value::Duration(right)] => {
            return duration(context, left.nanoseconds.checked_add(right.nanoseconds));
        }
        [Value::Duration(duration), Value::Timestamp(timestamp)]
        | [Value::Timestamp(timestamp), Value::Duration(duration)] => {
            Value::Timestamp(checked(context, timestamp.plus(duration.nanoseconds), TIMESTAMP)?)
        }
        _ => return context.no_such_overload(),
    })
}

fn subtract<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(match *arguments {
        [Value::Int(left), Value::Int(right)] => Value::Int(checked(context, left.checked_sub(right), INT)?),
        [Value::Uint(left), Value::Uint(right)] => Value::Uint(checked(context, left.checked_sub(right), UINT)?),
        [Value::Double(left), Value::Double(right)] => Value::Double(left - right),
        [Value::Duration(left), Value::Duration(right)] => {
            return duration(context, left.nanoseconds.checked_sub(right.nanoseconds));
        }
        [Value::Timestamp(timestamp), Value::Duration(duration)] => {
            let nanoseconds = checked(context, duration.nanoseconds.checked_neg(), INT)?;
            Value::Timestamp(checked(context, timestamp.plus(nanoseconds), TIMESTAMP)?)
        }
        [Value::Timestamp(left), Value::Timestamp(right)] => return duration(context, left.since(right)),
        _ => return context.no_such_overload(),
    })
}

fn multiply<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(match *arguments {
        [Value::Int(left), Value::Int(right)] => Value::Int(checked(context, left.checked_mul(right), INT)?),
        [Value::Uint(left), Value::Uint(right)] => Value::Uint(checked(context, left.checked_mul(right), UINT)?),
        [Value::Double(left), Value::Double(right)] => Value::Double(left * right),
        _ => return context.no_such_overload(),
    })
}

fn divide<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(match *arguments {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => {
            return context.raise(ErrorKind::DivisionByZero);
        }
        [Value::Int(left), Value::Int(right)] => Value::Int(checked(context, left.checked_div(right), INT)?),
        [Value::Uint(left), Value::Uint(right)] => Value::Uint(checked(context, left.checked_div(right), UINT)?),
        [Value::Double(left), Value::Double(right)] => Value::Double(left / right),
        _ => return context.no_such_overload(),
    })
}

fn modulo<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(match *arguments {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => {
            return context.raise(ErrorKind::ModulusByZero);
        }
        [Value::Int(left), Value::Int(right)] => Value::Int(checked(context, left.checked_rem(right), INT)?),
        [Value::Uint(left), Value::Uint(right)] => Value::Uint(checked(context, left.checked_rem(right), UINT)?),
        _ => return context.no_such_overload(),
    })
}

/// Of a duration too, where nobody knows its type before.
fn negate<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(match *arguments {
        [Value::Int(number)] => Value::Int(checked(context, number.checked_neg(), INT)?),
        [Value::Double(number)] => Value::Double(-number),
        [Value::Duration(length)] => return duration(context, length.nanoseconds.checked_neg()),
        _ => return context.no_such_overload(),
    })
}
