//! What of a subject a module may change at all: the one gate before every mutator.
//!
//! - A pod's specification is fixed when it is made, so pods are open on CREATE, and afterwards in their new ephemeral
//!   containers alone. Not on UPDATE, not on `pods/resize`.
//! - A mirror pod stands for a static pod: the kubelet gives it up if it differs from its file.
//! - A template is open on CREATE and UPDATE, with two exceptions. A Job's cannot change once it is stored. And what a
//!   controller made stays as it was made: a Deployment looks for the ReplicaSet that has its own template, and if a policy
//!   changed that one it would make another without end.
//! - Other subresources carry other objects, or parts that the API server would drop.

use crate::json::{Node, View};
use crate::kubernetes::owner::{is_controlled, is_mirror_pod};
use crate::kubernetes::pod::{Changeable, Pod};
use crate::review::{Operation, Subject};

/// Whether a value may be written over by a module that is told to: one without parts. A list or a map where a text or a number
/// belongs is the API server's to refuse, with all that stands in it.
pub(super) fn is_replaceable(found: Node<'_>) -> bool {
    !matches!(found.view(), View::List(_) | View::Map(_))
}

/// Whether the object itself may be changed: its metadata, and whatever is not a pod's specification.
pub(super) fn is_open(subject: &Subject<'_, '_>) -> bool {
    let review = subject.review;
    let is_pod = review.kind.group.is_empty() && review.kind.kind == "Pod";
    let is_write = match review.operation {
        Operation::Create => true,
        Operation::Update => !is_pod,
        Operation::Delete | Operation::Connect => false,
    };
    is_write
        && review.subresource.is_empty()
        && subject.object.as_map().is_some()
        && !(is_pod && is_mirror_pod(subject.object))
}

/// The pod or template in the object, and which of its containers may be changed; None if none may.
pub(super) fn pod<'a>(subject: &Subject<'_, 'a>) -> Option<(Pod<'a>, Changeable<'a>)> {
    let review = subject.review;
    let pod = subject.pod()?;
    let changeable = match (review.operation, review.subresource) {
        _ if pod.is_template() => {
            let is_fixed = review.operation == Operation::Update && review.kind.kind == "Job";
            (is_open(subject) && !is_fixed && !is_controlled(subject.object)).then_some(Changeable::All)
        }
        (Operation::Update, "ephemeralcontainers") if !is_mirror_pod(subject.object) => {
            let stored = subject.old_object.and_then(|stored| stored.field("spec")).unwrap_or_default();
            Some(Changeable::NewEphemeral { existing: stored.items_of("ephemeralContainers") })
        }
        _ => is_open(subject).then_some(Changeable::All),
    }?;
    Some((pod, changeable))
}
