//! The notation of quantities, read and written.

use std::fmt;

use num_bigint::BigInt;

use super::amount::Amount;
use super::{Format, Quantity, QuantityError};

/// The longest text, and the largest power of ten by which an exponent may move the point.
const LONGEST: usize = 1_000;

/// Suffixes of powers of ten.
const DECIMAL: [(&str, i64); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

/// Suffixes of powers of 1,024.
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// A suffix: what the number before it is multiplied with.
enum Unit {
    Ten(i64, Format),
    /// A power of 1,024.
    Kibi(u32),
}

pub(super) fn parse(text: &str) -> Result<Quantity, QuantityError> {
    if text.is_empty() {
        return Err(QuantityError::Format);
    }
    if text.len() > LONGEST {
        return Err(QuantityError::TooLong);
    }
    let (is_negative, rest) = match text.as_bytes() {
        [b'-', ..] => (true, text.get(1..)),
        [b'+', ..] => (false, text.get(1..)),
        _ => (false, Some(text)),
    };
    let (whole, rest) = digits(rest.unwrap_or_default());
    let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), digits);
    let unit = unit(suffix)?;
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    if !has_digits && is_refused_without_digits(&unit) {
        return Err(QuantityError::Number);
    }
    let (amount, format) = match unit {
        Unit::Ten(exponent, format) => (scaled(whole, fraction, exponent, 1)?, format),
        Unit::Kibi(power) => {
            let amount = scaled(whole, fraction, 0, 1 << (10 * power))?;
            let most = Amount::ONE.times(&Amount::from(i128::from(i64::MAX)));
            let is_small = amount > Amount::ZERO && amount < Amount::ONE;
            (amount.min(most), if is_small { Format::DecimalSi } else { Format::BinarySi })
        }
    };
    Ok(Quantity { amount: if is_negative { amount.negated() } else { amount }, format })
}

/// The digits that `text` begins with, and the rest.
fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn unit(suffix: &str) -> Result<Unit, QuantityError> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Ok(Unit::Ten(*exponent, Format::DecimalSi));
    }
    if let Some((power, _)) = (1..).zip(BINARY).find(|(_, name)| *name == suffix) {
        return Ok(Unit::Kibi(power));
    }
    let letters = suffix.trim_start_matches(|letter| "eEinumkKMGTP".contains(letter));
    let exponent = letters.strip_prefix(['+', '-']).unwrap_or(letters);
    if !exponent.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(QuantityError::Format);
    }
    let number = suffix.strip_prefix(['e', 'E']).and_then(|number| number.parse().ok());
    number.map(|exponent| Unit::Ten(exponent, Format::DecimalExponent)).ok_or(QuantityError::Suffix)
}

/// The API server takes a lone suffix for zero, but for those that its fast path leaves to a stricter parser.
fn is_refused_without_digits(unit: &Unit) -> bool {
    match unit {
        Unit::Ten(exponent, _) => *exponent < -9,
        Unit::Kibi(power) => *power >= 5,
    }
}

/// `whole.fraction` times 10^exponent times `factor` in billionths, rounded up.
fn scaled(whole: &str, fraction: &str, exponent: i64, factor: i128) -> Result<Amount, QuantityError> {
    let longest = i64::try_from(LONGEST).unwrap_or(i64::MAX);
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().all(|digit| digit == b'0') {
        return Ok(Amount::ZERO);
    }
    if exponent > longest {
        return Err(QuantityError::TooLong);
    }
    let places = i64::try_from(fraction.len()).unwrap_or(longest);
    let power = exponent.saturating_add(9).saturating_sub(places);
    if let Some(amount) = scaled_in_128_bits(digits(), power, factor) {
        return Ok(Amount::from(amount));
    }
    // So far below a billionth that only the rounding is left.
    if power < -2 * longest {
        return Ok(Amount::from(1));
    }
    let mantissa: BigInt = format!("{whole}{fraction}").parse().map_err(|_| QuantityError::Format)?;
    let product = mantissa * factor;
    let scale = BigInt::from(10).pow(u32::try_from(power.unsigned_abs()).unwrap_or(u32::MAX));
    Ok(Amount::from(if power >= 0 { product * scale } else { (product + &scale - 1) / scale }))
}

/// The same for all that occurs in real objects, without allocating.
fn scaled_in_128_bits(mut digits: impl Iterator<Item = u8>, power: i64, factor: i128) -> Option<i128> {
    let mantissa = digits
        .try_fold(0_i128, |number, digit| number.checked_mul(10)?.checked_add(i128::from(digit.wrapping_sub(b'0'))))?;
    let product = mantissa.checked_mul(factor)?;
    let scale = 10_i128.checked_pow(u32::try_from(power.unsigned_abs()).ok()?)?;
    if power >= 0 { product.checked_mul(scale) } else { Some(product.checked_add(scale - 1)? / scale) }
}

pub(super) fn write(amount: &Amount, format: Format, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    if *amount == Amount::ZERO {
        return formatter.write_str("0");
    }
    let kibi = Amount::ONE.times(&Amount::from(1024));
    let is_large = *amount >= kibi || *amount <= kibi.negated();
    if format == Format::BinarySi
        && is_large
        && let Some(whole) = amount.whole()
    {
        let (number, power) = without_factors(whole.big(), 1024, BINARY.len());
        let suffix = power.checked_sub(1).and_then(|position| BINARY.get(position)).copied().unwrap_or_default();
        return write!(formatter, "{number}{suffix}");
    }
    let (number, power) = without_factors(amount.big(), 10, usize::MAX);
    let exponent = i64::try_from(power).unwrap_or(i64::MAX) - 9;
    let shift = u32::try_from(exponent.rem_euclid(3)).unwrap_or_default();
    let (number, exponent) = (number * 10_i32.pow(shift), exponent - i64::from(shift));
    let suffix = DECIMAL.iter().find(|(_, power)| *power == exponent && format != Format::DecimalExponent);
    match suffix {
        Some((suffix, _)) => write!(formatter, "{number}{suffix}"),
        None if exponent == 0 => write!(formatter, "{number}"),
        None => write!(formatter, "{number}e{exponent}"),
    }
}

/// Divides by `factor` as often as nothing remains, at most `most` times; and says how often.
fn without_factors(mut number: BigInt, factor: i32, most: usize) -> (BigInt, usize) {
    let mut times = 0;
    while times < most && number != BigInt::ZERO && &number % factor == BigInt::ZERO {
        number /= factor;
        times += 1;
    }
    (number, times)
}
