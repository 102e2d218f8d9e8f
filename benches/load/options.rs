//! The command line.

use std::path::PathBuf;

use crate::Failure;

const USAGE: &str = "usage: cargo bench --bench load -- [-p DIR] [--limit RATIO] [--review FILE] [--expect allow|deny]
       [--rounds N] [--requests N] [--connections N] [--binary FILE]";

/// What is measured, and how long.
#[derive(Debug)]
pub(crate) struct Options {
    /// The policies of the product's server; only the floors run without.
    pub(crate) policies: Option<PathBuf>,
    /// The product's binary; default: the one that was built with this benchmark.
    pub(crate) binary: PathBuf,
    /// The AdmissionReview that is posted.
    pub(crate) review: PathBuf,
    /// Whether the product is to allow it.
    pub(crate) allowed: bool,
    /// The largest (A - N) / (P - N) that passes.
    pub(crate) limit: Option<f64>,
    pub(crate) rounds: u32,
    /// Requests to each server in each round.
    pub(crate) requests: u32,
    pub(crate) connections: u32,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            policies: None,
            binary: env!("CARGO_BIN_EXE_admittance").into(),
            review: concat!(env!("CARGO_MANIFEST_DIR"), "/benches/review-pass.json").into(),
            allowed: true,
            limit: None,
            rounds: 7,
            requests: 10_000,
            connections: 16,
        };
        let mut left = arguments.iter();
        while let Some(flag) = left.next() {
            let value = left.next().ok_or_else(|| format!("\"{flag}\" needs a value\n{USAGE}"))?;
            let number = || value.parse::<u32>().ok().filter(|&number| number > 0);
            let number = || number().ok_or_else(|| format!("\"{flag}\" needs a positive number, not \"{value}\""));
            match flag.as_str() {
                "-p" | "--policies" => options.policies = Some(value.into()),
                "--binary" => options.binary = value.into(),
                "--review" => options.review = value.into(),
                "--expect" => {
                    options.allowed = match value.as_str() {
                        "allow" => true,
                        "deny" => false,
                        other => return Err(format!("\"--expect\" is \"allow\" or \"deny\", not \"{other}\"").into()),
                    };
                }
                "--limit" => options.limit = Some(value.parse()?),
                "--rounds" => options.rounds = number()?,
                "--requests" => options.requests = number()?,
                "--connections" => options.connections = number()?,
                other => return Err(format!("unknown argument \"{other}\"\n{USAGE}").into()),
            }
        }
        Ok(options)
    }
}
