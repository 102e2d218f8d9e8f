//! `check -o jsonl`: one JSON object for each object that was judged; and `-o json`: one document with the same objects.
//!
//! The fields and their order are those of the command line's reference. `code`, `reason` and `message` are there where the
//! request is denied, as in a Status; `patch` where mutation changes something, also of a denied request; `module` and
//! `container` of a finding where there is one.

use std::collections::BTreeMap;

use admittance_engine::json::Node;
use admittance_engine::json::patch::Operation as PatchOperation;
use admittance_engine::verdict::{PolicyFailure, PolicyFinding, Step};
use serde::Serialize;

use super::remark::Remark;
use super::text::Tally;
use crate::manifests::Judged;

/// What the document of `-o json` begins with; objects follow, `,\n` between them.
pub const HEAD: &str = "{\"schemaVersion\":1,\"objects\":[\n";

/// What it ends with.
#[derive(Serialize)]
struct Tail<'a> {
    problems: Vec<Problem<'a>>,
    judged: usize,
    denied: usize,
    warned: usize,
    changed: usize,
}

/// What could not be judged.
#[derive(Serialize)]
struct Problem<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    message: &'a str,
}

impl<'a> Problem<'a> {
    fn of(remark: &'a Remark) -> Self {
        let region = remark.region.as_ref();
        let (line, column) = (region.map(|region| region.line), region.map(|region| region.column));
        Self { file: remark.file.as_deref(), line, column, message: &remark.message }
    }
}

/// The rest of the document of `-o json`.
pub fn tail(problems: &[Remark], tally: Tally) -> String {
    let Tally { objects: judged, denied, warned, changed } = tally;
    let tail = Tail { problems: problems.iter().map(Problem::of).collect(), judged, denied, warned, changed };
    let text = serde_json::to_string(&tail).unwrap_or_default();
    format!("\n],{}\n", text.trim_start_matches('{'))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    file: &'a str,
    index: usize,
    api_version: String,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    operation: &'static str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    warnings: Vec<String>,
    findings: Vec<Finding<'a>>,
    errors: Vec<Failure<'a>>,
    audit_annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    patch: Vec<PatchOperation<'a>>,
    object: Node<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a [Step]>,
}

#[derive(Serialize)]
struct Finding<'a> {
    policy: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<&'static str>,
    unit: &'a str,
    line: u32,
    action: &'static str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<&'a str>,
    message: &'a str,
}

#[derive(Serialize)]
struct Failure<'a> {
    policy: &'a str,
    message: String,
}

impl<'a> From<&'a PolicyFinding> for Finding<'a> {
    fn from(found: &'a PolicyFinding) -> Self {
        Self {
            policy: &found.origin.policy,
            module: found.origin.module,
            unit: &found.origin.unit,
            line: found.origin.line,
            action: found.action.as_str(),
            path: found.finding.path.to_string(),
            container: found.finding.path.container(),
            message: &found.finding.message,
        }
    }
}

impl<'a> From<&'a PolicyFailure> for Failure<'a> {
    fn from(failure: &'a PolicyFailure) -> Self {
        Self { policy: &failure.origin.policy, message: failure.error.to_string() }
    }
}

/// The line, with its line break; `explains`: with the trace.
pub fn line(file: &str, index: usize, judged: &Judged<'_>, explains: bool) -> String {
    let Judged { review, verdict, mutated, .. } = judged;
    let refusal = verdict.refusal();
    let kind = review.kind;
    let line = Line {
        file,
        index,
        api_version: if kind.group.is_empty() {
            kind.version.to_owned()
        } else {
            format!("{}/{}", kind.group, kind.version)
        },
        kind: kind.kind,
        namespace: review.namespace,
        name: review.object_name(),
        operation: review.operation.as_str(),
        allowed: refusal.is_none(),
        code: refusal.map(|refusal| refusal.code),
        reason: refusal.map(|refusal| refusal.reason),
        message: refusal.map(|_| verdict.message()),
        warnings: verdict.warnings(),
        findings: verdict.findings.iter().map(Finding::from).collect(),
        errors: verdict.failures.iter().map(Failure::from).collect(),
        audit_annotations: verdict.audit_annotations().into_iter().collect(),
        patch: judged.patch(),
        object: *mutated,
        trace: explains.then_some(&verdict.trace),
    };
    // Keys are strings and numbers are finite: printing cannot fail.
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    text.push('\n');
    text
}
