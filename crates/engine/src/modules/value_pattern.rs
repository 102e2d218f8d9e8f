//! Regular expressions of settings that a whole value must match.

use crate::cel::regex::Regex;

/// A regular expression in RE2 syntax, matched against whole values: `dev|prod` fits `dev` and not `devel`.
#[derive(Debug)]
pub(super) struct ValuePattern {
    /// As the settings have it, for messages.
    pub(super) source: String,
    whole: Regex,
}

impl ValuePattern {
    /// The compiled pattern.
    ///
    /// # Errors
    /// What is wrong with it, as a message.
    pub(super) fn new(source: String) -> Result<Self, String> {
        let compile = |pattern: &str| {
            Regex::new(pattern).map_err(|reason| {
                let reason = reason.trim_start_matches("error parsing regexp: ");
                format!("{source:?} is no regular expression of RE2 syntax: {reason}")
            })
        };
        // Alone first: in the group below `a)|(b` would be one.
        compile(&source)?;
        let whole = compile(&format!(r"\A(?:{source})\z"))?;
        Ok(Self { source, whole })
    }

    /// Whether all of `value` matches.
    pub(super) fn fits(&self, value: &str) -> bool {
        self.whole.is_match(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_whole_values() {
        let fits = |pattern: &str, value| ValuePattern::new(pattern.into()).unwrap().fits(value);
        assert!(fits("dev|devel", "devel") && fits("^dev$", "dev") && fits("(?i)dev", "DEV") && fits("", ""));
        assert!(!fits("dev|prod", "devel") && !fits("prod", "a prod") && !fits("dev", "dev\n") && !fits("", "x"));
    }
}
