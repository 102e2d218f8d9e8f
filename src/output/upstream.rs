//! `check --jsonl`: the answer that the API server itself would give, with its codes and texts
//! (k8s.io/apiserver, admission/plugin/policy: validating/dispatcher.go, generic/policy_dispatcher.go).

use std::collections::BTreeMap;

use admittance_engine::json::{Arena, Node};
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::kubernetes::names::is_label_key;
use admittance_engine::review::{Operation, Review};
use admittance_engine::verdict::{Action, Decision, Expressed, Judged, Refusal, Verdict};
use serde::Serialize;
use serde_json::Value;

use crate::manifests::case_line::{CaseLine, Refused};

/// The longest audit annotation of one evaluation, in bytes, is cut by the engine; this is the key of failures.
const FAILURE: &str = "validation.policy.admission.k8s.io/validation_failure";

/// One line.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<Cause>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    audit_annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<DecisionLine>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ErrorLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

#[derive(Debug, Serialize)]
struct Cause {
    message: String,
}

#[derive(Debug, Serialize)]
struct DecisionLine {
    policy: String,
    action: &'static str,
    evaluation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

#[derive(Debug, Serialize)]
struct ErrorLine {
    policy: String,
    path: String,
    error: String,
}

/// `ValidationFailureValue`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureValue<'a> {
    message: &'a str,
    policy: &'a str,
    binding: &'a str,
    expression_index: usize,
    validation_actions: Vec<&'static str>,
}

impl Line {
    /// The answer to a line of `check --jsonl`.
    pub fn answer(text: &[u8], arena: &Arena, defaults: &Defaults) -> Self {
        let mut line: CaseLine = match serde_json::from_slice(text) {
            Ok(line) => line,
            Err(error) => return Self::failed(None, format!("unreadable line: {error}")),
        };
        let id = line.id.take();
        let mut prepared = match line.prepare() {
            Ok(prepared) => prepared,
            Err(failure) => return Self::failed(id, failure),
        };
        let refused = std::mem::take(&mut prepared.refused);
        match prepared.judge(arena, defaults) {
            Ok((review, verdict)) => Self::of(id, refused, prepared.mutates, (&review, &verdict)),
            Err(failure) => Self::failed(id, failure),
        }
    }

    /// A line that cannot be judged.
    fn failed(id: Option<Value>, failure: String) -> Self {
        Self { id, failure: Some(failure), ..Self::default() }
    }

    /// The answer. `mutates` says whether there are policies that change objects: then the object is in it.
    fn of(
        id: Option<Value>,
        refused: Vec<Refused>,
        mutates: bool,
        (review, verdict): (&Review<'_>, &Verdict<'_>),
    ) -> Self {
        let errors = refused.into_iter().map(|Refused { policy, path, error }| ErrorLine { policy, path, error });
        let mut line = Self { id, allowed: true, errors: errors.collect(), ..Self::default() };
        let object = if line.mutate(verdict) { verdict.roots.original } else { verdict.roots.mutated };
        if line.allowed {
            line.validate(review, verdict);
        }
        if mutates && review.operation != Operation::Delete && review.object.is_some() {
            // Where no policy came so far as to read it, it is as it was sent.
            let sent = || review.object().ok().flatten().unwrap_or_default();
            let object: Node<'_> = if object.is_null() { sent() } else { object };
            line.object = serde_json::to_value(object).ok();
        }
        line
    }

    /// What mutating policies say against the request. True where it ended before anything was changed.
    fn mutate(&mut self, verdict: &Verdict<'_>) -> bool {
        let failures = || {
            verdict.decisions.iter().filter(|decision| decision.mutates).filter_map(|decision| {
                match &decision.judgement.outcome {
                    Judged::Fails { message, is_fatal } => Some((decision, message, *is_fatal)),
                    _ => None,
                }
            })
        };
        if let Some((_, message, Some(refusal))) = failures().find(|(_, _, fatal)| fatal.is_some()) {
            self.refuse(refusal, message.clone());
            if let Some(cause) = message.strip_prefix("Internal error occurred: ") {
                self.causes.push(Cause { message: cause.to_owned() });
            }
            return true;
        }
        let is_configuration = |decision: &Decision| is_configuration(decision.judgement.step);
        let (first, then): (Vec<_>, Vec<_>) = failures()
            .filter(|(decision, ..)| decision.fails_closed)
            .partition(|(decision, ..)| is_configuration(decision));
        for (decision, message, _) in first.into_iter().chain(then) {
            let (policy, binding) = names(decision);
            let text = match decision.judgement.step {
                Expressed::Constraints => {
                    format!("policy {policy:?} denied request: failed to configure policy: {message}")
                }
                Expressed::Binding => format!(
                    "policy '{policy}' with binding '{binding}' denied request: failed to configure binding: {message}"
                ),
                _ => format!("policy '{policy}' with binding '{binding}' denied request: {message}"),
            };
            if self.allowed {
                let reason = if is_configuration(decision) { "Forbidden" } else { "Invalid" };
                self.refuse(Refusal { code: 403, reason }, text.clone());
            }
            self.causes.push(Cause { message: text });
        }
        false
    }

    fn refuse(&mut self, refusal: Refusal, message: String) {
        self.allowed = false;
        (self.code, self.reason, self.message) = (Some(refusal.code), Some(refusal.reason), Some(message));
    }

    fn validate(&mut self, review: &Review<'_>, verdict: &Verdict<'_>) {
        let mut denial: Option<(Refusal, String)> = None;
        for decision in verdict.decisions.iter().filter(|decision| !decision.mutates) {
            let (policy, binding) = names(decision);
            let step = decision.judgement.step;
            let (refusal, message) = match &decision.judgement.outcome {
                Judged::Fails { message, is_fatal: Some(refusal) } => {
                    self.refuse(*refusal, message.clone());
                    return;
                }
                outcome if is_evaluated(step, decision.fails_closed) => {
                    self.decisions.push(decided(policy, outcome, decision.fails_closed));
                    match outcome {
                        Judged::Denies { refusal, message } => (*refusal, message.clone()),
                        Judged::Fails { message, .. } if decision.fails_closed => (Refusal::INVALID, message.clone()),
                        _ => continue,
                    }
                }
                Judged::Fails { message, .. } if decision.fails_closed => {
                    // An error of configuration or of an annotation denies whatever the binding's actions are.
                    let (with, message) = match step {
                        Expressed::Constraints => (String::new(), format!("failed to configure policy: {message}")),
                        Expressed::Binding => {
                            (format!(" with binding '{binding}'"), format!("failed to configure binding: {message}"))
                        }
                        _ => (format!(" with binding '{binding}'"), message.clone()),
                    };
                    let text = format!("ValidatingAdmissionPolicy '{policy}'{with} denied request: {message}");
                    denial.get_or_insert((Refusal::INVALID, text));
                    continue;
                }
                _ => continue,
            };
            let actions =
                decision.origin.binding.as_ref().map(|binding| binding.actions.as_slice()).unwrap_or_default();
            for action in actions {
                match action {
                    Action::Deny => {
                        let text = format!(
                            "ValidatingAdmissionPolicy '{policy}' with binding '{binding}' denied request: {message}"
                        );
                        denial.get_or_insert((refusal, text));
                    }
                    Action::Warn => self.warnings.push(format!(
                        "Validation failed for ValidatingAdmissionPolicy '{policy}' with binding '{binding}': {message}"
                    )),
                    Action::Audit => {
                        let value = failure_value(decision, &message);
                        self.audit_annotations.entry(FAILURE.to_owned()).or_insert(value);
                    }
                }
            }
        }
        self.annotate(verdict);
        if let Some((refusal, text)) = denial {
            self.refuse(refusal, forbidden(review, verdict, &text));
            self.causes.push(Cause { message: text });
        }
    }

    /// What bindings and parameters of a policy say under one key stands together, each text once.
    fn annotate(&mut self, verdict: &Verdict<'_>) {
        let mut values: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for annotation in &verdict.annotations {
            let key = format!("{}/{}", annotation.origin.policy, annotation.key);
            let texts = values.entry(key).or_default();
            if !texts.contains(&annotation.value.as_str()) {
                texts.push(&annotation.value);
            }
        }
        let valid = values.into_iter().filter(|(key, _)| is_label_key(key));
        self.audit_annotations.extend(valid.map(|(key, texts)| (key, texts.join(", "))));
    }

    /// The line, with its line break.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn names(decision: &Decision) -> (&str, &str) {
    let binding = decision.origin.binding.as_ref().map_or("", |binding| binding.name.as_str());
    (&decision.origin.policy, binding)
}

const fn is_configuration(step: Expressed) -> bool {
    matches!(step, Expressed::Constraints | Expressed::Binding)
}

/// Whether the step is a decision of the validator. An error of conditions is one only where it fails closed; else the
/// policy does not match.
const fn is_evaluated(step: Expressed, fails_closed: bool) -> bool {
    match step {
        Expressed::Conditions => fails_closed,
        Expressed::Validations | Expressed::Validation(_) => true,
        _ => false,
    }
}

fn decided(policy: &str, outcome: &Judged, fails_closed: bool) -> DecisionLine {
    let policy = policy.to_owned();
    match outcome {
        Judged::Admits => {
            DecisionLine { policy, action: "admit", evaluation: "admit", reason: None, message: String::new() }
        }
        Judged::Denies { refusal, message } => DecisionLine {
            policy,
            action: "deny",
            evaluation: "deny",
            reason: Some(refusal.reason),
            message: message.clone(),
        },
        Judged::Fails { message, .. } => DecisionLine {
            policy,
            action: if fails_closed { "deny" } else { "admit" },
            evaluation: "error",
            reason: None,
            message: message.clone(),
        },
    }
}

fn failure_value(decision: &Decision, message: &str) -> String {
    let (policy, binding) = names(decision);
    let expression_index = match decision.judgement.step {
        Expressed::Validation(position) => position,
        _ => 0,
    };
    let actions = decision.origin.binding.iter().flat_map(|binding| &binding.actions);
    let value = FailureValue {
        message,
        policy,
        binding,
        expression_index,
        validation_actions: actions.map(|action| action.as_str()).collect(),
    };
    let text = serde_json::to_string(&[value]).unwrap_or_default();
    // Go's JSON escapes these, inside of strings the only place where they can be.
    [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")]
        .into_iter()
        .fold(text, |text, (char, escape)| text.replace(char, escape))
}

/// `admission.NewForbidden`
fn forbidden(review: &Review<'_>, verdict: &Verdict<'_>, text: &str) -> String {
    let asked = review.request_resource;
    let resource =
        if asked.group.is_empty() { asked.resource.to_owned() } else { format!("{}.{}", asked.resource, asked.group) };
    if resource.is_empty() {
        return format!("forbidden: {text}");
    }
    let object = if review.operation == Operation::Delete { Node::NULL } else { verdict.roots.mutated };
    let metadata = object.get("metadata").unwrap_or_default();
    let of_object = |key: &str| metadata.str(key).filter(|name| !name.is_empty());
    let name = Some(review.name).filter(|name| !name.is_empty());
    let name = name.or_else(|| of_object("name")).or_else(|| of_object("generateName")).unwrap_or("Unknown");
    format!("{resource} {name:?} is forbidden: {text}")
}
