//! How long clients wait that do not wait for each other: at 100 requests a second, and near what the server can do.

use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::{
    Failure, catalogue,
    figures::{
        CPU, CPU_UNIT, Row,
        latency::{GROUP, LIMIT, P99},
        statistics::Summary,
    },
    open,
    options::{Mode, Options},
    percentile::percentile,
    reviews::Review,
    running::Running,
    scenario::Server,
};

/// The load of a busy cluster.
const RATE: f64 = 100.0;
/// So many turns of each server, one after the other, at that rate; and at each share of what it can do, where one is
/// enough to see that it works.
const PAIRS: u32 = 5;
const PAIRS_OF_SHARES: u32 = 3;
/// By how many milliseconds p99 may be above N's.
const LIMIT_MS: f64 = 0.5;
const SHARES: [u32; 4] = [25, 50, 75, 90];
/// Enough that requests wait for the server, not for a connection.
const CONNECTIONS: u32 = 64;

/// All rows of the group.
pub(crate) fn run(options: &Options, runtime: &Runtime) -> Result<Vec<Row>, Failure> {
    let review = Review::recorded("pass")?;
    let [modules, vaps] = catalogue::rules();
    let mut servers = Vec::new();
    for server in [Server::floor("null"), modules, vaps] {
        let start = Running::start(&server, &review, &options.binary, CONNECTIONS);
        servers.push(runtime.block_on(start).map_err(|failure| format!("{}: {failure}", server.name))?);
    }
    let mut rows = Vec::new();
    let most = servers.iter_mut().map(|server| capacity(server, options, runtime)).collect::<Result<Vec<_>, _>>()?;
    for (server, most) in servers.iter().zip(&most) {
        for (run, rate) in (1_u32..).zip(most) {
            rows.push(row("as many as it answers", &server.process.name, run, "requests", "1/s", *rate));
        }
    }
    let name = format!("{RATE} a second");
    for run in 1..=PAIRS {
        for server in &mut servers {
            turn(server, &name, run, (RATE, options.seconds), runtime, &mut rows)?;
        }
    }
    for server in servers.iter().skip(1) {
        rows.push(row(&name, &server.process.name, 0, LIMIT, "ms", LIMIT_MS));
    }
    // The VAPs cost the most: their capacity is what is shared out, and N gets the same.
    let slowest = most.last().and_then(|most| Summary::of(most)).ok_or("no server")?.median;
    servers.remove(1);
    for share in SHARES {
        let rate = slowest * f64::from(share) / 100.0;
        let name = format!("{share} % of what the VAPs can do");
        let pairs = if options.mode == Mode::Quick { 1 } else { PAIRS_OF_SHARES };
        for run in 1..=pairs {
            for server in &mut servers {
                turn(server, &name, run, (rate, options.seconds / 2.0), runtime, &mut rows)?;
            }
        }
    }
    for server in &mut servers {
        server.process.cpu.check()?;
    }
    Ok(rows)
}

/// Answers a second to clients that wait: one turn to warm up, then three.
fn capacity(server: &mut Running, options: &Options, runtime: &Runtime) -> Result<Vec<f64>, Failure> {
    let mut rates = Vec::new();
    for _ in 0..4 {
        let begun = Instant::now();
        runtime.block_on(server.clients.post(options.requests))?;
        rates.push(f64::from(options.requests) / begun.elapsed().as_secs_f64());
    }
    Ok(rates.split_off(1))
}

fn turn(
    server: &mut Running,
    scenario: &str,
    run: u32,
    (rate, seconds): (f64, f64),
    runtime: &Runtime,
    rows: &mut Vec<Row>,
) -> Result<(), Failure> {
    let name = server.process.name.clone();
    let before = server.process.cpu.seconds()?;
    // What is not answered by then never will be.
    let patience = Duration::from_secs_f64(seconds * 4.0 + 10.0);
    let outcome =
        runtime.block_on(async { tokio::time::timeout(patience, open::run(&mut server.clients, rate, seconds)).await });
    let answered = outcome.map_err(|_| format!("{name}: not all is answered after {patience:?}"))?;
    let turn = answered.map_err(|failure| format!("{name}: {failure}"))?;
    let count = f64::from(u32::try_from(turn.latencies.len())?);
    let cpu = server.process.cpu.seconds()? - before;
    let mut add = |measure: &str, unit: &str, value: f64| rows.push(row(scenario, &name, run, measure, unit, value));
    for (measure, thousandths) in [("p50", 500), (P99, 990), ("p99.9", 999)] {
        if let Some(latency) = percentile(&turn.latencies, thousandths) {
            add(measure, "ms", latency.as_secs_f64() * 1_000.0);
        }
    }
    if let Some(lateness) = percentile(&turn.lateness, 990) {
        add("p99 of the generator's own", "ms", lateness.as_secs_f64() * 1_000.0);
    }
    add("answered", "1/s", count / turn.elapsed.as_secs_f64());
    add(CPU, CPU_UNIT, cpu / count * 1_000.0);
    Ok(())
}

fn row(scenario: &str, server: &str, run: u32, measure: &str, unit: &str, value: f64) -> Row {
    Row {
        group: GROUP.to_owned(),
        scenario: scenario.to_owned(),
        server: server.to_owned(),
        run,
        measure: measure.to_owned(),
        unit: unit.to_owned(),
        value: format!("{value:.4}"),
    }
}
