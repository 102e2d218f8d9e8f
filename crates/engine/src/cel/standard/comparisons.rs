//! `<`, `<=`, `>`, `>=` (cel-go, common/stdlib/standard.go).
//!
//! The checker binds unknown types to those of the first overload that fits, so that the order of the overloads counts.

use std::cmp::Ordering;

use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::function::{Library, Overload, Version, global};
use crate::cel::value::{self, Value};

/// The comparisons across types of numbers are new in 1.28; the checker leaves them out before.
pub(super) const LIBRARY: Library =
    Library { name: "comparisons", since: Version(0), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    global("less_bool", "_<_", &["bool", "bool"], "bool", less),
    global("less_int64", "_<_", &["int", "int"], "bool", less),
    global("less_int64_double", "_<_", &["int", "double"], "bool", less),
    global("less_int64_uint64", "_<_", &["int", "uint"], "bool", less),
    global("less_uint64", "_<_", &["uint", "uint"], "bool", less),
    global("less_uint64_double", "_<_", &["uint", "double"], "bool", less),
    global("less_uint64_int64", "_<_", &["uint", "int"], "bool", less),
    global("less_double", "_<_", &["double", "double"], "bool", less),
    global("less_double_int64", "_<_", &["double", "int"], "bool", less),
    global("less_double_uint64", "_<_", &["double", "uint"], "bool", less),
    global("less_string", "_<_", &["string", "string"], "bool", less),
    global("less_bytes", "_<_", &["bytes", "bytes"], "bool", less),
    global("less_timestamp", "_<_", &["timestamp", "timestamp"], "bool", less),
    global("less_duration", "_<_", &["duration", "duration"], "bool", less),
    global("less_equals_bool", "_<=_", &["bool", "bool"], "bool", less_equals),
    global("less_equals_int64", "_<=_", &["int", "int"], "bool", less_equals),
    global("less_equals_int64_double", "_<=_", &["int", "double"], "bool", less_equals),
    global("less_equals_int64_uint64", "_<=_", &["int", "uint"], "bool", less_equals),
    global("less_equals_uint64", "_<=_", &["uint", "uint"], "bool", less_equals),
    global("less_equals_uint64_double", "_<=_", &["uint", "double"], "bool", less_equals),
    global("less_equals_uint64_int64", "_<=_", &["uint", "int"], "bool", less_equals),
    global("less_equals_double", "_<=_", &["double", "double"], "bool", less_equals),
    global("less_equals_double_int64", "_<=_", &["double", "int"], "bool", less_equals),
    global("less_equals_double_uint64", "_<=_", &["double", "uint"], "bool", less_equals),
    global("less_equals_string", "_<=_", &["string", "string"], "bool", less_equals),
    global("less_equals_bytes", "_<=_", &["bytes", "bytes"], "bool", less_equals),
    global("less_equals_timestamp", "_<=_", &["timestamp", "timestamp"], "bool", less_equals),
    global("less_equals_duration", "_<=_", &["duration", "duration"], "bool", less_equals),
    global("greater_bool", "_>_", &["bool", "bool"], "bool", greater),
    global("greater_int64", "_>_", &["int", "int"], "bool", greater),
    global("greater_int64_double", "_>_", &["int", "double"], "bool", greater),
    global("greater_int64_uint64", "_>_", &["int", "uint"], "bool", greater),
    global("greater_uint64", "_>_", &["uint", "uint"], "bool", greater),
    global("greater_uint64_double", "_>_", &["uint", "double"], "bool", greater),
    global("greater_uint64_int64", "_>_", &["uint", "int"], "bool", greater),
    global("greater_double", "_>_", &["double", "double"], "bool", greater),
    global("greater_double_int64", "_>_", &["double", "int"], "bool", greater),
    global("greater_double_uint64", "_>_", &["double", "uint"], "bool", greater),
    global("greater_string", "_>_", &["string", "string"], "bool", greater),
    global("greater_bytes", "_>_", &["bytes", "bytes"], "bool", greater),
    global("greater_timestamp", "_>_", &["timestamp", "timestamp"], "bool", greater),
    global("greater_duration", "_>_", &["duration", "duration"], "bool", greater),
    global("greater_equals_bool", "_>=_", &["bool", "bool"], "bool", greater_equals),
    global("greater_equals_int64", "_>=_", &["int", "int"], "bool", greater_equals),
    global("greater_equals_int64_double", "_>=_", &["int", "double"], "bool", greater_equals),
    global("greater_equals_int64_uint64", "_>=_", &["int", "uint"], "bool", greater_equals),
    global("greater_equals_uint64", "_>=_", &["uint", "uint"], "bool", greater_equals),
    global("greater_equals_uint64_double", "_>=_", &["uint", "double"], "bool", greater_equals),
    global("greater_equals_uint64_int64", "_>=_", &["uint", "int"], "bool", greater_equals),
    global("greater_equals_double", "_>=_", &["double", "double"], "bool", greater_equals),
    global("greater_equals_double_int64", "_>=_", &["double", "int"], "bool", greater_equals),
    global("greater_equals_double_uint64", "_>=_", &["double", "uint"], "bool", greater_equals),
    global("greater_equals_string", "_>=_", &["string", "string"], "bool", greater_equals),
    global("greater_equals_bytes", "_>=_", &["bytes", "bytes"], "bool", greater_equals),
    global("greater_equals_timestamp", "_>=_", &["timestamp", "timestamp"], "bool", greater_equals),
    global("greater_equals_duration", "_>=_", &["duration", "duration"], "bool", greater_equals),
];

fn compare<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>], accepts: impl Fn(Ordering) -> bool) -> Outcome<'a> {
    let &[left, right] = arguments else { return context.no_such_overload() };
    Ok(Value::Bool(accepts(value::compare(left, right, context)?)))
}

fn less<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    compare(context, arguments, Ordering::is_lt)
}

fn less_equals<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    compare(context, arguments, Ordering::is_le)
}

fn greater<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    compare(context, arguments, Ordering::is_gt)
}

fn greater_equals<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    compare(context, arguments, Ordering::is_ge)
}
