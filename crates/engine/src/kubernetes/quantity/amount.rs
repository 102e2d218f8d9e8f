//! Exact numbers of billionths: 128 bits for all that occurs, more for what does not.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};

/// How many billionths make one.
const BILLION: i128 = 1_000_000_000;

/// A number of billionths. One that fits into 128 bits is always held there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    Small(i128),
    Big(BigInt),
}

impl Amount {
    pub(super) const ZERO: Self = Self::Small(0);
    pub(super) const ONE: Self = Self::Small(BILLION);

    pub(super) fn big(&self) -> BigInt {
        match self {
            Self::Small(small) => BigInt::from(*small),
            Self::Big(big) => big.clone(),
        }
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Small(left), Self::Small(right)) => left.checked_add(*right).map(Self::Small),
            _ => None,
        }
        .unwrap_or_else(|| Self::from(self.big() + other.big()))
    }

    /// The product of the two numbers of billionths, which is a number of billionths of billionths unless one of them is
    /// meant as a plain number.
    pub(super) fn times(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Small(left), Self::Small(right)) => left.checked_mul(*right).map(Self::Small),
            _ => None,
        }
        .unwrap_or_else(|| Self::from(self.big() * other.big()))
    }

    pub(super) fn negated(&self) -> Self {
        self.times(&Self::Small(-1))
    }

    /// The nearest multiple of `unit` that is not closer to zero.
    pub(super) fn rounded_up(&self, unit: i128) -> Self {
        let (rest, away) = match self {
            Self::Small(small) => (Self::Small(small % unit), unit * small.signum()),
            Self::Big(big) => (Self::from(big % unit), if big.sign() == Sign::Minus { -unit } else { unit }),
        };
        if rest == Self::ZERO { self.clone() } else { self.plus(&rest.negated()).plus(&Self::Small(away)) }
    }

    /// How many ones this is, if it is a whole number of them.
    pub(super) fn whole(&self) -> Option<Self> {
        match self {
            Self::Small(small) => (small % BILLION == 0).then(|| Self::Small(small / BILLION)),
            Self::Big(big) => (big % BILLION == BigInt::ZERO).then(|| Self::from(big / BILLION)),
        }
    }

    /// The plain number, if it fits.
    pub(super) fn to_i64(&self) -> Option<i64> {
        match self {
            Self::Small(small) => i64::try_from(*small).ok(),
            Self::Big(_) => None,
        }
    }

    /// The double nearest to this many billionths. Printing and reading is exact, and nobody is in a hurry here.
    pub(super) fn to_f64(&self) -> f64 {
        format!("{}e-9", self.big()).parse().unwrap_or(f64::NAN)
    }
}

impl From<i128> for Amount {
    fn from(small: i128) -> Self {
        Self::Small(small)
    }
}

impl From<BigInt> for Amount {
    fn from(big: BigInt) -> Self {
        i128::try_from(&big).map_or(Self::Big(big), Self::Small)
    }
}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Amount {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Small(left), Self::Small(right)) => left.cmp(right),
            (Self::Big(left), Self::Big(right)) => left.cmp(right),
            // What does not fit lies beyond all that does.
            (Self::Small(_), Self::Big(right)) => {
                if right.sign() == Sign::Minus {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (Self::Big(left), Self::Small(_)) => {
                if left.sign() == Sign::Minus {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}
