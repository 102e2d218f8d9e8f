//! The command line.

use std::path::PathBuf;

use crate::Failure;

const USAGE: &str = "usage: cargo bench --bench load -- [-p DIR] [--limit RATIO] [--review FILE] [--expect allow|deny]
           one comparison: the policies in DIR beside both floors
       cargo bench --bench load -- --all|--quick [--scenario WORDS]... [--limit SERVER=RATIO]... [--enforce]
           the scenarios, or those whose names hold WORDS; --enforce fails where a mark is not kept
       both: [--csv FILE] [--binary FILE] [--rounds N] [--requests N] [--connections N] [--seconds N]";

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One server beside both floors.
    Comparison,
    /// All scenarios.
    All,
    /// Fewer of them, and shorter.
    Quick,
}

/// What is measured, and how long.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    /// Words of the names of those that are run; all where there are none.
    pub(crate) scenarios: Vec<String>,
    /// The policies of the product's server in a comparison; only the floors run without.
    pub(crate) policies: Option<PathBuf>,
    /// The product's binary; default: the one that was built with this benchmark.
    pub(crate) binary: PathBuf,
    /// The AdmissionReview that is posted in a comparison.
    pub(crate) review: PathBuf,
    /// Whether the product is to allow it.
    pub(crate) is_allowed: bool,
    /// The largest (A - N) / (P - N) that passes: of the comparison, or of servers by their names.
    pub(crate) limits: Vec<(Option<String>, f64)>,
    /// Whether a mark that is not kept is a failure.
    pub(crate) is_enforced: bool,
    /// Where the figures are added.
    pub(crate) csv: Option<PathBuf>,
    pub(crate) rounds: u32,
    /// Requests to each server in each round, at most.
    pub(crate) requests: u32,
    pub(crate) connections: u32,
    /// The longest that a turn of clients that wait is planned to take.
    pub(crate) turn_seconds: f64,
    /// How long a turn at a constant rate takes.
    pub(crate) seconds: f64,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
        let mode = match (has("--quick"), has("--all")) {
            (true, _) => Mode::Quick,
            (false, true) => Mode::All,
            (false, false) => Mode::Comparison,
        };
        // Of a round: how many requests, and how long they may take.
        let (requests, turn_seconds) = match mode {
            Mode::Comparison => (10_000, f64::INFINITY),
            Mode::All => (3_000, 1.0),
            Mode::Quick => (500, 0.15),
        };
        let is_quick = mode == Mode::Quick;
        let binary = std::env::var_os("ADMITTANCE").unwrap_or_else(|| env!("CARGO_BIN_EXE_admittance").into());
        let mut options = Self {
            mode,
            scenarios: Vec::new(),
            policies: None,
            binary: binary.into(),
            review: concat!(env!("CARGO_MANIFEST_DIR"), "/benches/review-pass.json").into(),
            is_allowed: true,
            limits: Vec::new(),
            is_enforced: has("--enforce"),
            csv: None,
            rounds: if is_quick { 3 } else { 7 },
            requests,
            connections: 16,
            turn_seconds,
            seconds: if is_quick { 2.0 } else { 10.0 },
        };
        let mut left = arguments.iter().filter(|flag| !["--all", "--quick", "--enforce"].contains(&flag.as_str()));
        while let Some(flag) = left.next() {
            let value = left.next().ok_or_else(|| format!("\"{flag}\" needs a value\n{USAGE}"))?;
            let number = || value.parse::<u32>().ok().filter(|&number| number > 0);
            let number = || number().ok_or_else(|| format!("\"{flag}\" needs a positive number, not \"{value}\""));
            match flag.as_str() {
                "-p" | "--policies" => options.policies = Some(value.into()),
                "--scenario" => options.scenarios.push(value.to_owned()),
                "--binary" => options.binary = value.into(),
                "--review" => options.review = value.into(),
                "--csv" => options.csv = Some(value.into()),
                "--expect" => {
                    options.is_allowed = match value.as_str() {
                        "allow" => true,
                        "deny" => false,
                        other => return Err(format!("\"--expect\" is \"allow\" or \"deny\", not \"{other}\"").into()),
                    };
                }
                "--limit" => {
                    options.is_enforced = true;
                    options.limits.push(match value.rsplit_once('=') {
                        Some((server, limit)) => (Some(server.to_owned()), limit.parse()?),
                        None => (None, value.parse()?),
                    });
                }
                "--rounds" => options.rounds = number()?,
                "--requests" => options.requests = number()?,
                "--connections" => options.connections = number()?,
                "--seconds" => options.seconds = number()?.into(),
                other => return Err(format!("unknown argument \"{other}\"\n{USAGE}").into()),
            }
        }
        Ok(options)
    }

    /// Whether a scenario of this name is run.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.scenarios.is_empty() || self.scenarios.iter().any(|words| name.contains(words.as_str()))
    }
}
