//! The texts of durations, as Go reads them and cel-go writes them (time.ParseDuration; common/types/duration.go).

use crate::cel::value::Duration;

const SECOND: u64 = 1_000_000_000;

impl Duration {
    /// `duration(text)`: a sign, and numbers each with a unit: `1h30m`, `-1.5s`, `0`.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Some(Self { nanoseconds: 0 });
        }
        if rest.is_empty() {
            return None;
        }
        let mut sum = 0_u64;
        while !rest.is_empty() {
            let (term, behind) = parse_term(rest)?;
            rest = behind;
            // Both are 2^63 at most; that twice is nothing, as upstream.
            sum = sum.wrapping_add(term);
            if sum > 1 << 63 {
                return None;
            }
        }
        let nanoseconds = if negative { 0_i64.checked_sub_unsigned(sum)? } else { i64::try_from(sum).ok()? };
        Some(Self { nanoseconds })
    }

    /// Its length in seconds, as near as a double gets, as Go computes it.
    pub fn seconds(self) -> f64 {
        in_units(self.nanoseconds, 1_000_000_000)
    }

    /// Its length in minutes, likewise.
    pub fn minutes(self) -> f64 {
        in_units(self.nanoseconds, 60_000_000_000)
    }

    /// Its length in hours, likewise.
    pub fn hours(self) -> f64 {
        in_units(self.nanoseconds, 3_600_000_000_000)
    }

    /// `string(duration)`: seconds, `1.5s`.
    pub fn print(self) -> String {
        format!("{}s", self.seconds())
    }
}

#[expect(clippy::cast_precision_loss, reason = "as upstream")]
fn in_units(nanoseconds: i64, unit: i64) -> f64 {
    (nanoseconds / unit) as f64 + (nanoseconds % unit) as f64 / unit as f64
}

/// A number and its unit, in nanoseconds, 2^63 at most; and what stands behind them.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "as upstream; the fraction of a unit is less than 3.6e12"
)]
fn parse_term(text: &str) -> Option<(u64, &str)> {
    let is_digit = |character: char| character.is_ascii_digit();
    let (digits, rest) = text.split_at(text.find(|character| !is_digit(character)).unwrap_or(text.len()));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|character| !is_digit(character)).unwrap_or(rest.len())),
        None => ("", rest),
    };
    if digits.is_empty() && fraction.is_empty() {
        return None;
    }
    let (name, rest) =
        rest.split_at(rest.find(|character| is_digit(character) || character == '.').unwrap_or(rest.len()));
    let unit = unit(name)?;
    let mut number = 0_u64;
    for digit in digits.bytes() {
        if number > (1 << 63) / 10 {
            return None;
        }
        number = number * 10 + u64::from(digit - b'0');
        if number > 1 << 63 {
            return None;
        }
    }
    if number > (1 << 63) / unit {
        return None;
    }
    let mut term = number * unit;
    let (fraction, scale) = parse_fraction(fraction);
    if fraction > 0 {
        term += (fraction as f64 * (unit as f64 / scale)) as u64;
        if term > 1 << 63 {
            return None;
        }
    }
    Some((term, rest))
}

/// The digits as a number, as many as fit, and 10 to the power of how many they are.
fn parse_fraction(digits: &str) -> (u64, f64) {
    let mut number = 0_u64;
    let mut scale = 1.0;
    for digit in digits.bytes() {
        if number > ((1 << 63) - 1) / 10 {
            break;
        }
        let next = number * 10 + u64::from(digit - b'0');
        if next > 1 << 63 {
            break;
        }
        number = next;
        scale *= 10.0;
    }
    (number, scale)
}

fn unit(name: &str) -> Option<u64> {
    Some(match name {
        "ns" => 1,
        // The micro sign, and the Greek letter mu.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3_600 * SECOND,
        _ => return None,
    })
}
