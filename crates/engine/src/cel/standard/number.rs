//! The texts of numbers and of bool, as Go reads and writes them (strconv, of Go 1.25).

/// The text of a double (`%g`): the shortest digits that read back, with an exponent below 1e-04 and from 1e+06.
pub fn print_double(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// `bool(text)` (strconv.ParseBool)
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// `int(text)` (strconv.ParseInt with base 10): a sign, which may be `+`, and digits.
pub fn parse_int(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// `uint(text)` (strconv.ParseUint with base 10): digits alone.
pub fn parse_uint(text: &str) -> Option<u64> {
    if text.starts_with('+') { None } else { text.parse().ok() }
}

/// `double(text)` (strconv.ParseFloat): decimal or hexadecimal, `inf`, `infinity` and `nan` however they are written. What is
/// too large is no number.
pub fn parse_double(text: &str) -> Option<f64> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity") {
        return Some(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if text.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    let hexadecimal = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X"));
    let magnitude = match hexadecimal {
        Some(digits) if !digits.is_empty() => parse_hexadecimal(digits)?,
        _ => parse_decimal(unsigned)?,
    };
    magnitude.is_finite().then_some(if negative { -magnitude } else { magnitude })
}

/// Underscores are for numbers with a prefix, and `0b` and `0o` are no prefixes of floating-point numbers.
fn parse_decimal(text: &str) -> Option<f64> {
    let text = if text.contains('_') { &without_underscores(text, false)? } else { text };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    let begins = text.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    if is_number && begins { text.parse().ok() } else { None }
}

/// The text without underscores, where each stands between digits, or behind the prefix.
fn without_underscores(text: &str, behind_prefix: bool) -> Option<String> {
    let mut last = if behind_prefix { '0' } else { '^' };
    for character in text.chars() {
        let is_digit = character.is_ascii_digit() || behind_prefix && character.is_ascii_hexdigit();
        last = match character {
            _ if is_digit => '0',
            '_' if last == '0' => '_',
            '_' => return None,
            _ if last == '_' => return None,
            _ => '!',
        };
    }
    (last != '_').then(|| text.replace('_', ""))
}

/// What stands behind `0x` (strconv, readFloat and atofHex): a mantissa, and a binary exponent, which must be there.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let text = if text.contains('_') { &without_underscores(text, true)? } else { text };
    let (mantissa_text, exponent_text) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa_text.split_once('.').unwrap_or((mantissa_text, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut mantissa = 0_u64;
    let mut exponent = 0_i64;
    let mut is_cut = false;
    let digits = whole.chars().map(|digit| (digit, 0)).chain(fraction.chars().map(|digit| (digit, 4)));
    for (digit, behind_point) in digits {
        let digit = u64::from(digit.to_digit(16)?);
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
            exponent -= behind_point;
        } else {
            is_cut |= digit != 0;
            exponent += 4 - behind_point;
        }
    }
    Some(round_binary(mantissa, exponent + parse_exponent(exponent_text)?, is_cut))
}

/// A sign and digits; what is beyond every double is cut to something that still is.
fn parse_exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() {
        return None;
    }
    let mut exponent = 0_i64;
    for digit in digits.chars() {
        let digit = i64::from(digit.to_digit(10)?);
        if exponent < 10_000 {
            exponent = exponent * 10 + digit;
        }
    }
    Some(if negative { -exponent } else { exponent })
}

/// `mantissa * 2^exponent`, and a little more where something was cut off, rounded to the nearest double, ties to even.
fn round_binary(mut mantissa: u64, exponent: i64, is_cut: bool) -> f64 {
    const BITS: u32 = 52;
    const BIAS: i64 = -1023;
    let mut exponent = exponent + i64::from(BITS);
    while mantissa != 0 && mantissa >> (BITS + 2) == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    mantissa |= u64::from(is_cut);
    while mantissa >> (BITS + 3) != 0 {
        mantissa = mantissa >> 1 | mantissa & 1;
        exponent += 1;
    }
    while mantissa > 1 && exponent < BIAS + 1 - 2 {
        mantissa = mantissa >> 1 | mantissa & 1;
        exponent += 1;
    }
    let rest = mantissa & 3 | mantissa >> 2 & 1;
    mantissa >>= 2;
    exponent += 2;
    if rest == 3 {
        mantissa += 1;
        if mantissa == 1 << (BITS + 1) {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    if mantissa >> BITS == 0 {
        exponent = BIAS;
    }
    if exponent > 1023 {
        return f64::INFINITY;
    }
    let bits = u64::try_from(exponent - BIAS).unwrap_or_default() << BITS;
    f64::from_bits(bits | mantissa & ((1 << BITS) - 1))
}
