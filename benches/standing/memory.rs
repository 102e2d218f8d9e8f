//! Resident memory: idle, under load, and for each policy.

use std::thread;
use std::time::{Duration, Instant};

use admittance_engine::document::SourceFile;
use admittance_engine::unit::{Unit, compile};

use crate::Failure;
use crate::options::Options;
use crate::policies::{Rules, Sort};
use crate::server::Server;
use crate::sheet::{Limit, Sheet};
use crate::statistics::{median, megabytes, number};

const REVIEW: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/review-pass.json");
const CONNECTIONS: usize = 64;
/// How long a server is left alone before it counts as idle.
const REST: Duration = Duration::from_secs(2);

pub(crate) fn measure(options: &Options, sheet: &mut Sheet) -> Result<(), Failure> {
    let rules = Rules::read()?;
    let load = if options.most_policies < 1_000 { Duration::from_secs(3) } else { Duration::from_secs(20) };
    println!("memory, MB             idle   {CONNECTIONS} connections   peak");
    for sort in Sort::ALL {
        let scenario = format!("memory 100 {}", sort.name());
        let folder = rules.folder(sort, 100)?;
        let server = Server::with(&options.binary, folder.path(), 100)?.ok_or("the server was never ready")?;
        thread::sleep(REST);
        let mut kept = |measure: &str, field: &str| -> Result<f64, Failure> {
            let megabytes = megabytes(server.memory_kib(field)? << 10);
            sheet.add(&scenario, "admittance", 0, measure, "MB", megabytes);
            Ok(megabytes)
        };
        let idle = kept("idle", "VmRSS")?;
        let clients = crate::client::Load::begin(&server, CONNECTIONS, &std::fs::read_to_string(REVIEW)?)?;
        thread::sleep(load);
        let (loaded, peak) = (kept("loaded", "VmRSS")?, kept("peak", "VmHWM")?);
        clients.end()?;
        println!("  {scenario:<19} {idle:>6.2} {loaded:>10.2} {peak:>13.2}");
        sheet.mark(format!("{scenario}: idle"), idle, "MB", Limit::AtMost(15.0));
        sheet.mark(format!("{scenario}: peak, {CONNECTIONS} connections"), peak, "MB", Limit::AtMost(30.0));
    }
    of_a_policy(options, &rules, sheet)
}

/// Bytes of a policy: what a server with many has more than one with none. Time: compiling them here, one after the other.
fn of_a_policy(options: &Options, rules: &Rules, sheet: &mut Sheet) -> Result<(), Failure> {
    let count = options.most_policies;
    // Not a number where the server was never ready.
    let resting = |sort: Sort, count: usize| -> Result<f64, Failure> {
        let folder = rules.folder(sort, count)?;
        let Some(server) = Server::with(&options.binary, folder.path(), count)? else { return Ok(f64::NAN) };
        thread::sleep(REST);
        Ok(number(server.memory_kib("VmRSS")? << 10))
    };
    let none = resting(Sort::Modules, 0)?;
    println!("a policy, of {count}         bytes   compile µs");
    for sort in Sort::ALL {
        let bytes = (resting(sort, count)? - none) / number(count as u64);
        let texts = (0..count).map(|number| rules.text(sort, number)).collect::<Result<Vec<_>, _>>()?;
        let scenario = format!("policy {}", sort.name());
        if bytes.is_finite() {
            sheet.add(&scenario, "admittance", 0, "memory", "B", bytes);
        }
        let mut taken = vec![];
        for run in 0..options.runs {
            let begun = Instant::now();
            let mut kept = vec![];
            for (position, text) in texts.iter().enumerate() {
                let unit = Unit::of_file(SourceFile::new(format!("{position}.yaml"), text.as_str()));
                kept.push(compile(&unit).map_err(|problems| format!("{problems:?}"))?);
            }
            let micros = begun.elapsed().as_secs_f64() * 1e6 / number(kept.len() as u64);
            sheet.add(&scenario, "admittance", run, "compile", "µs", micros);
            taken.push(micros);
        }
        println!("  {:<20} {bytes:>10.0} {:>10.1}", sort.name(), median(&taken));
    }
    Ok(())
}
