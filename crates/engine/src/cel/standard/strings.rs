//! Texts (cel-go, ext/strings.go, version 2). Positions count code points.

use super::text::Text;
use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::function::{Library, Overload, Version, member};
use crate::cel::value::{List, Value};

/// `charAt` to `upperAscii`, and `join`. Version 2 of the library, from 1.29, only adds to them.
pub(super) const LIBRARY: Library = Library { name: "strings", since: Version(0), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    member("string_char_at_int", "charAt", &["string", "int"], "string", char_at),
    member("string_index_of_string", "indexOf", &["string", "string"], "int", index_of),
    member("string_index_of_string_int", "indexOf", &["string", "string", "int"], "int", index_of),
    member("string_last_index_of_string", "lastIndexOf", &["string", "string"], "int", last_index_of),
    member("string_last_index_of_string_int", "lastIndexOf", &["string", "string", "int"], "int", last_index_of),
    member("string_lower_ascii", "lowerAscii", &["string"], "string", lower_ascii),
    member("string_replace_string_string", "replace", &["string", "string", "string"], "string", replace),
    member("string_replace_string_string_int", "replace", &["string", "string", "string", "int"], "string", replace),
    member("string_split_string", "split", &["string", "string"], "list(string)", split),
    member("string_split_string_int", "split", &["string", "string", "int"], "list(string)", split),
    member("string_substring_int", "substring", &["string", "int"], "string", substring),
    member("string_substring_int_int", "substring", &["string", "int", "int"], "string", substring),
    member("string_trim", "trim", &["string"], "string", trim),
    member("string_upper_ascii", "upperAscii", &["string"], "string", upper_ascii),
    member("list_join", "join", &["list(string)"], "string", join),
    member("list_join_string", "join", &["list(string)", "string"], "string", join),
];

fn out_of_range<'a, T>(context: &Context<'_, 'a>, index: i64) -> Outcome<'a, T> {
    context.raise_text(format_args!("index out of range: {index}"))
}

/// Steps for looking through a text.
fn walk<'a>(context: &Context<'_, 'a>, text: &str) -> Outcome<'a, ()> {
    context.step(text.len() / 64)
}

fn int<'a>(number: usize) -> Value<'a> {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Where in the text, in bytes, the code point at `index` begins; the one behind the last is its end.
fn byte_position(text: &str, index: i64) -> Option<usize> {
    let index = usize::try_from(index).ok()?;
    if text.is_ascii() {
        return (index <= text.len()).then_some(index);
    }
    text.char_indices().map(|(position, _)| position).chain([text.len()]).nth(index)
}

/// How many code points stand before a position in bytes.
fn index_at(text: &str, position: usize) -> usize {
    text.get(..position).unwrap_or(text).chars().count()
}

/// The part from a position in bytes.
fn tail(text: &str, position: usize) -> &str {
    text.get(position..).unwrap_or_default()
}

/// What ends at a position in bytes or before.
fn head(text: &str, mut position: usize) -> &str {
    position = position.min(text.len());
    while !text.is_char_boundary(position) {
        position -= 1;
    }
    text.get(..position).unwrap_or(text)
}

fn char_at<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text), Value::Int(index)] = arguments else { return context.no_such_overload() };
    walk(context, text)?;
    let Some(position) = byte_position(text, index) else { return out_of_range(context, index) };
    let rest = tail(text, position);
    let len = rest.chars().next().map_or(0, char::len_utf8);
    Ok(Value::String(rest.get(..len).unwrap_or_default()))
}

fn index_of<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (text, part, from) = match *arguments {
        [Value::String(text), Value::String(part)] => (text, part, 0),
        [Value::String(text), Value::String(part), Value::Int(from)] => (text, part, from),
        _ => return context.no_such_overload(),
    };
    if part.is_empty() {
        return Ok(Value::Int(from));
    }
    if from < 0 {
        return out_of_range(context, from);
    }
    walk(context, text)?;
    let Some(start) = byte_position(text, from) else { return Ok(Value::Int(-1)) };
    let found = tail(text, start).find(part).map(|position| index_at(text, start + position));
    Ok(found.map_or(Value::Int(-1), int))
}

fn last_index_of<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (text, part, from) = match *arguments {
        [Value::String(text), Value::String("")] => {
            walk(context, text)?;
            return Ok(int(text.chars().count()));
        }
        [Value::String(text), Value::String(part)] => (text, part, None),
        [Value::String(_), Value::String(""), Value::Int(from)] => return Ok(Value::Int(from)),
        [Value::String(text), Value::String(part), Value::Int(from)] => (text, part, Some(from)),
        _ => return context.no_such_overload(),
    };
    walk(context, text)?;
    // The part has to begin at `from` or before: it ends there plus its own length.
    let within = match from {
        Some(from) if from < 0 => return out_of_range(context, from),
        Some(from) => match byte_position(text, from) {
            Some(start) if start < text.len() => head(text, start.saturating_add(part.len())),
            _ => return Ok(Value::Int(-1)),
        },
        None => text,
    };
    Ok(within.rfind(part).map_or(Value::Int(-1), |position| int(index_at(text, position))))
}

fn lower_ascii<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text)] = arguments else { return context.no_such_overload() };
    walk(context, text)?;
    if !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Ok(Value::String(text));
    }
    context.take(text.len())?;
    Ok(Value::String(context.arena().text(&text.to_ascii_lowercase())))
}

fn upper_ascii<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text)] = arguments else { return context.no_such_overload() };
    walk(context, text)?;
    if !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Ok(Value::String(text));
    }
    context.take(text.len())?;
    Ok(Value::String(context.arena().text(&text.to_ascii_uppercase())))
}

/// A negative number replaces all; an empty part stands before each code point and at the end (Go, strings.Replace).
fn replace<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (text, old, new, limit) = match *arguments {
        [Value::String(text), Value::String(old), Value::String(new)] => (text, old, new, usize::MAX),
        [Value::String(text), Value::String(old), Value::String(new), Value::Int(limit)] => {
            (text, old, new, usize::try_from(limit).unwrap_or(usize::MAX))
        }
        _ => return context.no_such_overload(),
    };
    walk(context, text)?;
    if old == new || !text.contains(old) {
        return Ok(Value::String(text));
    }
    let mut result = Text::new(context);
    let mut copied = 0;
    for (position, matched) in text.match_indices(old).take(limit) {
        context.step(1)?;
        result.push_str(text.get(copied..position).unwrap_or_default())?;
        result.push_str(new)?;
        copied = position + matched.len();
    }
    result.push_str(tail(text, copied))?;
    Ok(Value::String(result.finish()))
}

/// At most so many parts, the last one whole; none for 0, all for negative numbers. An empty separator separates code points
/// (Go, strings.SplitN).
fn split<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (text, separator, limit) = match *arguments {
        [Value::String(text), Value::String(separator)] => (text, separator, usize::MAX),
        [Value::String(text), Value::String(separator), Value::Int(limit)] => {
            (text, separator, usize::try_from(limit).unwrap_or(usize::MAX))
        }
        _ => return context.no_such_overload(),
    };
    walk(context, text)?;
    let mut parts: Vec<Value<'a>> = vec![];
    let mut push = |part| {
        context.take(size_of::<Value<'_>>())?;
        parts.push(Value::String(part));
        Ok(())
    };
    if separator.is_empty() {
        let mut rest = text;
        let mut count = 1;
        while let Some(first) = rest.chars().next().filter(|_| limit > 0) {
            if count == limit {
                push(rest)?;
                break;
            }
            let (part, behind) = rest.split_at(first.len_utf8());
            push(part)?;
            rest = behind;
            count += 1;
        }
    } else {
        for part in text.splitn(limit, separator) {
            push(part)?;
        }
    }
    Ok(Value::List(List::Values(context.arena().keep_slice(&parts))))
}

fn substring<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (text, start, end) = match *arguments {
        [Value::String(text), Value::Int(start)] => (text, start, None),
        [Value::String(text), Value::Int(start), Value::Int(end)] => (text, start, Some(end)),
        _ => return context.no_such_overload(),
    };
    if let Some(end) = end
        && start > end
    {
        return context.raise_text(format_args!("invalid substring range. start: {start}, end: {end}"));
    }
    walk(context, text)?;
    let Some(first) = byte_position(text, start) else { return out_of_range(context, start) };
    let last = match end {
        Some(end) => match byte_position(text, end) {
            Some(last) => last,
            None => return out_of_range(context, end),
        },
        None => text.len(),
    };
    Ok(Value::String(text.get(first..last).unwrap_or_default()))
}

/// Unicode's white space (Go, strings.TrimSpace).
fn trim<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text)] = arguments else { return context.no_such_overload() };
    Ok(Value::String(text.trim()))
}

fn join<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (list, separator) = match *arguments {
        [Value::List(list)] => (list, ""),
        [Value::List(list), Value::String(separator)] => (list, separator),
        _ => return context.no_such_overload(),
    };
    let mut result = Text::new(context);
    for (position, element) in list.iter().enumerate() {
        context.step(1)?;
        match element {
            Value::String(text) => {
                if position > 0 {
                    result.push_str(separator)?;
                }
                result.push_str(text)?;
            }
            // Upstream looks at the first element to tell whether the function is meant.
            _ if position == 0 => return context.no_such_overload(),
            other => return context.raise_text(format_args!("join: invalid input: {}", other.type_name())),
        }
    }
    Ok(Value::String(result.finish()))
}
