//! `admittance rbac`

use std::path::PathBuf;
use std::process::ExitCode;

use admittance_engine::set::rights;
use clap::{Args, ValueEnum};

use super::policies;
use crate::output::needs;

/// Print the rights that a server needs so that its policies can ask the cluster what they ask: a ClusterRole, and a Role for
/// each namespace where rights are needed in it alone. Rights for what the server does besides come with its chart.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A file or folder with policies; may be repeated. Without it: the built-in starter policies.
    #[arg(short, long, value_name = "PATH")]
    policies: Vec<PathBuf>,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Manifest,
}

/// How what a cluster is to be given is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Manifest {
    /// To be applied; with a comment that names who needs each part.
    #[default]
    Yaml,
    /// One JSON document with a schemaVersion.
    Json,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    policies::print_about(&arguments.policies, |set| {
        let rights = rights(set);
        match arguments.output {
            Manifest::Yaml => needs::rbac_yaml(&rights),
            Manifest::Json => needs::rbac_json(&rights),
        }
    })
}
