//! Percentiles, by nearest rank.

use std::time::Duration;

/// The time within which a share of all, in thousandths, was answered; None where there are too few to say.
pub(crate) fn percentile(sorted: &[Duration], thousandths: usize) -> Option<Duration> {
    // At least one has to lie above it.
    let place = (sorted.len() * thousandths).div_ceil(1_000);
    (place < sorted.len()).then(|| sorted.get(place.saturating_sub(1)).copied()).flatten()
}
