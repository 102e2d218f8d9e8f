//! Figures as a file: RFC 4180, a line a figure.

use crate::figures::{HEADER, Row};

/// A file with these rows.
pub(crate) fn write(rows: &[Row]) -> String {
    let mut text = format!("{HEADER}\n");
    for row in rows {
        let run = row.run.to_string();
        let fields = [&row.group, &row.scenario, &row.server, &run, &row.measure, &row.unit, &row.value];
        text.push_str(&fields.map(|field| quoted(field)).join(","));
        text.push('\n');
    }
    text
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}
