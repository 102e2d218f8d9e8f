//! What the figures were measured on: rows of group `machine`.

use std::{fs, path::Path, process::Command};

use crate::{Failure, figures::Row};

/// The group of these rows.
const GROUP: &str = "machine";

/// The machine, the toolchain, the sources, and the binary that is measured.
pub(crate) fn rows(binary: &Path) -> Result<Vec<Row>, Failure> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let memory = fs::read_to_string("/proc/meminfo")?;
    let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or("unknown");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let load = fs::read_to_string("/proc/loadavg")?;
    let cores = std::thread::available_parallelism()?.to_string();
    let changed = !said("git", &["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    let commit = said("git", &["rev-parse", "--short=12", "HEAD"])?;
    let size = fs::metadata(binary).map_err(|error| format!("cannot read \"{}\": {error}", binary.display()))?.len();
    let facts = [
        ("cores", cores),
        ("CPU", model.trim_start_matches(['\t', ' ', ':']).to_owned()),
        ("memory", memory.trim().to_owned()),
        ("load average before", load.split(' ').next().unwrap_or("unknown").to_owned()),
        ("kernel", kernel.trim().to_owned()),
        ("rustc", said("rustc", &["--version"])?),
        ("commit", if changed { format!("{commit} and changes") } else { commit }),
        ("floors", if cfg!(debug_assertions) { "not optimised: compare nothing" } else { "optimised" }.to_owned()),
        ("binary", format!("{}, {size} bytes", said(&binary.display().to_string(), &["--version"])?)),
    ];
    let row = |(measure, value): (&str, String)| Row {
        group: GROUP.to_owned(),
        scenario: "load".to_owned(),
        server: String::new(),
        run: 0,
        measure: measure.to_owned(),
        unit: String::new(),
        value,
    };
    Ok(facts.into_iter().map(row).collect())
}

/// What a command prints, in the repository.
fn said(command: &str, arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new(command)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .map_err(|error| format!("cannot run \"{command}\": {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
