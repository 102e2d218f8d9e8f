//! `admittance export vap`

use std::path::PathBuf;
use std::process::ExitCode;

use admittance_engine::export::{Exemptions, export};
use clap::{Args, Subcommand};

use super::rbac::Manifest;
use super::{BROKEN, DENIED, policies};
use crate::output::export as output;

/// Print policies in other forms.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    form: Form,
}

#[derive(Debug, Subcommand)]
enum Form {
    Vap(Vap),
}

/// Print ValidatingAdmissionPolicies and their bindings with the meaning of the policies: the API server enforces them by
/// itself, also while no webhook answers. What cannot be said in CEL is listed with the reason.
#[derive(Debug, Args)]
struct Vap {
    /// A file or folder with policies; may be repeated. Without it: the built-in starter policies.
    #[arg(short, long, value_name = "PATH")]
    policies: Vec<PathBuf>,
    /// A namespace that the webhook leaves out, as the chart's `exemptNamespaces`; may be repeated. Without it: kube-system,
    /// kube-node-lease and admittance.
    #[arg(long, value_name = "NAMESPACE")]
    exempt_namespace: Vec<String>,
    /// A namespace of policy ConfigMaps besides those, as the chart's `policies.namespaces`; may be repeated.
    #[arg(long, value_name = "NAMESPACE")]
    policy_namespace: Vec<String>,
    /// What the chart's own objects are called.
    #[arg(long, value_name = "NAME", default_value = "admittance")]
    name: String,
    /// Exit with 1 if a policy that refuses something has no twin.
    #[arg(long)]
    strict: bool,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Manifest,
}

pub(super) fn run(Arguments { form: Form::Vap(vap) }: &Arguments) -> ExitCode {
    let Some((_, units)) = policies::sound(&vap.policies) else { return ExitCode::from(BROKEN) };
    let mut exemptions =
        Exemptions { policy_namespaces: vap.policy_namespace.clone(), name: vap.name.clone(), ..Exemptions::default() };
    if !vap.exempt_namespace.is_empty() {
        exemptions.namespaces.clone_from(&vap.exempt_namespace);
    }
    let export = export(&units, &exemptions);
    let printed = super::print(&match vap.output {
        Manifest::Yaml => output::yaml(&export),
        Manifest::Json => output::json(&export),
    });
    let leaves_out = vap.strict && export.unchecked.iter().any(|row| row.denies);
    if printed == ExitCode::SUCCESS && leaves_out { ExitCode::from(DENIED) } else { printed }
}
