//! `test -o text`: failures first, then what is not covered, then the sum.

use std::fmt::Write as _;

use admittance_engine::json::{Arena, Constant};
use admittance_engine::proof::case::{Failure, Report};
use admittance_engine::verdict::{Fate, Step};
use serde_json::Value;

use super::Results;
use crate::output::{Colour, Tone, explain, printable, yaml_diff};

/// All of it.
pub fn page(results: &Results<'_>, colour: Colour) -> String {
    let mut text = String::new();
    for report in results.reports.iter().filter(|report| !report.has_passed()) {
        text.push_str(&block(report, colour));
        text.push('\n');
    }
    if !results.uncovered.is_empty() {
        text.push_str(&colour.paint(Tone::Caution, "not covered"));
        text.push('\n');
        for problem in &results.uncovered {
            let _ = writeln!(text, "  {}: {}", problem.place, printable(&problem.message));
        }
        text.push('\n');
    }
    let tone = if results.failed() == 0 { Tone::Good } else { Tone::Bad };
    text.push_str(&colour.paint(tone, &results.sum()));
    text.push('\n');
    text
}

/// A failed case: where it stands, each thing that is not as expected, and what the policies did.
pub(super) fn block(report: &Report, colour: Colour) -> String {
    let mut text = format!(
        "{} {}: {}: {}\n",
        colour.paint(Tone::Bad, "FAIL"),
        report.place,
        report.test,
        printable(&report.case),
    );
    if let Some(error) = &report.error {
        let _ = writeln!(text, "  cannot be run: {error}");
    }
    for failure in &report.failures {
        text.push_str(&difference(failure, colour));
    }
    let Some(observed) = &report.observed else { return text };
    let steps: Vec<&Step> = observed.trace.iter().filter(|step| is_told(step, report)).collect();
    if !steps.is_empty() {
        text.push_str("  what the policies did:\n");
    }
    let width = steps.iter().map(|step| step.origin.policy.len()).max().unwrap_or_default();
    for step in steps {
        let reason = match step.outcome {
            Fate::NotMatched => explain::mismatch(step),
            _ => printable(&step.reason).into_owned(),
        };
        let _ = writeln!(text, "    {:<width$}  {reason}", step.origin.policy);
        for error in &step.errors {
            let _ = writeln!(
                text,
                "      {}",
                colour.paint(Tone::Caution, &printable(&format!("evaluation error: {error}")))
            );
        }
        text.push_str(&explain::what_it_did(step, 6, colour));
    }
    text
}

/// Of policies that do not match only those that were expected to find something are worth a line.
fn is_told(step: &Step, report: &Report) -> bool {
    let is_expected = |failure: &Failure| {
        let names = failure.expected.as_array().into_iter().flatten();
        failure.field == "policies" && names.into_iter().any(|name| name.as_str() == Some(&step.origin.policy))
    };
    step.outcome != Fate::NotMatched || report.failures.iter().any(is_expected)
}

fn difference(failure: &Failure, colour: Colour) -> String {
    let mut text = format!("  {}\n", printable(&failure.text()));
    if is_tree(&failure.expected) && is_tree(&failure.got) {
        let arena = Arena::with_limit(64 << 20);
        let (expected, got) = (Constant::from(failure.expected.clone()), Constant::from(failure.got.clone()));
        let (from, to) = match failure.field {
            "idempotence" => ("mutated once", "mutated twice"),
            _ => ("expected", "got"),
        };
        let diff = yaml_diff::between(expected.build(&arena), got.build(&arena), (from, to), colour);
        for line in diff.lines() {
            let _ = writeln!(text, "    {line}");
        }
    }
    if failure.field != "idempotence" {
        for line in failure.note.lines() {
            let _ = writeln!(text, "    {}", printable(line));
        }
    }
    text
}

/// Whether a diff of its lines says more than the value.
fn is_tree(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().any(Value::is_object) || items.is_empty(),
        _ => false,
    }
}
