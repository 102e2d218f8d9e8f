//! What a YAML scalar means to Kubernetes.
//!
//! The rules are those of sigs.k8s.io/yaml, which reads with go-yaml v2 and writes JSON: YAML 1.1 booleans, `0644` and
//! `0o644` octal, `_` between digits, no base 60, timestamps left as strings. `tests/` holds its answers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use granit_parser::Tag;

/// A scalar's value. A string is the scalar's own text unless it was encoded.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    String,
    /// What `!!binary` held.
    Decoded(String),
    /// `<<`, where it is a key.
    Merge,
}

const CORE: &str = "tag:yaml.org,2002:";

/// Resolves a scalar. `plain` tells that it was written without quotes and not as a block.
///
/// The error is a message about the scalar's text.
pub(super) fn resolve(text: &str, plain: bool, tag: Option<&Tag>) -> Result<Scalar, String> {
    let Some(tag) = tag else {
        return if plain { finite(text, untagged(text)) } else { Ok(Scalar::String) };
    };
    let full = format!("{}{}", tag.handle(), tag.suffix());
    let Some(kind) = full.strip_prefix(CORE) else {
        // `!` alone, or a tag of one's own.
        return Ok(Scalar::String);
    };
    let value = match kind {
        "binary" => return binary(text),
        "null" | "bool" | "int" | "float" => untagged(text),
        "timestamp" if text.as_bytes().get(4) == Some(&b'-') => return Ok(Scalar::String),
        "timestamp" => return Err(format!("{text:?} is not a timestamp, as its tag says")),
        _ => return Ok(Scalar::String),
    };
    match (kind, value) {
        ("null", value @ Scalar::Null)
        | ("bool", value @ Scalar::Bool(_))
        | ("int", value @ (Scalar::Int(_) | Scalar::UInt(_)))
        | ("float", value @ Scalar::Float(_)) => finite(text, value),
        #[expect(clippy::cast_precision_loss, reason = "the tag asks for a float")]
        ("float", Scalar::Int(value)) => finite(text, Scalar::Float(value as f64)),
        _ => Err(format!("{text:?} cannot be read as {}, as its tag !!{kind} says", article(kind))),
    }
}

/// As [`resolve`] for the key of a map, as the string that it becomes.
pub(super) fn key(text: &str, plain: bool, tag: Option<&Tag>) -> Result<Option<String>, String> {
    let merge = |tag: &Tag| matches!((tag.handle(), tag.suffix()), (CORE, "merge") | ("!", "") | ("", "!"));
    if plain && text == "<<" && tag.is_none_or(merge) {
        return Ok(None);
    }
    // A key may be infinite, and a whole float is no integer yet.
    if plain
        && tag.is_none()
        && let Scalar::Float(value) = untagged(text)
    {
        return Ok(Some(float_key(value)));
    }
    Ok(Some(match resolve(text, plain, tag)? {
        Scalar::String | Scalar::Merge => text.to_owned(),
        Scalar::Decoded(text) => text,
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::Float(value) => float_key(value),
        Scalar::Null => return Err("a key must not be null".to_owned()),
        Scalar::UInt(value) => return Err(format!("a key must not be as large as {value}; quote it")),
    }))
}

fn article(kind: &str) -> &'static str {
    match kind {
        "null" => "null",
        "bool" => "a boolean",
        "int" => "an integer",
        _ => "a number",
    }
}

/// JSON knows no infinity; and it prints whole floats without a point, so that Kubernetes reads them as integers.
fn finite(text: &str, value: Scalar) -> Result<Scalar, String> {
    match value {
        Scalar::Float(float) if !float.is_finite() => Err(format!("{text} is not a number that JSON can hold")),
        Scalar::Float(float) if float.fract() == 0.0 => {
            // Shortest digits padded with zeros, as Go prints it, and not the exact value.
            Ok(float.to_string().parse().map_or(value, Scalar::Int))
        }
        Scalar::Merge => Ok(Scalar::String),
        value => Ok(value),
    }
}

fn binary(text: &str) -> Result<Scalar, String> {
    let packed: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = STANDARD.decode(packed).map_err(|error| format!("!!binary value is not base64: {error}"))?;
    String::from_utf8(bytes).map(Scalar::Decoded).map_err(|_| "!!binary value is not UTF-8 when decoded".to_owned())
}

fn untagged(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        "<<" => return Scalar::Merge,
        _ => {}
    }
    let digits = match text.as_bytes().first() {
        Some(b'.') if between_digits(text) => return float(&text.replace('_', "")).unwrap_or(Scalar::String),
        Some(b'0'..=b'9' | b'+' | b'-') => text.replace('_', ""),
        _ => return Scalar::String,
    };
    integer(&digits).or_else(|| float(&digits)).or_else(|| signed_binary(&digits)).unwrap_or(Scalar::String)
}

/// Go's integer literals: decimal, `0b`, `0o`, `0x`, and a leading `0` for octal.
fn integer(text: &str) -> Option<Scalar> {
    let (sign, digits) = match text.as_bytes().first()? {
        sign @ (b'+' | b'-') => (Some(*sign), text.get(1..)?),
        _ => (None, text),
    };
    let prefix = digits.get(..2).unwrap_or_default().to_ascii_lowercase();
    let (radix, digits) = match prefix.as_str() {
        "0b" => (2, digits.get(2..)?),
        "0o" => (8, digits.get(2..)?),
        "0x" => (16, digits.get(2..)?),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, digits),
        _ => (10, digits),
    };
    // Not every digit is one for `from_str_radix`: it takes another sign.
    if !digits.bytes().all(|digit| digit.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match sign {
        Some(b'-') => 0_i64.checked_sub_unsigned(magnitude).map(Scalar::Int),
        _ => match i64::try_from(magnitude) {
            Ok(value) => Some(Scalar::Int(value)),
            Err(_) => sign.is_none().then_some(Scalar::UInt(magnitude)),
        },
    }
}

/// Whether each `_` stands between two digits: what Go asks of floats, and go-yaml only of those that begin with a point.
fn between_digits(text: &str) -> bool {
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    text.match_indices('_')
        .all(|(at, _)| digit(at.checked_sub(1).and_then(|at| bytes.get(at))) && digit(bytes.get(at + 1)))
}

/// `0b-101` is -5: go-yaml reads what follows `0b` with a sign of its own.
fn signed_binary(text: &str) -> Option<Scalar> {
    i64::from_str_radix(text.strip_prefix("0b")?, 2).ok().map(Scalar::Int)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, and not out of range.
fn float(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |part: &str| part.bytes().all(|digit| digit.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || ![whole, fraction].into_iter().all(is_digits) {
        return None;
    }
    if exponent.is_some_and(|digits| digits.is_empty() || !is_digits(digits)) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(Scalar::Float)
}

/// Go's `FormatFloat(value, 'g', -1, 32)`, the form in which a float becomes a key.
#[expect(clippy::cast_possible_truncation, reason = "keys are printed with the precision of 32 bits")]
fn float_key(value: f64) -> String {
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => value.to_string(),
    }
}
