//! The table of what was seen.

use crate::scenario::Row;

const HEAD: [&str; 13] = [
    "scenario",
    "mode",
    "seconds",
    "objects",
    "denied",
    "pods of Deployments",
    "failed",
    "counted failed",
    "counted failed open",
    "unmutated",
    "wrongly allowed",
    "API server away",
    "seconds of failures",
];

/// As Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut lines = vec![line(&HEAD.map(str::to_owned), "seen"), "|---".repeat(HEAD.len() + 1) + "|"];
    lines.extend(rows.iter().map(cells));
    lines.join("\n")
}

/// One row of it.
pub(crate) fn cells(row: &Row) -> String {
    let counts = &row.counts;
    let cells = [
        row.name.clone(),
        row.mode.name().to_owned(),
        format!("{:.0}", row.took.as_secs_f64()),
        counts.objects.to_string(),
        counts.denied.to_string(),
        counts.pods_of_deployments.to_string(),
        counts.failed.to_string(),
        row.counted.failed.to_string(),
        row.counted.failed_open.to_string(),
        counts.unmutated.to_string(),
        counts.allowed.to_string(),
        counts.unavailable.to_string(),
        format!("{:.1}", counts.span().as_secs_f64()),
    ];
    let seen = if row.broken.is_empty() { row.note.clone() } else { "BROKEN".to_owned() };
    line(&cells, &seen)
}

fn line(cells: &[String], last: &str) -> String {
    format!("| {} | {last} |", cells.join(" | "))
}
