//! One mutator on one object, by itself: what the API server and this webhook make of the two together.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;

use crate::deadline::Deadline;
use crate::json::{Arena, Constant, Node, edit};
use crate::kubernetes::defaults::Defaults;
use crate::kubernetes::kinds::Kinds;
use crate::matching::selectors::Test;
use crate::matching::{self, LabelSelector, MatchConstraints, NamespaceGlobs, Outcome};
use crate::policy::{FailurePolicy, Head, Mutator};
use crate::review::sent::{self, Asked, NAME_LABEL, Written};
use crate::review::{Answer, Lookup, Lookups, Operation, Review, Subject};
use crate::set::{Parameters, PolicySet};
use crate::verdict::{Bounds, PolicyError, Report};

/// What one expression may take: a million steps, some milliseconds.
const LOOKS: u32 = 250;

/// The namespace of objects that name none.
const NAMESPACE: &str = "default";

/// What mutators are tried in.
pub(super) struct Trial<'s> {
    kinds: &'s Kinds,
    defaults: &'s Defaults,
    parameters: Parameters,
    /// Where the request is made.
    namespace: String,
    /// Labels of every namespace.
    labels: Vec<(String, String)>,
}

/// What became of an object.
#[derive(Clone, Debug)]
pub(super) enum Ran<'a> {
    /// The policy does not match it, or nothing can be said without a cluster.
    Apart,
    /// Nothing.
    Unchanged,
    /// This, with the API server's defaults.
    Changed(Node<'a>),
    /// The request is refused.
    Failed(String),
}

impl<'s> Trial<'s> {
    /// For policies of this set, in a namespace that this one applies to.
    pub(super) fn of(set: &'s PolicySet, defaults: &'s Defaults, mutator: &Mutator) -> Self {
        let mut parameters = Parameters::default();
        parameters.take(set.kinds(), NAMESPACE, set.parameters());
        let included = mutator.head.namespaces.included().first();
        let named = included.map(|pattern| pattern.replace(['*', '?'], "x"));
        let selectors = constraints(&mutator.head).map(|one| &one.namespace_selector);
        let labels: Vec<(String, String)> = selectors.flat_map(satisfying).collect();
        let by_label = labels.iter().find(|(key, _)| key == NAME_LABEL).map(|(_, value)| value.clone());
        let namespace = named.or(by_label).unwrap_or_else(|| NAMESPACE.to_owned());
        Self { kinds: set.kinds(), defaults, parameters, namespace, labels }
    }

    /// The request that would bring this object to the mutator: to create it, else to update it. With labels that the
    /// mutator's selectors ask for.
    pub(super) fn review<'a>(&'a self, arena: &'a Arena, mutator: &Mutator, object: Node<'a>) -> Option<Review<'a>> {
        let selectors = constraints(&mutator.head).map(|one| &one.object_selector);
        let object = selectors.flat_map(satisfying).fold(object, |object, (key, value)| {
            let value = Node::string(arena.text(&value));
            edit::set(arena, object, &["metadata", "labels", arena.text(&key)], value).unwrap_or(object)
        });
        let request = |operation, old| {
            let asked = Asked::new(operation, sent::user(arena, "ann", ["dev"]), &self.namespace);
            let written = Written::of(object);
            sent::request(arena, (self.kinds, Some(self.defaults)), &asked, (Some(written), old)).ok()
        };
        let create = request(Operation::Create, None)?;
        if mutator.head.constraints.fits_rules(&create) {
            return Some(create);
        }
        let update = request(Operation::Update, Some(Written::of(object)))?;
        mutator.head.constraints.fits_rules(&update).then_some(update)
    }

    /// What the mutator makes of the object.
    pub(super) fn run<'a>(&self, mutator: &'a Mutator, review: &Review<'a>, object: Node<'a>) -> Ran<'a> {
        let subject = Subject { object, old_object: review.old_object().ok().flatten(), review };
        let everywhere = NamespaceGlobs::default();
        let head = &mutator.head;
        let bound = head.binding.as_ref().map(|binding| (binding, &everywhere));
        let mut all = std::iter::once((&head.constraints, &head.namespaces)).chain(bound);
        let is_matched = all.all(|(constraints, globs)| {
            matches!(matching::matches(constraints, globs, subject, self, self.kinds), Outcome::Matched)
        });
        if !is_matched {
            return Ran::Apart;
        }
        let bounds = Bounds { deadline: Deadline::after_looks(LOOKS), ..Bounds::default() };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut report = Report::new(head.public, self).within(bounds);
            let result = mutator.rule.mutate(subject, &mut report);
            (result, report.into_reported())
        }));
        let Ok((result, reported)) = outcome else { return Self::failed(mutator, &PolicyError::Panic) };
        if !reported.needs.is_empty() {
            return Ran::Apart;
        }
        match (result, reported.errors.first()) {
            (Err(error), _) => Self::failed(mutator, &error),
            (Ok(_), Some(error)) => Self::failed(mutator, error),
            (Ok(after), None) if after.is_same(object) => Ran::Unchanged,
            (Ok(after), None) => {
                let kind = review.kind;
                let after = self.defaults.apply(review.arena, kind.group, kind.version, kind.kind, after);
                if after == object { Ran::Unchanged } else { Ran::Changed(after) }
            }
        }
    }

    /// An error under Ignore leaves the object as it is. One that comes of a bound of this trial says nothing.
    fn failed<'a>(mutator: &Mutator, error: &PolicyError) -> Ran<'a> {
        match (error, mutator.head.failure_policy) {
            (PolicyError::Deadline | PolicyError::Budget | PolicyError::Unanswered { .. }, _) => Ran::Apart,
            (_, FailurePolicy::Ignore) => Ran::Unchanged,
            _ => Ran::Failed(error.to_string()),
        }
    }
}

fn constraints(head: &Head) -> impl Iterator<Item = &MatchConstraints> {
    std::iter::once(&head.constraints).chain(&head.binding)
}

/// Labels for which a selector holds, as far as there are any.
fn satisfying(selector: &LabelSelector) -> Vec<(String, String)> {
    let label = |requirement: &matching::selectors::Requirement| {
        let value = match &requirement.test {
            Test::In(values) => values.first()?.clone(),
            Test::Exists => "x".to_owned(),
            Test::NotIn(_) | Test::DoesNotExist => return None,
        };
        Some((requirement.key.clone(), value))
    };
    selector.requirements().iter().filter_map(label).collect()
}

/// A cluster with one namespace, the parameters among the documents, and nobody who may do anything.
impl Lookups for Trial<'_> {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        match lookup {
            Lookup::Namespace(name) => {
                let mut labels: serde_json::Map<String, serde_json::Value> =
                    self.labels.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
                labels.insert(NAME_LABEL.to_owned(), Cow::into_owned(name.clone()).into());
                let metadata = json!({ "name": name, "labels": labels });
                let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata });
                Answer::Found(Constant::from(object).build(arena))
            }
            Lookup::Access(_) => Answer::Found(Constant::from(json!({ "allowed": false })).build(arena)),
            _ => {
                let answer = self.parameters.answer(self.kinds, lookup, arena);
                answer.unwrap_or(Answer::Unavailable("nothing is asked of a cluster where policies are tried"))
            }
        }
    }
}
