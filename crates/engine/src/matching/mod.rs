//! Which policies a request concerns: the semantics of ValidatingAdmissionPolicy's `matchConstraints`.
//!
//! The authority is the API server (k8s.io/apiserver 1.36: admission/plugin/policy/matching and
//! admission/plugin/webhook/predicates), with one difference that no webhook can avoid: the API server converts an object
//! into the version that a policy names, a webhook gets the version that its own rules name. A policy that names another
//! one gets an evaluation error ([`PolicyError::WrongVersion`]) where the API server would have converted.
//!
//! Reading order: [`raw`] is what documents say, `check` refuses what the API server would refuse, [`constraints`] is
//! what the engine works with, made of [`rules`] and [`selectors`]; [`pod_catalogue`] is the default of modules about
//! pods; [`namespaces`] are our own globs; [`index`] finds the few policies that a request may concern.

mod check;
mod comparison;
pub mod constraints;
mod coverage;
pub(crate) mod glob;
pub mod index;
pub mod namespaces;
mod outcome;
pub mod pod_catalogue;
pub mod raw;
pub mod rules;
pub mod selectors;

pub use check::Problem;
pub use comparison::compare;
pub use constraints::{MatchConstraints, MatchPolicy, NameSource, UnknownVersions};
pub use glob::fits;
pub use index::Index;
pub use namespaces::{NamespaceGlobs, is_pattern};
pub use outcome::{Outcome, Reason};
pub use raw::{RawLabelSelector, RawMatchConstraints, RawNamespaceGlobs, RawRequirement, RawResourceRule};
pub use rules::{Aspect, Names, Operations, ResourcePattern, ResourceRule, Scope};
pub use selectors::LabelSelector;

use std::borrow::Cow;

use crate::json::{Node, PathBuf};
use crate::kubernetes::kinds::Kinds;
use crate::review::{Answer, Lookup, Lookups, Operation, Review, Subject};
use crate::verdict::PolicyError;
use rules::{Decision, Exclusion};

/// Whether a policy is to judge `subject`, whose object is the current root (a mutator before may have changed labels).
///
/// All conditions must hold, so their order decides only which reason is given: the request's own fields first, then the
/// object's labels, last those of the namespace, which may have to be fetched. An error counts only where everything
/// else matches, as in the API server.
pub fn matches(
    constraints: &MatchConstraints,
    globs: &NamespaceGlobs,
    subject: Subject<'_, '_>,
    lookups: &dyn Lookups,
    kinds: &Kinds,
) -> Outcome {
    let review = subject.review;
    let mut wrong_version = match constraints.decide(review) {
        Decision::Matches => None,
        Decision::OtherVersion(error) => Some(error),
        Decision::Misses(aspect) => return Outcome::NotMatched(Reason::NoRule(aspect)),
    };
    match constraints.excludes(review, kinds) {
        Exclusion::No => {}
        Exclusion::By(rule) => return Outcome::NotMatched(Reason::Excluded(rule)),
        Exclusion::Unknown(error) => {
            wrong_version.get_or_insert(error);
        }
    }
    if let Err(reason) = globs.check(review) {
        return Outcome::NotMatched(reason);
    }
    if let Err(reason) = object_selector(&constraints.object_selector, subject) {
        return Outcome::NotMatched(reason);
    }
    match namespace_selector(&constraints.namespace_selector, subject, lookups) {
        Outcome::Matched => wrong_version.map_or(Outcome::Matched, Outcome::Error),
        other => other,
    }
}

/// The new object or the stored one must satisfy the selector. The options of a CONNECT have no metadata: no selector
/// but the empty one matches them, not even `DoesNotExist`.
fn object_selector(selector: &LabelSelector, subject: Subject<'_, '_>) -> Result<(), Reason> {
    if selector.is_empty() {
        return Ok(());
    }
    let has_labels = |object: &Node<'_>| {
        !object.is_null() && (subject.review.operation != Operation::Connect || object.field("metadata").is_some())
    };
    let mut reason = Reason::NoLabels;
    for object in [Some(subject.object), subject.old_object].into_iter().flatten().filter(has_labels) {
        match selector.unmet(labels_of(object)) {
            None => return Ok(()),
            Some(requirement) if reason == Reason::NoLabels => reason = Reason::ObjectSelector(requirement),
            Some(_) => {}
        }
    }
    Err(reason)
}

/// The labels of the request's namespace must satisfy the selector. Cluster-scoped objects always pass, but for
/// Namespaces, which are their own namespace: as they will be on CREATE and UPDATE, else as they are stored.
fn namespace_selector(selector: &LabelSelector, subject: Subject<'_, '_>, lookups: &dyn Lookups) -> Outcome {
    let review = subject.review;
    let is_namespace = review.request_resource.resource == "namespaces";
    if selector.is_empty() || (review.namespace.is_empty() && !is_namespace) {
        return Outcome::Matched;
    }
    let selects = |namespace: Node<'_>| {
        let unmet = selector.unmet(labels_of(namespace));
        unmet.map_or(Outcome::Matched, |requirement| Outcome::NotMatched(Reason::NamespaceSelector(requirement)))
    };
    if is_namespace && review.subresource.is_empty() && is_write(review) {
        if subject.object.as_map().is_none() {
            let (path, found) = (PathBuf::default(), subject.object.kind());
            return Outcome::Error(PolicyError::WrongType { path, expected: "map", found });
        }
        return selects(subject.object);
    }
    // The request brings the stored Namespace along: no reason to ask for it.
    if is_namespace
        && review.request_resource.group.is_empty()
        && let Some(stored) = subject.old_object
    {
        return selects(stored);
    }
    let lookup = Lookup::Namespace(Cow::Borrowed(review.namespace));
    if review.namespace.is_empty() {
        return unanswered(lookup, "the request names none");
    }
    match lookups.answer(&lookup, subject.arena()) {
        Answer::Found(namespace) => selects(namespace),
        Answer::Missing => unanswered(lookup, "it does not exist"),
        Answer::Unavailable(reason) => unanswered(lookup, reason),
        Answer::Unknown => Outcome::Needs(lookup.into_owned()),
    }
}

fn unanswered(lookup: Lookup<'_>, reason: &'static str) -> Outcome {
    Outcome::Error(PolicyError::Unanswered { lookup: lookup.into_owned(), reason })
}

fn is_write(review: &Review<'_>) -> bool {
    matches!(review.operation, Operation::Create | Operation::Update)
}

fn labels_of(object: Node<'_>) -> Node<'_> {
    object.at(&["metadata", "labels"]).unwrap_or_default()
}

#[cfg(test)]
mod tests;
