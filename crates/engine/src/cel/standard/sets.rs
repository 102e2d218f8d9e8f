//! Lists as sets (cel-go, ext/sets.go).

use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::function::{Library, Overload, Version, global};
use crate::cel::value::{self, List, Value};

/// `sets.contains`, `sets.equivalent`, `sets.intersects`
pub(super) const LIBRARY: Library = Library { name: "sets", since: Version(29), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    global("list_sets_contains_list", "sets.contains", &["list(A)", "list(A)"], "bool", contains),
    global("list_sets_equivalent_list", "sets.equivalent", &["list(A)", "list(A)"], "bool", equivalent),
    global("list_sets_intersects_list", "sets.intersects", &["list(A)", "list(A)"], "bool", intersects),
];

fn contains<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::List(list), Value::List(part)] = arguments else { return context.no_such_overload() };
    Ok(Value::Bool(contains_all(list, part, context)?))
}

fn equivalent<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::List(left), Value::List(right)] = arguments else { return context.no_such_overload() };
    Ok(Value::Bool(contains_all(left, right, context)? && contains_all(right, left, context)?))
}

fn intersects<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::List(left), Value::List(right)] = arguments else { return context.no_such_overload() };
    for value in left.iter() {
        context.step(1)?;
        if value::contains(right, value, context)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn contains_all<'a>(list: List<'a>, part: List<'a>, context: &Context<'_, 'a>) -> Outcome<'a, bool> {
    for value in part.iter() {
        context.step(1)?;
        if !value::contains(list, value, context)? {
            return Ok(false);
        }
    }
    Ok(true)
}
