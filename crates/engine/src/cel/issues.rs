//! Problems of an expression as cel-go prints them (common/error.go, common/errors.go).

use crate::cel::error::Problem;

/// A longer line is not shown, in characters.
const SNIPPET: usize = 16_384;
/// So many problems are printed.
const MOST: usize = 100;

/// All problems with the lines that they are in, in order of their places.
pub(crate) fn print(text: &str, problems: &[Problem]) -> String {
    let mut sorted: Vec<&Problem> = problems.iter().take(MOST).collect();
    sorted.sort_by_key(|problem| problem.span.start);
    let mut lines: Vec<String> = sorted.into_iter().map(|problem| print_one(text, problem)).collect();
    if problems.len() > MOST {
        lines.push(format!("{} more errors were truncated", problems.len() - MOST));
    }
    lines.join("\n")
}

fn print_one(text: &str, problem: &Problem) -> String {
    let at = text.floor_char_boundary(problem.span.start as usize);
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before.get(start..).unwrap_or_default().chars().count();
    let head = format!("ERROR: <input>:{line}:{}: {}", column + 1, problem.message);
    let snippet = text.get(start..).and_then(|rest| rest.split('\n').next()).unwrap_or_default().replace('\t', " ");
    if snippet.len() > SNIPPET {
        return head;
    }
    let mut chars = snippet.chars();
    let dots: String = chars.by_ref().take(column).map(|char| if char.len_utf8() > 1 { '．' } else { '.' }).collect();
    let mark = if chars.next().is_some_and(|char| char.len_utf8() > 1) { '＾' } else { '^' };
    format!("{head}\n | {snippet}\n | {dots}{mark}")
}
