//! Who may ask for explanations: the cluster says who it is (TokenReview) and whether they may (SubjectAccessReview). Where a
//! connection comes from counts for nothing.
//!
//! Tokens must be meant for this server: their audience is [`AUDIENCE`]. A token for the API server is refused, so that
//! nobody gets used to handing those out.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use crate::cluster::at;

/// The audience of tokens that are accepted.
pub const AUDIENCE: &str = "admittance.dev";
/// Where a token may stand instead of `Authorization`, which the API server's proxy takes away.
pub const TOKEN_HEADER: &str = "x-admittance-token";
/// What must be allowed: `get` on this path.
const PATH: &str = "/explain";

/// How long an answer of the cluster is taken for true.
const KEPT: Duration = Duration::from_secs(10);
/// How many are kept.
const MAX_KEPT: usize = 256;
/// How many questions may be on their way.
const MAX_ASKED: usize = 8;
/// How long one may take.
const LONGEST: Duration = Duration::from_secs(5);
/// The longest token, in bytes.
const LONGEST_TOKEN: usize = 16 << 10;

/// The door.
pub struct Door {
    client: kube::Client,
    kept: Mutex<HashMap<[u8; 32], (Instant, Outcome)>>,
    asked: Semaphore,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Allowed,
    /// Whose token it is is not known, and why.
    Unknown(String),
    /// This user may not.
    Forbidden(String),
}

/// Why somebody may not ask.
#[derive(Debug)]
pub struct Refused(StatusCode, String);

impl Refused {
    /// The answer.
    pub fn response(self) -> Response {
        let Self(status, message) = self;
        let mut response = (status, format!("{message}\n")).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"admittance\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl Door {
    /// Who comes is asked for there.
    pub fn new(client: kube::Client) -> Self {
        Self { client, kept: Mutex::default(), asked: Semaphore::new(MAX_ASKED) }
    }

    /// Lets in who may ask.
    ///
    /// # Errors
    /// 401 without a token that is accepted, 403 for a user who may not, 429 and 503 where that cannot be known now.
    pub async fn open(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let refused = |status, message: &str| Refused(status, message.to_owned());
        let token = token(headers).ok_or_else(|| refused(StatusCode::UNAUTHORIZED, "a bearer token is needed"))?;
        if token.is_empty() || token.len() > LONGEST_TOKEN {
            return Err(refused(StatusCode::UNAUTHORIZED, "the token is not accepted"));
        }
        let digest: [u8; 32] = Sha256::digest(token).into();
        let outcome = match self.known(&digest) {
            Some(outcome) => outcome,
            None => {
                let Ok(_permit) = self.asked.try_acquire() else {
                    return Err(refused(StatusCode::TOO_MANY_REQUESTS, "too many ask at once: try again"));
                };
                let asked = tokio::time::timeout(LONGEST, self.ask(token)).await;
                let asked = asked.unwrap_or_else(|_| Err("it did not answer in time".to_owned()));
                let outcome = asked.map_err(|problem| {
                    tracing::warn!(problem, "who asks for explanations could not be asked of the cluster");
                    refused(StatusCode::SERVICE_UNAVAILABLE, "the cluster could not be asked who this is")
                })?;
                self.keep(digest, outcome.clone());
                outcome
            }
        };
        match outcome {
            Outcome::Allowed => Ok(()),
            Outcome::Unknown(reason) => {
                Err(Refused(StatusCode::UNAUTHORIZED, format!("the token is not accepted: {reason}")))
            }
            Outcome::Forbidden(user) => Err(Refused(StatusCode::FORBIDDEN, format!("{user} may not get {PATH}"))),
        }
    }

    fn known(&self, digest: &[u8; 32]) -> Option<Outcome> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(digest).filter(|(until, _)| Instant::now() < *until).map(|(_, outcome)| outcome.clone())
    }

    fn keep(&self, digest: [u8; 32], outcome: Outcome) {
        let now = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.retain(|_, (until, _)| now < *until);
        }
        if kept.len() < MAX_KEPT {
            kept.insert(digest, (now + KEPT, outcome));
        }
    }

    async fn ask(&self, token: &str) -> Result<Outcome, String> {
        let review = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
            "spec": {"token": token, "audiences": [AUDIENCE]},
        });
        let review = self.post("/apis/authentication.k8s.io/v1/tokenreviews", &review).await?;
        let status = at(&review, "/status");
        if at(status, "/authenticated") != true {
            let reason = at(status, "/error").as_str().filter(|reason| !reason.is_empty());
            return Ok(Outcome::Unknown(reason.unwrap_or("it is nobody's").to_owned()));
        }
        // Who asks for audiences has to look at them: an authenticator that knows of none ignores them.
        let audiences = at(status, "/audiences").as_array();
        if !audiences.into_iter().flatten().any(|audience| audience == AUDIENCE) {
            return Ok(Outcome::Unknown(format!("its audience is not {AUDIENCE}")));
        }
        let user = at(status, "/user");
        let name = at(user, "/username").as_str().unwrap_or_default();
        let access = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {
                "user": name, "uid": at(user, "/uid"), "groups": at(user, "/groups"), "extra": at(user, "/extra"),
                "nonResourceAttributes": {"path": PATH, "verb": "get"},
            },
        });
        let access = self.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", &access).await?;
        let is_allowed = at(&access, "/status/allowed") == true && at(&access, "/status/denied") != true;
        Ok(if is_allowed { Outcome::Allowed } else { Outcome::Forbidden(name.to_owned()) })
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        let request = Request::post(path).header(CONTENT_TYPE, "application/json").body(body.to_string().into_bytes());
        let request = request.map_err(|error| error.to_string())?;
        self.client.request(request).await.map_err(|error| error.to_string())
    }
}

/// The token that a request carries.
fn token(headers: &HeaderMap) -> Option<&str> {
    if let Some(token) = headers.get(TOKEN_HEADER) {
        return token.to_str().ok();
    }
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl fmt::Debug for Door {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Door")
    }
}
