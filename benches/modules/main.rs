//! What each module of the catalogue costs for one review, beside what it costs to read the body the common way.
//!
//! `cargo bench -p admittance-engine --bench modules -- [--rounds N] [--only MODULE] [--limit RATIO]` runs every module on the
//! pod of `benches/review-pass.json`, whose tree is there already, and reads the same body into a `serde_json::Value` in turn,
//! round by round. Of all batches the best counts: on a busy machine it says most.
//!
//! A module is told the first of these under which it has something to look at and nothing to say: no settings, those of its
//! page, those of its cases. `silent` is what it costs then; a module that changes objects is shown what it has made of the pod.
//! `changes` is what it costs to make it. The last row is the hardened set as a whole, by [`admittance_engine::pipeline::admit`]:
//! matching and the verdict too. `--limit` is the largest ratio of it to reading that passes.

// One program, run as `cargo bench` runs it: it prints, and ends with an exit code.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark reports on the terminal")]

mod hardened;
mod measure;
mod settings;

use std::process::ExitCode;

use admittance_engine::modules::{MODULES, ModuleEntry};
use admittance_engine::rule::Applies;
use hardened::Hardened;
use measure::{Measured, Subject};

/// What anything here fails with: text for a person.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: cargo bench --bench modules -- [--rounds N] [--only MODULE] [--limit RATIO]";

struct Options {
    rounds: u32,
    /// One module alone.
    only: Option<String>,
    /// The largest ratio of the hardened set that passes.
    limit: Option<f64>,
}

/// The best figures of a module.
struct Row {
    module: &'static ModuleEntry,
    subject: Subject,
    best: Measured,
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("modules: {failure}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Result<Options, Failure> {
    let mut options = Options { rounds: 5, only: None, limit: None };
    // Cargo adds `--bench` for its own harness.
    let mut left = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(flag) = left.next() {
        let value = left.next().ok_or_else(|| format!("\"{flag}\" needs a value\n{USAGE}"))?;
        match flag.as_str() {
            "--rounds" => options.rounds = value.parse()?,
            "--only" => options.only = Some(value),
            "--limit" => options.limit = Some(value.parse()?),
            other => return Err(format!("unknown option \"{other}\"\n{USAGE}").into()),
        }
    }
    Ok(options)
}

/// Whether the ratio keeps the limit.
fn run(options: &Options) -> Result<bool, Failure> {
    let body = std::fs::read_to_string(settings::root().join("benches/review-pass.json"))?;
    let mut rows = vec![];
    for module in MODULES.iter().filter(|module| options.only.as_ref().is_none_or(|only| only == module.id)) {
        if let Some(subject) = Subject::of(module, &body)? {
            rows.push(Row { module, subject, best: Measured::NONE });
        } else if module.applies == Applies::Pods {
            return Err(format!("{}: no settings let the pod pass", module.id).into());
        }
    }
    let set = Hardened::read()?;
    let (mut reading, mut own, mut whole) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
    for _ in 0..options.rounds {
        reading = reading.min(measure::reading(&body)?);
        own = own.min(measure::own_reading(&body)?);
        for row in &mut rows {
            row.best = row.best.least(row.subject.measure(&body)?);
        }
        whole = whole.min(set.measure(&body)?);
    }
    println!("{:<34} {:>9} {:>12} {:>9}", "", "silent ns", "of reading", "changes");
    for Row { module, best, .. } in &rows {
        let changes = best.changes.map_or_else(String::new, |changes| format!("{changes:>9.0}"));
        println!("{:<34} {:>9.0} {:>10.2} % {changes}", module.id, best.silent, 100.0 * best.silent / reading);
    }
    let sum: f64 = rows.iter().map(|row| row.best.silent).sum();
    println!("\n{:<34} {reading:>9.0}", "reading: serde_json::Value");
    for (what, taken) in [
        ("reading: the engine's tree".to_owned(), own),
        (format!("all {} modules above, in sum", rows.len()), sum),
        (format!("{}, as a set", set.name()), whole),
    ] {
        println!("{what:<34} {taken:>9.0} {:>10.2} %", 100.0 * taken / reading);
    }
    Ok(options.limit.is_none_or(|limit| whole / reading <= limit))
}
