//! Settings that are ranges of users' or groups' ids.

use std::ops::RangeInclusive;

use super::accepted::accepted;
use crate::json::Node;
use crate::rule::SettingsError;
use crate::twin;

/// The largest id that the API server accepts (k8s.io/apimachinery, IsValidUserID).
const LARGEST: i64 = i32::MAX as i64;

/// Every id but root's, as settings write it.
pub(super) fn all_but_root() -> Vec<String> {
    vec![format!("1-{LARGEST}")]
}

/// Ids that are allowed: some, and not all.
#[derive(Debug)]
pub(super) struct Ids {
    /// By their beginnings.
    ranges: Vec<RangeInclusive<i64>>,
    accepted: String,
}

impl Ids {
    /// The ranges of the setting `allowed`.
    ///
    /// # Errors
    /// Each text that names no ids; no text at all; and ranges that leave nothing to refuse.
    pub(super) fn new(texts: &[String]) -> Result<Self, Vec<SettingsError>> {
        let error = |pointer: String, message: String| SettingsError { pointer, message };
        let (mut ranges, mut errors) = (vec![], vec![]);
        for (position, text) in texts.iter().enumerate() {
            match range(text) {
                Some(range) => ranges.push(range),
                None => errors.push(error(
                    format!("/allowed/{position}"),
                    format!("{text:?} names no ids: expected 0 to {LARGEST}, or a range such as \"1000-65535\""),
                )),
            }
        }
        ranges.sort_by_key(|range| *range.start());
        let ids = Self { ranges, accepted: accepted(texts) };
        if texts.is_empty() {
            let message = "no id is allowed: expected at least one, or a range such as \"1000-65535\"".to_owned();
            errors.push(error("/allowed".to_owned(), message));
        } else if ids.hold_all_from(0) {
            let message = "every id is allowed: the policy refuses nothing".to_owned();
            errors.push(error("/allowed".to_owned(), message));
        }
        if errors.is_empty() { Ok(ids) } else { Err(errors) }
    }

    /// Whether this is an id, and allowed.
    pub(super) fn hold(&self, id: Node<'_>) -> bool {
        id.as_i64().is_some_and(|id| self.ranges.iter().any(|range| range.contains(&id)))
    }

    /// Whether the id that CEL says is allowed.
    pub(super) fn hold_in_cel(&self, id: &str) -> String {
        twin::in_ranges(id, &self.ranges)
    }

    /// Whether every id from this one on is allowed.
    pub(super) fn hold_all_from(&self, first: i64) -> bool {
        let reach = |next: i64, range: &RangeInclusive<i64>| {
            if *range.start() <= next { next.max(range.end() + 1) } else { next }
        };
        self.ranges.iter().fold(first, reach) > LARGEST
    }

    /// What is allowed, for messages.
    pub(super) fn accepted(&self) -> &str {
        &self.accepted
    }
}

/// `1000`, or `1000-65535`.
fn range(text: &str) -> Option<RangeInclusive<i64>> {
    let id = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|id| is_number && *id <= LARGEST)
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (id(first.trim())?, id(last.trim())?);
    (first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(texts: &[&str]) -> Result<Ids, Vec<(String, String)>> {
        let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
        Ids::new(&texts)
            .map_err(|errors| errors.into_iter().map(|error| (error.pointer, error.message)).collect::<Vec<_>>())
    }

    #[test]
    fn reads_ids_and_ranges() {
        let some = ids(&["1000-2000", "7"]).unwrap();
        for (id, held) in [(0, false), (7, true), (999, false), (1000, true), (2000, true), (2001, false), (-7, false)]
        {
            assert_eq!(some.hold(Node::int(id)), held, "{id}");
        }
        assert!(!some.hold(Node::NULL) && !some.hold(Node::string("7")));
        assert_eq!(some.accepted(), "allowed: 1000-2000, 7");
        assert!(!some.hold_all_from(1) && some.hold_all_from(i64::from(i32::MAX) + 1));
        assert!(ids(&["5-2147483647", "1-5"]).unwrap().hold_all_from(1));
        assert!(!ids(&["6-2147483647", "1-4"]).unwrap().hold_all_from(1));
        assert!(Ids::new(&all_but_root()).unwrap().hold_all_from(1));
    }

    #[test]
    fn rejects_what_names_no_ids_or_all() {
        let no_ids = |position: usize, text: &str| {
            let message = format!("{text:?} names no ids: expected 0 to 2147483647, or a range such as \"1000-65535\"");
            (format!("/allowed/{position}"), message)
        };
        let texts = ["root", "1-", "-1", "+1", "2-1", "2147483648", "1-2-3", ""];
        let expected: Vec<_> = texts.iter().enumerate().map(|(position, text)| no_ids(position, text)).collect();
        assert_eq!(ids(&texts).unwrap_err(), expected);
        let of_all = |message: &str| [("/allowed".to_owned(), message.to_owned())];
        assert_eq!(
            ids(&[]).unwrap_err(),
            of_all("no id is allowed: expected at least one, or a range such as \"1000-65535\"")
        );
        assert_eq!(
            ids(&["0-5", "6-2147483647"]).unwrap_err(),
            of_all("every id is allowed: the policy refuses nothing")
        );
    }
}
