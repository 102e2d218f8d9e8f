//! From JSON to values.

use std::collections::HashSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{DEPTH, TAGS, encode};
use crate::cel::context::Context;
use crate::cel::error::Error;
use crate::cel::types::Type;
use crate::cel::value::{Duration, List, Map, Timestamp, Value};
use crate::json::{Node, View};

/// Why something is no value: lower case, no full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError(String);

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for DecodeError {}

impl From<&Error<'_>> for DecodeError {
    fn from(error: &Error<'_>) -> Self {
        Self(error.to_string())
    }
}

type Decoded<'a> = Result<Value<'a>, DecodeError>;

fn refuse<'a>(message: String) -> Decoded<'a> {
    Err(DecodeError(message))
}

/// The value of JSON in the form used at the top. Opaque values cannot be read.
///
/// # Errors
/// What is not in the form, with the tag that is wrong; or the bounds of the context.
pub fn decode<'a>(tagged: Node<'a>, context: &Context<'_, 'a>) -> Decoded<'a> {
    match tagged.entries() {
        [(tag, payload)] => of_tag(tag, *payload, context, 0),
        _ => refuse(format!(
            "expected an object with one key, the tag of a value, such as {{\"int\":1}}, found {}",
            tagged.kind()
        )),
    }
}

fn of_tag<'a>(tag: &str, payload: Node<'a>, context: &Context<'_, 'a>, depth: usize) -> Decoded<'a> {
    let wrong = |expected: &str| DecodeError(format!("expected {expected} behind the tag \"{tag}\""));
    let text = || payload.as_str().ok_or_else(|| wrong("a string"));
    Ok(match tag {
        "null" => Value::Null,
        "bool" | "string" => return nested(payload, context, depth + 1),
        "int" => match payload.view() {
            View::Int(number) => Value::Int(number),
            View::Float(0.0) => Value::Int(0),
            _ => return Err(wrong("a whole number of 64 bits")),
        },
        "uint" => match payload.view() {
            View::Int(number) => Value::Uint(u64::try_from(number).map_err(|_| wrong("a whole number from 0"))?),
            View::UInt(number) => Value::Uint(number),
            _ => return Err(wrong("a whole number from 0")),
        },
        "double" => match payload.view() {
            View::String(name) => Value::Double(name.parse().map_err(|_| wrong("a number"))?),
            _ => Value::Double(number(payload).ok_or_else(|| wrong("a number"))?),
        },
        "bytes" => {
            let bytes = STANDARD.decode(text()?).map_err(|_| wrong("base64"))?;
            Value::Bytes(context.keep_slice(&bytes)?)
        }
        "duration" => {
            Value::Duration(Duration::parse(text()?).ok_or_else(|| wrong("a length of time as in \"-1.5s\""))?)
        }
        "timestamp" => Value::Timestamp(Timestamp::parse(text()?).map_err(|_| wrong("a time of RFC 3339"))?),
        "optional" if payload.is_null() => Value::Optional(None),
        "optional" => Value::Optional(Some(context.keep(nested(payload, context, depth + 1)?)?)),
        "type" => {
            let name = text()?;
            match TYPES.iter().find(|(known, _)| *known == name) {
                Some((_, named)) => Value::Type(named),
                None => return refuse(format!("unknown type \"{name}\"")),
            }
        }
        "list" => {
            let items = payload.as_list().ok_or_else(|| wrong("an array"))?;
            let items: Result<Vec<_>, _> = items.iter().map(|item| nested(*item, context, depth + 1)).collect();
            Value::List(List::of(&items?, context)?)
        }
        "map" => {
            let mut entries = Vec::new();
            match payload.view() {
                View::Map(map) => {
                    for (key, value) in map.entries() {
                        entries.push((Value::String(key), nested(*value, context, depth + 1)?));
                    }
                }
                View::List(pairs) => {
                    let mut seen = HashSet::new();
                    for pair in pairs {
                        let [key, value] = pair.items() else { return Err(wrong("pairs of key and value")) };
                        let key = nested(*key, context, depth + 1)?;
                        if !matches!(key, Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::String(_)) {
                            return Err(wrong("keys of bool, int, uint or string"));
                        }
                        if !seen.insert(encode(key).unwrap_or_default()) {
                            return Err(wrong("different keys"));
                        }
                        entries.push((key, nested(*value, context, depth + 1)?));
                    }
                }
                _ => return Err(wrong("an object or an array of pairs")),
            }
            Value::Map(Map::of(&entries, context)?)
        }
        _ => return refuse(format!("cannot read a value tagged \"{tag}\"")),
    })
}

fn nested<'a>(node: Node<'a>, context: &Context<'_, 'a>, depth: usize) -> Decoded<'a> {
    if depth > DEPTH {
        return refuse("nested too deeply".to_owned());
    }
    match node.view() {
        View::List(_) => of_tag("list", node, context, depth),
        View::Map(map) => match map.entries() {
            [(tag, payload)] if TAGS.contains(tag) => of_tag(tag, *payload, context, depth),
            _ => of_tag("map", node, context, depth),
        },
        View::UInt(_) => refuse("a whole number above 9223372036854775807 needs a tag: {\"uint\":...}".to_owned()),
        _ => Ok(Value::of_node(node)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a whole number stands for the double nearest to it")]
fn number(node: Node<'_>) -> Option<f64> {
    match node.view() {
        View::Int(number) => Some(number as f64),
        View::UInt(number) => Some(number as f64),
        View::Float(number) => Some(number),
        _ => None,
    }
}

/// The types that can be given as values, by name.
static TYPES: std::sync::LazyLock<[(&str, Type); 13]> = std::sync::LazyLock::new(|| {
    [
        ("int", Type::Int),
        ("uint", Type::Uint),
        ("double", Type::Double),
        ("bool", Type::Bool),
        ("string", Type::String),
        ("bytes", Type::Bytes),
        ("null_type", Type::Null),
        ("type", Type::of_type(Type::Dyn)),
        ("list", Type::list(Type::Dyn)),
        ("map", Type::map(Type::Dyn, Type::Dyn)),
        ("google.protobuf.Timestamp", Type::Timestamp),
        ("google.protobuf.Duration", Type::Duration),
        ("dyn", Type::Dyn),
    ]
});
