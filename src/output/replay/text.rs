//! `replay -o text`: for people.

use std::fmt::Write as _;

use super::{Found, about, counted, decisions, named, policy, summary, why};
use crate::output::{Colour, Tone, printable};
use crate::replay::Change;
use crate::replay::report::{Counts, by_number};

/// A line in all, a paragraph for each policy and kind of difference, then what could not be decided and not be replayed.
pub fn text(found: Found<'_>, colour: Colour) -> String {
    let report = found.report;
    let mut text = colour.paint(Tone::Strong, &summary(report)) + "\n";
    for ((change, name), group) in &report.groups {
        let tone = match change {
            Change::NewlyDenied => Tone::Bad,
            Change::NewlyAllowed => Tone::Caution,
            Change::PatchChanged | Change::MessageChanged => Tone::Note,
        };
        let title = format!("{} by {}", change.words(), printable(policy(name)));
        let _ = writeln!(text, "\n{}: {}", colour.paint(tone, &title), counted(group.reviews, "review"));
        let _ = writeln!(text, "  namespaces: {}", named(&group.namespaces, "(none)"));
        let _ = writeln!(text, "  owners:     {}", named(&group.owners, "(unknown)"));
        let _ = writeln!(text, "  first:      {}", about(&group.first.about));
        let _ = writeln!(text, "              {}", printable(&found.place(&group.first)));
        for (title, verdict, lines) in decisions(&group.first) {
            let _ = writeln!(text, "    {:<7} {verdict}", format!("{title}:"));
            for line in lines.iter().flat_map(|line| line.split('\n')) {
                let _ = writeln!(text, "      {line}");
            }
        }
        for line in why(group, colour) {
            let _ = writeln!(text, "      {line}");
        }
    }
    reasons(&mut text, colour, "undecidable", &counted(report.undecidable, "review"), &report.doubts);
    let lines = counted(report.unfit.values().sum(), "line");
    reasons(&mut text, colour, "not replayable", &lines, &report.unfit);
    text
}

fn reasons(text: &mut String, colour: Colour, title: &str, number: &str, counts: &Counts) {
    if counts.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}: {number}", colour.paint(Tone::Caution, title));
    for (reason, number) in by_number(counts) {
        let _ = writeln!(text, "  {number:>7}  {}", printable(reason));
    }
}
