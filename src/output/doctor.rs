//! What `admittance doctor` found.

use std::fmt::Write as _;

use serde_json::json;

use super::{Colour, Tone, printable};
use crate::doctor::{Finding, Severity};

/// A paragraph for each finding.
pub fn text(found: &[Finding], colour: Colour) -> String {
    let mut text = String::new();
    for finding in found {
        let grade = match finding.severity {
            Severity::High => colour.paint(Tone::Bad, "high"),
            Severity::Medium => colour.paint(Tone::Caution, "medium"),
            Severity::Low => colour.paint(Tone::Note, "low"),
        };
        let _ = writeln!(text, "{grade}: {}", printable(&finding.what));
        let _ = writeln!(text, "  why: {}", printable(&finding.why));
        let _ = writeln!(text, "  do:  {}\n", printable(&finding.remedy));
    }
    match found.len() {
        0 => text.push_str("nothing found that could lock this cluster or leave things unchecked\n"),
        1 => text.push_str("1 finding\n"),
        count => {
            let _ = writeln!(text, "{count} findings");
        }
    }
    text
}

/// One document: `{schemaVersion, findings: [{severity, what, why, remedy}]}`.
pub fn json(found: &[Finding]) -> String {
    serde_json::to_string_pretty(&json!({ "schemaVersion": 1, "findings": found })).unwrap_or_default() + "\n"
}
