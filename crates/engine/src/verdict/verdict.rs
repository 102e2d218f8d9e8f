//! What is decided over one review.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::decision::{Decision, Refusal};
use super::doubt::Doubt;
use super::drift::Drift;
use super::error::PolicyError;
use super::finding::{Action, Origin, PolicyFinding};
use super::trace::Step;
use crate::json::{Arena, Node};

/// The states that the object went through. Unchanged parts are shared, so that all of them cost little more than one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Roots<'a> {
    /// As it was sent, for DELETE as it was stored; null where no policy got as far as reading it.
    pub original: Node<'a>,
    /// After the mutators.
    pub mutated: Node<'a>,
    /// As it would be if the mutators in shadow mode were not in shadow mode.
    pub shadow: Node<'a>,
}

/// What one mutator did: the provenance of a patch's operations is the difference of the two roots.
#[derive(Clone, Debug)]
pub struct Edit<'a> {
    /// Who.
    pub origin: Arc<Origin>,
    /// Whether it was in shadow mode: then it changed [`Roots::shadow`] alone.
    pub shadow: bool,
    /// Its `order`; None for Kubernetes' own policies, which have none.
    pub order: Option<i32>,
    /// The root before.
    pub before: Node<'a>,
    /// The root after; never the same as before.
    pub after: Node<'a>,
}

/// A policy that matched and had its turn.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// Whose it was.
    pub origin: &'a Arc<Origin>,
    /// Whether it changes objects.
    pub mutates: bool,
    /// The turn before it.
    before: Option<&'a Turn<'a>>,
}

/// An evaluation error, whose it is and what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFailure {
    /// The policy that could not be evaluated.
    pub origin: Arc<Origin>,
    /// What is done about it: the policy's gravest action under `failurePolicy: Fail`, None under Ignore.
    pub action: Option<Action>,
    /// Why.
    pub error: PolicyError,
}

/// `POLICY: evaluation error: REASON`, as in a denial.
impl fmt::Display for PolicyFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: evaluation error: {}", self.origin.policy, self.error)
    }
}

/// An entry for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// Whose it is.
    pub origin: Arc<Origin>,
    /// The key behind the policy's name.
    pub key: String,
    /// The text.
    pub value: String,
}

/// The outcome for a review.
#[derive(Clone, Debug, Default)]
pub struct Verdict<'a> {
    /// The object before, after, and as it would be.
    pub roots: Roots<'a>,
    /// Each change, in the order in which they were made.
    pub edits: Vec<Edit<'a>>,
    /// Violations: of the policies in their order, of each in the order of its report.
    pub findings: Vec<PolicyFinding>,
    /// Policies that could not be evaluated.
    pub failures: Vec<PolicyFailure>,
    /// What policies want in the audit log.
    pub annotations: Vec<Annotation>,
    /// What Kubernetes' own policies decided, in order: all that denies or fails, and if the run asked for it what admits.
    pub decisions: Vec<Decision>,
    /// Policies that looked at what is not known, each once: see [`crate::redaction`].
    pub doubts: Vec<Doubt>,
    /// On `/validate`: mutations that are not in the object, if the run asked for it.
    pub drifts: Vec<Drift>,
    /// How many policies matched.
    pub matched: usize,
    /// The last of them, which leads to the others.
    pub turn: Option<&'a Turn<'a>>,
    /// What became of each policy, if the run asked for it: first those that could match, as they had their turns, then the others.
    pub trace: Vec<Step>,
    /// How long each policy took that matched, if the run asked for it; one that ran several times stands several times.
    pub times: Vec<(Arc<Origin>, Duration)>,
}

impl<'a> Verdict<'a> {
    /// Takes down that a policy matches. It costs nothing but room in the arena.
    pub(crate) fn takes_turn(&mut self, arena: &'a Arena, origin: &'a Arc<Origin>, mutates: bool) {
        self.turn = Some(arena.keep(Turn { origin, mutates, before: self.turn }));
    }

    /// The policies that matched, each once, the last first.
    pub fn turns(&self) -> impl Iterator<Item = &'a Turn<'a>> {
        std::iter::successors(self.turn, |turn| turn.before)
    }
}

impl<'a> Turn<'a> {
    /// The turns before it, the last first.
    pub fn before(&self) -> impl Iterator<Item = &'a Turn<'a>> {
        std::iter::successors(self.before, |turn| turn.before)
    }
}

impl Verdict<'_> {
    /// Findings for which the request is refused.
    pub fn denials(&self) -> impl Iterator<Item = &PolicyFinding> {
        self.findings.iter().filter(|finding| finding.action == Action::Deny)
    }

    /// Evaluation errors for which the request is refused.
    pub fn fatal(&self) -> impl Iterator<Item = &PolicyFailure> {
        self.failures.iter().filter(|failure| failure.action == Some(Action::Deny))
    }

    /// None where the request is allowed. The first denying finding decides code and reason; where there is none, an error.
    pub fn refusal(&self) -> Option<Refusal> {
        let finding = self.denials().next().map(|found| found.finding.refusal);
        finding.or_else(|| self.fatal().next().map(|_| Refusal::INTERNAL_ERROR))
    }

    /// Whether the request is allowed.
    pub fn is_allowed(&self) -> bool {
        self.refusal().is_none()
    }
}
