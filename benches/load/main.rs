//! What a review costs the server, held against two floors.
//!
//! `cargo bench --bench load -- -p DIR [--limit RATIO]` starts three servers on loopback: the floor N, which reads a
//! review and answers a constant; the floor P, which also parses it into a `serde_json::Value` and echoes the uid; and A,
//! `admittance serve -p DIR`. Both floors run on the server's own connection code, allocator and profile, so that what
//! is compared is only what is done with a review. It posts the same review over the same kept connections to one after
//! the other, round by round, checks every answer, and prints the CPU time that each server took for 1,000 requests.
//! With `--limit` it fails where (A - N) / (P - N), taken from the medians, is larger.
//!
//! CPU time and not requests a second is compared: the clients run on the same cores.

// One program, run as `cargo bench` runs it: it prints, and ends with an exit code.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark reports on the terminal")]

mod client;
mod floor;
mod options;
mod process;
mod table;

use std::process::ExitCode;

use client::Clients;
use options::Options;
use process::Process;

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
        _ => Options::parse(&arguments).and_then(|options| compare(&options)),
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

/// Whether the ratio keeps the limit.
fn compare(options: &Options) -> Result<bool, Failure> {
    let review = std::fs::read(&options.review)
        .map_err(|error| format!("cannot read \"{}\": {error}", options.review.display()))?;
    let uid = floor::uid(&serde_json::from_slice(&review)?)?.to_owned();
    let floors = ["null", "parse"].map(|kind| Process::floor(kind, &uid));
    let mut servers = floors.into_iter().collect::<Result<Vec<_>, _>>()?;
    if let Some(policies) = &options.policies {
        servers.push(Process::product(&options.binary, policies)?);
    }

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut rows: Vec<table::Row> = servers.iter().map(|server| table::Row::new(&server.name)).collect();
    let mut clients = Vec::new();
    for (server, row) in servers.iter().zip(&mut rows) {
        row.idle_kib = server.memory_kib("VmRSS:")?;
        // The floors allow everything.
        let expected = server.is_floor || options.allowed;
        clients.push(runtime.block_on(Clients::connect(
            server.address,
            options.connections,
            &review,
            &uid,
            expected,
        ))?);
    }
    // The first round warms up and does not count.
    for round in 0..=options.rounds {
        for ((server, clients), row) in servers.iter().zip(&mut clients).zip(&mut rows) {
            let before = server.cpu_seconds()?;
            let begun = std::time::Instant::now();
            runtime
                .block_on(clients.post(options.requests))
                .map_err(|failure| format!("{}: {failure}", server.name))?;
            if round > 0 {
                row.add(
                    (server.cpu_seconds()? - before) / f64::from(options.requests),
                    begun.elapsed(),
                    options.requests,
                );
            }
        }
    }
    for (server, row) in servers.iter().zip(&mut rows) {
        row.peak_kib = server.memory_kib("VmHWM:")?;
    }
    print!("{}", table::render(&rows, options, review.len()));
    let [null, parse, product] = rows.as_slice() else {
        println!("only the floors ran: give the policies of the third server with -p");
        return Ok(true);
    };
    let ratio = (product.median() - null.median()) / (parse.median() - null.median());
    let kept = options.limit.is_none_or(|limit| ratio <= limit);
    let verdict = options
        .limit
        .map_or(String::new(), |limit| format!(", {} the limit of {limit}", if kept { "within" } else { "over" }));
    println!("(A - N) / (P - N) = {ratio:.3}{verdict}");
    Ok(kept)
}
