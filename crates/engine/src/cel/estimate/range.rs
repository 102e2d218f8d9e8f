//! Arithmetic of estimates: it never overflows (cel-go `checker/cost.go`, `SizeEstimate` and `CostEstimate`).

/// The least and the most that something may be: a size in elements, characters or bytes, or a cost in units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// At least.
    pub min: u64,
    /// At most. [`u64::MAX`] where nothing is known.
    pub max: u64,
}

impl Range {
    /// Anything.
    pub(super) const UNKNOWN: Self = Self { min: 0, max: u64::MAX };

    /// What a union starts with.
    pub(super) const NOTHING: Self = Self { min: u64::MAX, max: 0 };

    pub(super) const fn exactly(value: u64) -> Self {
        Self { min: value, max: value }
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        Self { min: self.min.saturating_add(other.min), max: self.max.saturating_add(other.max) }
    }

    pub(super) const fn times(self, other: Self) -> Self {
        Self { min: self.min.saturating_mul(other.min), max: self.max.saturating_mul(other.max) }
    }

    /// Rounded up.
    pub(super) fn scaled(self, factor: f64) -> Self {
        Self { min: scale(self.min, factor), max: scale(self.max, factor) }
    }

    /// What covers both.
    pub(super) fn or(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}

/// 2^64: what `math.MaxUint64` is as a double.
const LIMIT: f64 = 18_446_744_073_709_551_616.0;

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as upstream")]
fn scale(value: u64, factor: f64) -> u64 {
    let scaled = (value as f64 * factor).ceil();
    if scaled >= LIMIT { u64::MAX } else { scaled as u64 }
}

/// `value / divisor`, rounded up, in doubles as upstream.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as upstream")]
pub(super) fn divide(value: u64, divisor: u64) -> u64 {
    (value as f64 / divisor as f64).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_rounds_up_and_stops_at_the_largest_number() {
        assert_eq!(Range { min: 1, max: 11 }.scaled(0.1), Range { min: 1, max: 2 });
        assert_eq!(Range::UNKNOWN.scaled(2.0), Range::UNKNOWN);
        assert_eq!(Range::UNKNOWN.scaled(0.1), Range { min: 0, max: 1_844_674_407_370_955_264 });
        assert_eq!(Range::UNKNOWN.plus(Range::exactly(1)), Range { min: 1, max: u64::MAX });
    }
}
