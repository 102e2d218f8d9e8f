//! What an answer must be: its uid, its verdict with its code, and its patch to the last operation.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hyper::StatusCode;
use serde_json::Value;

/// What is to be decided.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    Allowed,
    /// Allowed, and changed by exactly this JSON patch.
    Patched(Value),
    /// Denied, with this code.
    Denied(u16),
    /// Denied, whatever the code.
    Refused,
}

/// Holds the answers of one connection against what is expected, and counts those that are wrong.
pub(crate) struct Checker<'a> {
    uid: &'a str,
    expected: &'a Expected,
    /// An answer that was right: one of the same bytes is right.
    right: Bytes,
    pub(crate) wrong: u32,
    /// What was wrong with the first.
    pub(crate) first: Option<String>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(uid: &'a str, expected: &'a Expected) -> Self {
        Self { uid, expected, right: Bytes::new(), wrong: 0, first: None }
    }

    pub(crate) fn take(&mut self, status: StatusCode, body: Bytes) {
        if status == StatusCode::OK && !body.is_empty() && body == self.right {
            return;
        }
        if status == StatusCode::OK && self.is_right(&body) {
            self.right = body;
            return;
        }
        self.wrong += 1;
        let (uid, expected) = (self.uid, self.expected);
        self.first.get_or_insert_with(|| {
            format!("expected 200, uid {uid} and {expected:?}; got {status}: {}", String::from_utf8_lossy(&body))
        });
    }

    fn is_right(&self, body: &[u8]) -> bool {
        let review: Value = serde_json::from_slice(body).unwrap_or_default();
        let at = |path: &str| review.pointer(path);
        let allowed = at("/response/allowed").and_then(Value::as_bool);
        let patch = at("/response/patch").map(decoded);
        let code = at("/response/status/code").and_then(Value::as_u64);
        let verdict = match self.expected {
            Expected::Allowed => allowed == Some(true) && patch.is_none(),
            Expected::Patched(expected) => allowed == Some(true) && patch.flatten().as_ref() == Some(expected),
            Expected::Denied(expected) => {
                allowed == Some(false) && patch.is_none() && code == Some(u64::from(*expected))
            }
            Expected::Refused => allowed == Some(false) && patch.is_none(),
        };
        verdict && at("/response/uid").and_then(Value::as_str) == Some(self.uid)
    }
}

/// The operations of a patch, which stands in base64.
fn decoded(patch: &Value) -> Option<Value> {
    serde_json::from_slice(&STANDARD.decode(patch.as_str()?).ok()?).ok()
}
