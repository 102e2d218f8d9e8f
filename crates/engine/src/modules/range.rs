//! Settings that are a lowest and a highest whole number.

use std::fmt;

use super::problem::problem;
use crate::rule::SettingsError;

/// Both ends count; an end that is absent is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    min: Option<i64>,
    max: Option<i64>,
}

impl Range {
    /// The range of the settings `names`, the lower end's first; neither may be below `least`.
    ///
    /// # Errors
    /// An end below `least`, a range that holds nothing, and no end at all.
    pub(super) fn new(
        names: [&str; 2],
        least: i64,
        min: Option<i64>,
        max: Option<i64>,
    ) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        for (name, end) in names.into_iter().zip([min, max]) {
            if let Some(end) = end.filter(|end| *end < least) {
                errors.push(problem(format!("/{name}"), format!("{end} is too low: expected at least {least}")));
            }
        }
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            let [low, high] = names;
            let message = format!("{low} {min} is above {high} {max}: nothing can meet both");
            errors.push(problem(format!("/{low}"), message));
        }
        if min.is_none() && max.is_none() {
            let [low, high] = names;
            errors.push(problem("", format!("nothing is bounded: expected {low}, {high} or both")));
        }
        if errors.is_empty() { Ok(Self { min, max }) } else { Err(errors) }
    }

    /// Whether the number that CEL says is within.
    pub(super) fn in_cel(self, value: &str) -> String {
        let (min, max) =
            (self.min.map(|min| format!("{value} >= {min}")), self.max.map(|max| format!("{value} <= {max}")));
        format!("({})", min.into_iter().chain(max).collect::<Vec<_>>().join(" && "))
    }

    /// Whether it is within.
    pub(super) fn contains(self, value: i64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

/// `at least 2`, `at most 5`, `2 to 5`.
impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (Some(min), Some(max)) if min == max => write!(formatter, "{min}"),
            (Some(min), Some(max)) => write!(formatter, "{min} to {max}"),
            (Some(min), None) => write!(formatter, "at least {min}"),
            (None, Some(max)) => write!(formatter, "at most {max}"),
            (None, None) => formatter.write_str("any number"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(min: Option<i64>, max: Option<i64>) -> Result<Range, Vec<(String, String)>> {
        Range::new(["min", "max"], 1, min, max)
            .map_err(|errors| errors.into_iter().map(|error| (error.pointer, error.message)).collect())
    }

    #[test]
    fn holds_both_ends() {
        let both = range(Some(2), Some(5)).unwrap();
        assert!(both.contains(2) && both.contains(5) && !both.contains(1) && !both.contains(6));
        assert_eq!(both.to_string(), "2 to 5");
        assert_eq!(range(Some(2), None).unwrap().to_string(), "at least 2");
        assert_eq!(range(None, Some(5)).unwrap().to_string(), "at most 5");
        assert_eq!(range(Some(5), Some(5)).unwrap().to_string(), "5");
        assert!(range(Some(2), None).unwrap().contains(i64::MAX) && range(None, Some(5)).unwrap().contains(-1));
    }

    #[test]
    fn rejects_ranges_that_hold_nothing() {
        let expected = |pointer: &str, message: &str| Err(vec![(pointer.to_owned(), message.to_owned())]);
        assert_eq!(range(Some(6), Some(5)), expected("/min", "min 6 is above max 5: nothing can meet both"));
        assert_eq!(range(Some(0), None), expected("/min", "0 is too low: expected at least 1"));
        assert_eq!(range(None, None), expected("", "nothing is bounded: expected min, max or both"));
    }
}
