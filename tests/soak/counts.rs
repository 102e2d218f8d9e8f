//! What came of the objects of one scenario.

use std::time::{Duration, Instant};

/// What came of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As it must be: mutated, denied, or left alone where it is exempt.
    Right,
    /// The API server could not ask the webhook, and refused for that, or a good object was denied.
    Failed,
    /// A good pod that was made without its security context, or an exempt one with.
    Unmutated,
    /// A bad object that was made.
    Allowed,
    /// The API server itself answered nothing, or that it cannot.
    Unavailable,
}

/// Counts of outcomes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Objects that were tried, pods of Deployments that were looked at, and deletions.
    pub(crate) objects: u64,
    pub(crate) denied: u64,
    pub(crate) pods_of_deployments: u64,
    pub(crate) exempt: u64,
    pub(crate) failed: u64,
    pub(crate) unmutated: u64,
    pub(crate) allowed: u64,
    pub(crate) unavailable: u64,
    /// The same, in exempt namespaces alone.
    pub(crate) failed_exempt: u64,
    pub(crate) wrong: Option<(Instant, Instant)>,
    /// The first few messages of what was wrong.
    pub(crate) said: Vec<String>,
}

/// How many messages are kept.
const MESSAGES: usize = 5;

impl Counts {
    /// Notes what came of a request that began then.
    pub(crate) fn note(&mut self, outcome: Outcome, began: Instant, what: impl FnOnce() -> String) {
        match outcome {
            Outcome::Right => return,
            Outcome::Failed => self.failed += 1,
            Outcome::Unmutated => self.unmutated += 1,
            Outcome::Allowed => self.allowed += 1,
            Outcome::Unavailable => self.unavailable += 1,
        }
        if self.said.len() < MESSAGES {
            self.said.push(format!("{outcome:?}: {}", what()));
        }
        if outcome != Outcome::Unavailable {
            let (first, last) = self.wrong.unwrap_or((began, began));
            self.wrong = Some((first.min(began), last.max(began)));
        }
    }

    /// From the first request to the last one that the webhook did not answer as it must.
    pub(crate) fn span(&self) -> Duration {
        self.wrong.map(|(first, last)| last - first).unwrap_or_default()
    }

    /// All of two.
    pub(crate) fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        self.denied += other.denied;
        self.pods_of_deployments += other.pods_of_deployments;
        self.exempt += other.exempt;
        self.failed += other.failed;
        self.unmutated += other.unmutated;
        self.allowed += other.allowed;
        self.unavailable += other.unavailable;
        self.failed_exempt += other.failed_exempt;
        self.wrong = match (self.wrong, other.wrong) {
            (Some(left), Some(right)) => Some((left.0.min(right.0), left.1.max(right.1))),
            (left, right) => left.or(right),
        };
        self.said.extend(other.said.iter().take(MESSAGES.saturating_sub(self.said.len())).cloned());
    }
}
