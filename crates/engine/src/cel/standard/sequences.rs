//! Lists made of lists (cel-go, ext/lists.go, version 3). `sortBy` is a macro that calls `@sortByAssociatedKeys`.

use std::cmp::Ordering;
use std::mem::discriminant;

use super::lists::{is_comparable, order_of};
use super::sort;
use crate::cel::context::Context;
use crate::cel::error::{ErrorKind, Outcome};
use crate::cel::function::{Library, Overload, Version, global, member};
use crate::cel::value::{self, Equality, List, Value};

/// `slice`, `flatten`, `sort`, `lists.range`, `reverse`, `distinct`
pub(super) const LIBRARY: Library = Library { name: "lists", since: Version(34), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    member("list_slice", "slice", &["list(A)", "int", "int"], "list(A)", slice),
    member("list_flatten", "flatten", &["list(list(A))"], "list(A)", flatten),
    member("list_flatten_int", "flatten", &["list(dyn)", "int"], "list(dyn)", flatten),
    member("list_int_sort", "sort", &["list(int)"], "list(int)", sort),
    member("list_uint_sort", "sort", &["list(uint)"], "list(uint)", sort),
    member("list_double_sort", "sort", &["list(double)"], "list(double)", sort),
    member("list_bool_sort", "sort", &["list(bool)"], "list(bool)", sort),
    member("list_google.protobuf.Duration_sort", "sort", &["list(duration)"], "list(duration)", sort),
    member("list_google.protobuf.Timestamp_sort", "sort", &["list(timestamp)"], "list(timestamp)", sort),
    member("list_string_sort", "sort", &["list(string)"], "list(string)", sort),
    member("list_bytes_sort", "sort", &["list(bytes)"], "list(bytes)", sort),
    member(
        "list_int_sortByAssociatedKeys",
        "@sortByAssociatedKeys",
        &["list(A)", "list(int)"],
        "list(A)",
        sort_by_keys,
    ),
    member(
        "list_uint_sortByAssociatedKeys",
        "@sortByAssociatedKeys",
        &["list(A)", "list(uint)"],
        "list(A)",
        sort_by_keys,
    ),
    member(
        "list_double_sortByAssociatedKeys",
        "@sortByAssociatedKeys",
        &["list(A)", "list(double)"],
        "list(A)",
        sort_by_keys,
    ),
    member(
        "list_bool_sortByAssociatedKeys",
        "@sortByAssociatedKeys",
        &["list(A)", "list(bool)"],
        "list(A)",
        sort_by_keys,
    ),
    member(
        "list_google.protobuf.Duration_sortByAssociatedKeys",
        "@sortByAssociatedKeys",
        &["list(A)", "list(duration)"],
        "list(A)",
        sort_by_keys,
    ),
    member(
        "list_google.protobuf.Timestamp_sortByAssociatedKeys",
        "@sortByAssociatedKeys",
        &["list(A)", "list(timestamp)"],
        "list(A)",
        sort_by_keys,
    ),
    member(
        "list_string_sortByAssociatedKeys",
        "@sortByAssociatedKeys",
        &["list(A)", "list(string)"],
        "list(A)",
        sort_by_keys,
    ),
    member(
        "list_bytes_sortByAssociatedKeys",
        "@sortByAssociatedKeys",
        &["list(A)", "list(bytes)"],
        "list(A)",
        sort_by_keys,
    ),
    global("lists_range", "lists.range", &["int"], "list(int)", range),
    member("list_reverse", "reverse", &["list(A)"], "list(A)", reverse),
    member("list_distinct", "distinct", &["list(A)"], "list(A)", distinct),
];

/// Takes the bytes of so many values.
fn take<'a>(context: &Context<'_, 'a>, count: usize) -> Outcome<'a, ()> {
    context.take(count.saturating_mul(size_of::<Value<'_>>()))
}

/// The elements, copied; their bytes are taken.
fn elements<'a>(context: &Context<'_, 'a>, list: List<'a>) -> Outcome<'a, Vec<Value<'a>>> {
    take(context, list.len())?;
    Ok(list.iter().collect())
}

/// A list of values whose bytes have been taken.
fn list<'a>(context: &Context<'_, 'a>, values: &[Value<'a>]) -> Value<'a> {
    Value::List(List::Values(context.arena().keep_slice(values)))
}

fn slice<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::List(whole), Value::Int(start), Value::Int(end)] = arguments else {
        return context.no_such_overload();
    };
    let (Ok(first), Ok(last)) = (usize::try_from(start), usize::try_from(end)) else {
        return context.raise_text(format_args!("cannot slice({start}, {end}), negative indexes not supported"));
    };
    if first > last {
        return context.raise_text(format_args!(
            "cannot slice({start}, {end}), start index must be less than or equal to end index"
        ));
    }
    if last > whole.len() {
        return context.raise_text(format_args!("cannot slice({start}, {end}), list is length {}", whole.len()));
    }
    if let List::Values(values) = whole {
        return Ok(Value::List(List::Values(values.get(first..last).unwrap_or_default())));
    }
    take(context, last - first)?;
    context.step(last)?;
    let part: Vec<Value<'a>> = whole.iter().skip(first).take(last - first).collect();
    Ok(list(context, &part))
}

fn flatten<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (whole, depth) = match *arguments {
        [Value::List(whole)] => (whole, 1),
        [Value::List(whole), Value::Int(depth)] => (whole, depth),
        _ => return context.no_such_overload(),
    };
    if depth < 0 {
        return context.raise(ErrorKind::Text("level must be non-negative"));
    }
    let mut flat = vec![];
    flatten_into(&mut flat, whole, depth, context)?;
    Ok(list(context, &flat))
}

fn flatten_into<'a>(
    flat: &mut Vec<Value<'a>>,
    nested: List<'a>,
    depth: i64,
    context: &Context<'_, 'a>,
) -> Outcome<'a, ()> {
    for element in nested.iter() {
        match element {
            Value::List(inner) if depth > 0 => {
                context.nested(|| flatten_into(flat, inner, depth - 1, context))?;
            }
            element => {
                take(context, 1)?;
                flat.push(element);
            }
        }
        context.step(1)?;
    }
    Ok(())
}

fn sort<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::List(whole)] = arguments else { return context.no_such_overload() };
    sorted(context, whole, whole)
}

fn sort_by_keys<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::List(whole), Value::List(keys)] = arguments else { return context.no_such_overload() };
    sorted(context, whole, keys)
}

/// The elements in the order of the keys. It is not stable, in upstream's way.
fn sorted<'a>(context: &Context<'_, 'a>, whole: List<'a>, keys: List<'a>) -> Outcome<'a> {
    if whole.len() != keys.len() {
        return context.raise_text(format_args!(
            "@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got {} and {} \
             elements respectively",
            whole.len(),
            keys.len()
        ));
    }
    let values = elements(context, whole)?;
    let keys = elements(context, keys)?;
    let Some(first) = keys.first() else { return Ok(Value::List(whole)) };
    if !is_comparable(*first) {
        return context.raise(ErrorKind::Text("list elements must be comparable"));
    }
    if keys.iter().any(|key| discriminant(key) != discriminant(first)) {
        return context.raise(ErrorKind::Text("list elements must have the same type"));
    }
    take(context, values.len())?;
    let mut positions: Vec<usize> = (0..values.len()).collect();
    sort::unstable(&mut positions, &mut |left, right| {
        context.step(1)?;
        let (Some(left), Some(right)) = (keys.get(left), keys.get(right)) else { return Ok(false) };
        Ok(order_of(*left, *right, context)? == Some(Ordering::Less))
    })?;
    let sorted: Vec<Value<'a>> = positions.iter().filter_map(|position| values.get(*position).copied()).collect();
    Ok(list(context, &sorted))
}

/// 0 and up, so many.
fn range<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Int(end)] = arguments else { return context.no_such_overload() };
    take(context, usize::try_from(end.max(0)).unwrap_or(usize::MAX))?;
    let numbers: Vec<Value<'a>> = (0..end).map(Value::Int).collect();
    Ok(list(context, &numbers))
}

fn reverse<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::List(whole)] = arguments else { return context.no_such_overload() };
    let mut values = elements(context, whole)?;
    values.reverse();
    Ok(list(context, &values))
}

/// Of equal elements the first.
fn distinct<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::List(whole)] = arguments else { return context.no_such_overload() };
    let mut unique: Vec<Value<'a>> = vec![];
    for element in whole.iter() {
        let mut is_new = true;
        for other in &unique {
            context.step(1)?;
            if value::equal(element, *other, context)? == Equality::Equal {
                is_new = false;
                break;
            }
        }
        context.step(1)?;
        if is_new {
            take(context, 1)?;
            unique.push(element);
        }
    }
    Ok(list(context, &unique))
}
