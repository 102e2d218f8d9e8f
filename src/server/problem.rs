//! Requests that no policy judges: why, and what their senders are told.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use admittance_engine::verdict::Refusal;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;

use super::body::Reason;

/// Why a request is not judged.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) refusal: Refusal,
    pub(super) message: String,
}

impl Problem {
    pub(super) fn new(refusal: Refusal, message: impl Into<String>) -> Self {
        Self { refusal, message: message.into() }
    }
}

/// What is wrong with a request before its body is read.
pub(super) fn wrong_request(request: &Request) -> Option<Problem> {
    if request.method() != Method::POST {
        let refusal = Refusal { code: 405, reason: "MethodNotAllowed" };
        return Some(Problem::new(
            refusal,
            format!("{} is not allowed here, POST an AdmissionReview", request.method()),
        ));
    }
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return None;
    }
    let refusal = Refusal { code: 415, reason: "UnsupportedMediaType" };
    Some(Problem::new(refusal, "expected content type application/json"))
}

pub(super) fn incomplete_request(reason: Reason) -> Problem {
    let refusal = match reason {
        Reason::TooLarge => Refusal::TOO_LARGE,
        Reason::Late => Refusal::TIMEOUT,
        Reason::OverBudget => Refusal::TOO_MANY_REQUESTS,
        Reason::Broken => Refusal::BAD_REQUEST,
    };
    Problem::new(refusal, reason.to_string())
}

pub(super) fn review(bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) fn bare(problem: &Problem) -> Response {
    let mut response = Response::new(Body::from(format!("{}\n", problem.message)));
    *response.status_mut() = StatusCode::from_u16(problem.refusal.code).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    match problem.refusal.code {
        405 => drop(headers.insert(ALLOW, HeaderValue::from_static("POST"))),
        429 => drop(headers.insert(RETRY_AFTER, HeaderValue::from_static("1"))),
        _ => {}
    }
    response
}

/// The uids that were turned away lately, as hashes.
#[derive(Debug, Default)]
pub(super) struct TurnedAway(Mutex<VecDeque<u64>>);

/// How many uids are remembered: more retries than an API server has under way.
const REMEMBERED: usize = 4_096;

impl TurnedAway {
    pub(super) fn is_first(&self, uid: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        uid.hash(&mut hasher);
        let hash = hasher.finish();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(&hash) {
            return false;
        }
        if seen.len() == REMEMBERED {
            seen.pop_front();
        }
        seen.push_back(hash);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_first_overload_of_a_request_from_its_second() {
        let turned_away = TurnedAway::default();
        assert!(turned_away.is_first("a") && turned_away.is_first("b") && !turned_away.is_first("a"));
        for n in 0..REMEMBERED {
            turned_away.is_first(&n.to_string());
        }
        assert!(turned_away.is_first("a"));
    }
}
