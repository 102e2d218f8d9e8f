//! Whoever comes from Gatekeeper gets the same verdicts: constraints of its library, with parameters and `match` written as
//! policies of this project by the table in `templates`, judged on the objects of the library's own test suites.
//!
//! The cases are `gatekeeper.jsonl` of the collections (`$ADMITTANCE_CORPORA`, else `shared/corpora` beside the checkout).
//! A verdict that differs fails the test, unless the template is known to read more strictly here: then only a refusal of
//! what Gatekeeper lets pass is taken.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "allowed in tests, which clippy does not take the modules beside one for"
)]

mod judge;
mod library;
mod matching;
mod page;
mod row;
mod templates;

use std::collections::{BTreeMap, BTreeSet};

use judge::{Judged, judge};
use row::Row;
use templates::{TEMPLATES, Template};

/// What became of a row.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Agrees,
    /// We refuse what Gatekeeper lets pass, as the template's `differs` says.
    Stricter(&'static str),
    /// There is no policy for it: why.
    NotCovered(String),
    Differs(String),
}

fn outcome(row: &Row) -> Outcome {
    let Some(template) = TEMPLATES.iter().find(|template| template.kind == row.template()) else {
        return Outcome::NotCovered("no module is about it".to_owned());
    };
    let policies = match matching::policies(template, &row.constraint) {
        Ok(policies) => policies,
        Err(reason) => return Outcome::NotCovered(reason),
    };
    let judged = match judge(&policies, row) {
        Ok(judged) => judged,
        Err(problem) => return Outcome::Differs(format!("{}: {problem}", row.id)),
    };
    match (row.allowed, judged.allowed) {
        (true, false) => template.differs.map_or_else(|| differs(row, &judged), Outcome::Stricter),
        (ours, theirs) if ours != theirs => differs(row, &judged),
        _ => match miscounted(template, row, &judged) {
            Some(assertion) => Outcome::Differs(format!("{}: {assertion}, found {:#?}", row.id, judged.findings)),
            None => Outcome::Agrees,
        },
    }
}

fn differs(row: &Row, judged: &Judged) -> Outcome {
    Outcome::Differs(format!("{}: allowed is {}, found {:#?}", row.id, row.allowed, judged.findings))
}

/// The first assertion that does not hold, where violations and findings are the same things.
fn miscounted(template: &Template, row: &Row, judged: &Judged) -> Option<String> {
    let counted = row.assertions.iter().filter(|_| template.counts).find(|assertion| {
        let message = assertion["message"].as_str().unwrap_or_default();
        // Words of theirs are no words of ours; names of fields and subjects are.
        assert!(message.chars().all(|char| char.is_ascii_alphanumeric() || char == ':'), "{message:?} is a pattern");
        let found = judged.findings.iter().filter(|finding| finding.contains(message)).count();
        match &assertion["violations"] {
            serde_json::Value::Number(number) => number.as_u64() != u64::try_from(found).ok(),
            text => (text == "yes") != (found > 0),
        }
    });
    counted.map(ToString::to_string)
}

#[test]
fn agrees_with_gatekeeper() {
    let (mut agreeing, mut covered, mut kinds) = (0, 0, BTreeSet::new());
    let (mut differing, mut stricter, mut not_covered) = (vec![], BTreeMap::new(), BTreeMap::new());
    let mut of_kind: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for row in row::rows() {
        let found = outcome(&row);
        let kind = row.template().to_owned();
        let counts = of_kind.entry(kind.clone()).or_default();
        counts.1 += 1;
        if let Outcome::NotCovered(reason) = found {
            not_covered.entry(kind).or_insert(reason);
            continue;
        }
        covered += 1;
        kinds.insert(kind.clone());
        match found {
            Outcome::Agrees => {
                agreeing += 1;
                counts.0 += 1;
            }
            Outcome::Stricter(reason) => {
                stricter.entry((kind, reason)).or_insert_with(Vec::new).push(row.id.clone());
            }
            Outcome::Differs(what) => differing.push(what),
            Outcome::NotCovered(_) => {}
        }
    }
    for (kind, (agreeing, all)) in &of_kind {
        println!("{kind}: {agreeing} of {all}");
    }
    for ((kind, reason), rows) in &stricter {
        println!("stricter here: {kind}: {reason} ({})", rows.join(", "));
    }
    println!("gatekeeper: {agreeing} of {covered} rows of {} templates agree", kinds.len());
    for (kind, reason) in &not_covered {
        println!("not covered: {kind}: {reason}");
    }
    assert!(differing.is_empty(), "{} of {covered} rows differ:\n{}", differing.len(), differing.join("\n"));
}

/// The table is about templates as they are: their names, and no parameter forgotten or made up.
#[test]
fn knows_the_parameters_of_the_templates() {
    for row in row::rows() {
        let Some(template) = TEMPLATES.iter().find(|template| template.kind == row.template()) else { continue };
        let written: BTreeSet<&str> = template.parameters.iter().map(|(name, _)| *name).collect();
        let properties = row.template["spec"]["crd"]["spec"]["validation"]["openAPIV3Schema"]["properties"].as_object();
        let theirs: BTreeSet<&str> = properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        assert_eq!(written, theirs, "{}", template.kind);
        assert!(row.id.split('/').nth(1) == Some(template.library), "{} is not {}", row.id, template.library);
    }
}
