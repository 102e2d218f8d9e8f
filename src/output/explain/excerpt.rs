//! A line of a file with what is meant in it underlined.

use admittance_engine::document::SourceFile;

use crate::output::place::Region;
use crate::output::{Colour, Tone};

/// So much of a long line is shown before what is meant, and so much in all; in characters.
const BEFORE: usize = 60;
const LINE: usize = 140;

/// The place, the line and the underline, as compilers show them, each line indented by so many columns.
pub(super) fn excerpt(
    file: &SourceFile,
    span_start: usize,
    region: &Region,
    label: &str,
    indent: usize,
    (tone, colour): (Tone, Colour),
) -> String {
    let line: String = line_at(file.text(), span_start).chars().map(visible).collect();
    // Of a line that is longer than a terminal's a part is shown.
    let skipped = if line.chars().count() > LINE { (region.column - 1).saturating_sub(BEFORE) } else { 0 };
    let shown: String = line.chars().skip(skipped).take(LINE).collect();
    let start = region.column - 1 - skipped;
    let length = (region.end_column - region.column).min(LINE.saturating_sub(start)).max(1);
    let number = region.line.to_string();
    let gutter = number.len();
    let (bar, arrow) = (colour.paint(Tone::Note, "|"), colour.paint(Tone::Note, "-->"));
    let marks = colour.paint(tone, &format!("{} {label}", "^".repeat(length)));
    let place = format!("{}:{}:{}", super::super::printable(file.name()), region.line, region.column);
    let number = colour.paint(Tone::Note, &number);
    let space = " ".repeat(indent);
    let lines = [
        format!("{space}{:gutter$}{arrow} {place}", ""),
        format!("{space}{:gutter$} {bar}", ""),
        format!("{space}{number} {bar} {shown}"),
        format!("{space}{:gutter$} {bar} {:start$}{}", "", "", marks.trim_end()),
    ];
    lines.iter().fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

fn line_at(text: &str, offset: usize) -> &str {
    let offset = text.floor_char_boundary(offset);
    let start = text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default()
}

/// Columns count characters: none may take more than one, or move the cursor.
fn visible(char: char) -> char {
    match char {
        '\t' => ' ',
        char if char.is_control() => '\u{fffd}',
        char => char,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, of: &str) -> String {
        let file = SourceFile::new("a.yaml", text);
        let start = text.find(of).unwrap();
        let region = Region::of(&file, &(start..start + of.len()));
        excerpt(&file, start, &region, "spec.image", 2, (Tone::Bad, Colour::Off))
    }

    #[test]
    fn underlines_what_is_meant() {
        let text = "spec:\n\timage: nginx\u{1b}[2J\n";
        let expected = "   --> a.yaml:2:9\n    |\n  2 |  image: nginx\u{fffd}[2J\n    |         ^^^^^ spec.image\n";
        assert_eq!(shown(text, "nginx"), expected);
    }

    #[test]
    fn shows_a_part_of_a_long_line() {
        let text = format!("{{\"a\":\"{}\",\"image\":\"nginx\",\"b\":\"{}\"}}", "x".repeat(500), "y".repeat(500));
        let lines: Vec<String> = shown(&text, "\"nginx\"").lines().map(str::to_owned).collect();
        assert_eq!(lines[2].chars().count(), 6 + LINE);
        let at = lines[3].find('^').unwrap();
        assert_eq!(lines[2].get(at..at + 7), Some("\"nginx\""));
    }
}
