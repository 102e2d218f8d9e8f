//! The other objects of a kind, for modules that hold one object against all.

use std::borrow::Cow;

use crate::json::Node;
use crate::review::{KindName, Lookup, ObjectName, Review, Subject};
use crate::verdict::Report;

/// The question for all objects of a kind: in the namespace, or everywhere where that is empty.
pub(super) fn all<'k>(api_version: &'static str, kind: &'static str, namespace: &'k str) -> Lookup<'k> {
    let kind = KindName { api_version: Cow::Borrowed(api_version), kind: Cow::Borrowed(kind) };
    Lookup::Objects(ObjectName { kind, namespace: namespace.into(), name: Cow::Borrowed("") })
}

/// The objects that answer the question, less the one of the request. None where there is no answer, which is in the report.
pub(super) fn besides<'a>(
    subject: &Subject<'_, 'a>,
    lookup: Lookup<'_>,
    report: &mut Report<'_>,
) -> Option<impl Iterator<Item = Node<'a>> + Clone + use<'a>> {
    let (review, arena) = (subject.review, subject.arena());
    let found = report.look_up(lookup, arena)?.unwrap_or_default();
    let (own_namespace, own_name) = (review.namespace, name_of(review));
    Some(found.items().iter().copied().filter(move |other| {
        let is_own = namespace_of(*other) == own_namespace
            && other.at(&["metadata", "name"]).and_then(Node::as_str) == Some(own_name)
            && !own_name.is_empty();
        !is_own
    }))
}

/// The namespace of an object that the cluster has. Files may leave `default` out.
pub(super) fn namespace_of(object: Node<'_>) -> &str {
    object.at(&["metadata", "namespace"]).and_then(Node::as_str).unwrap_or("default")
}

/// The object's own name; empty where it is still to be made, which is no name of an object that is there.
fn name_of<'a>(review: &Review<'a>) -> &'a str {
    let named = |object: Node<'a>| object.at(&["metadata", "name"]).and_then(Node::as_str);
    if review.name.is_empty() { review.judged().ok().and_then(named).unwrap_or_default() } else { review.name }
}
