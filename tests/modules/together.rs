//! Modules that change objects, two and more at once: what comes out satisfies all of them, and does not depend on their
//! order but where the list below says so.

mod policies;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use admittance_engine::json::Arena;
use admittance_engine::kubernetes::kinds::Kinds;
use admittance_engine::modules::MODULES;
use admittance_engine::review::{Lookups, Review};
use admittance_engine::set::PolicySet;
use proptest::prelude::*;
use serde_json::Value;

use super::properties::{any_object, of_kind};
use super::run::{Input, body, inputs_of, review};
use crate::case::{Case, Request, cases};
use crate::cluster::Cluster;
use policies::{Outcome, Policy, again, bodies, in_both_orders, in_order, mutated};

/// Pairs whose result depends on their order for some settings, and why none of the two results is better.
const ORDERED: &[(&str, &str, &str)] = &[
    ("add-annotations", "remove-annotations", "one adds what the other takes away: the later one is meant"),
    (
        "add-image-pull-secret",
        "replace-registry",
        "the secret is for the registry that the image has when its turn comes",
    ),
    (
        "add-labels",
        "copy-namespace-labels",
        "two values for one label: the later one is meant, or the first if none overwrites",
    ),
    (
        "inject-init-container",
        "inject-sidecar",
        "lists have an order, and of two things of one name the first is taken",
    ),
    ("inject-init-container", "inject-volume", "lists have an order, and of two things of one name the first is taken"),
    ("inject-sidecar", "inject-volume", "lists have an order, and of two things of one name the first is taken"),
    (
        "inject-sidecar",
        "set-security-context",
        "what is set for the pod holds for a container as root that comes later",
    ),
    (
        "set-seccomp",
        "set-security-context",
        "two profiles for one field, which none of the two overwrites: the first is taken",
    ),
];

/// Whether two policies of these modules can come to different results.
fn is_ordered(left: &str, right: &str) -> bool {
    // One module twice may be told two values for one field.
    left == right || ORDERED.iter().any(|(one, other, _)| [(left, right), (right, left)].contains(&(one, other)))
}

/// What pods are asked with: the namespace that cases of `copy-namespace-labels` copy from.
fn namespace(cases: &[Case]) -> Cluster<'_> {
    Cluster::of(cases.iter().find(|case| case.name == "copy-namespace-labels/mutated-labels.yaml").unwrap())
}

#[test]
fn pairs_depend_on_their_order_only_for_a_reason() {
    let (cases, kinds) = (cases(), Kinds::built_in());
    let cluster = namespace(&cases);
    let policies = Policy::all(&cases);
    let bodies = bodies(&cases, &kinds);
    let of_module = |id: &'static str| policies.iter().filter(move |policy| policy.module == id);
    let mutators: Vec<&str> = MODULES.iter().filter(|module| module.mutates).map(|module| module.id).collect();
    let mut found: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for (position, &left) in mutators.iter().enumerate() {
        for &right in mutators.iter().skip(position + 1) {
            let pairs = of_module(left).flat_map(|one| of_module(right).map(move |other| (one, other)));
            let sets: Vec<_> = pairs.map(|(one, other)| (one, other, in_both_orders(one, other))).collect();
            let of_pair = bodies.iter().filter(|(module, _)| ["", left, right].contains(&module.as_str()));
            for body in of_pair.map(|(_, body)| body).collect::<BTreeSet<_>>() {
                let arena = Arena::with_limit(1 << 28);
                let review = review(&arena, body);
                for (one, other, orders) in &sets {
                    let [there, back] = orders.each_ref().map(|set| settled(set, &review, &cluster));
                    if there != back {
                        let how =
                            || format!("{} {}: {}, or {}", one.settings, other.settings, text(&there), text(&back));
                        found.entry((left, right)).or_insert_with(how);
                    }
                }
            }
        }
    }
    let pairs: Vec<(&str, &str)> = found.keys().copied().collect();
    let expected: Vec<(&str, &str)> = ORDERED.iter().map(|(left, right, _)| (*left, *right)).collect();
    let all: Vec<String> = found.iter().map(|((left, right), how)| format!("{left}, {right}: {how}")).collect();
    assert_eq!(pairs, expected, "{}", all.join("\n"));
}

#[test]
fn any_policies_on_any_pod_satisfy_all_of_them() {
    let (cases, decided) = (cases(), Cell::new(0));
    let cluster = namespace(&cases);
    let policies = Policy::all(&cases);
    let mutators = MODULES.iter().filter(|module| module.mutates);
    let inputs: Vec<Input> = mutators.flat_map(|module| inputs_of(module, &cases)).collect();
    let any = cases[0].clone();
    let chosen = prop::sample::subsequence((0..policies.len()).collect::<Vec<usize>>(), 2..8).prop_shuffle();
    let input = (chosen, any_object(&inputs));
    proptest!(ProptestConfig::default(), |((chosen, object) in input)| {
        let chosen: Vec<&Policy> = chosen.iter().map(|&position| &policies[position]).collect();
        let body = body(&any.asking(Request::default(), of_kind(object, ("v1", "Pod")), Value::Null));
        let there = in_order(chosen.iter().copied());
        let back = in_order(chosen.iter().rev().copied());
        let arena = Arena::with_limit(1 << 24);
        let review = review(&arena, &body);
        let [there, back] = [&there, &back].map(|set| settled(set, &review, &cluster));
        let is_ordered = chosen.iter().enumerate().any(|(position, one)| {
            chosen.iter().take(position).any(|other| is_ordered(one.module, other.module))
        });
        // An error depends on what has been made of the object before.
        let is_clean = there.1.is_empty() && back.1.is_empty();
        assert!(is_ordered || !is_clean || there.0 == back.0, "{} or {}", text(&there), text(&back));
        decided.set(decided.get() + i32::from(is_clean && !is_ordered));
    });
    let decided = decided.get();
    assert!(decided > 20, "only {decided} sets could have shown a difference");
}

/// That a patch can be applied only an API server can say.
#[test]
fn every_module_that_changes_objects_has_done_so_behind_an_api_server() {
    let is_asked = |case: &&Case| case.api_server && case.title().starts_with("mutated-");
    let asked: BTreeSet<String> = cases().iter().filter(is_asked).map(|case| case.folder().to_owned()).collect();
    let mutators = MODULES.iter().filter(|module| module.mutates).map(|module| module.id);
    let missing: Vec<&str> = mutators.filter(|id| !asked.contains(*id)).collect();
    assert!(missing.is_empty(), "no case mutated-… without `apiServer: false`: {missing:?}");
}

/// What becomes of the object, which no second request changes any more.
fn settled<'a>(set: &'a PolicySet, review: &Review<'a>, lookups: &dyn Lookups) -> Outcome<'a> {
    let outcome = mutated(set, review, lookups);
    let (once, errors) = &outcome;
    if errors.is_empty() {
        let twice = mutated(set, &again(review, *once), lookups);
        assert!(twice == outcome, "once {}, twice {}", text(&outcome), text(&twice));
    }
    outcome
}

fn text((object, errors): &Outcome<'_>) -> String {
    format!("{} {errors:?}", serde_json::to_string(object).unwrap())
}
