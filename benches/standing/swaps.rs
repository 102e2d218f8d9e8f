//! Resident memory while the set of policies is swapped.
//!
//! A server looks at its files twice a second and takes a change over once it has come to rest, so that ten thousand changes
//! would take three hours. So there are two figures: in a process of its own, this program does what the server does with a
//! change (a unit is compiled, proven, linked with the others, activated) ten thousand times; and a server is given as many as fit
//! into a minute, each seen to be live. The first shows whether a swap leaks, the second that nothing around it does.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use admittance::server::handler::{Admission, Limits};
use admittance::source::last_good::LastGoods;
use admittance::source::{Loaded, Read, Revision, Tests};
use admittance_engine::document::SourceFile;
use admittance_engine::unit::Unit;
use serde_json::Value;

use crate::Failure;
use crate::options::Options;
use crate::policies::{Rules, Sort};
use crate::requests::report;
use crate::server::{Server, memory_kib};
use crate::sheet::Sheet;

/// How many policies there are beside the one that changes; none of them changes objects, whose proofs would be most of it.
const OTHERS: usize = 99;
const SAMPLES: u32 = 300;
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn measure(options: &Options, sheet: &mut Sheet) -> Result<(), Failure> {
    let rules = Rules::read()?;
    let folder = folder(&rules)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["swap", &options.swaps.to_string()]).arg(folder.path());
    let begun = Instant::now();
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("the process that swaps policies failed".into());
    }
    let mut samples = vec![];
    for line in String::from_utf8(output.stdout)?.lines() {
        let (swaps, kib) = line.split_once(' ').ok_or("no sample")?;
        samples.push((swaps.parse()?, kib.parse()?));
    }
    report("swaps in process", "swaps", &samples, sheet);
    println!("  {} swaps in {:.0} s", options.swaps, begun.elapsed().as_secs_f64());
    in_server(options, folder.path(), sheet)
}

/// The folder: half modules, half CEL, and `changes.yaml`.
fn folder(rules: &Rules) -> Result<tempfile::TempDir, Failure> {
    let folder = rules.folder(Sort::Modules, OTHERS / 2)?;
    for number in OTHERS / 2..OTHERS {
        fs::write(folder.path().join(format!("{number:05}.yaml")), rules.text(Sort::Cel, number)?)?;
    }
    fs::write(folder.path().join("changes.yaml"), version(0))?;
    Ok(folder)
}

/// A version of the policy that changes: each has another digest, and other settings.
fn version(number: u32) -> String {
    format!(
        "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: changes }}\n\
         spec:\n  module: required-labels\n  settings:\n    labels: [{{ key: team }}, {{ key: team-{number} }}]\n"
    )
}

/// Swaps so many times in this process and prints how much memory it had in between: `SWAPS KIB`.
pub(crate) fn swap_here(times: &str, folder: &Path) -> Result<(), Failure> {
    let times: u32 = times.parse()?;
    let mut files: Vec<_> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, Failure>>()?;
    files.sort();
    files.retain(|file| !file.ends_with("changes.yaml"));
    let unit = |name: String, text: String| Read::Unit(Unit::of_file(SourceFile::new(name, text)), Revision::default());
    let mut others = vec![];
    for file in files {
        others.push(unit(file.display().to_string(), fs::read_to_string(&file)?));
    }
    let limits = Limits { body: 20 << 20, in_flight: 256 << 20, requests: 1_024, cache: 64 << 20 };
    let admission = Admission::new(Arc::default(), None, admittance::telemetry::NamespaceGroups::default(), limits);
    let mut loaded = Loaded::new(false, Tests::default());
    for number in 0..times {
        let mut now = others.clone();
        now.push(unit("changes.yaml".to_owned(), version(number)));
        let update = loaded.update(now, &LastGoods::new());
        if update.active.set.len() != OTHERS + 1 {
            return Err(format!("not all policies run: {:?}", update.reports).into());
        }
        admission.activate(Arc::new(update.active));
        if number % times.div_ceil(SAMPLES) == 0 {
            println!("{number} {}", memory_kib("self", "VmRSS")?);
        }
    }
    Ok(())
}

/// Rewrites the file as soon as the change before is live.
fn in_server(options: &Options, folder: &Path, sheet: &mut Sheet) -> Result<(), Failure> {
    let server = Server::with(&options.binary, folder, OTHERS + 1)?.ok_or("the server was never ready")?;
    let (begun, mut samples) = (Instant::now(), vec![]);
    let mut before = digest(&server)?;
    for number in 1..=options.reloads {
        fs::write(folder.join("changes.yaml"), version(number))?;
        let written = Instant::now();
        loop {
            let now = digest(&server)?;
            if now != before {
                before = now;
                break;
            }
            if written.elapsed() > PATIENCE {
                return Err(format!("change {number} is not live after {PATIENCE:?}").into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        let live = written.elapsed().as_secs_f64() * 1e3;
        sheet.add("swaps in a server", "admittance", number, "live", "ms", live);
        samples.push((u64::from(number), server.memory_kib("VmRSS")?));
    }
    server.expect_policies(OTHERS + 1)?;
    report("swaps in a server", "swaps", &samples, sheet);
    println!("  {} swaps in {:.0} s", options.reloads, begun.elapsed().as_secs_f64());
    Ok(())
}

/// The digest of what runs.
fn digest(server: &Server) -> Result<String, Failure> {
    let page: Value = serde_json::from_str(&server.get("/policies")?.1)?;
    Ok(page.get("digest").and_then(Value::as_str).ok_or("no digest")?.to_owned())
}
