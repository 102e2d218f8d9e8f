//! Doubles as golang.org/x/text prints them in American English (message.Printer, which `%f` and `%e` of `format` go
//! through): thousands in groups, exponents in superscript, `∞`.

/// What Go prints where a number in a format string is too large to be one.
const NO_VERB: &str = "%!(NOVERB)";

/// More digits behind the point no double has.
const MOST_FRACTION_DIGITS: usize = 1074;

/// `%.{precision}f`. Some 1,500 bytes at most.
///
/// Upstream keeps the least number of digits in 8 bits and the greatest in 16 signed ones: above 255 zeros at the end are
/// missing.
pub(super) fn fixed(number: f64, precision: u64) -> String {
    if is_too_large(precision) {
        return NO_VERB.to_owned();
    }
    if let Some(special) = special(number) {
        return special;
    }
    let [least, high, ..] = precision.to_le_bytes();
    let greatest = usize::try_from(i16::from_le_bytes([least, high]));
    let magnitude = number.abs();
    let digits = match greatest {
        Ok(greatest) => format!("{magnitude:.*}", greatest.min(MOST_FRACTION_DIGITS)),
        // Below zero is without a bound: the shortest digits that read back.
        Err(_) => magnitude.to_string(),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut text = String::new();
    if number < 0.0 {
        text.push('-');
    }
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    let zeros = usize::from(least).saturating_sub(fraction.len());
    if fraction.len() + zeros > 0 {
        text.push('.');
        text.push_str(fraction);
        text.extend(std::iter::repeat_n('0', zeros));
    }
    text
}

/// `%{width}e`: six digits behind the point. The spaces that make it as wide come extra: see [`padding`].
pub(super) fn scientific(number: f64, width: u64) -> String {
    if is_too_large(width) {
        return NO_VERB.to_owned();
    }
    if let Some(special) = special(number) {
        return special;
    }
    let digits = format!("{:.6e}", number.abs());
    let (digits, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(("", exponent), |exponent| ("⁻", exponent));
    let exponent: String = format!("{exponent:0>2}").chars().map(superscript).collect();
    let minus = if number < 0.0 { "-" } else { "" };
    format!("{minus}{digits}×10{sign}{exponent}")
}

/// How many spaces stand before `text`, so that it is `width` wide; upstream keeps the width in 16 bits.
pub(super) fn padding(text: &str, width: u64) -> usize {
    if is_too_large(width) {
        return 0;
    }
    let [low, high, ..] = width.to_le_bytes();
    usize::from(u16::from_le_bytes([low, high])).saturating_sub(text.chars().count())
}

/// Whether Go's parser of formats refuses the number: when digits follow one above a million.
const fn is_too_large(number: u64) -> bool {
    number / 10 > 1_000_000
}

fn special(number: f64) -> Option<String> {
    if number.is_nan() {
        Some("NaN".to_owned())
    } else if number.is_infinite() {
        Some(if number < 0.0 { "-∞" } else { "∞" }.to_owned())
    } else {
        None
    }
}

const fn superscript(digit: char) -> char {
    match digit {
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        _ => '⁰',
    }
}
