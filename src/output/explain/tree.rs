//! An expression as a tree of its parts, each with its value.

use admittance_engine::verdict::trace::{Computation, Computed, Evaluation};

use crate::output::{Colour, Tone, printable};

/// The widest column of texts, in characters.
const WIDTH: usize = 60;
/// The longest value, in characters.
const VALUE: usize = 100;
/// With more turns of a macro than this, only the one that decides and those that fail show their parts.
const TURNS: usize = 3;

/// A line of the tree: how far it is indented, its text, and what it came to.
struct Line<'e> {
    indent: usize,
    text: String,
    result: Option<&'e Computed>,
}

/// The lines of an expression, each indented by so many columns more than its level asks.
pub(super) fn tree(evaluation: &Evaluation, indent: usize, colour: Colour) -> String {
    let mut lines = vec![];
    if evaluation.parts.is_empty() {
        lines.push(Line { indent: 0, text: one_line(&evaluation.expression), result: Some(&evaluation.result) });
    } else {
        let shown = Shown { expression: &evaluation.expression, parts: &evaluation.parts };
        shown.part(0, 0, &mut lines);
    }
    let widths = lines.iter().map(|line| line.indent + line.text.chars().count());
    let column = widths.filter(|width| *width <= WIDTH).max().unwrap_or_default();
    let mut text = String::new();
    for line in lines {
        let start = " ".repeat(indent + line.indent);
        let words = printable(&line.text).into_owned();
        let used = line.indent + words.chars().count();
        let value = line.result.map_or_else(String::new, |result| {
            format!("{:1$}  {2}", "", column.saturating_sub(used), paint(result, colour))
        });
        text.push_str(format!("{start}{words}{value}").trim_end());
        text.push('\n');
    }
    text
}

/// What a part came to, in its colour.
pub(super) fn paint(result: &Computed, colour: Colour) -> String {
    match result {
        Computed::Value(value) if value == "false" => colour.paint(Tone::Bad, value),
        Computed::Value(value) if value == "true" => colour.paint(Tone::Good, value),
        Computed::Value(value) => printable(&cut(value, VALUE)).into_owned(),
        Computed::Error(error) => colour.paint(Tone::Caution, &format!("error: {}", printable(error))),
        Computed::NotEvaluated(_) => colour.paint(Tone::Faint, "not evaluated"),
    }
}

struct Shown<'e> {
    expression: &'e str,
    parts: &'e [Computation],
}

impl<'e> Shown<'e> {
    fn text(&self, part: &Computation) -> &'e str {
        self.expression.get(part.start as usize..part.end as usize).unwrap_or_default()
    }

    /// The positions of the parts of the one at `position`.
    fn parts_of(&self, position: usize) -> Vec<usize> {
        let depth = self.parts.get(position).map_or(0, |part| part.depth);
        let below = self.parts.iter().enumerate().skip(position + 1).take_while(|(_, part)| part.depth > depth);
        below.filter(|(_, part)| part.depth == depth + 1).map(|(position, _)| position).collect()
    }

    /// The lines of a part; it stands `indent` columns in.
    fn part(&self, position: usize, indent: usize, lines: &mut Vec<Line<'e>>) {
        let Some(part) = self.parts.get(position) else { return };
        let text = one_line(self.text(part));
        let text = part.turn.map_or_else(|| text.clone(), |turn| format!("[{turn}] {text}"));
        lines.push(Line { indent, text, result: Some(&part.result) });
        self.below(position, indent + 2, lines);
    }

    fn below(&self, position: usize, indent: usize, lines: &mut Vec<Line<'e>>) {
        let Some(whole) = self.parts.get(position) else { return };
        let parts = self.parts_of(position);
        let turns = parts.iter().filter(|part| self.parts.get(**part).is_some_and(|part| part.turn.is_some())).count();
        let mut gap = whole.turns_left_out;
        let mut next_turn = 0;
        for part_position in &parts {
            let Some(part) = self.parts.get(*part_position) else { continue };
            if is_literal(self.text(part)) {
                continue;
            }
            // What is selected from is nothing to look at by itself, but for what stands in its brackets.
            if is_selected_from(self.text(whole), self.text(part)) {
                self.below(*part_position, indent, lines);
                continue;
            }
            if let Some(turn) = part.turn {
                if turn > next_turn && gap > 0 {
                    let text = format!("… {gap} turns like these");
                    lines.push(Line { indent, text, result: None });
                    gap = 0;
                }
                next_turn = turn + 1;
            }
            let is_last = Some(part_position) == parts.last();
            let is_telling = is_last || matches!(part.result, Computed::Error(_));
            if part.turn.is_some() && turns > TURNS && !is_telling {
                let text = format!("[{}] {}", part.turn.unwrap_or_default(), one_line(self.text(part)));
                lines.push(Line { indent, text, result: Some(&part.result) });
            } else {
                self.part(*part_position, indent, lines);
            }
        }
    }
}

/// Whether a text is a literal, which says itself what it comes to.
fn is_literal(text: &str) -> bool {
    let digits = text.trim_start_matches('-').trim_end_matches(['u', 'U']);
    let is_number = digits.parse::<f64>().is_ok()
        || digits.strip_prefix("0x").is_some_and(|hex| u64::from_str_radix(hex, 16).is_ok());
    matches!(text, "true" | "false" | "null" | "[]" | "{}") || is_number || is_quoted(text)
}

fn is_quoted(text: &str) -> bool {
    let text = text.trim_start_matches(['r', 'R', 'b', 'B']);
    let quote = if text.starts_with('"') { '"' } else { '\'' };
    text.len() > 1 && text.starts_with(quote) && text.find(quote) == Some(0) && text.ends_with(quote) && {
        let inner = text.get(1..text.len() - 1).unwrap_or_default();
        !inner.contains(quote) || inner.contains('\\') || text.starts_with("'''") || text.starts_with("\"\"\"")
    }
}

/// Whether `part` is what a field or an item of it is selected from: `a.b` of `a.b.c`, of `a.b[0]`, of `has(a.b.c)`.
fn is_selected_from(whole: &str, part: &str) -> bool {
    if let Some(selected) = whole.strip_prefix("has(") {
        return selected.trim_start().starts_with(part);
    }
    let Some(rest) = whole.strip_prefix(part).map(str::trim_start) else { return false };
    if rest.starts_with('[') {
        return true;
    }
    let Some(field) = rest.strip_prefix('.') else { return false };
    let field = field.trim_start_matches(|char: char| char == '?' || char.is_whitespace());
    field.trim_start_matches('`').chars().all(|char| char.is_ascii_alphanumeric() || "_-./`".contains(char))
}

/// The text on one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_what_says_itself_what_it_is() {
        for text in ["'a'", "\"a b\"", "12", "-1.5", "0x1f", "true", "null", "r'a\\d'", "'it\\'s'", "[]"] {
            assert!(is_literal(text), "{text}");
        }
        for text in ["'a' + 'b'", "1 + 2", "a", "truer", "[1]", "object.x", "-a"] {
            assert!(!is_literal(text), "{text}");
        }
        for (whole, part) in [("a.b", "a"), ("a.b[0]", "a.b"), ("a.?b", "a"), ("has(a.b.c)", "a.b"), ("a .\n b", "a")] {
            assert!(is_selected_from(whole, part), "{part} of {whole}");
        }
        for (whole, part) in [("a.b()", "a"), ("a.all(x, x)", "a"), ("a + b", "a"), ("b.a", "a"), ("f(a.b)", "a.b")] {
            assert!(!is_selected_from(whole, part), "{part} of {whole}");
        }
    }
}
