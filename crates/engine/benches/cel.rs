//! How long one evaluation takes, cost counting included, on the cases that the oracle's `cel-bench` measures upstream with
//! (its column `program`): `cargo bench -p admittance-engine --bench cel -- [CASES] [NAME]`.
//!
//! Prints the name and nanoseconds, best and median of many batches: on a busy machine the best one says most.

use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use admittance_engine::deadline::Deadline;
use admittance_engine::expression::query::{Query, compile};
use admittance_engine::json::Arena;
use serde_json::Value;

const BATCHES: usize = 300;
const BATCH: Duration = Duration::from_micros(400);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let path = arguments.next().or_else(|| std::env::var("ADMITTANCE_CEL_CASES").ok());
    let Some(path) = path else {
        writeln!(std::io::stderr(), "skipped: name the file of cases as an argument or in ADMITTANCE_CEL_CASES")?;
        return Ok(());
    };
    let only = arguments.next();
    for line in std::fs::read_to_string(path)?.lines() {
        let case: Value = serde_json::from_str(line)?;
        let name = case.get("name").and_then(Value::as_str).unwrap_or_default();
        if only.as_deref().is_none_or(|only| only == name) {
            measure(name, &query(&case))?;
        }
    }
    Ok(())
}

/// The fields of a case that a query has.
fn query(case: &Value) -> String {
    let mut query = serde_json::Map::new();
    for field in ["expr", "vars", "values", "types", "variables"] {
        if let Some(value) = case.get(field) {
            query.insert(field.to_owned(), value.clone());
        }
    }
    Value::Object(query).to_string()
}

fn measure(name: &str, line: &str) -> Result<(), Box<dyn std::error::Error>> {
    let query = Query::read(line).map_err(|error| error.to_string())?;
    let compiled = compile(&query).map_err(|error| format!("{name}: {error:?}"))?;
    let mut times = vec![];
    let mut cost = 0;
    let mut count = 16_u32;
    while times.len() < BATCHES {
        let arena = Arena::with_limit(1 << 30);
        let bound = compiled.bind(&query, &arena).map_err(|error| error.to_string())?;
        let begin = Instant::now();
        for _ in 0..count {
            let evaluated = compiled.evaluate(black_box(&bound), &arena, Deadline::never(), &mut ());
            cost = black_box(evaluated).cost;
        }
        let elapsed = begin.elapsed();
        if elapsed < BATCH / 2 && count < 1 << 18 {
            count *= 2;
            continue;
        }
        times.push(elapsed.as_secs_f64() * 1e9 / f64::from(count));
    }
    times.sort_by(f64::total_cmp);
    let at = |position: usize| times.get(position).copied().unwrap_or_default();
    writeln!(std::io::stdout(), "{name}\t{:.0}\t{:.0}\tcost {cost}", at(0), at(BATCHES / 2))?;
    Ok(())
}
