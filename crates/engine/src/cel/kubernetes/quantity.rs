//! Quantities (k8s.io/apiserver/pkg/cel/library/quantity.go).

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};

use crate::cel::context::Context;
use crate::cel::error::{ErrorKind, Limit, Outcome};
use crate::cel::function::{Library, Overload, Version, global, member};
use crate::cel::value::quantity::{Amount, Decimal, TooLarge};
use crate::cel::value::{Opaque, Quantity, Value};
use crate::kubernetes::quantity::Format;

/// `quantity`, `isQuantity`, `sign`, `isInteger`, `asInteger`, `asApproximateFloat`, `add`, `sub` and the comparisons
pub(super) const LIBRARY: Library = Library { name: "quantity", since: Version(28), until: None, overloads: OVERLOADS };

const QUANTITY: &str = "kubernetes.Quantity";

const OVERLOADS: &[Overload] = &[
    global("string_to_quantity", "quantity", &["string"], QUANTITY, of_string),
    global("is_quantity_string", "isQuantity", &["string"], "bool", is_quantity),
    global("quantity_sign", "sign", &[QUANTITY], "int", sign),
    member("quantity_is_greater_than", "isGreaterThan", &[QUANTITY, QUANTITY], "bool", is_greater_than),
    member("quantity_is_less_than", "isLessThan", &[QUANTITY, QUANTITY], "bool", is_less_than),
    member("quantity_compare_to", "compareTo", &[QUANTITY, QUANTITY], "int", compare_to),
    member("quantity_get_float", "asApproximateFloat", &[QUANTITY], "double", as_approximate_float),
    member("quantity_get_int", "asInteger", &[QUANTITY], "int", as_integer),
    member("quantity_is_integer", "isInteger", &[QUANTITY], "bool", is_integer),
    member("quantity_add", "add", &[QUANTITY, QUANTITY], QUANTITY, add),
    member("quantity_add_int", "add", &[QUANTITY, "int"], QUANTITY, add),
    member("quantity_sub", "sub", &[QUANTITY, QUANTITY], QUANTITY, sub),
    member("quantity_sub_int", "sub", &[QUANTITY, "int"], QUANTITY, sub),
];

/// Why a text is no quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    Format,
    Number,
    Suffix,
    TooLarge,
}

impl From<TooLarge> for Problem {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

impl Problem {
    fn text(self) -> &'static str {
        match self {
            Self::Format => {
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            }
            Self::Number => "unable to parse numeric part of quantity",
            Self::Suffix => "unable to parse quantity's suffix",
            Self::TooLarge => "the quantity has too many digits",
        }
    }
}

/// The most digits that are read: far more than fit, so that those behind a billionth may be many.
const MOST_DIGITS: usize = 2000;

/// Parts of the notation (`parseQuantityString`).
struct Notation<'t> {
    is_negative: bool,
    /// The sign and all digits, the point among them.
    value: &'t str,
    /// In front of the point, without zeros at the front.
    whole: &'t str,
    fraction: &'t str,
    suffix: &'t str,
}

fn split(text: &str) -> Result<Notation<'_>, Problem> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_negative = text.starts_with('-');
    let trimmed = unsigned.trim_start_matches('0');
    if trimmed.is_empty() {
        return Ok(Notation { is_negative, value: "0", whole: "0", fraction: "", suffix: "" });
    }
    let is_digit = |character: char| character.is_ascii_digit();
    let after = trimmed.trim_start_matches(is_digit);
    let whole = before(trimmed, after);
    let whole = if whole.is_empty() { "0" } else { whole };
    let (fraction, suffix) = match after.strip_prefix('.') {
        None => ("", after),
        Some(digits) => {
            let after = digits.trim_start_matches(is_digit);
            (before(digits, after), after)
        }
    };
    let letters = suffix.trim_start_matches(|letter| "eEinumkKMGTP".contains(letter));
    let exponent = letters.strip_prefix(['+', '-']).unwrap_or(letters);
    if !exponent.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::Format);
    }
    Ok(Notation { is_negative, value: before(text, suffix), whole, fraction, suffix })
}

fn before<'t>(text: &'t str, rest: &str) -> &'t str {
    text.get(..text.len() - rest.len()).unwrap_or_default()
}

/// What a suffix multiplies with: a power of ten or of two.
fn suffix(text: &str) -> Result<(i32, Format), Problem> {
    let decimal = match text {
        "n" => -9,
        "u" => -6,
        "m" => -3,
        "" => 0,
        "k" => 3,
        "M" => 6,
        "G" => 9,
        "T" => 12,
        "P" => 15,
        "E" => 18,
        _ => {
            let binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].into_iter().zip(1..).find(|(name, _)| *name == text);
            if let Some((_, power)) = binary {
                return Ok((10 * power, Format::BinarySi));
            }
            let exponent = text.strip_prefix(['e', 'E']).and_then(|exponent| exponent.parse::<i64>().ok());
            // Upstream's conversion cuts off what does not fit.
            #[expect(clippy::cast_possible_truncation, reason = "as upstream")]
            return exponent.map(|exponent| (exponent as i32, Format::DecimalExponent)).ok_or(Problem::Suffix);
        }
    };
    Ok((decimal, Format::DecimalSi))
}

/// `ParseQuantity`: the amount, the notation, and whether the text is what it is printed as.
fn parse(text: &str) -> Result<(Amount, Format, bool), Problem> {
    if text.is_empty() {
        return Err(Problem::Format);
    }
    if text == "0" {
        return Ok((Amount::Int { value: 0, scale: 0 }, Format::DecimalSi, true));
    }
    let notation = split(text)?;
    let (exponent, format) = suffix(notation.suffix)?;
    if let Some((amount, is_canonical)) = small(&notation, exponent, format) {
        return Ok((amount, format, is_canonical));
    }
    let (amount, format) = large(&notation, exponent, format)?;
    Ok((Amount::Decimal(amount), format, false))
}

/// What fits into a machine number by the count of its digits.
fn small(notation: &Notation<'_>, exponent: i32, format: Format) -> Option<(Amount, bool)> {
    let len = |digits: &str| i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let (whole, fraction) = (len(notation.whole), len(notation.fraction));
    let (precision, scale, factor) = match format {
        Format::BinarySi if fraction > 0 => return None,
        Format::BinarySi => (15_i32.checked_sub(whole)? - exponent * 3 / 10 - 1, 0, 1_i64 << exponent),
        Format::DecimalExponent | Format::DecimalSi => (18_i32.checked_sub(whole)?.checked_sub(fraction)?, exponent, 1),
    };
    let scale = scale.wrapping_sub(fraction);
    if precision < 0 || scale < -9 {
        return None;
    }
    let mut digits = notation.whole.bytes().chain(notation.fraction.bytes());
    let value = digits
        .try_fold(0_i64, |number, digit| number.checked_mul(10)?.checked_add(i64::from(digit.wrapping_sub(b'0'))))?;
    let number = value.checked_mul(factor)?;
    let is_canonical = if format == Format::BinarySi {
        value & 7 != 0
    } else {
        let shifted = [notation.whole, notation.fraction].concat();
        scale % 3 == 0 && !shifted.ends_with("000") && !shifted.starts_with('0')
    };
    Some((Amount::Int { value: if notation.is_negative { -number } else { number }, scale }, is_canonical))
}

/// What does not: exact up to a billionth, rounded away from zero there.
fn large(notation: &Notation<'_>, exponent: i32, mut format: Format) -> Result<(Decimal, Format), Problem> {
    if !notation.value.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(Problem::Number);
    }
    if notation.whole.len() + notation.fraction.len() > MOST_DIGITS {
        return Err(Problem::TooLarge);
    }
    let digits = [notation.whole, notation.fraction].concat();
    let mut number: BigInt = digits.parse().map_err(|_| Problem::Number)?;
    let mut scale = i32::try_from(notation.fraction.len()).unwrap_or(i32::MAX);
    if format == Format::BinarySi {
        number <<= exponent;
    } else {
        scale = scale.wrapping_sub(exponent);
    }
    if number.sign() != Sign::NoSign {
        let power = i64::from(scale) - 9;
        let limit = i64::try_from(MOST_DIGITS).unwrap_or(i64::MAX);
        number = match u32::try_from(power.unsigned_abs()).unwrap_or(u32::MAX) {
            // Far below a billionth only the rounding is left.
            _ if power > 2 * limit => BigInt::from(1),
            _ if power < -limit => return Err(Problem::TooLarge),
            digits if power > 0 => {
                let unit = BigInt::from(10).pow(digits);
                (number + &unit - 1) / unit
            }
            digits => number * BigInt::from(10).pow(digits),
        };
        scale = 9;
    }
    if format == Format::BinarySi {
        let one = BigInt::from(1_000_000_000);
        if scale == 9 && number > &one * i64::MAX {
            (number, scale) = (i64::MAX.into(), 0);
        } else if number.sign() != Sign::NoSign && number < one {
            format = Format::DecimalSi;
        }
    }
    Ok((Decimal::new(&if notation.is_negative { -number } else { number }, scale)?, format))
}

fn value<'a>(context: &Context<'_, 'a>, quantity: Quantity<'a>) -> Outcome<'a> {
    Ok(Value::Opaque(Opaque::Quantity(context.keep(quantity)?)))
}

fn of_string<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text)] = arguments else { return context.no_such_overload() };
    context.step(1 + text.len() / 8)?;
    match parse(text) {
        Ok((amount, format, is_canonical)) => {
            let text = if is_canonical { text } else { "" };
            value(context, Quantity { amount: context.keep_cell(amount)?, format, text, is_pointer: false })
        }
        Err(Problem::TooLarge) => context.raise(ErrorKind::Limit(Limit::Memory)),
        Err(problem) => context.raise(ErrorKind::Text(problem.text())),
    }
}

fn is_quantity<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text)] = arguments else { return context.no_such_overload() };
    context.step(1 + text.len() / 8)?;
    Ok(Value::Bool(matches!(parse(text), Ok(_) | Err(Problem::TooLarge))))
}

fn receiver<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a, Amount> {
    match *arguments {
        [Value::Opaque(Opaque::Quantity(quantity))] => Ok(quantity.amount.get()),
        _ => context.no_such_overload(),
    }
}

fn sign<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Int(receiver(context, arguments)?.sign() as i64))
}

fn as_approximate_float<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Double(receiver(context, arguments)?.approximate()))
}

fn as_integer<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match receiver(context, arguments)?.as_int() {
        Some(number) => Ok(Value::Int(number)),
        None => context.raise(ErrorKind::Text("cannot convert value to integer")),
    }
}

fn is_integer<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Bool(receiver(context, arguments)?.as_int().is_some()))
}

/// The order of two quantities. Where one of them is a decimal, the first one becomes one, as upstream.
fn order<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a, Ordering> {
    let &[Value::Opaque(Opaque::Quantity(left)), Value::Opaque(Opaque::Quantity(right))] = arguments else {
        return context.no_such_overload();
    };
    let (amount, other) = (left.amount.get(), right.amount.get());
    if other.is_decimal() && !amount.is_decimal() {
        left.amount.set(Amount::Decimal(amount.decimal()));
    }
    Ok(amount.order(&other))
}

fn is_greater_than<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Bool(order(context, arguments)?.is_gt()))
}

fn is_less_than<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Bool(order(context, arguments)?.is_lt()))
}

fn compare_to<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Int(order(context, arguments)? as i64))
}

fn add<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    plus(context, arguments, false)
}

fn sub<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    plus(context, arguments, true)
}

/// The sum or the difference, in the first one's notation, or in the other's if the first is zero. A decimal receiver is
/// changed and shared with the result, as upstream.
fn plus<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>], subtracts: bool) -> Outcome<'a> {
    let (left, other, format) = match *arguments {
        [Value::Opaque(Opaque::Quantity(left)), Value::Opaque(Opaque::Quantity(right))] => {
            (left, right.amount.get(), right.format)
        }
        [Value::Opaque(Opaque::Quantity(left)), Value::Int(value)] => {
            (left, Amount::Int { value, scale: 0 }, Format::DecimalExponent)
        }
        _ => return context.no_such_overload(),
    };
    let amount = left.amount.get();
    let format = if amount.sign().is_eq() { format } else { left.format };
    let Ok(sum) = amount.plus(&other, subtracts) else {
        return context.raise(ErrorKind::Limit(Limit::Memory));
    };
    let amount = if amount.is_decimal() {
        left.amount.set(sum);
        left.amount
    } else {
        context.keep_cell(sum)?
    };
    value(context, Quantity { amount, format, text: "", is_pointer: true })
}
