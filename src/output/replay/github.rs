//! `replay -o github`: annotations of GitHub Actions, at the policies that differences come of.

use std::fmt::Write as _;

use super::{Found, about, counted, decisions, policy, summary};
use crate::output::github::annotation;
use crate::output::place::Region;
use crate::output::remark::{Level, Remark};
use crate::replay::Change;

/// An annotation for each policy and kind of difference, and a notice with the sum.
pub fn annotations(found: Found<'_>) -> String {
    let mut text = String::new();
    for ((change, name), group) in &found.report.groups {
        let origin = found.origin(name);
        let mut message = format!("{}, first {}", counted(group.reviews, "review"), about(&group.first.about));
        for (title, verdict, lines) in decisions(&group.first) {
            let _ = write!(message, "\n{title}: {verdict}");
            lines.iter().for_each(|line| {
                let _ = write!(message, "\n  {line}");
            });
        }
        text.push_str(&annotation(&Remark {
            level: if *change == Change::NewlyDenied { Level::Error } else { Level::Warning },
            file: origin.map(|(file, _)| file.to_owned()),
            region: origin.map(|(_, line)| Region { line: line as usize, column: 1, end_column: 2 }),
            title: format!("{} by {}", change.words(), policy(name)),
            message,
        }));
    }
    let (title, message) = ("replay".to_owned(), summary(found.report));
    text.push_str(&annotation(&Remark { level: Level::Notice, file: None, region: None, title, message }));
    text
}
