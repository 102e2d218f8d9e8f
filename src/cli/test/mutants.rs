//! `admittance test --mutants`: small changes of the policies, and which of them no test notices.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use admittance_engine::json::Arena;
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::pipeline::Budget;
use admittance_engine::proof::case::Report;
use admittance_engine::proof::mutants::{Mutant, mutants};
use admittance_engine::proof::tested;
use admittance_engine::unit::policy_test::PolicyTest;
use admittance_engine::unit::{CompiledUnit, Unit, compile};

use super::{BROKEN, DENIED, Format, colour};
use crate::output::mutants::{self as written, Changes};

/// A unit as it was read, and compiled.
type Whole = (Unit, Arc<CompiledUnit>);

/// The unit and the test in it.
type TestAt = (usize, usize);

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// A test fails.
    Noticed,
    /// None does.
    Unnoticed,
    /// It makes no policy.
    Broken,
    /// No test is about the policy.
    Untested,
}

/// Changes the policies of the units, one at a time, runs the tests about them, and prints what no test notices. The exit code.
pub(super) fn run(units: &[Whole], paths: &[PathBuf], output: Format) -> u8 {
    let compiled: Vec<Arc<CompiledUnit>> = units.iter().map(|(_, compiled)| Arc::clone(compiled)).collect();
    let tests = tests(&compiled, paths);
    if let Some(at) = tests.iter().find(|at| !passes(&compiled, **at)) {
        let name = test(&compiled, *at).map_or("", |test| test.name.as_str());
        anstream::eprintln!("error: the test `{name}` fails without any change: run `admittance test` first");
        return BROKEN;
    }
    let all: Vec<(usize, Mutant)> = units
        .iter()
        .enumerate()
        .flat_map(|(position, (unit, _))| mutants(unit).into_iter().map(move |mutant| (position, mutant)))
        .collect();
    let seen = spread(&all, |(position, mutant)| look(units, &compiled, &tests, *position, mutant));
    let of = |wanted: Seen| seen.iter().filter(|seen| **seen == wanted).count();
    let unnoticed = all.iter().zip(&seen).filter(|(_, seen)| **seen == Seen::Unnoticed).map(|((_, mutant), _)| mutant);
    let changes = Changes {
        noticed: of(Seen::Noticed),
        broken: of(Seen::Broken),
        untested: of(Seen::Untested),
        unnoticed: unnoticed.collect(),
    };
    crate::cli::print(&match output {
        Format::Jsonl => written::jsonl(&changes),
        Format::Json => written::json(&changes),
        _ => written::text(&changes, colour()),
    });
    if changes.unnoticed.is_empty() { 0 } else { DENIED }
}

/// The tests under the paths.
fn tests(units: &[Arc<CompiledUnit>], paths: &[PathBuf]) -> Vec<TestAt> {
    let is_named = |unit: &CompiledUnit| paths.iter().any(|path| Path::new(unit.name()).starts_with(path));
    let named = units.iter().enumerate().filter(|(_, unit)| is_named(unit));
    named.flat_map(|(position, unit)| (0..unit.tests().len()).map(move |test| (position, test))).collect()
}

fn test(units: &[Arc<CompiledUnit>], (unit, test): TestAt) -> Option<&PolicyTest> {
    units.get(unit)?.tests().get(test)
}

/// Whether all cases of a test pass; not, where its policies are not there.
fn passes(units: &[Arc<CompiledUnit>], at: TestAt) -> bool {
    let (Some(test), Some(unit)) = (test(units, at), units.get(at.0)) else { return false };
    let all: Vec<&CompiledUnit> = units.iter().map(Arc::as_ref).collect();
    let set = match tested::own(unit, test) {
        Ok(Some(own)) => own,
        Ok(None) => match tested::among(&all, test) {
            Ok(set) => set,
            Err(_) => return false,
        },
        Err(_) => return false,
    };
    let defaults = Defaults::built_in();
    let mut arena = Arena::with_limit(Budget::REVIEW);
    test.cases.iter().all(|case| {
        let passes = Report::of(test, case, &set, &defaults, &arena).has_passed();
        arena.reset();
        passes
    })
}

/// Whether a test is about a policy.
fn is_about(units: &[Arc<CompiledUnit>], at: TestAt, policy: &str, home: usize) -> bool {
    let (Some(test), Some(unit)) = (test(units, at), units.get(at.0)) else { return false };
    match &test.policies {
        Some(names) => names.iter().any(|(name, _)| name == policy),
        None => at.0 == home || unit.policies().is_empty(),
    }
}

fn look(units: &[Whole], compiled: &[Arc<CompiledUnit>], tests: &[TestAt], home: usize, mutant: &Mutant) -> Seen {
    let about: Vec<TestAt> = tests.iter().copied().filter(|at| is_about(compiled, *at, &mutant.policy, home)).collect();
    if about.is_empty() {
        return Seen::Untested;
    }
    let changed = units.get(home).and_then(|(unit, _)| mutant.applied(unit));
    let Some(Ok(changed)) = changed.map(|unit| compile(&unit)) else { return Seen::Broken };
    let mut with = compiled.to_vec();
    if let Some(slot) = with.get_mut(home) {
        *slot = changed;
    }
    if about.into_iter().all(|at| passes(&with, at)) { Seen::Unnoticed } else { Seen::Noticed }
}

/// Looks at all, on every core; in their order.
fn spread<T: Sync>(all: &[T], look: impl Fn(&T) -> Seen + Sync) -> Vec<Seen> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let chunk = all.len().div_ceil(cores).max(1);
    thread::scope(|scope| {
        let look = &look;
        let started: Vec<_> =
            all.chunks(chunk).map(|chunk| scope.spawn(move || chunk.iter().map(look).collect::<Vec<Seen>>())).collect();
        started.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}
