//! `admittance webhook-rules`

use std::path::PathBuf;
use std::process::ExitCode;

use admittance_engine::set::webhook_rules;
use clap::Args;

use super::policies;
use super::rbac::Manifest;
use crate::output::needs;

/// Print the rules that both webhook entries need so that every policy is asked, and no more than that is sent: values for the
/// chart. Where policies need a version of a resource, that one alone is named, so that the API server converts.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A file or folder with policies; may be repeated. Without it: the built-in starter policies.
    #[arg(short, long, value_name = "PATH")]
    policies: Vec<PathBuf>,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Manifest,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    policies::print_about(&arguments.policies, |set| {
        let rules = webhook_rules(set);
        match arguments.output {
            Manifest::Yaml => needs::webhook_rules_yaml(&rules),
            Manifest::Json => needs::webhook_rules_json(&rules),
        }
    })
}
