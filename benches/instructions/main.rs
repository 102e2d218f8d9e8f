//! Evaluates each case a hundred times, judges requests by some, compiles all of them, binds and reads their variables; then
//! whole requests, and stages of them. To be counted under callgrind (hack/instructions): every call of [`measured`] is one figure,
//! and prints its name and how often the work was done.

// One program, run as `cargo bench` runs it: it prints, and ends with an exit code.
#![expect(clippy::print_stdout, reason = "its output names the figures, in their order")]

#[path = "../cel/cases.rs"]
mod cases;
#[path = "../paths/mod.rs"]
mod paths;
#[path = "../cel/validation.rs"]
mod validation;

use std::hint::black_box;

use admittance_engine::deadline::Deadline;
use admittance_engine::json::{Arena, read};
use admittance_engine::pipeline::Budget;
use cases::{Case, VARIABLES, variables};
use paths::{Path, Stages};
use serde_json::json;
use validation::{Known, Validation, variable};

/// What anything here fails with: text for a person.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const TIMES: u32 = 100;

/// The cases that are also counted as whole requests: one that reads nothing, one that reads `request`, one that reads
/// `namespaceObject`.
const REQUESTS: [&str; 3] = ["constant", "request_user", "namespace_label"];

fn main() -> Result<(), Failure> {
    let cases = Case::all()?;
    let objects = Arena::with_limit(1 << 24);
    let variables = variables(&objects)?;
    for case in &cases {
        let compiled = case.compile()?;
        let bound = compiled.bind_trees(&variables, &objects)?;
        let mut evaluate = || {
            let arena = Arena::with_limit(1 << 24);
            black_box(compiled.evaluate(black_box(&bound), &arena, Deadline::never(), &mut ()).cost);
        };
        // What is made when it is first needed, such as a pattern's automaton, is made.
        evaluate();
        measured(&format!("evaluate/{}", case.name), TIMES, &mut evaluate);
    }
    let known = Known::new(&variables)?;
    for case in cases.iter().filter(|case| REQUESTS.contains(&case.name.as_str())) {
        let validation = Validation::new(case, &json!({ "bool": true }), variable(&variables, "namespaceObject")?)?;
        measured(&format!("admit/{}", case.name), TIMES, &mut || {
            let arena = Arena::with_limit(1 << 24);
            let _ = black_box(validation.allows(black_box(&known), &arena).is_ok());
        });
    }
    let mut compile = || {
        for case in &cases {
            let _ = black_box(case.compile());
        }
    };
    measured("compile/all", TIMES, &mut compile);
    let constant = cases.first().ok_or("there are no cases")?.compile()?;
    measured("bind/variables", TIMES, &mut || {
        let arena = Arena::with_limit(1 << 24);
        let _ = black_box(constant.bind_trees(black_box(&variables), &arena).is_ok());
    });
    measured("read/variables", TIMES, &mut || {
        let arena = Arena::with_limit(1 << 24);
        let _ = black_box(read(&arena, black_box(VARIABLES)).is_ok());
    });
    requests()
}

/// Whole requests, with memory as warm as the server's, and stages of them.
fn requests() -> Result<(), Failure> {
    let paths = Path::all()?;
    for path in &paths {
        let times = if path.name == "large_config_map" { 2 } else { 10 };
        let mut arena = Arena::with_limit(Budget::REVIEW);
        let mut answer = || {
            black_box(path.answer(&mut arena).is_ok());
        };
        answer();
        measured(&format!("request/{}", path.name), times, &mut answer);
    }
    let named = |name: &str| paths.iter().find(|path| path.name == name).ok_or("no such path");
    let stages = Stages(named("hardened_mutate")?);
    let mut arena = Arena::with_limit(Budget::REVIEW);
    stages.review(&arena)?;
    arena.reset();
    measured("stage/read", 10, &mut || {
        black_box(stages.review(&arena).is_ok());
        arena.reset();
    });
    let review = stages.review(&arena)?;
    measured("stage/match", TIMES, &mut || {
        black_box(stages.candidates(black_box(&review)));
    });
    let verdict = stages.verdict(&review)?;
    measured("stage/write", 10, &mut || {
        black_box(stages.write(black_box(&review), black_box(&verdict)));
    });
    Ok(())
}

/// What is counted: instructions within [`counted`] are.
fn measured(name: &str, times: u32, work: &mut dyn FnMut()) {
    counted(times, work);
    println!("{name}\t{times}");
}

/// (callgrind writes a figure where a function ends that was called while it counted, hence two functions.)
#[inline(never)]
fn counted(times: u32, work: &mut dyn FnMut()) {
    black_box(repeated)(black_box(times), black_box(work));
}

#[inline(never)]
fn repeated(times: u32, work: &mut dyn FnMut()) {
    (0..times).for_each(|_| work());
}
