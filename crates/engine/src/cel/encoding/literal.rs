//! Values as an expression writes them, for people.

use std::fmt::Write as _;

use super::DEPTH;
use super::encode::{LENGTH, Output, TooLarge, Written, seconds, string, text, utc};
use crate::cel::value::{List, Map, Opaque, Struct, Value};

/// How long a line may get before a list or map is broken into lines.
const WIDTH: usize = 100;

/// What one writes to get the value: `1u`, `[1.0, "x"]`, `duration("90s")`, `quantity("1Gi")`. Lists and maps that are longer
/// than a line stand on several. Values that no expression makes are written as their type.
///
/// # Errors
/// [`TooLarge`]
pub fn literal(value: Value<'_>) -> Result<String, TooLarge> {
    let mut out = Output::new(LENGTH);
    write(&mut out, value, 0, Some(0))?;
    Ok(out.text)
}

/// `indent` is the one of the line; None keeps to one line.
fn write(out: &mut Output, value: Value<'_>, depth: usize, indent: Option<usize>) -> Written {
    if depth > DEPTH {
        return Err(TooLarge);
    }
    match value {
        Value::Null => out.write_str("null")?,
        Value::Bool(value) => write!(out, "{value}")?,
        Value::Int(value) => write!(out, "{value}")?,
        Value::Uint(value) => write!(out, "{value}u")?,
        Value::Double(value) if value.is_finite() => write!(out, "{value:?}")?,
        Value::Double(value) if value.is_nan() => out.write_str("double(\"NaN\")")?,
        Value::Double(value) => write!(out, "double(\"{}\")", if value < 0.0 { "-Infinity" } else { "Infinity" })?,
        Value::String(value) => string(out, value)?,
        Value::Bytes(value) => bytes(out, value)?,
        Value::Duration(value) => write!(out, "duration(\"{}\")", seconds(value))?,
        Value::Timestamp(value) => write!(out, "timestamp(\"{}\")", utc(value))?,
        Value::Type(_) => out.write_str(&value.named_type().unwrap_or_default())?,
        Value::Optional(None) => out.write_str("optional.none()")?,
        Value::Optional(Some(value)) => {
            out.write_str("optional.of(")?;
            write(out, *value, depth + 1, indent)?;
            out.write_str(")")?;
        }
        Value::List(value) => list(out, value, depth, indent)?,
        Value::Map(value) => map(out, value, depth, indent)?,
        Value::Struct(value) => structure(out, value, depth, indent)?,
        Value::Opaque(value) => opaque(out, value)?,
    }
    Ok(())
}

/// Writes `open`, the items, `close`: on one line where that is short enough, else an item a line.
fn enclosed<I: Iterator>(
    out: &mut Output,
    (open, close): (&str, &str),
    indent: Option<usize>,
    items: impl Fn() -> I,
    item: impl Fn(&mut Output, I::Item, Option<usize>) -> Written,
) -> Written {
    let on_one_line = |out: &mut Output| -> Written {
        out.write_str(open)?;
        for (position, next) in items().enumerate() {
            if position > 0 {
                out.write_str(", ")?;
            }
            item(out, next, None)?;
        }
        Ok(out.write_str(close)?)
    };
    let Some(indent) = indent else { return on_one_line(out) };
    let mut line = Output::new(WIDTH.saturating_sub(indent));
    if on_one_line(&mut line).is_ok() {
        return Ok(out.write_str(&line.text)?);
    }
    out.write_str(open)?;
    let within = indent + 2;
    for (position, next) in items().enumerate() {
        write!(out, "{}\n{:within$}", if position > 0 { "," } else { "" }, "")?;
        item(out, next, Some(within))?;
    }
    Ok(write!(out, "\n{:indent$}{close}", "")?)
}

fn list(out: &mut Output, list: List<'_>, depth: usize, indent: Option<usize>) -> Written {
    enclosed(out, ("[", "]"), indent, || list.iter(), |out, item, indent| write(out, item, depth + 1, indent))
}

fn map(out: &mut Output, map: Map<'_>, depth: usize, indent: Option<usize>) -> Written {
    enclosed(
        out,
        ("{", "}"),
        indent,
        || map.iter(),
        |out, (key, value), indent| {
            write(out, key, depth + 1, None)?;
            out.write_str(": ")?;
            write(out, value, depth + 1, indent)
        },
    )
}

fn structure(out: &mut Output, value: &Struct<'_>, depth: usize, indent: Option<usize>) -> Written {
    out.write_str(value.name)?;
    enclosed(
        out,
        ("{", "}"),
        indent,
        || value.fields.iter(),
        |out, (name, value), indent| {
            write!(out, "{name}: ")?;
            write(out, *value, depth + 1, indent)
        },
    )
}

fn bytes(out: &mut Output, bytes: &[u8]) -> Written {
    out.write_str("b\"")?;
    for byte in bytes {
        match byte {
            b'"' | b'\\' => write!(out, "\\{}", char::from(*byte))?,
            b' '..=b'~' => write!(out, "{}", char::from(*byte))?,
            _ => write!(out, "\\x{byte:02x}")?,
        }
    }
    Ok(out.write_str("\"")?)
}

fn opaque(out: &mut Output, value: Opaque<'_>) -> Written {
    let Some(function) = value.function() else {
        match value {
            Opaque::Format(name) => write!(out, "format.{name}()")?,
            _ => out.write_str(value.type_name())?,
        }
        return Ok(());
    };
    write!(out, "{function}(")?;
    string(out, &text(value).unwrap_or_default())?;
    Ok(out.write_str(")")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cel::context::{Context, Meter, NoHost};
    use crate::cel::encoding::decode;
    use crate::deadline::Deadline;
    use crate::json::{Arena, read};

    fn printed(text: &str) -> String {
        let arena = Arena::with_limit(1 << 20);
        let meter = Meter::new(0, 1 << 20, Deadline::never());
        literal(decode(read(&arena, text).unwrap(), &Context::new(&arena, &meter, &NoHost)).unwrap()).unwrap()
    }

    #[test]
    fn writes_values_as_an_expression_does() {
        for (text, expected) in [
            (r#"{"double":1}"#, "1.0"),
            (r#"{"double":"-Infinity"}"#, "double(\"-Infinity\")"),
            (r#"{"bytes":"AGEiXP8="}"#, r#"b"\x00a\"\\\xff""#),
            (
                r#"{"list":[1,{"uint":2},"a\"b",null,{"duration":"90s"},{"timestamp":"2024-01-02T03:04:05Z"}]}"#,
                r#"[1, 2u, "a\"b", null, duration("90s"), timestamp("2024-01-02T03:04:05Z")]"#,
            ),
            (
                r#"{"map":[["a",{"optional":{"null":null}}],[1,{"optional":null}]]}"#,
                r#"{"a": optional.of(null), 1: optional.none()}"#,
            ),
            (r#"{"type":"google.protobuf.Duration"}"#, "google.protobuf.Duration"),
        ] {
            assert_eq!(printed(text), expected);
        }
    }

    #[test]
    fn breaks_what_is_longer_than_a_line() {
        let item = "x".repeat(60);
        assert_eq!(
            printed(&format!(r#"{{"map":{{"a":["{item}","{item}"],"b":[1,2]}}}}"#)),
            format!("{{\n  \"a\": [\n    \"{item}\",\n    \"{item}\"\n  ],\n  \"b\": [1, 2]\n}}")
        );
    }
}
