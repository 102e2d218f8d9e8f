//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::Failure;

const USAGE: &str =
    "usage: cargo bench --bench standing -- [--binary FILE] [--csv FILE] [--quick] [--marks] [--only PART]…
       [--runs N] [--swaps N] [--reloads N] [--requests N] [--manifests N]
       PART: size, start, memory, swaps, requests, check";

/// A part of what is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Size,
    Start,
    Memory,
    Swaps,
    Requests,
    Check,
}

const PARTS: [(&str, Part); 6] = [
    ("size", Part::Size),
    ("start", Part::Start),
    ("memory", Part::Memory),
    ("swaps", Part::Swaps),
    ("requests", Part::Requests),
    ("check", Part::Check),
];

/// What is measured, and how long.
#[derive(Debug)]
pub(crate) struct Options {
    /// The product's binary; default: `ADMITTANCE`, else the one that was built with this benchmark.
    pub(crate) binary: PathBuf,
    /// Where all figures go.
    pub(crate) csv: Option<PathBuf>,
    /// Whether a mark that is not reached is a failure.
    pub(crate) marks: bool,
    only: Vec<Part>,
    /// Starts of each scenario, and rounds of `check`.
    pub(crate) runs: u32,
    /// How many policies there are at the most.
    pub(crate) most_policies: usize,
    /// Swaps in this program.
    pub(crate) swaps: u32,
    /// Swaps in a server.
    pub(crate) reloads: u32,
    /// Requests; without it as many as fit into `time`.
    pub(crate) requests: Option<u64>,
    /// How long requests come where their number is not given.
    pub(crate) time: Duration,
    /// Files that are checked.
    pub(crate) manifests: usize,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let built = || env!("CARGO_BIN_EXE_admittance").into();
        let mut options = Self {
            binary: std::env::var_os("ADMITTANCE").map_or_else(built, PathBuf::from),
            csv: None,
            marks: false,
            only: vec![],
            runs: 7,
            most_policies: 1_000,
            swaps: 10_000,
            reloads: 60,
            requests: None,
            time: Duration::from_mins(2),
            manifests: 10_000,
        };
        if arguments.iter().any(|argument| argument == "--quick") {
            (options.runs, options.most_policies, options.manifests) = (3, 100, 1_000);
            (options.swaps, options.reloads, options.time) = (300, 4, Duration::from_secs(5));
        }
        let mut left = arguments.iter().filter(|argument| *argument != "--quick");
        while let Some(flag) = left.next() {
            if flag == "--marks" {
                options.marks = true;
                continue;
            }
            let value = left.next().ok_or_else(|| format!("\"{flag}\" needs a value\n{USAGE}"))?;
            let number = || value.parse::<u32>().ok().filter(|&number| number > 0);
            let number = || number().ok_or_else(|| format!("\"{flag}\" needs a positive number, not \"{value}\""));
            match flag.as_str() {
                "--binary" => options.binary = value.into(),
                "--csv" => options.csv = Some(value.into()),
                "--only" => {
                    let part = PARTS.iter().find(|(name, _)| name == value);
                    options.only.push(part.ok_or_else(|| format!("no part is called \"{value}\"\n{USAGE}"))?.1);
                }
                "--runs" => options.runs = number()?,
                "--swaps" => options.swaps = number()?,
                "--reloads" => options.reloads = number()?,
                "--requests" => options.requests = Some(number()?.into()),
                "--manifests" => options.manifests = usize::try_from(number()?)?,
                other => return Err(format!("unknown argument \"{other}\"\n{USAGE}").into()),
            }
        }
        Ok(options)
    }

    /// The parts that are asked for, in their order.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part> {
        PARTS.map(|(_, part)| part).into_iter().filter(|part| self.only.is_empty() || self.only.contains(part))
    }
}
