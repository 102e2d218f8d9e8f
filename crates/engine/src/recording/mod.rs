//! One review as it is kept: the line of JSON that `serve --record` writes and `replay` reads.
//!
//! ```text
//! {"schemaVersion": 1, "time": "2026-01-31T12:00:00Z", "route": "validate", "set": DIGEST, "cluster": true,
//!  "review": AdmissionReview, "lookups": [{"lookup": {"namespace": "shop"}, "found": {...}}],
//!  "answer": {"allowed": false, "code": 403, "lines": [{"policy": "tags", "action": "Deny", "text": "tags: spec..."}]}}
//! ```
//!
//! [`outcome`] is what was answered, [`fact`] what was looked up, [`line`](mod@line) puts them together with the request.

pub mod fact;
pub mod line;
pub mod outcome;

#[cfg(test)]
mod tests;

pub use fact::Fact;
pub use line::{Line, Recorded};
pub use outcome::{Outcome, Said};
