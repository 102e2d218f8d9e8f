//! `replay -o markdown`: a comment for a pull request.

use std::fmt::Write as _;

use super::{Found, about, counted, decisions, named, policy, summary, why};
use crate::output::{Colour, printable};
use crate::replay::report::{Counts, by_number};

/// A table of what differs, an example of each row, and what is not known.
pub fn markdown(found: Found<'_>) -> String {
    let report = found.report;
    let mut text = format!("### Policies on recorded requests\n\n{}.\n", cell(&capital(&summary(report))));
    if !report.groups.is_empty() {
        text.push_str("\n| change | policy | reviews | namespaces | owners |\n| --- | --- | ---: | --- | --- |\n");
        for ((change, name), group) in &report.groups {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                change.words(),
                cell(policy(name)),
                group.reviews,
                cell(&named(&group.namespaces, "(none)")),
                cell(&named(&group.owners, "(unknown)"))
            );
        }
    }
    for ((change, name), group) in &report.groups {
        let title = format!("{} by {}", change.words(), policy(name));
        let mut shown = format!("{}\n{}\n", about(&group.first.about), printable(&found.place(&group.first)));
        for (title, verdict, lines) in decisions(&group.first) {
            let _ = writeln!(shown, "{title}: {verdict}");
            for line in lines {
                let _ = writeln!(shown, "  {line}");
            }
        }
        why(group, Colour::Off).iter().for_each(|line| {
            let _ = writeln!(shown, "  {line}");
        });
        let fence = fence(&shown);
        let _ = write!(
            text,
            "\n<details><summary>{}: the first</summary>\n\n{fence}text\n{shown}{fence}\n\n</details>\n",
            cell(&title)
        );
    }
    reasons(&mut text, &format!("Undecidable: {}", counted(report.undecidable, "review")), &report.doubts);
    let lines = counted(report.unfit.values().sum(), "line");
    reasons(&mut text, &format!("Not replayable: {lines}"), &report.unfit);
    text
}

fn reasons(text: &mut String, title: &str, counts: &Counts) {
    if counts.is_empty() {
        return;
    }
    let _ = write!(text, "\n<details><summary>{title}</summary>\n\n");
    for (reason, number) in by_number(counts) {
        let _ = writeln!(text, "- {number}: {}", cell(reason));
    }
    text.push_str("\n</details>\n");
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Text that is nothing but text: names come from whoever made the request.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for char in printable(text).chars() {
        match char {
            '<' => cell.push_str("&lt;"),
            '&' => cell.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' | '~' | '@' => cell.extend(['\\', char]),
            _ => cell.push(char),
        }
    }
    cell
}

/// More backticks than the text has in a row.
fn fence(text: &str) -> String {
    let longest = text.split(|char| char != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_no_name_become_markup() {
        assert_eq!(cell("<b>|`a`\n@team"), "&lt;b>\\|\\`a\\`\\\\n\\@team");
        assert_eq!(fence("a ```` b"), "`````");
        assert_eq!(fence(""), "```");
    }
}
