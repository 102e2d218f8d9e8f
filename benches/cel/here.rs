//! What an expression costs here.

use std::hint::black_box;
use std::time::{Duration, Instant};

use admittance_engine::cel::encoding::encode;
use admittance_engine::deadline::Deadline;
use admittance_engine::json::Arena;
use serde_json::{Value, json};

use crate::Failure;
use crate::cases::{Case, variables};
use crate::validation::{Known, Validation, variable};

/// How long a batch is, and how many there are: short ones, some of which a busy machine leaves alone.
const BATCH: Duration = Duration::from_micros(400);
const BATCHES: usize = 60;

/// What one round found out about a case.
pub(crate) struct Measured {
    /// Nanoseconds of the evaluation, of the best batch.
    pub(crate) program: f64,
    /// Nanoseconds with all that a request adds.
    pub(crate) request: f64,
    pub(crate) value: Value,
    pub(crate) cost: u64,
}

impl Measured {
    pub(crate) fn of(case: &Case) -> Result<Self, Failure> {
        let compiled = case.compile()?;
        let objects = Arena::with_limit(1 << 24);
        let variables = variables(&objects)?;
        let bound = compiled.bind_trees(&variables, &objects)?;
        let arena = Arena::with_limit(1 << 24);
        let evaluated = compiled.evaluate(&bound, &arena, Deadline::never(), &mut ());
        let value = evaluated.outcome.map_err(|error| format!("{}: {error}", case.name))?;
        let program = best(|| {
            let arena = Arena::with_limit(1 << 24);
            black_box(compiled.evaluate(black_box(&bound), &arena, Deadline::never(), &mut ()).cost);
        });
        let value: Value = serde_json::from_str(&encode(value)?)?;
        let known = Known::new(&variables)?;
        let validation = Validation::new(case, &value, variable(&variables, "namespaceObject")?)?;
        let allows = validation.allows(&known, &Arena::with_limit(1 << 24))?;
        if allows == (value == json!({ "bool": false })) {
            return Err(format!("{}: {value}, and allowed is {allows}", case.name).into());
        }
        let request = best(|| {
            let arena = Arena::with_limit(1 << 24);
            let _ = black_box(validation.allows(black_box(&known), &arena).is_ok());
        });
        Ok(Self { program, request, value, cost: evaluated.cost })
    }
}

/// Nanoseconds of one call, in the best of many batches.
fn best(mut call: impl FnMut()) -> f64 {
    let mut count = 16_u32;
    let mut batch = |count: u32| {
        let begin = Instant::now();
        (0..count).for_each(|_| call());
        begin.elapsed()
    };
    while batch(count) < BATCH / 2 && count < 1 << 20 {
        count *= 2;
    }
    let times = (0..BATCHES).map(|_| batch(count).as_secs_f64() * 1e9 / f64::from(count));
    times.fold(f64::INFINITY, f64::min)
}
