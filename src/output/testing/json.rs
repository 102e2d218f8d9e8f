//! `test -o jsonl` and `-o json`.

use admittance_engine::document::{Diagnostic, Place};
use admittance_engine::proof::case::{Failure, Report};
use serde_json::{Value, json};

use super::Results;

/// One JSON object a line: `type` is `case` or `uncovered`.
pub fn lines(results: &Results<'_>) -> String {
    let objects = results.reports.iter().map(|report| case(report)).chain(results.uncovered.iter().map(uncovered));
    objects.fold(String::new(), |text, object| text + &object.to_string() + "\n")
}

/// One JSON document.
pub fn document(results: &Results<'_>) -> String {
    let document = json!({
        "schemaVersion": 1,
        "tests": results.tests,
        "passed": results.reports.len() - results.failed(),
        "failed": results.failed(),
        "cases": results.reports.iter().map(|report| case(report)).collect::<Value>(),
        "uncovered": results.uncovered.iter().map(uncovered).collect::<Value>(),
    });
    format!("{document:#}\n")
}

fn case(report: &Report) -> Value {
    let mut object = placed(&report.place);
    let mut set = |key: &str, value: Value| {
        if let Some(fields) = object.as_object_mut() {
            fields.insert(key.to_owned(), value);
        }
    };
    set("type", json!("case"));
    set("test", json!(report.test));
    set("case", json!(report.case));
    set("passed", json!(report.has_passed()));
    if let Some(error) = &report.error {
        set("error", json!(error.to_string()));
    }
    set("failures", report.failures.iter().map(failure).collect());
    if let Some(observed) = report.observed.as_ref().filter(|_| !report.has_passed()) {
        set("trace", json!(observed.trace));
    }
    object
}

fn failure(failure: &Failure) -> Value {
    let at = failure.place.file.position(failure.place.span.start);
    json!({
        "field": failure.field,
        "expected": failure.expected,
        "got": failure.got,
        "message": failure.text(),
        "note": failure.note,
        "line": at.line,
        "column": at.column,
    })
}

fn uncovered(problem: &Diagnostic) -> Value {
    let mut object = placed(&problem.place);
    if let Some(fields) = object.as_object_mut() {
        fields.insert("type".to_owned(), json!("uncovered"));
        fields.insert("message".to_owned(), json!(problem.message));
    }
    object
}

fn placed(place: &Place) -> Value {
    let at = place.file.position(place.span.start);
    json!({ "file": place.file.name(), "line": at.line, "column": at.column })
}
