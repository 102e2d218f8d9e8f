//! The servers of a scenario under clients that wait for their answers, one after the other, round by round.

use std::time::Instant;

use tokio::runtime::Runtime;

use crate::{
    Failure,
    figures::{CPU, CPU_UNIT, Row, growth::BODY},
    options::Options,
    running::Running,
    scenario::Scenario,
};

/// The largest body at which all requests of a turn are sent: above, bytes are what a turn is bounded by.
const WHOLE_TURN_BYTES: f64 = 14_000.0;

/// The rows of a scenario. A wrong answer, or CPU time that is not to be trusted, is an error.
pub(crate) fn run(scenario: &Scenario, options: &Options, runtime: &Runtime) -> Result<Vec<Row>, Failure> {
    let mut servers = Vec::new();
    for server in &scenario.servers {
        let start = Running::start(server, &scenario.review, &options.binary, options.connections);
        servers.push(runtime.block_on(start).map_err(|failure| format!("{}: {failure}", server.name))?);
    }
    let bytes = f64::from(u32::try_from(scenario.review.body.len())?);
    let row = |server: &str, run: u32, measure: &str, unit: &str, value: f64| Row {
        group: scenario.group.to_owned(),
        scenario: scenario.name.clone(),
        server: server.to_owned(),
        run,
        measure: measure.to_owned(),
        unit: unit.to_owned(),
        value: format!("{value:.6}").trim_end_matches('0').trim_end_matches('.').to_owned(),
    };

    // The first turn of each warms up, and says how many requests fit into the others.
    let whole = (f64::from(options.requests) * (WHOLE_TURN_BYTES / bytes).min(1.0)).max(f64::from(options.connections));
    let mut turns = Vec::new();
    for server in &mut servers {
        let warm = count(whole / 4.0, options.connections);
        let begun = Instant::now();
        post(server, warm, runtime)?;
        let rate = f64::from(warm) / begun.elapsed().as_secs_f64();
        turns.push(count(whole.min(rate * options.turn_seconds), options.connections));
    }
    let mut rows = Vec::new();
    for round in 1..=options.rounds {
        let mut order: Vec<_> = servers.iter_mut().zip(&turns).collect();
        // There and back, so that what grows or fades meanwhile favours nobody.
        if round % 2 == 0 {
            order.reverse();
        }
        for (server, &requests) in order {
            let before = server.process.cpu.seconds()?;
            let begun = Instant::now();
            post(server, requests, runtime)?;
            let elapsed = begun.elapsed().as_secs_f64();
            let cpu = server.process.cpu.seconds()? - before;
            let (name, requests) = (&server.process.name, f64::from(requests));
            rows.push(row(name, round, CPU, CPU_UNIT, cpu / requests * 1_000.0));
            rows.push(row(name, round, "requests", "1/s", requests / elapsed));
        }
    }
    for (server, plan) in servers.iter_mut().zip(&scenario.servers) {
        server.process.cpu.check().map_err(|failure| format!("{}: {failure}", plan.name))?;
        rows.push(row(&plan.name, 0, "idle", "MiB", server.idle_mib));
        rows.push(row(&plan.name, 0, "peak", "MiB", server.process.memory_mib("VmHWM:")?));
        rows.push(row(&plan.name, 0, BODY, "bytes", bytes));
        rows.extend(plan.facts.iter().map(|(measure, unit, value)| row(&plan.name, 0, measure, unit, *value)));
    }
    // As the table of servers has them.
    let place = |row: &Row| scenario.servers.iter().position(|server| server.name == row.server);
    rows.sort_by_key(place);
    Ok(rows)
}

fn post(server: &mut Running, requests: u32, runtime: &Runtime) -> Result<(), Failure> {
    let name = &server.process.name;
    runtime.block_on(server.clients.post(requests)).map_err(|failure| format!("{name}: {failure}").into())
}

/// At least four on each connection.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of requests, far below 2^32")]
fn count(requests: f64, connections: u32) -> u32 {
    (requests as u32).max(connections * 4)
}
