//! `admittance coverage`

mod around;

use std::path::PathBuf;
use std::process::ExitCode;

use admittance_engine::document::Paint;
use admittance_engine::proof::routes::{Around, Severity, coverage};
use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};

use super::policies::{Loaded, load};
use super::{BROKEN, DENIED, asking};
use crate::output::Colour;
use crate::output::coverage as written;

/// Name the requests that can create or change what policies decide by without the policies being asked: subresources, other
/// operations, templates of controllers, other containers, exempt namespaces, conditions, versions, and what the webhook
/// configurations do not send. Each with what it could change, and the rule to add.
#[derive(Debug, Args)]
#[command(after_long_help = REFERENCE)]
pub(super) struct Arguments {
    /// A file or folder with policies; may be repeated. Without it: the built-in starter policies.
    #[arg(short, long, value_name = "PATH")]
    policies: Vec<PathBuf>,
    /// Read what is sent from the webhook configurations of a cluster. Without it, and without --webhooks: what the chart
    /// installs by default.
    #[arg(long)]
    cluster: bool,
    /// The cluster: the current context of this file. Without it: as kubectl finds it, or in a pod its own.
    #[arg(long, requires = "cluster", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The name of the webhook configurations.
    #[arg(long, env = "ADMITTANCE_WEBHOOK_CONFIGURATION", default_value = "admittance", value_name = "NAME")]
    webhook_configuration: String,
    /// Read what is sent from a file with a MutatingWebhookConfiguration, a ValidatingWebhookConfiguration or both; may be
    /// repeated.
    #[arg(long, conflicts_with = "cluster", value_name = "FILE")]
    webhooks: Vec<PathBuf>,
    /// Namespaces that the chart's value exemptNamespaces adds to its own: kube-system, kube-node-lease, admittance.
    #[arg(long, value_delimiter = ',', conflicts_with_all = ["cluster", "webhooks"], value_name = "NAME")]
    exempt_namespaces: Vec<String>,
    /// The least grave gap that makes the exit code 1.
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    fail_on: Limit,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

const REFERENCE: &str = "\
Severities:
  bypass    what a policy refuses can come into being unseen
  late      it can be stored unseen, and shows where the policy is asked later: a template of which no pod can be made
  accepted  somebody has said that it should be so: the policy, the chart, or Kubernetes

Exit code:
  0  there is no gap as grave as --fail-on
  1  there is one
  2  usage, broken policies, or webhook configurations that cannot be read

With -o json: {schemaVersion, policies, bypass, late, accepted (numbers), gaps}; with -o jsonl each gap on a line:
  {severity, sort, policy, mutates, unit, line (these four null where it concerns every policy), route, changes (field paths),
  why, add}";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Limit {
    /// Only what goes past a policy for good.
    #[default]
    Bypass,
    /// What is noticed late as well.
    Late,
    /// Any.
    Accepted,
    /// None.
    Never,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document with a schemaVersion.
    Json,
    /// A JSON object a line for each gap.
    Jsonl,
    /// Annotations of GitHub's pull requests, for gaps as grave as --fail-on.
    Github,
}

impl Limit {
    /// Whether a gap is as grave.
    fn meets(self, severity: Severity) -> bool {
        match self {
            Self::Bypass => severity == Severity::Bypass,
            Self::Late => severity != Severity::Accepted,
            Self::Accepted => true,
            Self::Never => false,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let paint = match AutoStream::choice(&std::io::stderr()) {
        ColorChoice::Never => Paint::Plain,
        _ => Paint::Coloured,
    };
    let Loaded { set, problems, .. } = load(&arguments.policies, paint);
    problems.iter().for_each(|problem| anstream::eprintln!("{problem}"));
    let around = match read(arguments) {
        Ok(around) => around,
        Err(problem) => {
            anstream::eprintln!("error: {problem}");
            return ExitCode::from(BROKEN);
        }
    };
    let Some(set) = set else { return ExitCode::from(BROKEN) };
    let gaps = coverage(&set, &around);
    let colour = match AutoStream::choice(&std::io::stdout()) {
        ColorChoice::Never => Colour::Off,
        _ => Colour::On,
    };
    let is_grave = |severity| arguments.fail_on.meets(severity);
    let policies = written::count(&set);
    let printed = super::print(&match arguments.output {
        Format::Text => written::text(policies, &gaps, colour),
        Format::Json => written::json(policies, &gaps),
        Format::Jsonl => written::jsonl(&gaps),
        Format::Github => written::github(&gaps, is_grave),
    });
    if gaps.iter().any(|gap| is_grave(gap.severity)) { ExitCode::from(DENIED) } else { printed }
}

fn read(arguments: &Arguments) -> Result<Around, String> {
    if arguments.cluster {
        let (kubeconfig, name) = (arguments.kubeconfig.as_deref(), &arguments.webhook_configuration);
        return asking::block_on(around::of_cluster(kubeconfig, name))?;
    }
    if arguments.webhooks.is_empty() {
        return Ok(around::of_chart(&arguments.exempt_namespaces));
    }
    around::of_files(&arguments.webhooks)
}
