//! From values to text.

use std::fmt::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use jiff::civil::DateTime;

use super::{DEPTH, TAGS};
use crate::cel::value::{Authorizer, Duration, List, Map, Opaque, Struct, Timestamp, Value};

/// How long the text of a value may get, in bytes: values share their parts, and a few hundred bytes of variables may stand
/// for billions of elements.
const LENGTH: usize = 16 << 20;

/// The value is nested more than 500 levels deep, or its text is longer than 16 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

impl fmt::Display for TooLarge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the value is too large or too deep to be printed")
    }
}

impl std::error::Error for TooLarge {}

impl From<fmt::Error> for TooLarge {
    fn from(_: fmt::Error) -> Self {
        Self
    }
}

type Written = Result<(), TooLarge>;

/// The value as JSON, in the form used at the top.
///
/// # Errors
/// [`TooLarge`]
pub fn encode(value: Value<'_>) -> Result<String, TooLarge> {
    let mut out = Output(String::new());
    let is_plain_inside = match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::String(_) | Value::List(_) | Value::Map(_) => true,
        Value::Double(number) => number.is_finite(),
        _ => false,
    };
    if is_plain_inside {
        tagged(&mut out, value)?;
    } else {
        nested(&mut out, value, 0)?;
    }
    Ok(out.0)
}

/// Text of bounded length.
struct Output(String);

impl Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LENGTH {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// What is plain JSON inside of other values, behind its tag.
fn tagged(out: &mut Output, value: Value<'_>) -> Written {
    let tag = if matches!(value, Value::Null) { "null" } else { value.type_name() };
    write!(out, "{{\"{tag}\":")?;
    match value {
        Value::Map(map) => payload(out, map, 0)?,
        _ => nested(out, value, 0)?,
    }
    Ok(out.write_str("}")?)
}

fn nested(out: &mut Output, value: Value<'_>, depth: usize) -> Written {
    if depth > DEPTH {
        return Err(TooLarge);
    }
    match value {
        Value::Null => out.write_str("null")?,
        Value::Bool(value) => write!(out, "{value}")?,
        Value::Int(value) => write!(out, "{value}")?,
        Value::Uint(value) => write!(out, "{{\"uint\":{value}}}")?,
        Value::Double(value) if value.is_nan() => out.write_str("{\"double\":\"NaN\"}")?,
        Value::Double(f64::INFINITY) => out.write_str("{\"double\":\"Infinity\"}")?,
        Value::Double(f64::NEG_INFINITY) => out.write_str("{\"double\":\"-Infinity\"}")?,
        // Debug keeps the point of whole numbers.
        Value::Double(value) => write!(out, "{value:?}")?,
        Value::String(value) => string(out, value)?,
        Value::Bytes(value) => write!(out, "{{\"bytes\":\"{}\"}}", STANDARD.encode(value))?,
        Value::Duration(value) => write!(out, "{{\"duration\":\"{}\"}}", seconds(value))?,
        Value::Timestamp(value) => write!(out, "{{\"timestamp\":\"{}\"}}", rfc3339(value)?)?,
        Value::Type(_) => write!(out, "{{\"type\":\"{}\"}}", value.named_type().unwrap_or_default())?,
        Value::Optional(None) => out.write_str("{\"optional\":null}")?,
        Value::Optional(Some(Value::Null)) => out.write_str("{\"optional\":{\"null\":null}}")?,
        Value::Optional(Some(value)) => {
            out.write_str("{\"optional\":")?;
            nested(out, *value, depth + 1)?;
            out.write_str("}")?;
        }
        Value::List(value) => list(out, value, depth)?,
        Value::Map(value) if is_plain(value) => payload(out, value, depth)?,
        Value::Map(value) => {
            out.write_str("{\"map\":")?;
            payload(out, value, depth)?;
            out.write_str("}")?;
        }
        Value::Struct(value) => {
            write!(out, "{{\"opaque\":{{\"type\":\"{}\",\"value\":", value.name)?;
            if value.name == "JSONPatch" {
                json_patch(out, value, depth)?;
            } else {
                object(out, value, depth)?;
            }
            out.write_str("}}")?;
        }
        Value::Opaque(value) => opaque(out, value)?,
    }
    Ok(())
}

fn string(out: &mut Output, text: &str) -> Written {
    let quoted = serde_json::to_string(text).map_err(|_| TooLarge)?;
    Ok(out.write_str(&quoted)?)
}

fn list(out: &mut Output, list: List<'_>, depth: usize) -> Written {
    out.write_str("[")?;
    for (position, item) in list.iter().enumerate() {
        if position > 0 {
            out.write_str(",")?;
        }
        nested(out, item, depth + 1)?;
    }
    Ok(out.write_str("]")?)
}

/// Whether a map may be written as an object.
fn is_plain(map: Map<'_>) -> bool {
    let alone = map.len() == 1;
    map.iter().all(|(key, _)| matches!(key, Value::String(key) if !(alone && TAGS.contains(&key))))
}

/// What stands behind the tag of a map: an object, or pairs.
fn payload(out: &mut Output, map: Map<'_>, depth: usize) -> Written {
    let is_object = is_plain(map);
    let mut entries = Vec::with_capacity(map.len());
    for (key, value) in map.iter() {
        let mut text = Output(String::new());
        nested(&mut text, key, depth + 1)?;
        entries.push((text.0, value));
    }
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    out.write_str(if is_object { "{" } else { "[" })?;
    for (position, (key, value)) in entries.into_iter().enumerate() {
        if position > 0 {
            out.write_str(",")?;
        }
        if is_object {
            write!(out, "{key}:")?;
        } else {
            write!(out, "[{key},")?;
        }
        nested(out, value, depth + 1)?;
        if !is_object {
            out.write_str("]")?;
        }
    }
    Ok(out.write_str(if is_object { "}" } else { "]" })?)
}

/// All four fields, those that are missing as Go's empty strings (apiserver pkg/cel/mutation/jsonpatch.go `JSONPatchVal`).
fn json_patch(out: &mut Output, patch: &Struct<'_>, depth: usize) -> Written {
    let field = |name| patch.fields.iter().find(|field| field.0 == name).map(|field| field.1);
    for (name, open) in [("op", "{"), ("path", ","), ("from", ",")] {
        write!(out, "{open}\"{name}\":")?;
        match field(name) {
            Some(Value::String(text)) => string(out, text)?,
            _ => out.write_str("\"\"")?,
        }
    }
    if let Some(value) = field("value") {
        out.write_str(",\"value\":")?;
        nested(out, value, depth + 1)?;
    }
    Ok(out.write_str("}")?)
}

/// An object as plain JSON (apiserver pkg/cel/mutation/dynamic/objects.go `ConvertToNative`).
fn object(out: &mut Output, object: &Struct<'_>, depth: usize) -> Written {
    out.write_str("{")?;
    for (position, (name, value)) in object.fields.iter().enumerate() {
        if position > 0 {
            out.write_str(",")?;
        }
        string(out, name)?;
        out.write_str(":")?;
        native(out, *value, depth + 1)?;
    }
    Ok(out.write_str("}")?)
}

/// A value as Go's encoder writes what cel-go makes of it.
fn native(out: &mut Output, value: Value<'_>, depth: usize) -> Written {
    if depth > DEPTH {
        return Err(TooLarge);
    }
    match value {
        Value::Uint(value) => write!(out, "{value}")?,
        Value::Double(value) if !value.is_finite() => out.write_str("null")?,
        Value::Double(value) => write!(out, "{value}")?,
        Value::Bytes(value) => write!(out, "\"{}\"", STANDARD.encode(value))?,
        Value::Duration(value) => write!(out, "{}", value.nanoseconds)?,
        Value::Timestamp(value) => write!(out, "\"{}\"", rfc3339(value)?)?,
        Value::Type(_) => write!(out, "\"{}\"", value.named_type().unwrap_or_default())?,
        Value::Null | Value::Optional(None) => out.write_str("null")?,
        Value::Optional(Some(value)) => native(out, *value, depth + 1)?,
        Value::Struct(value) => object(out, value, depth)?,
        Value::List(list) => {
            out.write_str("[")?;
            for (position, item) in list.iter().enumerate() {
                if position > 0 {
                    out.write_str(",")?;
                }
                native(out, item, depth + 1)?;
            }
            out.write_str("]")?;
        }
        Value::Map(map) => {
            out.write_str("{")?;
            let mut between = "";
            for (key, value) in map.iter() {
                let Value::String(key) = key else { continue };
                out.write_str(between)?;
                string(out, key)?;
                out.write_str(":")?;
                native(out, value, depth + 1)?;
                between = ",";
            }
            out.write_str("}")?;
        }
        Value::Opaque(value) => match text(value) {
            Some(text) => string(out, &text)?,
            None => out.write_str("null")?,
        },
        Value::Bool(_) | Value::Int(_) | Value::String(_) => nested(out, value, depth)?,
    }
    Ok(())
}

fn opaque(out: &mut Output, value: Opaque<'_>) -> Written {
    write!(out, "{{\"opaque\":{{\"type\":\"{}\"", value.type_name())?;
    if let Some(text) = text(value) {
        out.write_str(",\"value\":")?;
        string(out, &text)?;
    }
    Ok(out.write_str("}}")?)
}

/// What a value of a library is compared by; nothing for those that have no more than their type.
fn text(value: Opaque<'_>) -> Option<String> {
    match value {
        Opaque::Quantity(quantity) => Some(quantity.to_string()),
        Opaque::Ip(address) => Some(address.to_string()),
        Opaque::Cidr(network) => Some(format!("{}/{}", network.address, network.bits)),
        Opaque::Url(url) => Some(url.text.to_owned()),
        Opaque::Semver(version) => {
            let mut text = format!("{}.{}.{}", version.major, version.minor, version.patch);
            for (sign, part) in [('-', version.pre), ('+', version.build)] {
                if !part.is_empty() {
                    text.push(sign);
                    text.push_str(part);
                }
            }
            Some(text)
        }
        Opaque::Format(name) => Some((*name).to_owned()),
        Opaque::Authorizer(
            Authorizer::Authorizer { .. }
            | Authorizer::Path { .. }
            | Authorizer::Group { .. }
            | Authorizer::Resource(_)
            | Authorizer::Decision(_),
        ) => None,
    }
}

fn seconds(duration: Duration) -> String {
    let sign = if duration.nanoseconds < 0 { "-" } else { "" };
    let length = duration.nanoseconds.unsigned_abs();
    let text = format!("{sign}{}.{:09}", length / 1_000_000_000, length % 1_000_000_000);
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// RFC 3339 in UTC. (jiff's timestamps end a day before the last one of CEL, its local times do not.)
///
/// # Errors
/// For years that CEL does not have.
pub fn rfc3339(time: Timestamp) -> Result<String, TooLarge> {
    let nanoseconds = i32::try_from(time.nanoseconds).map_err(|_| TooLarge)?;
    let since = SignedDuration::new(time.seconds, nanoseconds);
    let time = DateTime::constant(1970, 1, 1, 0, 0, 0, 0).checked_add(since).map_err(|_| TooLarge)?;
    Ok(format!("{time}Z"))
}
