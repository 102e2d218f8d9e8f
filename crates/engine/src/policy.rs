//! A policy, checked and compiled.

use std::fmt;
use std::sync::Arc;

use crate::matching::{MatchConstraints, NamespaceGlobs};
use crate::review::Lookup;
use crate::rule::{Mutate, Validate};
use crate::verdict::{Action, OnDrift, Origin};

/// What every policy has.
#[derive(Debug)]
pub struct Head {
    /// Where it comes from.
    pub origin: Arc<Origin>,
    /// What it matches.
    pub constraints: MatchConstraints,
    /// In which namespaces.
    pub namespaces: NamespaceGlobs,
    /// What its binding matches besides; None without one, or where the binding says nothing.
    pub binding: Option<MatchConstraints>,
    /// What an evaluation error does.
    pub failure_policy: FailurePolicy,
    /// Fields whose values messages may show.
    pub public: &'static [&'static str],
    /// What its rule may ask the cluster, and its conditions: an empty name or namespace stands for all.
    pub lookups: Vec<Lookup<'static>>,
}

impl Head {
    /// Whether it is one of Kubernetes' own policies, which keep the API server's semantics in everything.
    pub fn is_native(&self) -> bool {
        self.origin.binding.is_some()
    }
}

/// A policy that changes objects.
pub struct Mutator {
    /// Name, match, failure policy.
    pub head: Head,
    /// Mutators run in ascending order, then by name.
    pub order: i32,
    /// Action Audit: computed and not sent.
    pub shadow: bool,
    /// Whether it runs once more where something was changed (`reinvocationPolicy: IfNeeded`).
    pub is_reinvoked: bool,
    /// What is done on `/validate` where its change is not in the object; None for Kubernetes' own policies, which are not
    /// asked.
    pub on_drift: Option<OnDrift>,
    /// What it does.
    pub rule: Box<dyn Mutate>,
}

/// A policy that judges objects.
pub struct Validator {
    /// Name, match, failure policy.
    pub head: Head,
    /// What is done about its findings.
    pub actions: Actions,
    /// What is done about findings that the stored object has already.
    pub existing: Existing,
    /// Replaces the module's own message, which stands in it for `{message}`.
    pub message: Option<String>,
    /// What it finds.
    pub rule: Box<dyn Validate>,
}

impl Validator {
    /// The message of a finding, from the module's own one.
    pub(crate) fn wording(&self, own: String) -> String {
        match &self.message {
            Some(message) => message.replace("{message}", &own),
            None => own,
        }
    }
}

/// What an evaluation error does (`spec.failurePolicy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailurePolicy {
    /// It takes the policy's actions.
    #[default]
    Fail,
    /// It is logged and nothing else.
    Ignore,
}

/// What becomes of a finding on UPDATE that oldObject has already (`spec.existing`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// Let pass: an old violation does not stand in the way of an unrelated change.
    #[default]
    Allow,
    /// Treated as a new one.
    Deny,
}

/// A validator's actions. Deny and Warn exclude each other, as in ValidatingAdmissionPolicyBinding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actions {
    /// `[Deny]`, `[Deny, Audit]`
    Deny {
        /// Whether findings stand in the audit log too.
        audit: bool,
    },
    /// `[Warn]`, `[Warn, Audit]`
    Warn {
        /// Whether findings stand in the audit log too.
        audit: bool,
    },
    /// `[Audit]`: shadow mode
    Audit,
}

impl Actions {
    /// The gravest one.
    pub const fn gravest(self) -> Action {
        match self {
            Self::Deny { .. } => Action::Deny,
            Self::Warn { .. } => Action::Warn,
            Self::Audit => Action::Audit,
        }
    }

    /// Whether Audit is among them.
    pub const fn audits(self) -> bool {
        matches!(self, Self::Deny { audit: true } | Self::Warn { audit: true } | Self::Audit)
    }
}

impl fmt::Debug for Mutator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Mutator({})", self.head.origin.policy)
    }
}

impl fmt::Debug for Validator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Validator({})", self.head.origin.policy)
    }
}
