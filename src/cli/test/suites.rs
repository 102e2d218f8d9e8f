//! `admittance test --format kyverno|gator`: suites of other tools.

use std::path::PathBuf;

use admittance_engine::kubernetes::defaults::Defaults;

use super::{BROKEN, DENIED, Format, colour};
use crate::output::suites::{self as written, Ran};
use crate::suites::{Case, Outcome};

/// Runs the suites in these files and folders, and prints what became of their cases. The exit code.
pub(super) fn run(find: fn(&[PathBuf]) -> Result<Vec<Case>, String>, paths: &[PathBuf], output: Format) -> u8 {
    let cases = match find(paths) {
        Ok(cases) => cases,
        Err(problem) => {
            anstream::eprintln!("error: {problem}");
            return BROKEN;
        }
    };
    let defaults = Defaults::built_in();
    let ran: Vec<Ran<'_>> = cases.iter().map(|case| (case, case.run(&defaults))).collect();
    crate::cli::print(&match output {
        Format::Jsonl => written::jsonl(&ran),
        Format::Json => written::json(&ran),
        _ => written::text(&ran, colour()),
    });
    if ran.iter().any(|(_, outcome)| matches!(outcome, Outcome::Differs(_))) { DENIED } else { 0 }
}
