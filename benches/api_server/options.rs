//! The command line.

use std::path::PathBuf;

use crate::Failure;

const USAGE: &str = "usage: api-server [--binary FILE] [--creates N] [--rounds R] [--connections N] [--limit RATIO] \
                     [--csv FILE] [--profiles DIR]";

/// What is measured, and how long.
#[derive(Debug)]
pub(crate) struct Options {
    /// The product's binary.
    pub(crate) binary: PathBuf,
    /// Pods created in each configuration in each round.
    pub(crate) creates: u32,
    pub(crate) rounds: u32,
    pub(crate) connections: u32,
    /// The largest (admittance - no policy) / (native policies - no policy) that passes.
    pub(crate) limit: Option<f64>,
    /// Where every figure of every round is written.
    pub(crate) csv: Option<PathBuf>,
    /// The folder for CPU profiles of the API server, one for each configuration, taken after what is measured.
    pub(crate) profiles: Option<PathBuf>,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            binary: concat!(env!("CARGO_MANIFEST_DIR"), "/target/release/admittance").into(),
            creates: 1_000,
            rounds: 5,
            connections: 8,
            limit: None,
            csv: None,
            profiles: None,
        };
        let mut left = arguments.iter();
        while let Some(flag) = left.next() {
            let value = left.next().ok_or_else(|| format!("\"{flag}\" needs a value\n{USAGE}"))?;
            let number = || value.parse::<u32>().ok().filter(|&number| number > 0);
            let number = || number().ok_or_else(|| format!("\"{flag}\" needs a positive number, not \"{value}\""));
            match flag.as_str() {
                "--binary" => options.binary = value.into(),
                "--creates" => options.creates = number()?,
                "--rounds" => options.rounds = number()?,
                "--connections" => options.connections = number()?,
                "--limit" => options.limit = Some(value.parse()?),
                "--csv" => options.csv = Some(value.into()),
                "--profiles" => options.profiles = Some(value.into()),
                other => return Err(format!("unknown argument \"{other}\"\n{USAGE}").into()),
            }
        }
        Ok(options)
    }

    /// Pods created before each measurement.
    pub(crate) fn warm_up(&self) -> u32 {
        (self.creates / 10).max(50)
    }
}
