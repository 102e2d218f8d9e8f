//! What became of a case, asked in three ways.

use std::process::Command;

use admittance_engine::kubernetes::kinds::Kinds;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use tempfile::TempDir;

use super::{api::Answer, webhook::Webhook};
use crate::case::Case;

/// An answer, as far as all ways can tell it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outcome {
    pub(super) allowed: bool,
    pub(super) code: Value,
    pub(super) reason: Value,
    pub(super) message: Value,
    pub(super) warnings: Vec<String>,
    /// After all changes; null where it was denied or deleted.
    pub(super) object: Value,
}

impl Outcome {
    /// What the case expects. `None` stands for a code, reason or message that it leaves open.
    pub(super) fn differences(&self, case: &Case) -> Vec<String> {
        let expect = &case.expect;
        let mut lines = Vec::new();
        let mut same = |field: &str, expected: Value, got: &Value| {
            if expected != *got {
                lines.push(format!("{field}: expected {expected}, got {got}"));
            }
        };
        same("allowed", expect.allowed.into(), &self.allowed.into());
        if let Some(code) = expect.code {
            same("code", code.into(), &self.code);
        }
        if let Some(reason) = &expect.reason {
            same("reason", reason.as_str().into(), &self.reason);
        }
        if let Some(message) = &expect.message {
            same("message", message.as_str().into(), &self.message);
        }
        same("warnings", expect.warnings.clone().into(), &self.warnings.clone().into());
        lines
    }
}

/// What the API server answered, `own_warnings` of which are its own.
pub(super) fn of_api_server(case: &Case, answer: Answer, own_warnings: &[String]) -> Result<Outcome, String> {
    let warnings = answer.warnings.iter().filter(|&warning| !own_warnings.contains(warning)).cloned().collect();
    if answer.status.is_success() {
        let object = if case.object.is_null() { Value::Null } else { settled(answer.body) };
        return Ok(Outcome { allowed: true, warnings, object, ..Outcome::default() });
    }
    let message = answer.body["message"].as_str().unwrap_or_default();
    // admission webhook "NAME" denied the request: MESSAGE
    let Some(("admission webhook", rest)) = message.split_once(" \"") else {
        return Err(format!("refused by the API server itself: {}", answer.text));
    };
    let Some((_, message)) = rest.split_once("\" denied the request: ") else {
        return Err(format!("the webhook did not answer: {}", answer.text));
    };
    Ok(Outcome {
        allowed: false,
        code: answer.body["code"].clone(),
        reason: answer.body["reason"].clone(),
        message: message.into(),
        warnings,
        object: Value::Null,
    })
}

/// An object without what is new in each one.
pub(super) fn settled(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"] {
            metadata.remove(field);
        }
    }
    // The address that every Service is given in a dry run, and none can have.
    if object["kind"] == "Service"
        && let Some(spec) = object["spec"].as_object_mut()
        && spec.get("clusterIP").is_some_and(|address| address == "10.0.0.0")
    {
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
    }
    object
}

/// What the server answers to the reviews that an API server would send for this object, one after the other.
pub(super) async fn over_http(case: &Case, kinds: &Kinds, webhook: &Webhook, object: &Value) -> Outcome {
    let client = webhook.client();
    let mut outcome = Outcome { object: object.clone(), ..Outcome::default() };
    for path in ["/mutate?timeout=5s", "/validate?timeout=5s"] {
        let review: Value = serde_json::from_str(&case.review_of(kinds, &outcome.object)).unwrap();
        let mut response = client.post(path, &review).await.expect_ok()["response"].take();
        outcome.allowed = response["allowed"] == true;
        let warnings = response["warnings"].as_array().into_iter().flatten();
        outcome.warnings.extend(warnings.map(|warning| warning.as_str().unwrap().to_owned()));
        if !outcome.allowed {
            let mut status = response["status"].take();
            outcome.code = status["code"].take();
            outcome.reason = status["reason"].take();
            outcome.message = status["message"].take();
            outcome.object = Value::Null;
            break;
        }
        if let Some(patch) = response["patch"].as_str() {
            let patch: json_patch::Patch = serde_json::from_slice(&STANDARD.decode(patch).unwrap()).unwrap();
            json_patch::patch(&mut outcome.object, &patch).unwrap();
        }
    }
    outcome
}

/// What `admittance check` says about the manifest as its author wrote it.
pub(super) fn of_check(case: &Case, kinds: &Kinds, webhook: &Webhook) -> Outcome {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_admittance"));
    command.arg("check").args(["-o", "jsonl", "-p"]).arg(webhook.policies());
    if !case.request.namespace_object.is_null() {
        command.arg("--namespace-object").arg(write("namespace.json", &case.request.namespace_object.to_string()));
    }
    // Roles are no parameters: they do no harm.
    for (n, object) in case.cluster_objects().iter().enumerate() {
        command.arg("--params").arg(write(&format!("object-{n}.json"), &object.to_string()));
    }
    if case.request.subresource.is_empty() {
        command.args(["--operation", case.operation(), "--user", case.request.user.as_deref().unwrap_or("admin")]);
        let groups = case.request.groups.clone().unwrap_or_else(|| vec!["system:masters".to_owned()]);
        command.args(groups.iter().flat_map(|group| ["--group", group]));
        let shown = if case.object.is_null() { &case.old_object } else { &case.object };
        if !case.object.is_null() && !case.old_object.is_null() {
            command.arg("--old-object").arg(write("stored.json", &case.old_object.to_string()));
        }
        command.arg(write("manifest.json", &shown.to_string()));
    } else {
        // A manifest is never about a subresource; a review can be.
        command.arg(write("review.json", &case.review(kinds)));
    }
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let mut line: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}{errors}"));
    let allowed = line["allowed"] == true;
    assert_eq!(output.status.code(), Some(i32::from(!allowed)), "{text}{errors}");
    let warnings = line["warnings"].as_array().into_iter().flatten();
    let warnings = warnings.map(|warning| warning.as_str().unwrap().to_owned()).collect();
    let object = if allowed && !case.object.is_null() { line["object"].take() } else { Value::Null };
    Outcome {
        allowed,
        code: line["code"].take(),
        reason: line["reason"].take(),
        message: line["message"].take(),
        warnings,
        object,
    }
}
