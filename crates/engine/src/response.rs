//! The bytes of an answer: an AdmissionReview of admission.k8s.io/v1 with its `response`.
//!
//! Everything that the wire demands stands here: the uid is echoed; `patch` and `patchType` come together or not at all,
//! and only from `/mutate` with an allowed change; a refusal is an HTTP 200 with `allowed: false`, because any other status
//! opens the door where the webhook fails open.

mod provenance;

use base64::Engine as _;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

pub use provenance::{Written, overwritten, provenance};

use crate::json::diff;
use crate::json::patch::Operation as PatchOperation;
use crate::kubernetes::list_keys;
use crate::pipeline::Route;
use crate::review::{Operation, Review};
use crate::verdict::wording::CAUSES;
use crate::verdict::{Refusal, Verdict};

/// The AdmissionReview that answers `review`.
pub fn answer(review: &Review<'_>, verdict: &Verdict<'_>, route: Route) -> Vec<u8> {
    answer_with(review, verdict, route, (&provenance(verdict), None))
}

/// The same by whoever knows already what was `written` by whom ([`provenance`]), with a last line under a denial: how to ask
/// more about it.
pub fn answer_with(
    review: &Review<'_>,
    verdict: &Verdict<'_>,
    route: Route,
    (written, how_to_ask): (&[Written<'_>], Option<&str>),
) -> Vec<u8> {
    let refusal = verdict.refusal();
    let patch = if refusal.is_none() && route == Route::Mutate { patch(review, verdict) } else { vec![] };
    let encoded = (!patch.is_empty()).then(|| encode(&patch));
    let mut audit_annotations = verdict.audit_annotations();
    if encoded.is_some() {
        let named = provenance::annotations(written);
        // A policy's own entry of the same name stays: the answer is a map.
        let is_taken = |key: &String| audit_annotations.iter().any(|(taken, _)| taken == key);
        let named: Vec<_> = named.into_iter().filter(|(key, _)| !is_taken(key)).collect();
        audit_annotations.extend(named);
    }
    let status = refusal.map(|refusal| Status {
        outcome: "Failure",
        message: how_to_ask.map_or_else(|| verdict.message(), |how| format!("{}\n{how}", verdict.message())),
        reason: refusal.reason,
        details: Some(Details { causes: causes(verdict) }),
        code: refusal.code,
    });
    print(&Response {
        uid: review.uid,
        allowed: refusal.is_none(),
        status,
        patch: encoded.as_deref(),
        patch_type: encoded.as_ref().map(|_| "JSONPatch"),
        audit_annotations,
        warnings: verdict.warnings(),
    })
}

/// An answer that refuses a request which no policy has judged.
pub fn refuse(uid: &str, refusal: Refusal, message: &str) -> Vec<u8> {
    let status = Status {
        outcome: "Failure",
        message: message.to_owned(),
        reason: refusal.reason,
        details: None,
        code: refusal.code,
    };
    let response = Response { uid, status: Some(status), ..Response::default() };
    print(&response)
}

/// An answer that allows a request which no policy has judged, with what its user should know. Warnings are cut as those of
/// policies.
pub fn allow(uid: &str, warnings: &[String]) -> Vec<u8> {
    let warnings = crate::verdict::wording::warnings(warnings.iter());
    print(&Response { uid, allowed: true, warnings, ..Response::default() })
}

/// The change that the mutators made, as RFC 6902; empty where they made none, and on DELETE and CONNECT.
pub fn patch<'a>(review: &Review<'_>, verdict: &Verdict<'a>) -> Vec<PatchOperation<'a>> {
    match review.operation {
        Operation::Delete | Operation::Connect => vec![],
        Operation::Create | Operation::Update => {
            diff::diff(verdict.roots.original, verdict.roots.mutated, list_keys::of)
        }
    }
}

fn encode(patch: &[PatchOperation<'_>]) -> String {
    base64::engine::general_purpose::STANDARD.encode(serde_json::to_vec(patch).unwrap_or_default())
}

fn causes(verdict: &Verdict<'_>) -> Vec<Cause> {
    let findings = verdict.denials().map(|found| Cause {
        reason: found.origin.policy.clone(),
        message: found.finding.message.clone(),
        field: found.finding.path.to_string(),
    });
    let failures = verdict.fatal().map(|failure| Cause {
        reason: failure.origin.policy.clone(),
        message: format!("evaluation error: {}", failure.error),
        field: String::new(),
    });
    findings.chain(failures).take(CAUSES).collect()
}

fn print(response: &Response<'_>) -> Vec<u8> {
    let review = Envelope { api_version: "admission.k8s.io/v1", kind: "AdmissionReview", response };
    serde_json::to_vec(&review).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'r> {
    api_version: &'static str,
    kind: &'static str,
    response: &'r Response<'r>,
}

/// `AdmissionResponse`
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'r> {
    uid: &'r str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
    audit_annotations: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// `metav1.Status`
#[derive(Serialize)]
struct Status {
    #[serde(rename = "status")]
    outcome: &'static str,
    message: String,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
    code: u16,
}

/// `metav1.StatusDetails`
#[derive(Serialize)]
struct Details {
    causes: Vec<Cause>,
}

/// `metav1.StatusCause`
#[derive(Serialize)]
struct Cause {
    reason: String,
    message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    field: String,
}

fn as_map<S: Serializer>(entries: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(entries.len()))?;
    for (key, value) in entries {
        map.serialize_entry(key, value)?;
    }
    map.end()
}

#[cfg(test)]
mod tests;
