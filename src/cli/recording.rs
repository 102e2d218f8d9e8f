//! The options of `serve` that say what is recorded.

use std::num::NonZero;
use std::path::PathBuf;

use admittance_engine::matching::is_pattern;
use admittance_engine::redaction::{Redaction, Rule};
use clap::Args;

use crate::recording::Settings;

/// What is recorded, and what is left out of it.
#[derive(Debug, Args)]
pub(super) struct Recording {
    /// Record in this folder what is judged, with what policies looked up and what was answered, for `admittance replay`.
    /// Nobody waits for it: what does not fit is left out and counted. Secrets' values and their copies, tokens and what
    /// --redact names are left out.
    #[arg(long, env = "ADMITTANCE_RECORD", value_name = "FOLDER")]
    record: Option<PathBuf>,
    /// What all recordings in the folder may take, in MiB, compressed; the oldest make room.
    #[arg(
        long,
        env = "ADMITTANCE_RECORD_MAX_MIB",
        default_value_t = 256,
        value_parser = clap::value_parser!(u32).range(1..=1_048_576),
        requires = "record",
        value_name = "MIB"
    )]
    record_max_mib: u32,
    /// Record one review in this many.
    #[arg(long, env = "ADMITTANCE_RECORD_SAMPLE", default_value = "1", requires = "record", value_name = "NUMBER")]
    record_sample: NonZero<u64>,
    /// Record reviews in namespaces that fit this pattern alone; may be repeated. Reviews outside of namespaces are left out
    /// then.
    #[arg(
        long,
        env = "ADMITTANCE_RECORD_NAMESPACES",
        value_delimiter = ',',
        requires = "record",
        value_name = "PATTERN"
    )]
    record_namespaces: Vec<String>,
    /// Leave this out of whatever is kept of a review, [GROUP/]KIND:PATH, as Pod:spec.containers[*].env[*].value (in pods, and
    /// in the templates of workloads) or *:metadata.annotations[example.com/token]; may be repeated.
    #[arg(long, env = "ADMITTANCE_REDACT", value_delimiter = ';', value_name = "RULE")]
    redact: Vec<Rule>,
}

impl Recording {
    /// What nobody may see of a review later.
    pub(super) fn redaction(&self) -> Redaction {
        Redaction::with(self.redact.clone())
    }

    /// Where and what to record, if anything.
    pub(super) fn settings(self) -> Result<Option<Settings>, String> {
        if let Some(pattern) = self.record_namespaces.iter().find(|pattern| !is_pattern(pattern)) {
            return Err(format!(
                "invalid value '{pattern}' for --record-namespaces: expected a namespace, or a pattern such as team-*"
            ));
        }
        Ok(self.record.map(|folder| Settings {
            folder,
            bytes: u64::from(self.record_max_mib) << 20,
            sample: self.record_sample,
            namespaces: self.record_namespaces,
        }))
    }
}
