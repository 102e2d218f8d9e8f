//! What costs nothing: a validator that finds nothing, and a mutator that has nothing to change, allocate nothing.

use std::cell::RefCell;
use std::fs;

use admittance_engine::json::{Arena, Constant};
use admittance_engine::kubernetes::kinds::Kinds;
use admittance_engine::modules::{MODULES, ModuleEntry};
use admittance_engine::review::{Answer, Lookup, Lookups};
use admittance_engine::rule::Applies;
use serde_json::Value;

use super::run::{Input, build, inputs_of, review, run_with, settings_of};
use crate::case::{Case, cases, root};
use crate::cluster::Cluster;

/// More than any case and its namespace take.
const ROOM: usize = 1 << 20;

/// What a cluster answered once, at hand from then on as what is watched is.
struct AtHand<'c> {
    cluster: Cluster<'c>,
    answers: RefCell<Vec<(Lookup<'static>, Constant)>>,
}

impl<'c> AtHand<'c> {
    fn of(case: &'c Case) -> Self {
        Self { cluster: Cluster::of(case), answers: RefCell::default() }
    }
}

impl Lookups for AtHand<'_> {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        if let Some((_, answer)) = self.answers.borrow().iter().find(|(known, _)| known == lookup) {
            return Answer::Found(answer.build(arena));
        }
        let answer = self.cluster.answer(lookup, arena);
        if let Answer::Found(node) = answer {
            let answer = Constant::from(serde_json::to_value(node).unwrap());
            self.answers.borrow_mut().push((lookup.clone().into_owned(), answer));
        }
        answer
    }
}

/// Heap allocations for one review that the module has nothing to say about; None if it says something. A mutator is shown
/// what it has made of the object, where `again` says so.
fn allocations(module: &ModuleEntry, settings: &Value, body: &str, lookups: &AtHand<'_>, again: bool) -> Option<u64> {
    let built = build(module, settings);
    let mut arena = Arena::with_limit(1 << 24);
    arena.text(&" ".repeat(ROOM));
    arena.reset();
    let review = review(&arena, body);
    let shown = review.judged().ok()?;
    review.old_object().ok()?;
    // What is made when it is first needed, such as a pattern's automaton, is made; and what is asked is at hand.
    let run = |object| run_with(&built, module.public, lookups, &review, object).ok();
    let (changed, reported) = run(shown)?;
    let object = if again { changed } else { shown };
    let is_silent = reported.findings.is_empty()
        && reported.errors.is_empty()
        && reported.annotations.is_empty()
        && reported.needs.is_empty();
    if !is_silent || !changed.is_same(object) {
        return None;
    }
    let mut left = None;
    let measured = allocation_counter::measure(|| left = run(object).map(|(left, _)| left));
    assert!(left.is_some_and(|left| left.is_same(object)), "{}: changes once more with {settings}", module.id);
    Some(measured.count_total)
}

#[test]
fn modules_allocate_nothing_where_they_have_nothing_to_say() {
    let (cases, kinds) = (cases(), Kinds::built_in());
    let pod = fs::read_to_string(root().join("benches/review-pass.json")).unwrap();
    let mut wrong = vec![];
    let at_hand = AtHand::of(&cases[0]);
    for module in MODULES {
        let inputs = inputs_of(module, &cases);
        let mut note = |what: &str, counted: Option<u64>| {
            if counted.is_some_and(|count| count > 0) {
                wrong.push(format!("{}: {} allocations on {what}", module.id, counted.unwrap_or_default()));
            }
            counted.is_some()
        };
        let passes = |settings: &&Value| {
            let counted = allocations(module, settings, &pod, &at_hand, module.mutates);
            note(&format!("the pod with {settings}"), counted)
        };
        let of_pod = settings_of(module, &inputs).iter().filter(passes).count();
        let passes = |Input { settings, case }: &&Input| {
            let counted = allocations(module, settings, &case.review(&kinds), &AtHand::of(case), false);
            note(&case.name, counted)
        };
        let allowed = inputs.iter().filter(|input| input.case.title().starts_with("allowed-"));
        if allowed.filter(passes).count() == 0 {
            wrong.push(format!("{}: no case of it is allowed without a word", module.id));
        }
        if of_pod == 0 && (module.mutates || module.applies == Applies::Pods) {
            wrong.push(format!("{}: no settings let the pod pass: write a case with such", module.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
