//! Kubernetes' lists (k8s.io/apiserver/pkg/cel/library/lists.go).
//!
//! A list whose type is not known before has the type of its first element.

use std::cmp::Ordering;

use super::arithmetic;
use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::function::{Library, Overload, Version, member};
use crate::cel::value::{self, Duration, Equality, List, Value};

/// `isSorted`, `sum`, `max`, `min`, `indexOf`, `lastIndexOf`
pub(super) const LIBRARY: Library =
    Library { name: "kubernetes.lists", since: Version(0), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    member("list_int_is_sorted_bool", "isSorted", &["list(int)"], "bool", is_sorted),
    member("list_uint_is_sorted_bool", "isSorted", &["list(uint)"], "bool", is_sorted),
    member("list_double_is_sorted_bool", "isSorted", &["list(double)"], "bool", is_sorted),
    member("list_bool_is_sorted_bool", "isSorted", &["list(bool)"], "bool", is_sorted),
    member("list_duration_is_sorted_bool", "isSorted", &["list(duration)"], "bool", is_sorted),
    member("list_timestamp_is_sorted_bool", "isSorted", &["list(timestamp)"], "bool", is_sorted),
    member("list_string_is_sorted_bool", "isSorted", &["list(string)"], "bool", is_sorted),
    member("list_bytes_is_sorted_bool", "isSorted", &["list(bytes)"], "bool", is_sorted),
    member("list_int_sum_int", "sum", &["list(int)"], "int", sum_of_ints),
    member("list_uint_sum_uint", "sum", &["list(uint)"], "uint", sum_of_uints),
    member("list_double_sum_double", "sum", &["list(double)"], "double", sum_of_doubles),
    member("list_duration_sum_duration", "sum", &["list(duration)"], "duration", sum_of_durations),
    member("list_int_max_int", "max", &["list(int)"], "int", max),
    member("list_uint_max_uint", "max", &["list(uint)"], "uint", max),
    member("list_double_max_double", "max", &["list(double)"], "double", max),
    member("list_bool_max_bool", "max", &["list(bool)"], "bool", max),
    member("list_duration_max_duration", "max", &["list(duration)"], "duration", max),
    member("list_timestamp_max_timestamp", "max", &["list(timestamp)"], "timestamp", max),
    member("list_string_max_string", "max", &["list(string)"], "string", max),
    member("list_bytes_max_bytes", "max", &["list(bytes)"], "bytes", max),
    member("list_int_min_int", "min", &["list(int)"], "int", min),
    member("list_uint_min_uint", "min", &["list(uint)"], "uint", min),
    member("list_double_min_double", "min", &["list(double)"], "double", min),
    member("list_bool_min_bool", "min", &["list(bool)"], "bool", min),
    member("list_duration_min_duration", "min", &["list(duration)"], "duration", min),
    member("list_timestamp_min_timestamp", "min", &["list(timestamp)"], "timestamp", min),
    member("list_string_min_string", "min", &["list(string)"], "string", min),
    member("list_bytes_min_bytes", "min", &["list(bytes)"], "bytes", min),
    member("list_a_index_of_int", "indexOf", &["list(A)", "A"], "int", index_of),
    member("list_a_last_index_of_int", "lastIndexOf", &["list(A)", "A"], "int", last_index_of),
];

/// Whether values of its type have an order.
pub(super) const fn is_comparable(value: Value<'_>) -> bool {
    matches!(
        value,
        Value::Bool(_)
            | Value::Int(_)
            | Value::Uint(_)
            | Value::Double(_)
            | Value::String(_)
            | Value::Bytes(_)
            | Value::Duration(_)
            | Value::Timestamp(_)
    )
}

/// The order of two values; none where one is NaN or they are of different types. Limits are errors nevertheless.
pub(super) fn order_of<'a>(
    left: Value<'a>,
    right: Value<'a>,
    context: &Context<'_, 'a>,
) -> Outcome<'a, Option<Ordering>> {
    match value::compare(left, right, context) {
        Ok(order) => Ok(Some(order)),
        Err(error) if error.kind.is_absorbable() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Elements that cannot be compared are in order.
fn is_sorted<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::List(list)] = arguments else { return context.no_such_overload() };
    let mut previous: Option<Value<'a>> = None;
    for element in list.iter() {
        context.step(1)?;
        if !is_comparable(element) {
            return context.no_such_overload();
        }
        if let Some(previous) = previous
            && order_of(previous, element, context)? == Some(Ordering::Greater)
        {
            return Ok(Value::Bool(false));
        }
        previous = Some(element);
    }
    Ok(Value::Bool(true))
}

fn sum_of_ints<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    sum(context, arguments, Value::Int(0))
}

fn sum_of_uints<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    sum(context, arguments, Value::Uint(0))
}

fn sum_of_doubles<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    sum(context, arguments, Value::Double(0.0))
}

fn sum_of_durations<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    sum(context, arguments, Value::Duration(Duration { nanoseconds: 0 }))
}

/// `of_none` is the sum of no elements.
fn sum<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>], of_none: Value<'a>) -> Outcome<'a> {
    let &[Value::List(list)] = arguments else { return context.no_such_overload() };
    let mut elements = list.iter();
    let mut sum = match list.iter().next() {
        None => of_none,
        Some(Value::Int(_)) => Value::Int(0),
        Some(Value::Uint(_)) => Value::Uint(0),
        Some(Value::Double(_)) => Value::Double(0.0),
        Some(Value::Duration(_)) => Value::Duration(Duration { nanoseconds: 0 }),
        Some(_) => return context.no_such_overload(),
    };
    elements.try_for_each(|element| {
        context.step(1)?;
        sum = arithmetic::add(context, &[sum, element])?;
        Ok(())
    })?;
    Ok(sum)
}

fn max<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    extreme(context, arguments, "max", Ordering::Less)
}

fn min<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    extreme(context, arguments, "min", Ordering::Greater)
}

/// The element to which none of those behind it is preferred; `found` is how it is to one that is.
fn extreme<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>], name: &str, found: Ordering) -> Outcome<'a> {
    let &[Value::List(list)] = arguments else { return context.no_such_overload() };
    let mut best: Option<Value<'a>> = None;
    for element in list.iter() {
        context.step(1)?;
        if !is_comparable(element) {
            return context.no_such_overload();
        }
        best = match best {
            Some(best) if order_of(best, element, context)? != Some(found) => Some(best),
            _ => Some(element),
        };
    }
    match best {
        Some(best) => Ok(best),
        None => context.raise_text(format_args!("{name} called on empty list")),
    }
}

fn index_of<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::List(list), item] = arguments else { return context.no_such_overload() };
    position_of(context, list, item, true)
}

fn last_index_of<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::List(list), item] = arguments else { return context.no_such_overload() };
    position_of(context, list, item, false)
}

fn position_of<'a>(context: &Context<'_, 'a>, list: List<'a>, item: Value<'a>, is_first: bool) -> Outcome<'a> {
    let mut found = -1;
    for (position, element) in (0..).zip(list.iter()) {
        context.step(1)?;
        if value::equal(element, item, context)? == Equality::Equal {
            found = position;
            if is_first {
                break;
            }
        }
    }
    Ok(Value::Int(found))
}
