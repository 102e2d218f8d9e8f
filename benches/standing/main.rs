//! What the server costs standing, and what becomes of it over time.
//!
//! `cargo bench --bench standing -- [--binary FILE] [--csv FILE] [--quick] [--marks] [--only PART]…` measures, in this order:
//!
//! | part | what |
//! |---|---|
//! | `size` | the bytes of the binary |
//! | `start` | from the start of the process to the first 200 of /readyz, looked at every 2 ms, by count and sort of policies |
//! | `memory` | resident memory: idle, and under the load of 64 connections; bytes and compile time of a policy |
//! | `swaps` | resident memory while the set of policies is swapped: in this program by the server's own code as often as `--swaps` says (10,000), and in a server as often as it looks at its files (once a second, `--reloads` times) |
//! | `requests` | resident memory while requests come, for two minutes or `--requests` of them |
//! | `check` | `admittance check` of 10,000 manifests, beside this program merely parsing them on as many threads |
//!
//! Each figure that has a mark is printed as reached or not; with `--marks` the program fails where one is not.
//! `--quick` takes a minute and shows that everything works.

// One program, run as `cargo bench` runs it: it prints, and ends with an exit code.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark reports on the terminal")]

mod check;
mod client;
mod memory;
mod options;
mod policies;
mod requests;
mod server;
mod sheet;
mod start;
mod statistics;
mod swaps;

use std::path::Path;
use std::process::ExitCode;

use options::{Options, Part};
use sheet::{Limit, Sheet};

/// The allocator of the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What anything here fails with: text for a person.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    // Cargo adds it for its own harness.
    arguments.retain(|argument| argument != "--bench");
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        // This program in a process of its own, with nothing else in its memory.
        ["parse", folder] => check::parse(Path::new(folder)).map(|()| true),
        ["swap", times, folder] => swaps::swap_here(times, Path::new(folder)).map(|()| true),
        _ => Options::parse(&arguments).and_then(|options| measure(&options)),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("standing: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Whether every mark is reached, where that is asked.
fn measure(options: &Options) -> Result<bool, Failure> {
    let mut sheet = Sheet::default();
    for part in options.parts() {
        match part {
            Part::Size => size(options, &mut sheet)?,
            Part::Start => start::measure(options, &mut sheet)?,
            Part::Memory => memory::measure(options, &mut sheet)?,
            Part::Swaps => swaps::measure(options, &mut sheet)?,
            Part::Requests => requests::measure(options, &mut sheet)?,
            Part::Check => check::measure(options, &mut sheet)?,
        }
    }
    print!("{}", sheet.marks());
    if let Some(path) = &options.csv {
        std::fs::write(path, sheet.csv()).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(!options.marks || sheet.is_reached())
}

/// The bytes of the binary.
fn size(options: &Options, sheet: &mut Sheet) -> Result<(), Failure> {
    let bytes = std::fs::metadata(&options.binary)
        .map_err(|error| format!("cannot read {}: {error}", options.binary.display()))?
        .len();
    let megabytes = statistics::megabytes(bytes);
    println!("size: {megabytes:.2} MB");
    sheet.add("binary", "admittance", 0, "size", "B", statistics::number(bytes));
    sheet.mark("binary", megabytes, "MB", Limit::Below(12.0));
    Ok(())
}
