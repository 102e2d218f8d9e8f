//! What texts hold, begin and end with, and patterns (cel-go, common/stdlib/standard.go).

use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::function::{Library, Overload, Version, global, member};
use crate::cel::regex::Regex;
use crate::cel::value::Value;

/// `contains`, `endsWith`, `startsWith`, `matches`
pub(super) const LIBRARY: Library = Library { name: "matches", since: Version(0), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    member("contains_string", "contains", &["string", "string"], "bool", contains),
    member("ends_with_string", "endsWith", &["string", "string"], "bool", ends_with),
    member("starts_with_string", "startsWith", &["string", "string"], "bool", starts_with),
    global("matches", "matches", &["string", "string"], "bool", matches),
    member("matches_string", "matches", &["string", "string"], "bool", matches),
];

/// Steps for compiling a pattern: so many that the clock is looked at each time.
const COMPILATION: usize = 4096;

fn contains<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text), Value::String(part)] = arguments else { return context.no_such_overload() };
    context.step(text.len() / 64)?;
    Ok(Value::Bool(text.contains(part)))
}

fn ends_with<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text), Value::String(end)] = arguments else { return context.no_such_overload() };
    Ok(Value::Bool(text.ends_with(end)))
}

fn starts_with<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text), Value::String(start)] = arguments else { return context.no_such_overload() };
    Ok(Value::Bool(text.starts_with(start)))
}

/// A pattern that is a literal is compiled once by the evaluator, which does not come here.
fn matches<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text), Value::String(pattern)] = arguments else { return context.no_such_overload() };
    context.step(COMPILATION + text.len() / 16)?;
    match Regex::new(pattern) {
        Ok(regex) => Ok(Value::Bool(regex.is_match(text))),
        Err(error) => context.raise_text(format_args!("{error}")),
    }
}
