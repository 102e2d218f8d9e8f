//! Evaluates each case a hundred times, judges requests by some, compiles all of them, binds and reads their variables; to be
//! counted under callgrind (hack/instructions): every call of [`measured`] is one figure.

// One program, run as `cargo bench` runs it: it prints, and ends with an exit code.
#![expect(clippy::print_stdout, reason = "its output names the figures, in their order")]

#[path = "../cel/cases.rs"]
mod cases;
#[path = "../cel/validation.rs"]
mod validation;

use std::hint::black_box;

use admittance_engine::deadline::Deadline;
use admittance_engine::json::{Arena, read};
use cases::{Case, VARIABLES, variables};
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
        measured(&mut evaluate);
        println!("evaluate/{}", case.name);
    }
    let known = Known::new(&variables)?;
    for case in cases.iter().filter(|case| REQUESTS.contains(&case.name.as_str())) {
        let validation = Validation::new(case, &json!({ "bool": true }), variable(&variables, "namespaceObject")?)?;
        measured(&mut || {
            let arena = Arena::with_limit(1 << 24);
            let _ = black_box(validation.allows(black_box(&known), &arena).is_ok());
        });
        println!("admit/{}", case.name);
    }
    let mut compile = || {
        for case in &cases {
            let _ = black_box(case.compile());
        }
    };
    measured(&mut compile);
    println!("compile/all");
    let constant = cases.first().ok_or("there are no cases")?.compile()?;
    measured(&mut || {
        let arena = Arena::with_limit(1 << 24);
        let _ = black_box(constant.bind_trees(black_box(&variables), &arena).is_ok());
    });
    println!("bind/variables");
    measured(&mut || {
        let arena = Arena::with_limit(1 << 24);
        let _ = black_box(read(&arena, black_box(VARIABLES)).is_ok());
    });
    println!("read/variables");
    Ok(())
}

/// What is counted: instructions within it are. (callgrind writes a figure where a function ends that was called while it
/// counted, hence the second one.)
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    black_box(repeated)(black_box(work));
}

#[inline(never)]
fn repeated(work: &mut dyn FnMut()) {
    (0..TIMES).for_each(|_| work());
}
