//! How a review is judged: on which route, until when, within which bounds.

use std::fmt;

use crate::deadline::Deadline;
use crate::review::Lookups;

/// What is asked of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/mutate`: the mutators.
    Mutate,
    /// `/validate`: the validators on the object as it was sent; mutators only for what shadow validators
    /// compare with, and to see whether their changes are there.
    Validate,
    /// Offline: mutate, then validate the result.
    Offline,
}

/// How much a verdict says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What policies find, change and fail at.
    Findings,
    /// Each judgement of an expression as well, also where it admits.
    Judgements,
    /// Judgements, and what became of every candidate, with the values of its sub-expressions.
    Trace,
}

/// How a review is judged.
#[derive(Clone, Copy)]
pub struct Run<'r> {
    /// Which policies.
    pub route: Route,
    /// When the answer must be there; policies whose turn comes later fail under their failurePolicy.
    pub deadline: Deadline,
    /// How much memory one policy may take for new values.
    pub budget: Budget,
    /// What is known about the cluster.
    pub lookups: &'r dyn Lookups,
    /// How much the verdict says besides what follows from it.
    pub detail: Detail,
    /// Whether the verdict says how long each policy took.
    pub timed: bool,
    /// On `/validate`: whether the object is held against what the mutators make of it. Whoever asks knows that `/mutate` was
    /// sent this request, and that the mutators have been the same for long enough that it knew them.
    pub judges_drift: bool,
}

/// Limits on memory, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// New values of one policy.
    pub policy: usize,
}

impl Budget {
    /// For all trees of one review, its own objects included: the limit of its [`crate::json::Arena`].
    pub const REVIEW: usize = 64 * 1024 * 1024;
}

impl Default for Budget {
    fn default() -> Self {
        Self { policy: 16 * 1024 * 1024 }
    }
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Run({:?})", self.route)
    }
}
