//! Two mutators that want different things of one object.
//!
//! Each pair whose matches meet runs in both orders, on the corpus. Where the results differ, the order matters; where they
//! differ in the value of one field the two are in conflict, and which of them wins is decided by their names alone, unless
//! `order` says it. What each one writes is seen by running it: it is the same for modules, apply configurations and patches.
//! What no object of the corpus shows is left to the time when it happens (`response::overwritten`).

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::objects::escaped;
use super::trial::{Ran, Trial};
use super::{Steps, corpus};
use crate::document::Diagnostic;
use crate::json::{Arena, Node, Operation, PathBuf, View, diff, patch};
use crate::kubernetes::defaults::Defaults;
use crate::kubernetes::list_keys;
use crate::kubernetes::public_fields::is_public;
use crate::pipeline::Budget;
use crate::policy::Mutator;
use crate::review::Review;
use crate::set::PolicySet;
use crate::unit::CompiledUnit;
use crate::verdict::{Origin, Shown};

/// Two mutators whose order matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The one that runs first.
    pub first: Arc<Origin>,
    /// The one that runs later.
    pub second: Arc<Origin>,
    /// Where their results differ, of one object.
    pub path: PathBuf,
    /// What each of them wants there, as it may be shown. None where they differ in another way, such as the order of a list.
    pub wanted: Option<[String; 2]>,
    /// Whether their `order` says which of them is meant, or they are Kubernetes' own, which have none.
    pub is_meant: bool,
}

impl Pair {
    /// Whether names alone decide which value stands.
    pub fn is_conflict(&self) -> bool {
        self.wanted.is_some() && !self.is_meant
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, second, path, wanted, .. } = self;
        let (first, second) = (&first.policy, &second.policy);
        match wanted {
            Some([one, other]) if self.is_conflict() => write!(
                formatter,
                "policies `{first}` and `{second}` want different values for {path}: {one} and {other}; give them different \
                 `order`, so that the later one is meant"
            ),
            Some([one, other]) => write!(
                formatter,
                "policies `{first}` and `{second}` want different values for {path}: {one} and {other}; the later one has its way"
            ),
            None => write!(
                formatter,
                "the order of policies `{first}` and `{second}` matters: their results differ at {path}"
            ),
        }
    }
}

/// All such pairs of a set, in the order in which they run. What the steps do not do for is not looked at: this warns, and
/// proves nothing.
pub fn pairs(set: &PolicySet, defaults: &Defaults, steps: &mut Steps) -> Vec<Pair> {
    pairs_of(set, defaults, steps, &|_, _| true)
}

/// Those who write the values of one field, and whose order names alone decide. Few policies do: who writes what is seen first,
/// so that a set costs as many runs as it has mutators, and only these meet.
fn conflicts(set: &PolicySet, defaults: &Defaults, steps: &mut Steps) -> Vec<Pair> {
    let written: Vec<BTreeSet<String>> =
        effective(set).into_iter().map(|mutator| written(set, defaults, mutator, steps)).collect();
    let write_one_field = |one: usize, other: usize| match (written.get(one), written.get(other)) {
        (Some(one), Some(other)) => !one.is_disjoint(other),
        _ => false,
    };
    pairs_of(set, defaults, steps, &write_one_field)
}

fn effective(set: &PolicySet) -> Vec<&Mutator> {
    set.mutators().iter().map(Arc::as_ref).filter(|mutator| !mutator.shadow).collect()
}

/// Where a mutator writes values, in whatever object of the corpus, as JSON pointers.
fn written(set: &PolicySet, defaults: &Defaults, mutator: &Mutator, steps: &mut Steps) -> BTreeSet<String> {
    let trial = Trial::of(set, defaults, mutator);
    let mut arena = Arena::with_limit(Budget::REVIEW);
    let mut found = BTreeSet::new();
    for object in 0..corpus::len() {
        if !steps.take(1) {
            break;
        }
        {
            let review = trial.review(&arena, mutator, corpus::object(&arena, object));
            let judged = review.as_ref().and_then(|review| Some((review, review.judged().ok()?)));
            if let Some((review, judged)) = judged
                && let Ran::Changed(changed) = trial.run(mutator, review, judged)
            {
                for operation in diff(judged, changed, list_keys::of) {
                    let value = patch::find(changed, operation.path()).ok();
                    value.into_iter().for_each(|value| leaves(value, operation.path().to_string(), &mut found));
                }
            }
        }
        arena.reset();
    }
    found
}

/// The values in a tree that have no parts.
fn leaves(node: Node<'_>, pointer: String, found: &mut BTreeSet<String>) {
    match node.view() {
        View::Map(map) => {
            for (key, value) in map.entries() {
                leaves(*value, format!("{pointer}/{}", escaped(key)), found);
            }
        }
        View::List(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(*item, format!("{pointer}/{index}"), found);
            }
        }
        _ => {
            found.insert(pointer);
        }
    }
}

/// The pairs among those who are `concerned`, by their places in the order in which they run.
fn pairs_of(
    set: &PolicySet,
    defaults: &Defaults,
    steps: &mut Steps,
    concerned: &dyn Fn(usize, usize) -> bool,
) -> Vec<Pair> {
    let mutators = effective(set);
    let mut found: Vec<Pair> = vec![];
    let mut arena = Arena::with_limit(Budget::REVIEW);
    for (position, host) in mutators.iter().enumerate() {
        let others: Vec<(usize, &Mutator)> = mutators
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != position && concerned(position.min(*other), position.max(*other)))
            .map(|(other, mutator)| (other, *mutator))
            .collect();
        if others.is_empty() {
            continue;
        }
        let trial = Trial::of(set, defaults, host);
        for object in 0..corpus::len() {
            {
                let Some(review) = trial.review(&arena, host, corpus::object(&arena, object)) else { continue };
                let scene = Scene { trial: &trial, review: &review };
                let Some(judged) = review.judged().ok() else { continue };
                let Ran::Changed(by_host) = trial.run(host, &review, judged) else { continue };
                // Each pair meets where either is the host: their namespaces and labels may differ.
                for (other_position, other) in &others {
                    let is_first = position < *other_position;
                    let (first, second) = if is_first { (*host, *other) } else { (*other, *host) };
                    let is_known = |pair: &Pair| {
                        Arc::ptr_eq(&pair.first, &first.head.origin) && Arc::ptr_eq(&pair.second, &second.head.origin)
                    };
                    let known = found.iter().position(is_known);
                    if known.is_some_and(|known| found.get(known).is_some_and(|pair| pair.wanted.is_some())) {
                        continue;
                    }
                    if !steps.take(1) {
                        return found;
                    }
                    let Ran::Changed(by_other) = trial.run(other, &review, judged) else { continue };
                    let alone = if is_first { [by_host, by_other] } else { [by_other, by_host] };
                    let pair = scene.difference([first, second], alone);
                    match (pair, known.and_then(|known| found.get_mut(known))) {
                        (Some(pair), None) => found.push(pair),
                        (Some(pair), Some(known)) if pair.wanted.is_some() => *known = pair,
                        _ => {}
                    }
                }
            }
            arena.reset();
        }
    }
    found.sort_by_key(|pair| {
        let at = |origin: &Arc<Origin>| mutators.iter().position(|one| Arc::ptr_eq(&one.head.origin, origin));
        (at(&pair.first), at(&pair.second))
    });
    found
}

/// The conflicts of a set as warnings, each at the later policy's place.
pub fn warnings(
    units: &[Arc<CompiledUnit>],
    set: &PolicySet,
    defaults: &Defaults,
    steps: &mut Steps,
) -> Vec<Diagnostic> {
    let at = |origin: &Origin, message: String| {
        units.iter().find_map(|unit| {
            let key = unit.all_policies().find(|listed| listed.mutates && listed.name == origin.policy)?.key;
            unit.problem_at(&key, message.clone())
        })
    };
    let warning = |pair: &Pair| {
        let first = at(&pair.first, String::new())?.place;
        let problem = at(&pair.second, pair.to_string())?.into_warning();
        Some(problem.related(&first.file, first.span, "the other one"))
    };
    conflicts(set, defaults, steps).iter().filter(|pair| pair.is_conflict()).filter_map(warning).collect()
}

/// An object on its way through two mutators.
struct Scene<'s, 'a> {
    trial: &'s Trial<'s>,
    review: &'s Review<'a>,
}

impl<'a> Scene<'_, 'a> {
    fn after(&self, mutator: &'a Mutator, object: Node<'a>) -> Option<Node<'a>> {
        match self.trial.run(mutator, self.review, object) {
            Ran::Changed(changed) => Some(changed),
            Ran::Unchanged | Ran::Apart => Some(object),
            Ran::Failed(_) => None,
        }
    }

    /// Runs both in both orders; `alone` is what each makes of the object by itself.
    fn difference(&self, [first, second]: [&'a Mutator; 2], alone: [Node<'a>; 2]) -> Option<Pair> {
        let [by_first, by_second] = alone;
        let there = self.after(second, by_first)?;
        let back = self.after(first, by_second)?;
        let operations = diff(there, back, list_keys::of);
        let place = |operation: &Operation<'_>| PathBuf::of_pointer(there, operation.path());
        let in_conflict = operations.iter().find_map(|operation| {
            // Both alone put a value there, and not the same.
            let [one, other] = [by_first, by_second].map(|root| patch::find(root, operation.path()).ok());
            let (one, other) = (one?, other?);
            let are_values = one.as_list().is_none() && one.as_map().is_none();
            let is_replaced = matches!(operation, Operation::Replace { .. });
            (is_replaced && are_values && one != other).then(|| (place(operation), [one, other]))
        });
        let is_native = first.head.is_native() && second.head.is_native();
        let (path, wanted) = match in_conflict {
            Some((path, values)) => {
                let shows = is_public(&path);
                (path, Some(values.map(|value| Shown::of(shows, value).to_string())))
            }
            None => (place(operations.first()?), None),
        };
        Some(Pair {
            first: Arc::clone(&first.head.origin),
            second: Arc::clone(&second.head.origin),
            path,
            wanted,
            is_meant: first.order != second.order || is_native,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::SourceFile;
    use crate::set::link;
    use crate::unit::{Unit, compile};

    fn set_of(policies: &[(&str, &str)]) -> PolicySet {
        let document = |(name, spec): &(&str, &str)| {
            format!(
                "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {{ {spec} }}\n---\n"
            )
        };
        let text: String = policies.iter().map(document).collect();
        let unit = compile(&Unit::of_file(SourceFile::new("a.yaml", text)));
        let unit = unit.unwrap_or_else(|problems| panic!("{}", problems[0]));
        link(&[unit]).0
    }

    fn found(policies: &[(&str, &str)]) -> Vec<String> {
        let set = set_of(policies);
        let pairs = pairs(&set, &Defaults::built_in(), &mut Steps::default());
        pairs.iter().map(|pair| format!("{}{pair}", if pair.is_conflict() { "!" } else { "" })).collect()
    }

    const SHOP: &str = "module: add-labels, settings: { labels: { team: shop } }";
    const BANK: &str = "module: add-labels, settings: { labels: { team: bank } }";

    #[test]
    fn names_both_policies_the_path_and_the_values() {
        assert_eq!(
            found(&[("a", SHOP), ("b", BANK)]),
            [
                "!policies `a` and `b` want different values for metadata.labels.team: \"shop\" and \"bank\"; give them different `order`, so that the later one is meant"
            ]
        );
    }

    #[test]
    fn takes_a_different_order_for_meant_and_matches_that_never_meet_for_none() {
        let later = format!("{BANK}, order: 1");
        assert_eq!(
            found(&[("a", SHOP), ("b", &later)]),
            [
                "policies `a` and `b` want different values for metadata.labels.team: \"shop\" and \"bank\"; the later one has its way"
            ]
        );
        let (there, here) = (
            format!("{SHOP}, namespaces: {{ include: [shop] }}"),
            format!("{BANK}, namespaces: {{ include: ['bank-*'] }}"),
        );
        assert!(found(&[("a", &there), ("b", &here)]).is_empty());
        assert!(found(&[("a", SHOP), ("b", "module: add-labels, settings: { labels: { tier: web } }")]).is_empty());
        let shadow = format!("{BANK}, actions: [Audit]");
        assert!(found(&[("a", SHOP), ("b", &shadow)]).is_empty());
    }

    #[test]
    fn finds_the_two_that_want_different_values_among_many_without_running_every_pair() {
        let labels: Vec<(String, String)> = (0..40)
            .map(|n| (format!("label-{n}"), format!("module: add-labels, settings: {{ labels: {{ l{n}: a }} }}")))
            .collect();
        let mut policies = vec![("a", SHOP)];
        policies.extend(labels.iter().map(|(name, spec)| (name.as_str(), spec.as_str())));
        policies.push(("z", BANK));
        let set = set_of(&policies);
        // Each runs alone on each object, and two meet.
        let objects = u64::try_from(corpus::len()).unwrap();
        let found = conflicts(&set, &Defaults::built_in(), &mut Steps::new(42 * objects + 2 * objects));
        let names: Vec<_> =
            found.iter().map(|pair| (pair.first.policy.as_str(), pair.second.policy.as_str())).collect();
        assert_eq!(names, [("a", "z")]);
    }

    #[test]
    fn finds_what_apply_configurations_and_modules_want_and_hides_what_may_be_secret() {
        let cel = "matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE] }] }, mutations: [{ patchType: ApplyConfiguration, applyConfiguration: { expression: 'Object{metadata: Object.metadata{annotations: {\"key\": \"secret-4711\"}}}' } }]";
        let module = "module: add-annotations, settings: { annotations: { key: other }, overwrite: true }";
        assert_eq!(
            found(&[("a", cel), ("b", module)]),
            [
                "!policies `a` and `b` want different values for metadata.annotations.key: (a string, not shown) and (a string, not shown); give them different `order`, so that the later one is meant"
            ]
        );
    }

    #[test]
    fn lists_pairs_whose_order_matters_without_a_conflict() {
        let side = "module: inject-sidecar, settings: { container: { name: side, image: 'side:1' } }";
        let init = "module: inject-init-container, settings: { container: { name: setup, image: 'setup:1' } }";
        let other = "module: inject-sidecar, settings: { container: { name: other, image: 'other:1' } }";
        let pairs = found(&[("a", side), ("b", init), ("c", other)]);
        assert!(pairs.iter().all(|pair| pair.starts_with("the order of policies `")), "{pairs:?}");
        assert!(pairs.iter().any(|pair| pair.starts_with("the order of policies `a` and `c` matters: ")), "{pairs:?}");
    }
}
