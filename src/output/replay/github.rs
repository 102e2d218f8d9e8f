//! `replay -o github`: annotations of GitHub Actions, at the policies that differences come of.

use std::fmt::Write as _;

use super::{Found, about, counted, decisions, policy, summary};
use crate::replay::Change;

/// An annotation for each policy and kind of difference, and a notice with the sum.
pub fn annotations(found: Found<'_>) -> String {
    let mut text = String::new();
    for ((change, name), group) in &found.report.groups {
        let level = if *change == Change::NewlyDenied { "error" } else { "warning" };
        let place =
            found.origin(name).map_or_else(String::new, |(file, line)| format!("file={},line={line},", property(file)));
        let title = format!("{} by {}", change.words(), policy(name));
        let mut message = format!("{}, first {}", counted(group.reviews, "review"), about(&group.first.about));
        for (title, verdict, lines) in decisions(&group.first) {
            let _ = write!(message, "\n{title}: {verdict}");
            lines.iter().for_each(|line| {
                let _ = write!(message, "\n  {line}");
            });
        }
        let _ = writeln!(text, "::{level} {place}title={}::{}", property(&title), data(&message));
    }
    let _ = writeln!(text, "::notice title=replay::{}", data(&summary(found.report)));
    text
}

/// As the runner reads a message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As it reads a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
