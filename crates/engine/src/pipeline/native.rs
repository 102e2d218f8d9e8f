//! What is different for Kubernetes' own policies.

use crate::policy::{FailurePolicy, Head};
use crate::review::Review;
use crate::verdict::{Action, Decision, Judgement, PolicyError};

/// Objects that Kubernetes' own policies never judge (apiserver, admission/plugin/policy/generic).
const POLICIES: [&str; 4] = [
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
];

/// A judgement as the verdict keeps it.
pub(super) fn decision(head: &Head, mutates: bool, judgement: Judgement) -> Decision {
    let fails_closed = head.failure_policy == FailurePolicy::Fail;
    Decision { origin: head.origin.clone(), mutates, fails_closed, judgement }
}

/// What an error of a policy does: nothing under `failurePolicy: Ignore`. Some errors of Kubernetes' own policies refuse the
/// request under either.
pub(super) fn what_an_error_does(head: &Head, action: Action, error: &PolicyError) -> Option<Action> {
    let is_fatal = matches!(error, PolicyError::Expression { is_fatal: true, .. });
    match head.failure_policy {
        _ if is_fatal && head.is_native() => Some(Action::Deny),
        FailurePolicy::Fail => Some(action),
        FailurePolicy::Ignore => None,
    }
}

/// Whether the request is about such an object.
pub(super) fn is_policy(review: &Review<'_>) -> bool {
    let asked = review.request_resource;
    asked.group == "admissionregistration.k8s.io" && POLICIES.contains(&asked.resource)
}
