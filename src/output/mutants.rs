//! Which small changes of policies no test notices.

use std::fmt::Write as _;

use admittance_engine::proof::mutants::Mutant;
use serde_json::{Value, json};

use super::{Colour, Tone, printable};

/// What became of all changes.
#[derive(Debug)]
pub struct Changes<'m> {
    /// How many a test noticed.
    pub noticed: usize,
    /// How many make no policy at all.
    pub broken: usize,
    /// How many are in policies that no test is about.
    pub untested: usize,
    /// Those that no test noticed.
    pub unnoticed: Vec<&'m Mutant>,
}

/// The changed line for each that no test noticed, then a sum.
pub fn text(changes: &Changes<'_>, colour: Colour) -> String {
    let mut text = String::new();
    for mutant in &changes.unnoticed {
        let (file, position) = (&mutant.place.file, mutant.place.file.position(mutant.place.span.start));
        let _ = writeln!(
            text,
            "{}:{}:{}: {}: {}",
            printable(file.name()),
            position.line,
            position.column,
            colour.paint(Tone::Strong, &printable(&mutant.policy)),
            printable(&mutant.what)
        );
        let line = file.text().lines().nth(position.line.saturating_sub(1)).unwrap_or_default();
        let _ = writeln!(text, "{:>5} | {}", position.line, printable(line));
    }
    let Changes { noticed, broken, untested, unnoticed } = changes;
    let all = noticed + unnoticed.len();
    let noun = if all == 1 { "change" } else { "changes" };
    let _ = write!(text, "{all} {noun}: {noticed} noticed, {} not noticed", unnoticed.len());
    if *untested > 0 {
        let _ = write!(text, "; {untested} more in policies without a test");
    }
    if *broken > 0 {
        let _ = write!(text, "; {broken} left out that make no policy");
    }
    text.push('\n');
    text
}

fn value(mutant: &Mutant) -> Value {
    let position = mutant.place.file.position(mutant.place.span.start);
    json!({
        "policy": mutant.policy,
        "file": mutant.place.file.name(),
        "line": position.line,
        "column": position.column,
        "change": mutant.what,
    })
}

/// A line for each that no test noticed: `{policy, file, line, column, change}`.
pub fn jsonl(changes: &Changes<'_>) -> String {
    changes.unnoticed.iter().fold(String::new(), |text, mutant| text + &value(mutant).to_string() + "\n")
}

/// One document: `{schemaVersion, noticed, untested, broken, notNoticed: [{policy, file, line, column, change}]}`.
pub fn json(changes: &Changes<'_>) -> String {
    let document = json!({
        "schemaVersion": 1,
        "noticed": changes.noticed,
        "untested": changes.untested,
        "broken": changes.broken,
        "notNoticed": changes.unnoticed.iter().map(|mutant| value(mutant)).collect::<Vec<Value>>(),
    });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}
