//! Objects of mutations as the JSON that Go's encoder makes of them (k8s.io/apiserver pkg/cel/mutation/dynamic/objects.go
//! `ConvertToNative`, over the `Value()` of cel-go's values). Nulls of an expression are the number of protobuf's NullValue
//! there, nulls of an object are null; what the encoder does not take, a map inside of a literal list among it, makes the whole
//! null.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::DEPTH;
use super::encode::{LENGTH, Output, TooLarge, string, text};
use crate::cel::value::{List, Map, Opaque, Struct, Value};
use crate::json::Node;

/// Why there is no JSON.
enum Refused {
    TooLarge,
    /// Go's encoder does not take it.
    Unwritable,
}

impl From<fmt::Error> for Refused {
    fn from(_: fmt::Error) -> Self {
        Self::TooLarge
    }
}

impl From<TooLarge> for Refused {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

type Written = Result<(), Refused>;

/// The JSON of an object.
pub(super) fn object(object: &Struct<'_>) -> Result<String, TooLarge> {
    let mut out = Output::new(LENGTH);
    match write_object(&mut out, object, 0) {
        Ok(()) => Ok(out.text),
        Err(Refused::Unwritable) => Ok("null".to_owned()),
        Err(Refused::TooLarge) => Err(TooLarge),
    }
}

fn write_object(out: &mut Output, object: &Struct<'_>, depth: usize) -> Written {
    if object.name == "JSONPatch" {
        return Err(Refused::Unwritable);
    }
    enclosed(out, "{}", object.fields.iter(), |out, (name, value)| {
        string(out, name)?;
        out.write_str(":")?;
        field(out, *value, depth + 1)
    })
}

/// The value of a field (`convertField`).
fn field(out: &mut Output, value: Value<'_>, depth: usize) -> Written {
    match value {
        // A nil slice.
        Value::List(List::Values([]) | List::Constants([])) => Ok(out.write_str("null")?),
        Value::List(list @ (List::Values(_) | List::Constants(_))) => {
            enclosed(out, "[]", list.iter(), |out, item| element(out, item, depth + 1))
        }
        Value::Map(map @ (Map::Values(_) | Map::Constants(_))) => {
            enclosed(out, "{}", map.iter(), |out, (key, value)| {
                let Value::String(key) = key else { return Err(Refused::Unwritable) };
                string(out, key)?;
                out.write_str(":")?;
                element(out, value, depth + 1)
            })
        }
        _ => element(out, value, depth),
    }
}

/// What `Value()` gives, encoded.
fn element(out: &mut Output, value: Value<'_>, depth: usize) -> Written {
    if depth > DEPTH {
        return Err(Refused::TooLarge);
    }
    match value {
        Value::List(List::Nodes(items)) => plain(out, Node::list(items)),
        Value::Map(Map::Node(map)) => plain(out, Node::map(map)),
        Value::List(list @ List::Sum(_)) => enclosed(out, "[]", list.iter(), |out, item| element(out, item, depth + 1)),
        Value::List(list) => enclosed(out, "[]", list.iter(), scalar),
        Value::Struct(value) => write_object(out, value, depth + 1),
        Value::Optional(None) => Ok(out.write_str("null")?),
        Value::Optional(Some(value)) => element(out, *value, depth + 1),
        _ => scalar(out, value),
    }
}

fn scalar(out: &mut Output, value: Value<'_>) -> Written {
    match value {
        Value::Null => out.write_str("0")?,
        Value::Bool(value) => write!(out, "{value}")?,
        Value::Int(value) => write!(out, "{value}")?,
        Value::Uint(value) => write!(out, "{value}")?,
        Value::Double(value) if !value.is_finite() => return Err(Refused::Unwritable),
        Value::Double(value) if value.abs() < 1e21 => write!(out, "{value}")?,
        Value::Double(value) => write!(out, "{value:e}")?,
        Value::String(value) => string(out, value)?,
        Value::Bytes(value) => write!(out, "\"{}\"", STANDARD.encode(value))?,
        Value::Duration(value) => write!(out, "{}", value.nanoseconds)?,
        Value::Timestamp(value) => write!(out, "\"{}\"", value.print())?,
        Value::Type(_) => string(out, &value.named_type().unwrap_or_default())?,
        Value::Opaque(opaque @ (Opaque::Quantity(_) | Opaque::Ip(_) | Opaque::Cidr(_) | Opaque::Semver(_))) => {
            string(out, &text(opaque).unwrap_or_default())?;
        }
        _ => return Err(Refused::Unwritable),
    }
    Ok(())
}

/// A part of an object, as it is.
fn plain(out: &mut Output, node: Node<'_>) -> Written {
    let json = serde_json::to_string(&node).map_err(|_| Refused::Unwritable)?;
    Ok(out.write_str(&json)?)
}

fn enclosed<T>(
    out: &mut Output,
    brackets: &str,
    items: impl Iterator<Item = T>,
    item: impl Fn(&mut Output, T) -> Written,
) -> Written {
    let (open, close) = brackets.split_at(1);
    out.write_str(open)?;
    for (position, next) in items.enumerate() {
        if position > 0 {
            out.write_str(",")?;
        }
        item(out, next)?;
    }
    Ok(out.write_str(close)?)
}
