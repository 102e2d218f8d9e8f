//! Scalars as the API server writes them.

use std::fmt::Display;

use base64::Engine;
use base64::alphabet::STANDARD as STANDARD_ALPHABET;
use base64::engine::general_purpose::{GeneralPurpose, PAD};
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

/// Go leaves line breaks out, and takes bits of the last letter that belong to no byte.
fn bytes<'a>(arena: &'a Arena, value: Node<'a>) -> Node<'a> {
    let Some(text) = value.as_str() else { return value };
    let lenient = GeneralPurpose::new(&STANDARD_ALPHABET, PAD.with_decode_allow_trailing_bits(true));
    let joined: String = text.chars().filter(|letter| !matches!(letter, '\r' | '\n')).collect();
    lenient.decode(joined).map_or(value, |bytes| text_of(arena, value, &lenient.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    fn canonical_text(scalar: Scalar, text: &str) -> String {
        let arena = Arena::with_limit(1 << 20);
        serde_json::to_string(&canonical(&arena, scalar, read(&arena, text).unwrap())).unwrap()
    }

    #[test]
    fn writes_times_in_utc_and_whole_seconds() {
        for (given, written) in [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
            ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"),
            ("2026-01-01T00:00:00-00:30", "2026-01-01T00:30:00Z"),
            ("2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00Z"),
            ("2026-01-02T03:04:05.999999999Z", "2026-01-02T03:04:05Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(canonical_text(Scalar::Time, &format!("{given:?}")), format!("{written:?}"));
        }
    }

    #[test]
    fn keeps_what_is_no_time() {
        for text in [
            "",
            "now",
            "2026-01-02",
            "2026-01-02 03:04:05Z",
            "2026-01-02t03:04:05Z",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:60Z",
            "2026-02-29T03:04:05+01:00",
            "2026-01-02T03:04:05+01:00[Europe/Paris]",
            "２026-01-02T03:04:05Z",
        ] {
            assert_eq!(canonical_text(Scalar::Time, &format!("{text:?}")), format!("{text:?}"));
        }
        assert_eq!(canonical_text(Scalar::Time, "5"), "5");
    }

    #[test]
    fn writes_bytes_without_line_breaks() {
        let texts = [(r#""YW\nJj""#, r#""YWJj""#), (r#""YR==""#, r#""YQ==""#), (r#""""#, r#""""#), ("5", "5")];
        let refused = [(r#""YQ""#, r#""YQ""#), (r#""Y Q==""#, r#""Y Q==""#), (r#""_-==""#, r#""_-==""#)];
        for (given, written) in texts.into_iter().chain(refused) {
            assert_eq!(canonical_text(Scalar::Bytes, given), written);
        }
    }

    #[test]
    fn writes_quantities_in_their_canonical_form() {
        for (given, written) in [
            ("0.5", r#""500m""#),
            (r#""1024Mi""#, r#""1Gi""#),
            (r#""1e3""#, r#""1e3""#),
            (r#""1000m""#, r#""1""#),
            (r#""many""#, r#""many""#),
            ("true", "true"),
        ] {
            assert_eq!(canonical_text(Scalar::Quantity, given), written);
        }
    }
}
