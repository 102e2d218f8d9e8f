//! Resident memory while requests come.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::client::Load;
use crate::options::Options;
use crate::policies::{Rules, Sort};
use crate::server::Server;
use crate::sheet::{Limit, Sheet};
use crate::statistics::{Growth, number};

const REVIEW: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/review-pass.json");
const CONNECTIONS: usize = 64;
const EVERY: Duration = Duration::from_millis(250);
/// How often a figure is kept for the sheet.
const KEPT: usize = 200;

pub(crate) fn measure(options: &Options, sheet: &mut Sheet) -> Result<(), Failure> {
    let folder = Rules::read()?.folder(Sort::Mixed, 100)?;
    let server = Server::with(&options.binary, folder.path(), 100)?.ok_or("the server was never ready")?;
    let mut clients = Load::begin(&server, CONNECTIONS, &fs::read_to_string(REVIEW)?)?;
    let (begun, mut samples) = (Instant::now(), vec![]);
    loop {
        thread::sleep(EVERY);
        let answered = clients.answered()?;
        samples.push((answered, server.memory_kib("VmRSS")?));
        if options.requests.map_or(begun.elapsed() >= options.time, |requests| answered >= requests) {
            break;
        }
    }
    clients.end()?;
    let answered = samples.last().map_or(0, |(answered, _)| *answered);
    report("requests", "requests", &samples, sheet);
    sheet.add("requests", "admittance", 0, "count", "requests", number(answered));
    println!("  {answered} requests in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// Says how memory went with events, and holds it against the mark: one MB is less than what the allocator takes at a time from
/// the system for each thread.
pub(crate) fn report(scenario: &str, events: &str, samples: &[(u64, u64)], sheet: &mut Sheet) {
    let growth = Growth::of(samples);
    for (run, (at, kib)) in samples.iter().step_by(samples.len().div_ceil(KEPT)).enumerate() {
        let run = u32::try_from(run).unwrap_or(u32::MAX);
        sheet.add(scenario, "admittance", run, "at", events, number(*at));
        sheet.add(scenario, "admittance", run, "resident", "MB", number(*kib) * 1_024.0 / 1e6);
    }
    sheet.add(scenario, "admittance", 0, "slope", "B", growth.slope);
    println!(
        "{scenario}: {:.4} bytes for each of {:.0} {events}, {:+.3} MB in all",
        growth.slope,
        growth.events,
        growth.whole / 1e6
    );
    sheet.mark(format!("{scenario}: growth"), growth.whole / 1e6, "MB", Limit::AtMost(1.0));
}
