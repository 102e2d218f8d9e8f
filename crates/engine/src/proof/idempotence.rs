//! Mutating twice equals mutating once. An API server calls a mutating webhook again where another one changed the object
//! after it, and controllers and people send objects back that were mutated before; a policy that adds something every time
//! piles it up.
//!
//! Every mutator runs twice on the objects of its unit's tests, on the starter corpus, and on a fixed number of objects made
//! of these and of what its expressions mention. Modules are proven in the same way by the program's own tests, and run here
//! on what stands in documents alone, under the conditions that a policy may have. An object on which the second run still
//! changes something, or fails, is made as small as it can be and shown.
//!
//! Kubernetes' own MutatingAdmissionPolicies are held to the same: the API server may call this webhook again whatever their
//! reinvocationPolicy says. Nothing is guessed: only an object on which it happens speaks against a policy.

use super::Steps;
use super::corpus;
use super::objects::{self, Chance};
use super::trial::{Ran, Trial};
use crate::document::{Diagnostic, Spanned};
use crate::json::{Arena, Node, Operation, diff, patch};
use crate::kubernetes::defaults::Defaults;
use crate::kubernetes::list_keys;
use crate::pipeline::Budget;
use crate::policy::Mutator;
use crate::set::{PolicySet, apart};
use crate::unit::CompiledUnit;
use crate::verdict::wording::cut;

/// How many objects are made for a mutator. More find more, and take longer at `kubectl apply`.
const MADE: usize = 128;

/// How many smaller objects are tried at most.
const SMALLER: usize = 400;

/// The longest object or patch that is shown, in bytes.
const SHOWN: usize = 2048;

/// The mutators of a unit that change an object again. None where the steps did not do for all of them.
pub fn problems(unit: &CompiledUnit, defaults: &Defaults, steps: &mut Steps) -> Option<Vec<Diagnostic>> {
    let set = apart(&[unit]);
    let mut problems = vec![];
    let mut arena = Arena::with_limit(Budget::REVIEW);
    for mutator in set.mutators() {
        match first_problem(unit, (&set, defaults), mutator, &mut arena, steps) {
            Looked::AtAll(problem) => problems.extend(problem),
            Looked::AtSome if problems.is_empty() => return None,
            Looked::AtSome => break,
        }
    }
    Some(problems)
}

enum Looked {
    /// The first object that speaks against the mutator, if one does.
    AtAll(Option<Diagnostic>),
    /// There were no steps left.
    AtSome,
}

fn first_problem(
    unit: &CompiledUnit,
    (set, defaults): (&PolicySet, &Defaults),
    mutator: &Mutator,
    arena: &mut Arena,
    steps: &mut Steps,
) -> Looked {
    let trial = Trial::of(set, defaults, mutator);
    let mentions = mutator.rule.mentions();
    let policy = &mutator.head.origin.policy;
    let cases = unit.tests().iter().flat_map(|test| &test.cases);
    let tested: Vec<&Spanned> = cases.filter_map(|case| case.object.as_ref()).collect();
    let given = tested.len() + corpus::len();
    // Others are made only of what the policy is for.
    let mut fitting: Vec<usize> = vec![];
    let mut chance = Chance::of(&format!("{}{policy}", unit.digest()));
    for position in 0..given + MADE {
        if !steps.take(2) {
            return Looked::AtSome;
        }
        let (room, fit) = (&*arena, fitting.get(chance.below(fitting.len())));
        let object = match fit {
            _ if position < given => base(room, &tested, position),
            Some(fit) => objects::varied(room, base(room, &tested, *fit), &mentions, &mut chance),
            None => break,
        };
        if position < given && trial.review(room, mutator, object).is_some() {
            fitting.push(position);
        }
        if twice(&trial, mutator, room, object).is_some() {
            let smallest = shrunk(&trial, mutator, room, object);
            let found = twice(&trial, mutator, room, smallest);
            return Looked::AtAll(found.and_then(|found| found.diagnostic(unit, policy, smallest)));
        }
        arena.reset();
    }
    Looked::AtAll(None)
}

/// An object of the unit's tests, or behind them one of the corpus.
fn base<'a>(arena: &'a Arena, tested: &[&'a Spanned], position: usize) -> Node<'a> {
    match tested.get(position) {
        Some(object) => object.to_node(arena),
        None => corpus::object(arena, position - tested.len()),
    }
}

/// What two runs do to an object that one should do.
struct Twice<'a> {
    first: Vec<Operation<'a>>,
    second: Result<Vec<Operation<'a>>, String>,
}

/// None where the second run changes nothing, or where there is no second.
fn twice<'a>(trial: &'a Trial<'_>, mutator: &'a Mutator, arena: &'a Arena, written: Node<'a>) -> Option<Twice<'a>> {
    let review = trial.review(arena, mutator, written)?;
    let sent = review.judged().ok()?;
    let Ran::Changed(once) = trial.run(mutator, &review, sent) else { return None };
    let second = match trial.run(mutator, &review, once) {
        Ran::Apart | Ran::Unchanged => return None,
        Ran::Changed(twice) => Ok(diff(once, twice, list_keys::of)),
        Ran::Failed(error) => Err(error),
    };
    Some(Twice { first: diff(sent, once, list_keys::of), second })
}

/// The object without all that does not matter: what can be taken away while the two runs still differ.
fn shrunk<'a>(trial: &'a Trial<'_>, mutator: &'a Mutator, arena: &'a Arena, object: Node<'a>) -> Node<'a> {
    let (mut smallest, mut tries) = (object, 0);
    loop {
        let mut places = objects::places(smallest);
        // The largest parts first: those that stand highest.
        places.sort_by_key(|(path, _)| path.matches('/').count());
        places.retain(|(path, _)| objects::is_removable(smallest, path));
        let smaller = places.into_iter().find_map(|(path, _)| {
            tries += 1;
            if tries > SMALLER || arena.is_full() {
                return None;
            }
            let smaller = patch::apply(arena, smallest, &[Operation::Remove { path }]).ok()?;
            twice(trial, mutator, arena, smaller).map(|_| smaller)
        });
        match smaller {
            Some(smaller) => smallest = smaller,
            None => return smallest,
        }
    }
}

impl Twice<'_> {
    fn diagnostic(&self, unit: &CompiledUnit, policy: &str, object: Node<'_>) -> Option<Diagnostic> {
        let text = |patch: &[Operation<'_>]| cut(&serde_json::to_string(patch).unwrap_or_default(), SHOWN);
        let object = cut(&serde_json::to_string(&object).unwrap_or_default(), SHOWN);
        let (what, second) = match &self.second {
            Ok(patch) => ("changes an object again that it has changed already", text(patch)),
            Err(error) => ("fails on an object that it has changed already", error.clone()),
        };
        let key = unit.all_policies().find(|listed| listed.mutates && listed.name == policy)?.key;
        let problem = unit.problem_at(&key, format!("policy `{policy}` {what}"))?;
        Some(
            problem
                .note(format!("the object: {object}"))
                .note(format!("the first run: {}", text(&self.first)))
                .note(format!("the second run: {second}"))
                .help("let the expression, or a condition, look whether the change is there already"),
        )
    }
}

#[cfg(test)]
mod tests;
