//! Figures of figures.

/// The middle one, or the mean of the two in the middle.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN);
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN);
    f64::midpoint(lower, upper)
}

/// By how much y grows with each x: the line of least squares.
pub(crate) fn slope(points: &[(f64, f64)]) -> f64 {
    let count = number(points.len() as u64);
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|point| point.0), mean(|point| point.1));
    let covariance: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    covariance / variance
}

/// How memory goes with events.
pub(crate) struct Growth {
    /// Bytes for each event.
    pub(crate) slope: f64,
    /// Bytes over all the events that the line was drawn through.
    pub(crate) whole: f64,
    /// How many these are.
    pub(crate) events: f64,
}

impl Growth {
    /// Of samples (events so far, KiB), without the first third: what is warm by then stays.
    pub(crate) fn of(samples: &[(u64, u64)]) -> Self {
        let warm = samples.get(samples.len() / 3..).unwrap_or_default();
        let points: Vec<(f64, f64)> =
            warm.iter().map(|&(events, kib)| (number(events), number(kib) * 1_024.0)).collect();
        let span = points.first().zip(points.last()).map_or(0.0, |(first, last)| last.0 - first.0);
        let slope = slope(&points);
        Self { slope, whole: slope * span, events: span }
    }
}

/// Counts and sizes here are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts and sizes are far below 2^53")]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

/// 1,000,000 bytes each.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    number(bytes) / 1e6
}
