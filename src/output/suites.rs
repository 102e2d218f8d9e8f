//! What became of suites of other tools.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Colour, Tone, printable};
use crate::suites::{Case, Outcome};

/// A case, and what became of it.
pub type Ran<'c> = (&'c Case, Outcome);

/// How many agree, differ and are skipped.
fn counts(ran: &[Ran<'_>]) -> (usize, usize, usize) {
    let of = |is: fn(&Outcome) -> bool| ran.iter().filter(|(_, outcome)| is(outcome)).count();
    (
        of(|outcome| *outcome == Outcome::Agrees),
        of(|outcome| matches!(outcome, Outcome::Differs(_))),
        of(|outcome| matches!(outcome, Outcome::Skipped(_))),
    )
}

/// First what differs, then why what was skipped was, then a sum.
pub fn text(ran: &[Ran<'_>], colour: Colour) -> String {
    let mut text = String::new();
    let mut skipped: Vec<(&str, Vec<&Case>)> = vec![];
    for (case, outcome) in ran {
        match outcome {
            Outcome::Agrees => {}
            Outcome::Differs(difference) => {
                let word = colour.paint(Tone::Bad, "differs");
                let suite = case.suite.display().to_string();
                let _ = writeln!(text, "{word}  {}: {}", printable(&suite), printable(&case.name));
                let _ = writeln!(text, "         {}", printable(difference));
            }
            Outcome::Skipped(reason) => match skipped.iter_mut().find(|(known, _)| known == reason) {
                Some((_, cases)) => cases.push(case),
                None => skipped.push((reason, vec![case])),
            },
        }
    }
    for (reason, cases) in skipped {
        let word = colour.paint(Tone::Caution, "skipped");
        let count = if cases.len() == 1 { "1 case".to_owned() } else { format!("{} cases", cases.len()) };
        let _ = writeln!(text, "{word}  {count}: {}", printable(reason));
        for case in cases {
            let suite = case.suite.display().to_string();
            let _ = writeln!(text, "         {}: {}", printable(&suite), printable(&case.name));
        }
    }
    let (agree, differ, skipped) = counts(ran);
    let noun = if ran.len() == 1 { "case" } else { "cases" };
    let _ = writeln!(text, "{} {noun}: {agree} agree, {differ} differ, {skipped} skipped", ran.len());
    text
}

fn value((case, outcome): &Ran<'_>) -> Value {
    let (word, reason) = match outcome {
        Outcome::Agrees => ("agrees", None),
        Outcome::Differs(difference) => ("differs", Some(difference)),
        Outcome::Skipped(reason) => ("skipped", Some(reason)),
    };
    json!({ "suite": case.suite.display().to_string(), "case": case.name, "outcome": word, "reason": reason })
}

/// A line for each case: `{suite, case, outcome: agrees|differs|skipped, reason}`.
pub fn jsonl(ran: &[Ran<'_>]) -> String {
    ran.iter().fold(String::new(), |text, one| text + &value(one).to_string() + "\n")
}

/// One document: `{schemaVersion, agree, differ, skipped, cases}`.
pub fn json(ran: &[Ran<'_>]) -> String {
    let (agree, differ, skipped) = counts(ran);
    let cases: Vec<Value> = ran.iter().map(value).collect();
    let document = json!({ "schemaVersion": 1, "agree": agree, "differ": differ, "skipped": skipped, "cases": cases });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}
