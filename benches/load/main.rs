//! What a review costs the server, held against floors, and how long clients wait for it.
//!
//! `cargo bench --bench load -- -p DIR [--limit RATIO]` starts three servers on loopback: the floor N, which reads a
//! review and answers a constant; the floor P, which also parses it into a `serde_json::Value` and echoes the uid; and A,
//! `admittance serve -p DIR`. Both floors run on the server's own connection code, allocator and profile, so that what
//! is compared is only what is done with a review. It posts the same review over the same kept connections to one after
//! the other, round by round, checks every answer, and prints the CPU time that each server took for 1,000 requests.
//! With `--limit` it fails where (A - N) / (P - N), taken from the medians, is larger.
//!
//! `--all` runs the scenarios of `catalogue` in that way, each with its floors in the same rounds, and then clients that
//! send at a constant rate; `--quick` runs fewer in under two minutes. A wrong answer ends the run, whatever it would
//! have cost. `--csv FILE` adds every figure to a file, from which `cargo bench --bench report` makes
//! docs/performance.md.
//!
//! CPU time and not requests a second is compared: the clients run on the same cores. Run it by `cargo bench`, so that
//! the floors are compiled as the product is.

// One program, run as `cargo bench` runs it: it prints, and ends with an exit code.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark reports on the terminal")]

mod catalogue;
mod client;
mod cpu;
mod csv;
mod expected;
#[path = "../figures/mod.rs"]
mod figures;
mod floor;
mod latency;
mod machine;
mod measure;
mod open;
mod options;
mod percentile;
mod policies;
mod process;
mod reviews;
mod running;
mod scenario;
mod sheet;
mod tls;

use std::process::ExitCode;

use expected::Expected;
use options::{Mode, Options};
use reviews::Review;
use scenario::{Kind, Scenario, Server};
use sheet::Sheet;
use tokio::runtime::Runtime;

/// The allocator of the product, for the floors.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What anything here fails with: text for a person.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    // Cargo adds it for its own harness.
    arguments.retain(|argument| argument != "--bench");
    let outcome = match arguments.split_first() {
        Some((first, rest)) if first == "floor" => floor::run(rest).map(|()| true),
        _ => Options::parse(&arguments).and_then(|options| run(&options)),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("load: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Whether all marks that are enforced are kept.
fn run(options: &Options) -> Result<bool, Failure> {
    // One thread for all clients: they are not what is measured, and there are few cores.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut sheet = Sheet::new(options)?;
    println!("HTTP/1.1 over TLS on loopback; {} rounds, {} connections\n", options.rounds, options.connections);
    if options.mode == Mode::Comparison {
        sheet.add(measure::run(&comparison(options)?, options, &runtime)?)?;
    } else {
        scenarios(options, &runtime, &mut sheet)?;
    }
    print!("{}", sheet.marks());
    Ok(sheet.is_kept() || !options.is_enforced)
}

fn scenarios(options: &Options, runtime: &Runtime, sheet: &mut Sheet) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    sheet.note(machine::rows(&options.binary)?)?;
    let mut scenarios = catalogue::all(folder.path(), options.mode == Mode::Quick)?;
    scenarios.retain(|scenario| options.wants(&scenario.name));
    for (server, limit) in options.limits.iter().filter_map(|(server, limit)| Some((server.as_ref()?, *limit))) {
        let servers = scenarios.iter_mut().flat_map(|scenario| &mut scenario.servers);
        for found in servers.filter(|found| found.name == *server) {
            found.facts.retain(|(measure, _, _)| *measure != figures::ratio::LIMIT);
            found.facts.push((figures::ratio::LIMIT, "", limit));
        }
    }
    for scenario in &scenarios {
        let rows = measure::run(scenario, options, runtime);
        sheet.add(rows.map_err(|failure| format!("{}: {failure}", scenario.name))?)?;
    }
    if options.wants(figures::latency::GROUP) {
        sheet.add(latency::run(options, runtime)?)?;
    }
    Ok(())
}

/// What `-p` asks for: one server beside both floors.
fn comparison(options: &Options) -> Result<Scenario, Failure> {
    let mut servers = vec![Server::floor("null"), Server::floor("parse")];
    if let Some(policies) = &options.policies {
        let mut server = Server::product("A: admittance", policies, 0);
        server.kind = Kind::Product { policies: policies.clone(), loaded: None };
        if !options.is_allowed {
            server = server.expects(Expected::Refused);
        }
        for (_, limit) in &options.limits {
            server = server.limit(*limit);
        }
        servers.push(server);
    }
    let named = |path: &std::path::Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let policies = options.policies.as_deref().map_or("floors alone".to_owned(), named);
    let name = format!("{policies}, {}", named(&options.review));
    Ok(Scenario { group: figures::ratio::GROUP, name, review: Review::read(&options.review)?, servers })
}
