//! What compiled policies cost: the time to compile them, and the memory that they keep.

use std::process::{Command, Stdio};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::cases::Case;
use crate::upstream::Upstream;

/// How many policies are compiled: the cases over and over.
const POLICIES: usize = 1000;

/// What either side prints.
#[derive(Deserialize, Serialize)]
struct Compiled {
    policies: usize,
    seconds: f64,
    bytes: f64,
}

/// Compiles in this process, whose memory then tells what programs take.
pub(crate) fn measure_here() -> Result<(), Failure> {
    let cases = Case::all()?;
    // What is made once for all programs.
    drop(cases.first().map(Case::compile).transpose()?);
    let before = resident_bytes()?;
    let begin = Instant::now();
    let programs: Result<Vec<_>, Failure> = cases.iter().cycle().take(POLICIES).map(Case::compile).collect();
    let seconds = begin.elapsed().as_secs_f64();
    let policies = programs?.len();
    let bytes = resident_bytes()? - before;
    println!("{}", serde_json::to_string(&Compiled { policies, seconds, bytes })?);
    Ok(())
}

/// Runs both and prints a line for each.
pub(crate) fn compare(upstream: Option<&Upstream>) -> Result<(), Failure> {
    let output = Command::new(std::env::current_exe()?).arg("compile").stderr(Stdio::inherit()).output()?;
    let here: Compiled = serde_json::from_slice(&output.stdout)?;
    println!("\n{} policies compiled", here.policies);
    let row = |name: &str, compiled: &Compiled| {
        println!("  {name:10} {:8.1} ms {:8.2} MiB", compiled.seconds * 1e3, compiled.bytes / f64::from(1 << 20));
    };
    row("here", &here);
    if let Some(upstream) = upstream {
        upstream.repeat(POLICIES)?;
        let theirs: Compiled = serde_json::from_str(&upstream.run("cel-compile", &[])?)?;
        row("upstream", &theirs);
        println!("  {:10} {:8.1}    {:8.1}", "ratio", theirs.seconds / here.seconds, theirs.bytes / here.bytes);
    }
    Ok(())
}

/// The process's resident memory (proc(5), statm).
fn resident_bytes() -> Result<f64, Failure> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u32 = text.split_whitespace().nth(1).ok_or("/proc/self/statm has no second field")?.parse()?;
    Ok(f64::from(pages) * 4096.0)
}
