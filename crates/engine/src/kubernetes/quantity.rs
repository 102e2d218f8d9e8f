//! Quantities as resource requests and limits have them (k8s.io/apimachinery, `resource.Quantity`).

mod amount;
mod text;

use std::cmp::Ordering;
use std::fmt;

use amount::Amount;

use crate::json::{Node, View};

/// How many billionths make a thousandth.
const MILLI: i128 = 1_000_000;

/// An exact number of billionths with a preferred notation: `100m`, `1.5Gi`, `12e6`.
///
/// Quantities are compared by value: `1` equals `1000m`. What is finer than a billionth is rounded away from zero when it
/// is read; with a binary suffix nothing is larger than 2^63 - 1.
#[derive(Clone, Debug)]
pub struct Quantity {
    amount: Amount,
    format: Format,
}

/// How a quantity is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `12e6`
    DecimalExponent,
    /// `12Mi`
    BinarySi,
    /// `12M`
    DecimalSi,
}

/// Why a text is no quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantityError {
    /// Not a number followed by a suffix.
    Format,
    /// There is no number before the suffix.
    Number,
    /// The suffix is none that Kubernetes knows.
    Suffix,
    /// More than a thousand digits, written out or by an exponent: no resource has that much of anything.
    TooLong,
    /// Neither a string nor a number.
    Type,
}

impl Quantity {
    /// Reads a quantity.
    ///
    /// # Errors
    /// When the API server would refuse it, or it has more than a thousand digits.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        text::parse(text)
    }

    /// Reads the quantity in a field: a string, around which spaces may stand, or a number.
    ///
    /// # Errors
    /// When it holds none.
    pub fn read(node: Node<'_>) -> Result<Self, QuantityError> {
        match node.view() {
            View::String(text) => Self::parse(text.trim()),
            View::Int(int) => Ok(Self::from(int)),
            View::UInt(int) => Self::parse(&int.to_string()),
            View::Float(float) => Self::parse(&float.to_string()),
            View::Null | View::Bool(_) | View::List(_) | View::Map(_) => Err(QuantityError::Type),
        }
    }

    /// Its notation.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The same amount in another notation.
    #[must_use]
    pub fn with_format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.sign() == Ordering::Equal
    }

    /// How it compares to zero.
    pub fn sign(&self) -> Ordering {
        self.amount.cmp(&Amount::ZERO)
    }

    /// The whole number, if it is one and fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.amount.whole().and_then(|whole| whole.to_i64())
    }

    /// The nearest double; infinite where there is none.
    pub fn to_f64(&self) -> f64 {
        self.amount.to_f64()
    }

    /// The sum, in this one's notation, or in the other's if this is zero.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self { amount: self.amount.plus(&other.amount), format: self.format_with(other) }
    }

    /// The difference, in this one's notation, or in the other's if this is zero.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self { amount: self.amount.plus(&other.amount.negated()), format: self.format_with(other) }
    }

    /// The product.
    #[must_use]
    pub fn times(&self, factor: i64) -> Self {
        Self { amount: self.amount.times(&Amount::from(i128::from(factor))), format: self.format }
    }

    /// This amount, rounded away from zero to whole thousandths, as the API server stores resources.
    #[must_use]
    pub fn rounded_up_to_milli(&self) -> Self {
        Self { amount: self.amount.rounded_up(MILLI), format: self.format }
    }

    /// How this compares to `base` times `ratio`, exactly: whether a limit is more than 1.5 times its request.
    pub fn cmp_product(&self, base: &Self, ratio: &Self) -> Ordering {
        // Both sides in billionths of billionths.
        self.amount.times(&Amount::ONE).cmp(&base.amount.times(&ratio.amount))
    }

    fn format_with(&self, other: &Self) -> Format {
        if self.is_zero() { other.format } else { self.format }
    }
}

/// A whole number, in decimal notation.
impl From<i64> for Quantity {
    fn from(int: i64) -> Self {
        Self { amount: Amount::ONE.times(&Amount::from(i128::from(int))), format: Format::DecimalSi }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.amount == other.amount
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.amount.cmp(&other.amount)
    }
}

/// The canonical form. Where the API server's has no suffix left and says too little (`1000E` becomes `1` there), this
/// one has an exponent.
impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write(&self.amount, self.format, formatter)
    }
}

impl fmt::Display for QuantityError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Format => "no quantity: expected a number and perhaps a suffix, as in `100m`, `1.5Gi` or `12e6`",
            Self::Number => "a suffix without a number: expected a number before it, as in `1.5Gi`",
            Self::Suffix => {
                "unknown suffix: expected n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei or an exponent such as e3"
            }
            Self::TooLong => "a quantity of more than a thousand digits",
            Self::Type => "no quantity: expected a string or a number",
        })
    }
}

impl std::error::Error for QuantityError {}

#[cfg(test)]
mod tests;
