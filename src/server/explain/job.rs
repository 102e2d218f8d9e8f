//! One decision, made once more with the recorder.

use std::sync::Arc;
use std::time::{Duration, Instant};

use admittance_engine::deadline::Deadline;
use admittance_engine::json::Arena;
use admittance_engine::pipeline::{Budget, Detail, Route, Run, admit};
use admittance_engine::review::{Envelope, Review};
use admittance_engine::verdict::Verdict;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::ring::Record;
use crate::cluster::{Asked, Facts};
use crate::source::Active;

/// How long it may take: with the recorder it takes longer than the first time, and nobody waits.
const LONGEST: Duration = Duration::from_secs(5);
/// The largest explanation that is kept whole, in bytes; of a larger one the trace is left out.
const LARGE: usize = 256 << 10;

/// What is needed to decide again as it was decided.
pub(super) struct Job {
    pub(super) route: Route,
    /// Whether mutations were looked for in the object.
    pub(super) judges_drift: bool,
    /// When it was decided, in seconds since 1970.
    pub(super) time: u64,
    pub(super) body: Vec<u8>,
    pub(super) active: Arc<Active>,
    pub(super) facts: Facts,
}

/// An explanation as it is shown. It holds nothing of the object but what the trace shows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation<'e> {
    time: u64,
    uid: &'e str,
    route: &'static str,
    operation: &'static str,
    group: &'e str,
    version: &'e str,
    kind: &'e str,
    resource: String,
    namespace: &'e str,
    name: &'e str,
    user: &'e str,
    dry_run: bool,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// The policies that found, changed or failed.
    policies: &'e [String],
    /// The digest of the policy set that decided.
    set: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Box<RawValue>>,
}

impl Job {
    /// None where it cannot be decided again: that it was once is proof of nothing but that time is over.
    pub(super) fn explain(&self) -> Option<Record> {
        let arena = Arena::with_limit(Budget::REVIEW);
        let (envelope, read) = Envelope::read(&arena, &self.body);
        read.ok()?;
        let review = envelope.into_review(&arena).ok()?;
        let again = Asked::again(&self.active.set, &self.active.parameters, &self.facts);
        let run = Run {
            route: self.route,
            deadline: Deadline::at(Instant::now() + LONGEST),
            budget: Budget::default(),
            lookups: &again,
            detail: Detail::Trace,
            timed: false,
            judges_drift: self.judges_drift,
        };
        let verdict = admit(&self.active.set, &review, &run).ok()?;
        self.record(&review, &verdict)
    }

    fn record(&self, review: &Review<'_>, verdict: &Verdict<'_>) -> Option<Record> {
        let refusal = verdict.refusal();
        let mut policies: Vec<String> = verdict.policies().into_iter().map(ToOwned::to_owned).collect();
        for edit in &verdict.edits {
            if !policies.contains(&edit.origin.policy) {
                policies.push(edit.origin.policy.clone());
            }
        }
        let trace = to_raw_value(&verdict.trace).ok().filter(|trace| trace.get().len() <= LARGE);
        let explanation = Explanation {
            time: self.time,
            uid: review.uid,
            route: if self.route == Route::Mutate { "mutate" } else { "validate" },
            operation: review.operation.as_str(),
            group: review.kind.group,
            version: review.kind.version,
            kind: review.kind.kind,
            resource: review.resource_path(),
            namespace: review.namespace,
            name: review.object_name(),
            user: review.user.username,
            dry_run: review.dry_run,
            allowed: refusal.is_none(),
            code: refusal.map(|refusal| refusal.code),
            message: verdict.message(),
            warnings: verdict.warnings(),
            policies: &policies,
            set: self.active.set.digest(),
            trace,
        };
        let json = to_raw_value(&explanation).ok()?;
        Some(Record {
            uid: review.uid.to_owned(),
            namespace: review.namespace.to_owned(),
            kind: review.kind.kind.to_owned(),
            name: review.object_name().to_owned(),
            denied: refusal.is_some(),
            policies,
            json,
        })
    }
}
