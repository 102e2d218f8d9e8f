//! Whatever the expression, evaluating it as a policy's keeps to the bounds of cost, memory and time, comes to the same again,
//! within exactly the cost that it took, and comes to a value of the type that the checker said.

#![no_main]

#[path = "../../crates/engine/tests/differential/instance.rs"]
mod instance;
mod policy;
#[path = "policy/values.rs"]
mod values;

use std::time::{Duration, Instant};

use admittance_engine::cel::context::{Context, Meter};
use admittance_engine::cel::encoding::encode;
use admittance_engine::cel::error::{ErrorKind, Limit, Outcome};
use admittance_engine::cel::program::{EXPRESSION_COST, Names, Program, Recorder, Variables, compile};
use admittance_engine::cel::syntax::ExprId;
use admittance_engine::cel::value::Value;
use admittance_engine::deadline::Deadline;
use admittance_engine::json::Arena;
use libfuzzer_sys::fuzz_target;

/// What a policy's evaluation may take, in bytes.
const MEMORY: usize = 16 << 20;
/// What an arena may take beyond what was counted: its last chunk is as large as all before, and errors are not counted.
const SLACK: usize = 4;
/// The time of a request.
const PATIENCE: Duration = Duration::from_secs(1);
/// Memory and time that are too little for many expressions.
const LITTLE: usize = 2_000;

fuzz_target!(|text: &str| {
    let mutation = text.contains("Object{") || text.contains("JSONPatch{");
    let Ok(program) = compile(text, &policy::environment(mutation).0) else { return };
    let bounds = Bounds { cost: EXPRESSION_COST, memory: MEMORY, time: PATIENCE, mutation };
    let first = run(&program, bounds, &mut ());
    if first.limit == Some(Limit::Time) {
        return;
    }
    let again =
        run(&program, bounds, &mut Types { program: &program, is_static: instance::is_static(program.checked()) });
    if again.limit == Some(Limit::Time) {
        return;
    }
    assert_eq!(again, first, "a recorder changes nothing");
    if first.limit != Some(Limit::Cost) {
        let enough = run(&program, Bounds { cost: first.cost, ..bounds }, &mut ());
        assert!(enough == first || enough.limit == Some(Limit::Time), "{enough:?} {first:?}");
    }
    if first.limit.is_none() && first.cost > 0 {
        let short = run(&program, Bounds { cost: first.cost - 1, ..bounds }, &mut ());
        assert!(matches!(short.limit, Some(Limit::Cost | Limit::Time)), "{short:?} {first:?}");
    }
    let poor = run(&program, Bounds { memory: LITTLE, ..bounds }, &mut ());
    assert!(poor == first || is_bound(&poor), "{poor:?} {first:?}");
    let late = run(&program, Bounds { time: Duration::ZERO, ..bounds }, &mut ());
    assert!(late == first || is_bound(&late), "{late:?} {first:?}");
});

/// Whether bounds had to do with it: a policy's variable within the expression may have met one.
fn is_bound(outcome: &Ended) -> bool {
    outcome.limit.is_some() || outcome.text.contains("operation cancelled")
}

#[derive(Clone, Copy)]
struct Bounds {
    cost: u64,
    memory: usize,
    time: Duration,
    mutation: bool,
}

/// How an evaluation ended.
#[derive(Debug, PartialEq)]
struct Ended {
    /// The value, or the error.
    text: String,
    limit: Option<Limit>,
    /// That of the policy's variables left out.
    cost: u64,
}

fn run<R: for<'a> Recorder<'a>>(program: &Program, bounds: Bounds, recorder: &mut R) -> Ended {
    let arena = Arena::with_limit(64 << 20);
    let values = values::values(&arena);
    let before = arena.used();
    let start = Instant::now();
    let meter = Meter::new(bounds.cost, bounds.memory, Deadline::at(start + bounds.time));
    let context = Context::new(&arena, &meter, &values::Somebody);
    let variables = Variables::new(&policy::environment(bounds.mutation).1, &arena);
    let outcome = program.evaluate(&context, &Names { values: &values, variables: &variables }, recorder);
    let elapsed = start.elapsed();
    assert!(elapsed < bounds.time + 2 * PATIENCE, "the deadline is kept: {elapsed:?}");
    let used = arena.used() - before;
    assert!(used <= SLACK * (bounds.memory + (1 << 18)), "{used} bytes of {}", bounds.memory);
    let limit = match &outcome {
        Err(error) => match error.kind {
            ErrorKind::Limit(limit) => Some(limit),
            _ => None,
        },
        Ok(_) => None,
    };
    let text = match outcome {
        Ok(value) => encode(value).unwrap_or_else(|error| error.to_string()),
        Err(error) => error.to_string(),
    };
    let cost = bounds.cost - meter.cost_left();
    Ended { text, limit, cost }
}

/// Compares values with static types.
struct Types<'p> {
    program: &'p Program,
    is_static: bool,
}

impl<'a> Recorder<'a> for Types<'_> {
    fn record(&mut self, expression: ExprId, outcome: &Outcome<'a>) {
        if let Ok(value) = outcome {
            self.see(expression, *value);
        }
    }

    fn record_held(&mut self, expression: ExprId, value: Value<'a>) {
        self.see(expression, Value::Optional(Some(&value)));
    }
}

impl Types<'_> {
    fn see(&self, expression: ExprId, value: Value<'_>) {
        let ty = self.program.checked().type_of(expression);
        if self.is_static && !self.program.text().contains("namespaceObject") {
            assert!(
                instance::is_instance(value, ty),
                "{} is no {ty}: {:?}",
                value.type_name(),
                self.program.ast().get(expression)
            );
        }
    }
}
