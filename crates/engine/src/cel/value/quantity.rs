//! Quantities as the API server computes with them (k8s.io/apimachinery, api/resource): a machine number while it fits, a
//! decimal of any size from then on.
//!
//! The decimal is a pointer upstream, and what that means can be seen in expressions. A sum whose receiver is a decimal is
//! written into it: `q.add(r)` changes q. A comparison with a decimal turns the receiver into one: `q.compareTo(r)` makes
//! `q.isInteger()` false. Hence the cell: copies of a quantity share it.

use std::cell::Cell;
use std::cmp::Ordering;
use std::fmt;

use num_bigint::{BigInt, BigUint, Sign};

use crate::kubernetes::quantity::Format;

/// A quantity (`apiservercel.Quantity`).
#[derive(Clone, Copy)]
pub struct Quantity<'a> {
    pub(in crate::cel) amount: &'a Cell<Amount>,
    /// How it is printed.
    pub format: Format,
    /// What it is printed as, where that is not made of the amount: the text that it was read from, if upstream keeps it.
    pub(in crate::cel) text: &'a str,
    /// Whether it was made by `add` or `sub`: upstream's result is a pointer, and differs in equality.
    pub is_pointer: bool,
}

/// How much.
#[derive(Clone, Copy)]
pub(in crate::cel) enum Amount {
    /// `value * 10^scale` (`int64Amount`)
    Int { value: i64, scale: i32 },
    /// `infDecAmount`
    Decimal(Decimal),
}

/// `unscaled / 10^scale` (gopkg.in/inf.v0)
#[derive(Clone, Copy)]
pub(in crate::cel) struct Decimal {
    is_negative: bool,
    scale: i32,
    /// Least significant first.
    words: [u64; WORDS],
}

/// Words of 64 bits of a decimal: 308 digits. Larger ones are refused: a cell needs a fixed size.
const WORDS: usize = 16;

/// The most digits of a decimal that is looked at.
const MOST_DIGITS: i64 = 320;

/// Scales so far apart need no large numbers: 10^18 times a machine number is one of 128 bits.
const FEW_DIGITS: u32 = 18;

/// A decimal that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cel) struct TooLarge;

impl Decimal {
    /// The decimal of this value.
    pub(in crate::cel) fn new(unscaled: &BigInt, scale: i32) -> Result<Self, TooLarge> {
        let mut words = [0; WORDS];
        let digits = unscaled.magnitude().to_u64_digits();
        words.get_mut(..digits.len()).ok_or(TooLarge)?.copy_from_slice(&digits);
        Ok(Self { is_negative: unscaled.sign() == Sign::Minus, scale, words })
    }

    pub(in crate::cel) fn unscaled(&self) -> BigInt {
        let digits = self.words.iter().flat_map(|word| {
            let [low, high] = [word & 0xffff_ffff, word >> 32];
            [u32::try_from(low).unwrap_or_default(), u32::try_from(high).unwrap_or_default()]
        });
        let sign = if self.is_negative { Sign::Minus } else { Sign::Plus };
        BigInt::from_biguint(sign, BigUint::new(digits.collect()))
    }

    /// The value with this many decimal digits behind the point, at least as many as it has.
    fn at_scale(&self, scale: i32) -> Result<BigInt, TooLarge> {
        let unscaled = self.unscaled();
        if unscaled.sign() == Sign::NoSign {
            return Ok(unscaled);
        }
        let power = i64::from(scale) - i64::from(self.scale);
        let power = u32::try_from(power).ok().filter(|power| i64::from(*power) <= MOST_DIGITS).ok_or(TooLarge)?;
        Ok(unscaled * BigInt::from(10).pow(power))
    }

    /// How many digits stand in front of the point, negative for zeros behind it.
    fn order_of_magnitude(&self) -> i64 {
        let digits = self.unscaled().magnitude().to_string().len();
        i64::try_from(digits).unwrap_or(i64::MAX) - i64::from(self.scale)
    }

    fn order(&self, other: &Self) -> Ordering {
        let signs = (self.unscaled().sign(), other.unscaled().sign());
        if signs.0 != signs.1 || signs.0 == Sign::NoSign {
            return signs.0.cmp(&signs.1);
        }
        // Numbers of different length need no common scale, which might be billions of digits away.
        let sizes = self.order_of_magnitude().cmp(&other.order_of_magnitude());
        if sizes.is_ne() {
            return if signs.0 == Sign::Minus { sizes.reverse() } else { sizes };
        }
        let scale = self.scale.max(other.scale);
        match (self.at_scale(scale), other.at_scale(scale)) {
            (Ok(left), Ok(right)) => left.cmp(&right),
            // Of the same length, with digits no more than they may be: the scales cannot be further apart.
            _ => Ordering::Equal,
        }
    }

    fn plus(&self, other: &Self, subtracts: bool) -> Result<Self, TooLarge> {
        let scale = self.scale.max(other.scale);
        let (left, right) = (self.at_scale(scale)?, other.at_scale(scale)?);
        Self::new(&if subtracts { left - right } else { left + right }, scale)
    }
}

impl Amount {
    /// As a decimal.
    pub(in crate::cel) fn decimal(&self) -> Decimal {
        match *self {
            Self::Int { value, scale } => {
                let mut words = [0; WORDS];
                if let Some(first) = words.first_mut() {
                    *first = value.unsigned_abs();
                }
                Decimal { is_negative: value < 0, scale: scale.wrapping_neg(), words }
            }
            Self::Decimal(decimal) => decimal,
        }
    }

    /// How it compares to zero.
    pub(in crate::cel) fn sign(&self) -> Ordering {
        match self {
            Self::Int { value, .. } => value.cmp(&0),
            Self::Decimal(decimal) => decimal.unscaled().sign().cmp(&Sign::NoSign),
        }
    }

    /// The whole number, while it is a machine number with no digits behind the point (`AsInt64`).
    pub(in crate::cel) fn as_int(&self) -> Option<i64> {
        match *self {
            Self::Int { value, scale } => scaled(value, u32::try_from(scale).ok()?),
            Self::Decimal(_) => None,
        }
    }

    /// `AsApproximateFloat64`: the digits rounded, times a power of ten that is rounded too.
    #[expect(clippy::cast_precision_loss, reason = "as upstream")]
    pub(in crate::cel) fn approximate(&self) -> f64 {
        let (base, exponent) = match self {
            Self::Int { value, scale } => (*value as f64, *scale),
            Self::Decimal(decimal) => {
                (decimal.unscaled().to_string().parse().unwrap_or(f64::NAN), decimal.scale.wrapping_neg())
            }
        };
        if exponent == 0 { base } else { base * power_of_ten(exponent) }
    }

    /// The order of two amounts.
    pub(in crate::cel) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int { value: left, scale }, Self::Int { value: right, scale: other })
                if scale.abs_diff(*other) <= FEW_DIGITS =>
            {
                let common = *scale.min(other);
                let at = |value: i64, scale: i32| i128::from(value) * 10_i128.pow(scale.abs_diff(common));
                at(*left, *scale).cmp(&at(*right, *other))
            }
            _ => self.decimal().order(&other.decimal()),
        }
    }

    pub(in crate::cel) const fn is_decimal(&self) -> bool {
        matches!(self, Self::Decimal(_))
    }

    /// The sum or the difference: a machine number if both are and it fits.
    pub(in crate::cel) fn plus(&self, other: &Self, subtracts: bool) -> Result<Self, TooLarge> {
        if let (Self::Int { value: left, scale }, Self::Int { value: right, scale: other }) = (*self, *other) {
            let right = if subtracts { right.wrapping_neg() } else { right };
            if let Some((value, scale)) = plus_int((left, scale), (right, other)) {
                return Ok(Self::Int { value, scale });
            }
        }
        self.decimal().plus(&other.decimal(), subtracts).map(Self::Decimal)
    }
}

/// `int64Amount.Add`
fn plus_int((left, scale): (i64, i32), (right, other): (i64, i32)) -> Option<(i64, i32)> {
    if right == 0 {
        return Some((left, scale));
    }
    if left == 0 {
        return Some((right, other));
    }
    let common = scale.min(other);
    let at = |value: i64, scale: i32| scaled(value, scale.abs_diff(common));
    Some((at(left, scale)?.checked_add(at(right, other)?)?, common))
}

/// `positiveScaleInt64`
fn scaled(value: i64, power: u32) -> Option<i64> {
    if value == 0 {
        return Some(0);
    }
    value.checked_mul(10_i64.checked_pow(power)?)
}

/// `math.Pow10`: a product or quotient of two table entries.
fn power_of_ten(exponent: i32) -> f64 {
    let entry = |power: i32| format!("1e{power}").parse().unwrap_or(f64::NAN);
    match exponent {
        0..=308 => entry(exponent / 32 * 32) * entry(exponent % 32),
        -323..0 => entry(-(-exponent / 32 * 32)) / entry(-exponent % 32),
        ..-323 => 0.0,
        309.. => f64::INFINITY,
    }
}

impl Quantity<'_> {
    /// The order of two quantities, exact.
    pub fn order(&self, other: &Quantity<'_>) -> Ordering {
        self.amount.get().order(&other.amount.get())
    }
}

/// `String`
impl fmt::Display for Quantity<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.text.is_empty() {
            return formatter.write_str(self.text);
        }
        let decimal = self.amount.get().decimal();
        let mut number = decimal.unscaled();
        if number.sign() == Sign::NoSign {
            return formatter.write_str("0");
        }
        if self.format == Format::BinarySi
            && let Some(whole) = binary(&decimal)
        {
            number = whole;
            let power = divide(&mut number, 1024);
            return write!(formatter, "{number}{}", BINARY.get(power as usize).unwrap_or(&""));
        }
        let mut exponent = i64::from(divide(&mut number, 10)) - i64::from(decimal.scale);
        while exponent % 3 != 0 {
            number *= 10;
            exponent -= 1;
        }
        match self.format {
            Format::DecimalExponent if exponent != 0 => write!(formatter, "{number}e{exponent}"),
            Format::DecimalExponent => write!(formatter, "{number}"),
            // Where there is no suffix upstream prints none.
            Format::BinarySi | Format::DecimalSi => {
                let suffix = DECIMAL.iter().find(|(power, _)| *power == exponent).map_or("", |(_, suffix)| suffix);
                write!(formatter, "{number}{suffix}")
            }
        }
    }
}

/// Suffixes of powers of 1,024.
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// Suffixes of powers of ten.
const DECIMAL: [(i64, &str); 9] =
    [(-9, "n"), (-6, "u"), (-3, "m"), (3, "k"), (6, "M"), (9, "G"), (12, "T"), (15, "P"), (18, "E")];

/// The whole number that is printed with a binary suffix; None where a decimal one takes its place: below 1,024, or with
/// digits behind the point.
fn binary(decimal: &Decimal) -> Option<BigInt> {
    let limit = Amount::Int { value: 1024, scale: 0 }.decimal();
    let size = Decimal { is_negative: false, ..*decimal };
    if size.order(&limit).is_lt() {
        return None;
    }
    if decimal.scale <= 0 {
        return decimal.at_scale(0).ok();
    }
    let unit =
        BigInt::from(10).pow(u32::try_from(decimal.scale).ok().filter(|scale| i64::from(*scale) <= MOST_DIGITS)?);
    let number = decimal.unscaled();
    (&number % &unit == BigInt::ZERO).then(|| number / unit)
}

/// Divides by `factor` as often as nothing remains, and says how often.
fn divide(number: &mut BigInt, factor: i32) -> u32 {
    let mut times = 0;
    while number.sign() != Sign::NoSign && &*number % factor == BigInt::ZERO {
        *number /= factor;
        times += 1;
    }
    times
}

/// Its Debug prints no amount: it may come from an object.
impl fmt::Debug for Quantity<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("kubernetes.Quantity")
    }
}
