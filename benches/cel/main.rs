//! What expressions cost here, beside what they cost the API server.
//!
//! `cargo bench -p admittance-engine --bench cel -- [--oracles DIR] [--rounds N] [--only NAME] [--limit RATIO]` evaluates each
//! case as a request pays for it, round by round in turn with `cel-bench` (hack/oracle), which does the same with the API
//! server's own code, and checks that values and costs are the same. Then 1,000 policies are compiled by either: time, and
//! memory that they keep. Without `--oracles` (or `ADMITTANCE_ORACLES`) only what is here is measured.
//!
//! Two figures for each: `program`, the evaluation with its cost; and `request`, with everything that a request adds to it.
//! Upstream's is what one validation costs: AdmissionRequest and Namespace converted, variables bound. Ours is the whole of
//! [`admittance_engine::pipeline::admit`] with this validation as the one policy: matching, bindings and the verdict too; what
//! no expression reads is not made. The object's tree is given. Of all batches the best counts: on a
//! busy machine it says most.

// One program, run as `cargo bench` runs it: it prints, and ends with an exit code.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark reports on the terminal")]

mod cases;
mod compilation;
mod here;
mod table;
mod upstream;
mod validation;

use std::path::PathBuf;
use std::process::ExitCode;

use cases::Case;
use here::Measured;
use table::Row;
use upstream::Upstream;

/// What anything here fails with: text for a person.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: cargo bench --bench cel -- [--oracles DIR] [--rounds N] [--only NAME] [--limit RATIO]";

struct Options {
    /// Where `cel-bench` and `cel-compile` are.
    oracles: Option<PathBuf>,
    rounds: u32,
    /// One case alone.
    only: Option<String>,
    /// The smallest geometric mean of the ratios of `request` that passes.
    limit: Option<f64>,
}

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    // Cargo adds it for its own harness.
    arguments.retain(|argument| argument != "--bench");
    let outcome = match arguments.first().map(String::as_str) {
        Some("compile") => compilation::measure_here().map(|()| true),
        _ => options(&arguments).and_then(|options| compare(&options)),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("cel: {failure}");
            ExitCode::from(2)
        }
    }
}

fn options(arguments: &[String]) -> Result<Options, Failure> {
    let oracles = std::env::var_os("ADMITTANCE_ORACLES").map(PathBuf::from);
    let mut options = Options { oracles, rounds: 5, only: None, limit: None };
    let mut left = arguments.iter();
    while let Some(flag) = left.next() {
        let value = left.next().ok_or_else(|| format!("\"{flag}\" needs a value\n{USAGE}"))?;
        match flag.as_str() {
            "--oracles" => options.oracles = Some(value.into()),
            "--rounds" => options.rounds = value.parse()?,
            "--only" => options.only = Some(value.clone()),
            "--limit" => options.limit = Some(value.parse()?),
            other => return Err(format!("unknown option \"{other}\"\n{USAGE}").into()),
        }
    }
    Ok(options)
}

/// Whether the ratio keeps the limit.
fn compare(options: &Options) -> Result<bool, Failure> {
    let mut cases = Case::all()?;
    cases.retain(|case| options.only.as_ref().is_none_or(|only| *only == case.name));
    let upstream = options.oracles.as_deref().map(Upstream::new).transpose()?;
    let mut rows: Vec<Row> = cases.iter().map(|case| Row::new(&case.name)).collect();
    for _ in 0..options.rounds {
        for (case, row) in cases.iter().zip(&mut rows) {
            let measured = Measured::of(case)?;
            if let Some(upstream) = &upstream {
                let theirs = upstream.measure(&case.name)?;
                if (&theirs.value, theirs.cost) != (&measured.value, measured.cost) {
                    let ours = format!("{} at {}", measured.value, measured.cost);
                    return Err(format!("{}: {ours}, upstream {} at {}", case.name, theirs.value, theirs.cost).into());
                }
                row.add_upstream(&theirs);
            }
            row.add(&measured);
        }
    }
    print!("{}", table::table(&rows));
    let mean = table::mean_ratio(&rows);
    if options.only.is_none() {
        compilation::compare(upstream.as_ref())?;
    }
    Ok(options.limit.zip(mean).is_none_or(|(limit, mean)| mean >= limit))
}
