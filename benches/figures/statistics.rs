//! Medians, ranges, percentiles and lines of least squares.

/// The middle of some figures, and between what they lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Summary {
    /// None of no figures.
    pub(crate) fn of(figures: &[f64]) -> Option<Self> {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let upper = sorted.get(sorted.len() / 2)?;
        let lower = sorted.get(sorted.len().saturating_sub(1) / 2)?;
        Some(Self { median: f64::midpoint(*lower, *upper), min: *sorted.first()?, max: *sorted.last()? })
    }

    /// Whether the runs of both could as well be of one: their ranges meet.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.min <= other.max && other.min <= self.max
    }

    /// How these figures stand to the most that they may be.
    pub(crate) fn beside(&self, limit: f64) -> &'static str {
        match (self.median <= limit, self.min <= limit && limit <= self.max) {
            (true, false) => "within",
            (true, true) => "within, by less than the noise",
            (false, true) => "over, by less than the noise",
            (false, false) => "over",
        }
    }
}

/// A straight line through points, and how well it fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) slope: f64,
    pub(crate) intercept: f64,
    /// R², the share of the variance that the line explains.
    pub(crate) r_squared: f64,
    /// How far a point lies off the line at most, as a share of the point: R² alone is all about the largest.
    pub(crate) furthest: f64,
}

impl Line {
    /// The line of least squares; None of less than three points, through two every line fits.
    pub(crate) fn fit(points: &[(f64, f64)]) -> Option<Self> {
        if points.len() < 3 {
            return None;
        }
        let count = points.iter().map(|_| 1.0).sum::<f64>();
        let mean_x = points.iter().map(|point| point.0).sum::<f64>() / count;
        let mean_y = points.iter().map(|point| point.1).sum::<f64>() / count;
        let covariance: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let variance_x: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        let variance_y: f64 = points.iter().map(|(_, y)| (y - mean_y).powi(2)).sum();
        let slope = covariance / variance_x;
        let intercept = mean_y - slope * mean_x;
        let furthest = points.iter().map(|(x, y)| ((slope * x + intercept - y) / y).abs()).fold(0.0, f64::max);
        Some(Self { slope, intercept, r_squared: covariance.powi(2) / (variance_x * variance_y), furthest })
    }
}

/// A number with three figures that matter, and thousands kept together: 0.0123, 1.23, 1, 123, 12,345.
pub(crate) fn readable(number: f64) -> String {
    let size = number.abs();
    let decimals = match size {
        _ if !number.is_finite() => return "-".to_owned(),
        _ if number.fract() == 0.0 || size >= 99.95 => 0,
        _ if size >= 9.995 => 1,
        _ if size >= 0.9995 => 2,
        _ if size >= 0.09995 => 3,
        _ => 4,
    };
    let text = format!("{number:.decimals$}");
    if size < 999.5 {
        return text;
    }
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let mut grouped = String::from(sign);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
