//! What is not as a case expects it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::document::Place;
use crate::json::Node;
use crate::json::patch::Operation as PatchOperation;
use crate::pipeline::offline::Judged;
use crate::unit::policy_test::{Case, Expect, Pattern};

/// One thing that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The field of `expect`; `expect` itself where nothing is expected; `idempotence` where the mutators change once more what
    /// they have changed.
    pub field: &'static str,
    /// What it says; null where it says nothing.
    pub expected: Value,
    /// What there is; null where there is nothing.
    pub got: Value,
    /// What explains it, in a few lines; may be empty.
    pub note: String,
    /// Where the expectation stands, else the case's name.
    pub place: Place,
}

impl Failure {
    /// `allowed: expected true, got false`
    pub fn text(&self) -> String {
        match self.field {
            "expect" => "it expects nothing: `admittance test --update` writes down what happens".to_owned(),
            "idempotence" => format!("mutating twice is not mutating once: {}", self.note),
            "object" | "patch" => format!("`{}` is another one", self.field),
            field => format!("{field}: expected {}, got {}", shown(&self.expected), shown(&self.got)),
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}

/// All that is not as expected, in the order of the fields.
pub(super) fn failures(case: &Case, judged: &Judged<'_>) -> Vec<Failure> {
    let mut compare = Compare { case, judged, failures: vec![] };
    if case.expect.is_empty() {
        compare.push("expect", Value::Null, Value::Null);
        return compare.failures;
    }
    compare.outcome();
    compare.object();
    compare.texts();
    compare.failures
}

struct Compare<'c, 'a> {
    case: &'c Case,
    judged: &'c Judged<'a>,
    failures: Vec<Failure>,
}

impl Compare<'_, '_> {
    fn expect(&self) -> &Expect {
        &self.case.expect
    }

    fn push(&mut self, field: &'static str, expected: Value, got: Value) {
        let place = self.case.expect.places.get(field).unwrap_or(&self.case.place).clone();
        let note = match field {
            "allowed" | "code" => self.judged.verdict.message(),
            _ => String::new(),
        };
        self.failures.push(Failure { field, expected, got, note, place });
    }

    fn outcome(&mut self) {
        let verdict = &self.judged.verdict;
        let refusal = verdict.refusal();
        let is_allowed = refusal.is_none();
        let expect = self.expect();
        // Only a request that is allowed leaves an object.
        let implied = (expect.object.is_some() || expect.patch.is_some()).then_some(true);
        let allowed = expect.allowed.or(implied).filter(|expected| *expected != is_allowed);
        let code = expect.code.filter(|code| refusal.is_none_or(|refusal| refusal.code != *code));
        let message = (!is_allowed).then(|| verdict.message());
        let unfit = expect
            .message
            .as_ref()
            .filter(|pattern| !message.as_ref().is_some_and(|message| pattern.fits(message)))
            .map(|pattern| json!(pattern.text()));
        let found: BTreeSet<&str> = verdict.policies().into_iter().collect();
        let policies = expect.policies.as_ref().map(|names| names.iter().map(String::as_str).collect::<BTreeSet<_>>());
        let policies = policies.filter(|expected| *expected != found).map(|expected| (json!(expected), json!(found)));
        if let Some(allowed) = allowed {
            self.push("allowed", json!(allowed), json!(is_allowed));
        }
        if let Some(code) = code {
            self.push("code", json!(code), json!(refusal.map(|refusal| refusal.code)));
        }
        if let Some(expected) = unfit {
            self.push("message", expected, json!(message));
        }
        if let Some((expected, got)) = policies {
            self.push("policies", expected, got);
        }
    }

    fn object(&mut self) {
        let judged = self.judged;
        if !judged.verdict.is_allowed() {
            return;
        }
        let arena = judged.review.arena;
        let differs = |expected: &Node<'_>, got: Node<'_>| *expected != got;
        if let Some(expected) = &self.case.expect.object
            && differs(&expected.to_node(arena), judged.mutated)
        {
            self.push("object", expected.to_value(), value(judged.mutated));
        }
        if let Some(expected) = &self.case.expect.patch {
            let got = Value::from(judged.patch().iter().map(operation).collect::<Vec<_>>());
            if expected.to_value() != got {
                self.push("patch", expected.to_value(), got);
            }
        }
    }

    fn texts(&mut self) {
        let verdict = &self.judged.verdict;
        let expect = self.expect();
        let warnings = verdict.warnings();
        let errors: Vec<String> =
            verdict.failures.iter().map(|failure| format!("{}: {}", failure.origin.policy, failure.error)).collect();
        let unfit = |expected: &[Pattern], got: &[String]| {
            let fit = expected.len() == got.len() && expected.iter().zip(got).all(|(pattern, text)| pattern.fits(text));
            (!fit).then(|| (expected.iter().map(Pattern::text).collect::<Value>(), json!(got)))
        };
        let warnings = expect.warnings.as_ref().and_then(|expected| unfit(expected, &warnings));
        let errors = unfit(expect.errors.as_deref().unwrap_or_default(), &errors);
        let there: Map<String, Value> =
            verdict.audit_annotations().into_iter().map(|(key, text)| (key, text.into())).collect();
        let is_there = |(key, pattern): (&String, &Pattern)| {
            there.get(key).and_then(Value::as_str).is_some_and(|text| pattern.fits(text))
        };
        let annotations = expect.audit_annotations.as_ref().filter(|expected| !expected.iter().all(is_there));
        let annotations = annotations.map(|expected| {
            let expected: Map<String, Value> =
                expected.iter().map(|(key, pattern)| (key.clone(), pattern.text().into())).collect();
            (Value::from(expected), Value::from(there.clone()))
        });
        for (field, difference) in [("warnings", warnings), ("auditAnnotations", annotations), ("errors", errors)] {
            if let Some((expected, got)) = difference {
                self.push(field, expected, got);
            }
        }
    }
}

/// A tree as a value that outlives its arena.
pub(super) fn value(node: Node<'_>) -> Value {
    serde_json::to_value(node).unwrap_or_default()
}

fn operation(operation: &PatchOperation<'_>) -> Value {
    serde_json::to_value(operation).unwrap_or_default()
}
