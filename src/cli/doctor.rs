//! `admittance doctor`

use std::path::PathBuf;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};
use futures_util::future::try_join_all;
use serde_json::Value;

use super::asking::{self, Asked};
use super::{BROKEN, DENIED};
use crate::cluster::at;
use crate::doctor::{Asks, Finding, Policies, Snapshot, examine};
use crate::output::{Colour, doctor};

/// Name what could lock this cluster, or leave things in it unchecked: webhook configurations, certificates, replicas,
/// exemptions, other webhooks, agents of nodes, policies, rights.
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// The cluster: the current context of this file. Without it: as kubectl finds it, or in a pod its own.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The server's namespace.
    #[arg(long, env = "ADMITTANCE_NAMESPACE", default_value = "admittance", value_name = "NAMESPACE")]
    namespace: String,
    /// The name of its webhook configurations.
    #[arg(long, env = "ADMITTANCE_WEBHOOK_CONFIGURATION", default_value = "admittance", value_name = "NAME")]
    webhook_configuration: String,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing was found
  1  something was found
  2  usage, or a cluster that cannot be looked at: it takes the right to read webhook configurations, namespaces, DaemonSets,
     ConfigMaps, and in the server's namespace Services, pods, PodDisruptionBudgets and the Secret with the certificate, and
     to create SubjectAccessReviews";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document with a schemaVersion.
    Json,
}

impl Asks for Asked {
    async fn get(&self, path: &str) -> Result<Value, String> {
        Ok(self.find(path).await?.unwrap_or_default())
    }
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let found = match asking::block_on(look(arguments)).and_then(|found| found) {
        Ok(found) => found,
        Err(problem) => {
            anstream::eprintln!("error: the cluster cannot be looked at: {problem}");
            return ExitCode::from(BROKEN);
        }
    };
    let colour = match AutoStream::choice(&std::io::stdout()) {
        ColorChoice::Never => Colour::Off,
        _ => Colour::On,
    };
    let printed = super::print(&match arguments.output {
        Format::Text => doctor::text(&found, colour),
        Format::Json => doctor::json(&found),
    });
    if found.is_empty() { printed } else { ExitCode::from(DENIED) }
}

async fn look(arguments: &Arguments) -> Result<Vec<Finding>, String> {
    let (asked, _) = asking::cluster(arguments.kubeconfig.as_deref()).await?;
    let snapshot = Snapshot::read(&asked, &arguments.namespace, &arguments.webhook_configuration).await?;
    let mut policies = Policies::read(&snapshot);
    let rights = policies.rights(&snapshot);
    let answers = rights.iter().map(|right| {
        let asked = &asked;
        async move {
            let answer = asked.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", &right.review).await?;
            Ok::<Option<String>, String>((at(&answer, "/status/allowed") != true).then(|| right.name.clone()))
        }
    });
    match try_join_all(answers).await {
        Ok(lacking) => policies.lack(lacking.into_iter().flatten().collect(), None),
        Err(why) => policies.lack(vec![], Some(why)),
    }
    Ok(examine(&snapshot, &policies))
}
