//! `replay -o json` and `-o jsonl`: for programs.

use serde_json::{Map, Value, json};

use super::Found;
use crate::replay::Kept;
use crate::replay::difference::Decision;
use crate::replay::report::{About, Counts, Example, by_number};

/// One document: `{schemaVersion, reviews, same, different, differences: [{change, policy, reviews, namespaces, owners, first,
/// explanation (the policy's steps of the trace, as in `check --explain -o json`)}],
/// undecidable: {reviews, reasons}, notReplayable: {lines, reasons}}`.
pub fn document(found: Found<'_>) -> String {
    let report = found.report;
    let differences: Vec<Value> = report
        .groups
        .iter()
        .map(|((change, policy), group)| {
            json!({
                "change": change.name(),
                "policy": policy,
                "reviews": group.reviews,
                "namespaces": counts(&group.namespaces, "namespace"),
                "owners": counts(&group.owners, "owner"),
                "first": example(found, &group.first),
                "explanation": group.explanation,
            })
        })
        .collect();
    let document = json!({
        "schemaVersion": 1,
        "reviews": report.reviews,
        "same": report.same,
        "different": report.different(),
        "differences": differences,
        "undecidable": { "reviews": report.undecidable, "reasons": counts(&report.doubts, "reason") },
        "notReplayable": { "lines": report.unfit.values().sum::<usize>(), "reasons": counts(&report.unfit, "reason") },
    });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// A line for each review that is not decided alike: `{file, line, ..., change, policies, before, now}`, or with `undecidable`,
/// a list of reasons.
pub fn lines(found: Found<'_>, kept: &[Kept]) -> String {
    let line = |kept: &Kept| {
        let value = match kept {
            Kept::Different(one) => example(found, one),
            Kept::Undecidable { place, about, doubts } => {
                let mut fields = place_and(found, *place, about);
                fields.insert("undecidable".to_owned(), json!(doubts));
                fields.into()
            }
        };
        value.to_string() + "\n"
    };
    kept.iter().map(line).collect()
}

fn counts(counts: &Counts, name: &str) -> Vec<Value> {
    by_number(counts).into_iter().map(|(text, number)| json!({ name: text, "count": number })).collect()
}

fn place_and(found: Found<'_>, (file, line): (usize, usize), about: &About) -> Map<String, Value> {
    let fields = json!({
        "file": found.files.get(file),
        "line": line,
        "time": about.time,
        "operation": about.operation,
        "resource": about.resource,
        "kind": about.kind,
        "namespace": about.namespace,
        "name": about.name,
        "user": about.user,
        "owner": about.owner,
    });
    if let Value::Object(fields) = fields { fields } else { Map::new() }
}

fn example(found: Found<'_>, example: &Example) -> Value {
    let mut fields = place_and(found, example.place, &example.about);
    let difference = &example.difference;
    fields.extend([
        ("change".to_owned(), difference.change.name().into()),
        ("policies".to_owned(), json!(difference.policies)),
        ("before".to_owned(), decision(&difference.before)),
        ("now".to_owned(), decision(&difference.after)),
    ]);
    fields.into()
}

fn decision(decision: &Decision) -> Value {
    let patch: Vec<Value> = decision.patch.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    json!({ "allowed": decision.allowed, "lines": decision.lines, "patch": patch })
}
