//! From the start of the process until it is ready.

use std::time::Duration;

use crate::Failure;
use crate::options::Options;
use crate::policies::{Rules, Sort};
use crate::server::{PATIENCE, Server};
use crate::sheet::{Limit, Sheet};
use crate::statistics::median;

/// How many policies have a mark, and how many milliseconds it is.
const MARKS: [(usize, f64); 2] = [(100, 150.0), (1_000, 1_000.0)];

/// A start that takes longer than so many milliseconds is not measured again.
const LONG: f64 = 10_000.0;

pub(crate) fn measure(options: &Options, sheet: &mut Sheet) -> Result<(), Failure> {
    let rules = Rules::read()?;
    println!("start to ready, ms             median      min      max");
    for count in [0, 1, 100, 1_000].into_iter().filter(|count| *count <= options.most_policies) {
        // Without policies there is one sort.
        let sorts = if count == 0 { vec![Sort::Modules] } else { Sort::ALL.to_vec() };
        for sort in sorts {
            let scenario = if count == 0 { "start 0".to_owned() } else { format!("start {count} {}", sort.name()) };
            let folder = rules.folder(sort, count)?;
            let mut taken = vec![];
            for run in 0..options.runs {
                let server = Server::with(&options.binary, folder.path(), count)?;
                let ready = milliseconds(server.as_ref().map_or(PATIENCE, |server| server.ready));
                sheet.add(&scenario, "admittance", run, "ready", "ms", ready);
                taken.push(ready);
                if ready > LONG {
                    break;
                }
            }
            let middle = median(&taken);
            let (least, most) = taken.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), &one| (a.min(one), b.max(one)));
            println!("  {scenario:<26} {middle:>8.1} {least:>8.1} {most:>8.1}");
            if let Some((_, limit)) = MARKS.iter().find(|(marked, _)| *marked == count) {
                sheet.mark(format!("{scenario}: ready"), middle, "ms", Limit::AtMost(*limit));
            }
        }
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
