//! From a line to a review with what is known about it.

use std::borrow::Cow;

use admittance_engine::json::Arena;
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::pipeline::Route;
use admittance_engine::recording::fact::Looked;
use admittance_engine::recording::line::review;
use admittance_engine::recording::{Outcome, Recorded, Said};
use admittance_engine::review::Review;
use base64::Engine as _;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::audit;

/// A review to judge again.
#[derive(Debug)]
pub struct Case<'a> {
    /// The request.
    pub review: Review<'a>,
    /// What runs: for reviews that do not say where they came in, mutation and then validation.
    pub route: Route,
    /// When it was made, if that is known.
    pub time: Option<String>,
    /// What was looked up.
    pub lookups: Vec<Looked<'a>>,
    /// Whether there was a cluster to ask; None where nobody knows.
    pub cluster: Option<bool>,
    /// What was decided.
    pub before: Option<Before>,
}

/// What was decided.
#[derive(Clone, Debug)]
pub struct Before {
    /// The answer, as far as it is known.
    pub outcome: Outcome,
    /// Whether it is an answer of these policies: then what they said and changed is compared. Of another's the verdict is,
    /// and the change where there is one.
    pub is_ours: bool,
}

/// Why a line cannot be replayed: a few words, the same for lines of the same kind.
pub type Unfit = Cow<'static, str>;

/// What says which sort of line it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'t> {
    schema_version: Option<u32>,
    #[serde(borrow)]
    api_version: Option<Cow<'t, str>>,
    #[serde(borrow)]
    kind: Option<Cow<'t, str>>,
    #[serde(borrow)]
    response: Option<&'t RawValue>,
}

/// Reads a line.
///
/// # Errors
/// Why it cannot be replayed.
pub fn read<'a>(arena: &'a Arena, line: &'a [u8], defaults: &Defaults) -> Result<Case<'a>, Unfit> {
    let text = std::str::from_utf8(line).map_err(|_| "not UTF-8")?;
    let head: Head<'a> = serde_json::from_str(text).map_err(|_| "no review: not a JSON object")?;
    let (api_version, kind) = (head.api_version.unwrap_or_default(), head.kind.unwrap_or_default());
    match (head.schema_version, api_version.as_ref(), kind.as_ref()) {
        (Some(_), ..) => recorded(arena, text),
        (None, "admission.k8s.io/v1", "AdmissionReview") => plain(arena, text, head.response),
        (None, "audit.k8s.io/v1", "Event") => audit::read(arena, text, defaults),
        _ => Err("no review: neither a recording's line, nor an AdmissionReview, nor an audit event of v1".into()),
    }
}

fn recorded<'a>(arena: &'a Arena, text: &'a str) -> Result<Case<'a>, Unfit> {
    let recorded = Recorded::read(text).map_err(|error| error.to_string())?;
    let review = recorded.review(arena).map_err(|error| error.to_string())?;
    Ok(Case {
        review,
        route: recorded.route(),
        time: Some(recorded.time.into_owned()),
        cluster: Some(recorded.cluster),
        lookups: recorded.lookups,
        before: recorded.answer.map(|outcome| Before { outcome, is_ours: true }),
    })
}

fn plain<'a>(arena: &'a Arena, text: &'a str, response: Option<&RawValue>) -> Result<Case<'a>, Unfit> {
    let review = review(arena, text).map_err(|error| error.to_string())?;
    let before = response.filter(|response| response.get() != "null").map(|response| answered(response.get()));
    let before = before.transpose()?.map(|outcome| Before { outcome, is_ours: false });
    Ok(Case { review, route: Route::Offline, time: None, lookups: vec![], cluster: None, before })
}

/// An `AdmissionResponse`.
#[derive(Deserialize)]
struct Response {
    allowed: bool,
    status: Option<Status>,
    patch: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    message: Option<String>,
    code: Option<u16>,
}

fn answered(response: &str) -> Result<Outcome, Unfit> {
    let broken = || Unfit::from("its response is no AdmissionResponse");
    let Response { allowed, status, patch } = serde_json::from_str(response).map_err(|_| broken())?;
    let patch = match patch.filter(|patch| !patch.is_empty()) {
        None => None,
        Some(patch) => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(patch).map_err(|_| broken())?;
            let text = String::from_utf8(bytes).map_err(|_| broken())?;
            Some(RawValue::from_string(text).map_err(|_| broken())?)
        }
    };
    let status = status.filter(|_| !allowed);
    let code = status.as_ref().and_then(|status| status.code);
    let message = status.and_then(|status| status.message).into_iter();
    let lines = message.map(|text| Said { policy: String::new(), action: "Deny".to_owned(), text }).collect();
    Ok(Outcome { allowed, code, lines, patch, ..Outcome::default() })
}
