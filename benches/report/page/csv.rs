//! The one form of all files in docs/performance, read: RFC 4180, a line a figure.

use super::figures::{HEADER, Row};

/// The rows of a file, or what is wrong with it.
pub(crate) fn read(text: &str) -> Result<Vec<Row>, String> {
    let mut lines = text.lines().enumerate();
    if lines.next().is_none_or(|(_, header)| header != HEADER) {
        return Err(format!("the first line is not \"{HEADER}\""));
    }
    lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| row(line).ok_or_else(|| format!("line {}: \"{line}\" is no row", number + 1)))
        .collect()
}

fn row(line: &str) -> Option<Row> {
    let [group, scenario, server, run, measure, unit, value] = <[String; 7]>::try_from(fields(line)?).ok()?;
    let row = Row { group, scenario, server, run: run.parse().ok()?, measure, unit, value };
    (row.group == "machine" || row.number().is_finite()).then_some(row)
}

/// None where a quote stays open.
fn fields(line: &str) -> Option<Vec<String>> {
    let (mut fields, mut field, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    (!is_quoted).then_some(fields)
}
