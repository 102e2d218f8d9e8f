//! Every figure of a scenario: a line a server, a column a measure, medians with their ranges.

use std::fmt::Write as _;

use super::statistics::{Summary, readable};
use super::{Row, distinct, figures};

/// A Markdown table of `lines`, the first being the heading; all columns but the first are numbers.
pub(crate) fn markdown(lines: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..lines.first().map_or(0, Vec::len))
        .map(|column| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    // Writing to a String cannot fail.
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .enumerate()
            .map(
                |(column, (cell, width))| {
                    if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
        if number == 0 {
            let rules = widths.iter().enumerate().map(|(column, width)| match column {
                0 => "-".repeat(width + 2),
                _ => format!("{}:", "-".repeat(width + 1)),
            });
            let _ = writeln!(text, "|{}|", rules.collect::<Vec<_>>().join("|"));
        }
    }
    text
}

/// All figures of `scenario` in `rows`, which are of one group.
pub(crate) fn scenario(rows: &[&Row], scenario: &str) -> String {
    let rows: Vec<&Row> = rows.iter().copied().filter(|row| row.scenario == scenario).collect();
    let mut measures = distinct(&rows, |row| &row.measure);
    // Marks stand with what they are about.
    measures.retain(|measure| !measure.starts_with("limit of"));
    let mut heading = vec!["server".to_owned()];
    heading.extend(measures.iter().map(|&measure| {
        let unit = rows.iter().find(|row| row.measure == measure).map_or("", |row| &row.unit);
        if unit.is_empty() { measure.to_owned() } else { format!("{measure}, {unit}") }
    }));
    let mut lines = vec![heading];
    for server in distinct(&rows, |row| &row.server) {
        let mut line = vec![server.to_owned()];
        line.extend(measures.iter().map(|measure| cell(&figures(&rows, scenario, server, measure))));
        lines.push(line);
    }
    markdown(&lines)
}

/// `median (min to max)`, or the figure where there is one alone.
pub(crate) fn cell(figures: &[f64]) -> String {
    match (Summary::of(figures), figures.len()) {
        (None, _) => String::new(),
        (Some(summary), 1) => readable(summary.median),
        (Some(Summary { median, min, max }), _) => {
            format!("{} ({} to {})", readable(median), readable(min), readable(max))
        }
    }
}
