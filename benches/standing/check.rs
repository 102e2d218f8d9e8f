//! `admittance check` of many manifests, beside merely parsing them.

use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use admittance::manifests::inputs::{Input, documents, find};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Failure;
use crate::options::Options;
use crate::sheet::{Limit, Sheet};
use crate::statistics::{median, number};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// The unit of CPU times in `/proc/self/stat`: `USER_HZ`, 100 on every platform that the product is built for.
const TICKS_A_SECOND: f64 = 100.0;
/// What the API server fills in, which nobody has in a manifest.
const FILLED_IN: [&str; 5] = ["managedFields", "uid", "generation", "creationTimestamp", "ownerReferences"];

/// What a process took, in seconds.
struct Taken {
    wall: f64,
    cpu: f64,
}

pub(crate) fn measure(options: &Options, sheet: &mut Sheet) -> Result<(), Failure> {
    let folder = manifests(options.manifests)?;
    let (mut ratios, mut busy) = (vec![], vec![]);
    println!("check of {} manifests      wall s    CPU s   busy cores", options.manifests);
    // The first round fills the system's cache of files and does not count.
    for round in 0..=options.runs.min(5) {
        let mut parse = Command::new(std::env::current_exe()?);
        parse.arg("parse").arg(folder.path());
        let parsed = run(&mut parse, &[0])?;
        let mut check = Command::new(&options.binary);
        check.args(["check", "-p"]).arg(format!("{ROOT}/manifests/policies/hardened")).arg(folder.path());
        let checked = run(&mut check, &[0, 1])?;
        if round == 0 {
            continue;
        }
        for (server, taken) in [("parse", &parsed), ("admittance", &checked)] {
            sheet.add("check", server, round, "wall", "s", taken.wall);
            sheet.add("check", server, round, "cpu", "s", taken.cpu);
            println!("  {server:<24} {:>8.2} {:>8.2} {:>8.2}", taken.wall, taken.cpu, taken.cpu / taken.wall);
        }
        ratios.push(parsed.wall / checked.wall);
        busy.push(checked.cpu / checked.wall);
    }
    let cores = number(threads() as u64);
    sheet.mark("check: busy cores", median(&busy), "cores", Limit::AtLeast(0.9 * cores));
    sheet.mark("check: rate, of parsing's", median(&ratios), "", Limit::AtLeast(0.7));
    Ok(())
}

/// Runs a command to its end, which must be one of these.
fn run(command: &mut Command, codes: &[i32]) -> Result<Taken, Failure> {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (before, begun) = (cpu_of_children()?, Instant::now());
    let status = command.status()?;
    let taken = Taken { wall: begun.elapsed().as_secs_f64(), cpu: cpu_of_children()? - before };
    if status.code().is_some_and(|code| codes.contains(&code)) {
        return Ok(taken);
    }
    Err(format!("{status}: {command:?}").into())
}

/// User and system time of all children that have ended, in seconds.
fn cpu_of_children() -> Result<f64, Failure> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name, in parentheses, may hold spaces: fields are counted behind it, where the state is the third.
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let ticks = |field: usize| fields.split(' ').nth(field - 3).and_then(|ticks| ticks.parse::<u32>().ok());
    let (user, system) = ticks(16).zip(ticks(17)).ok_or("cannot read CPU time")?;
    Ok(f64::from(user + system) / TICKS_A_SECOND)
}

/// As many pods as people write them, a file each.
fn manifests(count: usize) -> Result<TempDir, Failure> {
    let review: Value = serde_json::from_str(&fs::read_to_string(format!("{ROOT}/benches/review-pass.json"))?)?;
    let mut pod = review.pointer("/request/object").cloned().ok_or("the review has no object")?;
    let is_object = "the pod is no object";
    pod.as_object_mut().ok_or(is_object)?.remove("status");
    let metadata = pod.get_mut("metadata").and_then(Value::as_object_mut).ok_or(is_object)?;
    metadata.retain(|key, _| !FILLED_IN.contains(&key.as_str()));
    let folder = tempfile::tempdir()?;
    for number in 0..count {
        if let Some(name) = pod.pointer_mut("/metadata/name") {
            *name = json!(format!("checkout-{number:05}"));
        }
        fs::write(folder.path().join(format!("{number:05}.yaml")), serde_saphyr::to_string(&pod)?)?;
    }
    Ok(folder)
}

/// Reads and parses the files of a folder as `check` does, on as many threads, and does nothing with them.
pub(crate) fn parse(folder: &Path) -> Result<(), Failure> {
    let (inputs, problems) = find(&[folder.to_owned()]);
    if let Some(problem) = problems.first() {
        return Err(problem.as_str().into());
    }
    let (inputs, threads) = (&inputs, threads());
    let part =
        |first: usize| inputs.iter().skip(first).step_by(threads).map(documents_of).sum::<Result<usize, String>>();
    let parsed = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|first| scope.spawn(move || part(first))).collect();
        let ended = running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("it panicked".to_owned())));
        ended.sum::<Result<usize, String>>()
    })?;
    if parsed < inputs.len() {
        return Err("a file is empty".into());
    }
    Ok(())
}

/// How many documents a file holds.
fn documents_of(input: &Input) -> Result<usize, String> {
    let file = input.read().map_err(|error| format!("{error:?}"))?;
    let parsed = documents(&file);
    if parsed.problems.is_empty() { Ok(parsed.documents.len()) } else { Err(format!("{:?}", parsed.problems)) }
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}
