//! From values to text.

use std::fmt::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{DEPTH, TAGS, native};
use crate::cel::value::{Authorizer, Duration, List, Map, Opaque, Struct, Timestamp, Value};

/// How long the text of a value may get, in bytes: values share their parts, and a few hundred bytes of variables may stand
/// for billions of elements.
pub(super) const LENGTH: usize = 16 << 20;

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

pub(super) type Written = Result<(), TooLarge>;

/// The value as JSON, in the form used at the top.
///
/// # Errors
/// [`TooLarge`]
pub fn encode(value: Value<'_>) -> Result<String, TooLarge> {
    let mut out = Output::new(LENGTH);
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
    Ok(out.text)
}

/// Text of bounded length.
pub(super) struct Output {
    pub(super) text: String,
    limit: usize,
}

impl Output {
    pub(super) const fn new(limit: usize) -> Self {
        Self { text: String::new(), limit }
    }
}

impl Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.text.len() + text.len() > self.limit {
            return Err(fmt::Error);
        }
        self.text.push_str(text);
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
        Value::Timestamp(value) => write!(out, "{{\"timestamp\":\"{}\"}}", utc(value))?,
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
        Value::Struct(value) if value.name == "kubernetes.variables" => {
            write!(out, "{{\"opaque\":{{\"type\":\"{}\"}}}}", value.name)?;
        }
        Value::Struct(value) => {
            write!(out, "{{\"opaque\":{{\"type\":\"{}\",\"value\":", value.name)?;
            if value.name == "JSONPatch" {
                json_patch(out, value, depth)?;
            } else {
                out.write_str(&native::object(value)?)?;
            }
            out.write_str("}}")?;
        }
        Value::Opaque(value) => opaque(out, value)?,
    }
    Ok(())
}

pub(super) fn string(out: &mut Output, text: &str) -> Written {
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
        let mut text = Output::new(LENGTH);
        nested(&mut text, key, depth + 1)?;
        // Upstream lists the key, and finds nothing under it.
        let is_found = !matches!(key, Value::Double(key) if key.is_nan());
        entries.push((text.text, is_found.then_some(value)));
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
        match value {
            Some(value) => nested(out, value, depth + 1)?,
            None => out.write_str("{\"error\":\"no such key: NaN\"}")?,
        }
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

fn opaque(out: &mut Output, value: Opaque<'_>) -> Written {
    if let Opaque::Lost(value) = value {
        out.write_str("{\"error\":")?;
        string(out, &lost(*value))?;
        return Ok(out.write_str("}")?);
    }
    write!(out, "{{\"opaque\":{{\"type\":\"{}\"", value.type_name())?;
    if let Some(text) = text(value) {
        out.write_str(",\"value\":")?;
        string(out, &text)?;
    }
    Ok(out.write_str("}}")?)
}

/// What a value of a library is compared by; nothing for those that have no more than their type.
pub(super) fn text(value: Opaque<'_>) -> Option<String> {
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
        )
        | Opaque::Lost(_)
        | Opaque::Unbound(_) => None,
    }
}

/// Upstream's error in the place of a value, with what Go calls its type.
fn lost(value: Opaque<'_>) -> String {
    let go_type = match value {
        Opaque::Quantity(_) => "*resource.Quantity",
        Opaque::Ip(_) => "netip.Addr",
        Opaque::Cidr(_) => "netip.Prefix",
        Opaque::Url(_) => "*url.URL",
        Opaque::Semver(_) => "semver.Version",
        Opaque::Format(_) | Opaque::Authorizer(_) | Opaque::Lost(_) | Opaque::Unbound(_) => {
            return "no such overload".to_owned();
        }
    };
    format!("unsupported conversion to ref.Val: ({go_type}){}", text(value).unwrap_or_default())
}

pub(super) fn seconds(duration: Duration) -> String {
    let sign = if duration.nanoseconds < 0 { "-" } else { "" };
    let length = duration.nanoseconds.unsigned_abs();
    let text = format!("{sign}{}.{:09}", length / 1_000_000_000, length % 1_000_000_000);
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}

pub(super) fn utc(time: Timestamp) -> String {
    Timestamp { offset: 0, ..time }.print()
}
