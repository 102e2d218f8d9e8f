//! Scalars as the API server writes them.

use std::fmt::Display;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::table::Scalar;
use crate::json::{Arena, Node};
use crate::kubernetes::quantity::Quantity;

/// The canonical form; what cannot be read stays as it is, for the API server refuses it.
pub(super) fn canonical<'a>(arena: &'a Arena, scalar: Scalar, value: Node<'a>) -> Node<'a> {
    match scalar {
        Scalar::Quantity => Quantity::read(value).map_or(value, |quantity| text_of(arena, value, &quantity)),
        Scalar::Time => time(arena, value),
        Scalar::Bytes => bytes(arena, value),
        Scalar::String | Scalar::Bool | Scalar::Int | Scalar::IntOrString | Scalar::Any => value,
    }
}

/// The text of `new`: `value` itself where it is that text.
pub(super) fn text_of<'a>(arena: &'a Arena, value: Node<'a>, new: &impl Display) -> Node<'a> {
    let text = arena.format(format_args!("{new}"));
    if value.as_str() == Some(text) { value } else { Node::string(text) }
}

fn time<'a>(arena: &'a Arena, value: Node<'a>) -> Node<'a> {
    let Some(text) = value.as_str().filter(|text| is_rfc_3339(text)) else { return value };
    let Ok(time) = text.parse::<Timestamp>() else { return value };
    text_of(arena, value, &time.strftime("%Y-%m-%dT%H:%M:%SZ"))
}

/// Whether a text has the form of RFC 3339 as Go reads it. The parser takes much more for a time.
fn is_rfc_3339(text: &str) -> bool {
    let fits = |text: &[u8], form: &[u8]| {
        let same = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
        text.len() == form.len() && text.iter().zip(form).all(same)
    };
    let Some((time, rest)) = text.as_bytes().split_at_checked(19) else { return false };
    let fraction = match rest {
        [b'.', digits @ ..] => 1 + digits.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let zone = rest.get(fraction..).unwrap_or_default();
    let is_zone = zone == b"Z" || fits(zone, b"+00:00") || fits(zone, b"-00:00");
    // Go knows no leap seconds.
    fits(time, b"0000-00-00T00:00:00") && fraction != 1 && is_zone && !time.ends_with(b":60")
}

fn bytes<'a>(arena: &'a Arena, value: Node<'a>) -> Node<'a> {
    let Some(text) = value.as_str().filter(|text| text.contains(['\r', '\n'])) else { return value };
    let joined = text.replace(['\r', '\n'], "");
    // What is no base64 is refused: it stays as the user wrote it.
    if STANDARD.decode(&joined).is_ok() { Node::string(arena.text(&joined)) } else { value }
}
