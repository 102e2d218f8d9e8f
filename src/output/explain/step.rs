//! What a policy changed, and what its expressions came to.

use std::fmt::Write as _;

use admittance_engine::verdict::Step;
use admittance_engine::verdict::trace::{Change, Computed, Evaluation, List};

use super::tree::{one_line, paint, tree};
use crate::output::{Colour, Tone, printable};

/// The longest value of a change that is shown, in characters.
const VALUE: usize = 120;

/// The lines of both, indented by so many columns.
pub(in crate::output) fn what_it_did(step: &Step, indent: usize, colour: Colour) -> String {
    let mut text = String::new();
    for done in &step.changes {
        let _ = writeln!(text, "{:indent$}{}", "", change(done, colour));
    }
    for done in step.evaluations.iter().filter(|evaluation| is_telling(evaluation, step)) {
        text.push_str(&evaluation(done, indent, colour));
    }
    text
}

fn change(change: &Change, colour: Colour) -> String {
    let mut line = format!("{} {}", change.op, change.path);
    if let Some(from) = &change.from {
        let _ = write!(line, " from {from}");
    }
    match &change.value {
        Some(value) => {
            let value = value.to_string();
            let end = value.char_indices().nth(VALUE).map_or(value.len(), |(end, _)| end);
            let mark = if end < value.len() { "…" } else { "" };
            let _ = write!(line, ": {}{mark}", value.get(..end).unwrap_or_default());
        }
        None if change.hidden => line.push_str(": (not shown)"),
        None => {}
    }
    let tone = if change.op == "remove" { Tone::Bad } else { Tone::Good };
    colour.paint(tone, &printable(&line))
}

fn evaluation(evaluation: &Evaluation, indent: usize, colour: Colour) -> String {
    let name = match (&evaluation.name, evaluation.list) {
        (Some(name), List::Variables) => format!("variables.{name}"),
        (Some(name), _) => format!("{evaluation} {name:?}"),
        (None, _) => evaluation.to_string(),
    };
    let parameter = evaluation.parameter.as_ref().map_or_else(String::new, |name| format!(" with params {name}"));
    let heading = printable(&format!("{name}{parameter}")).into_owned();
    if evaluation.parts.len() <= 1 {
        let value = paint(&evaluation.result, colour);
        return format!("{:indent$}{heading}: {}  {value}\n", "", printable(&one_line(&evaluation.expression)));
    }
    format!("{:indent$}{heading}:\n{}", "", tree(evaluation, indent + 2, colour))
}

/// A messageExpression is evaluated whether or not its validation is true: it tells something only where it is not.
fn is_telling(evaluation: &Evaluation, step: &Step) -> bool {
    let is_of_validation = |other: &&Evaluation| {
        other.list == List::Validations && other.index == evaluation.index && other.parameter == evaluation.parameter
    };
    evaluation.list != List::MessageExpressions
        || matches!(evaluation.result, Computed::Error(_))
        || step.evaluations.iter().find(is_of_validation).is_some_and(|validation| !validation.result.is(true))
}
