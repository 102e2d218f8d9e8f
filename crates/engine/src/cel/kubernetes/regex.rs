//! `find`, `findAll` (k8s.io/apiserver/pkg/cel/library/regex.go).

use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::function::{Library, Overload, Version, member};
use crate::cel::regex::Regex;
use crate::cel::value::{List, Value};

/// `find`, `findAll`
pub(super) const LIBRARY: Library = Library { name: "regex", since: Version(0), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    member("string_find_string", "find", &["string", "string"], "string", find),
    member("string_find_all_string", "findAll", &["string", "string"], "list(string)", find_all),
    member("string_find_all_string_int", "findAll", &["string", "string", "int"], "list(string)", find_all),
];

/// A pattern that is known when the program is made is compiled there; this one is compiled here.
fn compile<'a>(context: &Context<'_, 'a>, text: &str, pattern: &str) -> Outcome<'a, Regex> {
    context.step(text.len() / 16 + pattern.len() * 16)?;
    match Regex::new(pattern) {
        Ok(regex) => Ok(regex),
        Err(reason) => super::refuse(context, &format!("Illegal regex: {reason}")),
    }
}

fn find<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text), Value::String(pattern)] = arguments else { return context.no_such_overload() };
    Ok(Value::String(first_match(&compile(context, text, pattern)?, text)))
}

fn find_all<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (text, pattern, limit) = match *arguments {
        [Value::String(text), Value::String(pattern)] => (text, pattern, -1),
        [Value::String(text), Value::String(pattern), Value::Int(limit)] => (text, pattern, limit),
        _ => return context.no_such_overload(),
    };
    all_matches(context, &compile(context, text, pattern)?, text, limit)
}

/// What `find` answers: nothing where there is no match.
pub fn first_match<'t>(regex: &Regex, text: &'t str) -> &'t str {
    regex.find(text).unwrap_or_default()
}

/// What `findAll` answers: `limit` matches at most, all if it is below zero.
pub fn all_matches<'a>(context: &Context<'_, 'a>, regex: &Regex, text: &'a str, limit: i64) -> Outcome<'a> {
    let limit = if limit < 0 { usize::MAX } else { usize::try_from(limit).unwrap_or(usize::MAX) };
    let mut found = vec![];
    for part in regex.find_all(text, limit) {
        context.step(1 + part.len() / 16)?;
        if found.len() == found.capacity() {
            // What the vector is about to hold counts before it does.
            context.take(size_of::<Value<'_>>() * found.len().max(1))?;
        }
        found.push(Value::String(part));
    }
    Ok(Value::List(List::of(&found, context)?))
}
