//! `admittance promote`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use admittance_engine::document::SourceFile;
use admittance_engine::set::link;
use admittance_engine::unit::{Unit, compile};
use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};

use super::duration::duration;
use super::servers::Servers;
use super::{BROKEN, DENIED, asking};
use crate::cluster::at;
use crate::evidence::book::Book;
use crate::evidence::page::{Page, PolicyOfPage};
use crate::evidence::step::{Step, step};
use crate::evidence::{now, versions};
use crate::output::Colour;
use crate::output::promotion::{self, Outcome, Wanted, objections};
use crate::source::Read;
use crate::source::directory::Directory;

/// Take a policy one step further, from Audit to Warn to Deny or from Audit to Mutate, if what running servers have counted is
/// enough for it: prints the evidence, and the document with the one word changed.
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// The policy's name.
    policy: String,
    /// A file or folder that the policy stands in; may be repeated. Without it, with --kubeconfig: the ConfigMap that the
    /// servers have it from.
    #[arg(short, long, value_name = "PATH")]
    policies: Vec<PathBuf>,
    #[command(flatten)]
    servers: Servers,
    /// Evidence in a file instead of a server's: its page /evidence, or what `serve --evidence` keeps.
    #[arg(long, conflicts_with_all = ["server", "kubeconfig"], value_name = "FILE")]
    evidence: Option<PathBuf>,
    /// How many requests the policy must have judged in the version that is active.
    #[arg(long, default_value_t = 1_000, value_name = "NUMBER")]
    min_requests: u64,
    /// How long this version must be active, and how long ago the last violation must be: 12h, 7d.
    #[arg(long, default_value = "7d", value_parser = duration, value_name = "DURATION")]
    min_age: Duration,
    /// How many requests with violations or evaluation errors are accepted.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    max_violations: u64,
    /// Change the file in place.
    #[arg(long, requires = "policies")]
    write: bool,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  the evidence is enough: the document is printed, or with --write changed
  1  it is not, and what is missing is said; or there is no further step
  2  usage, unreadable input, broken policies, or a server that cannot be asked";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document with a schemaVersion.
    Json,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let outcome = match promote(arguments) {
        Ok(outcome) => outcome,
        Err(problem) => {
            anstream::eprintln!("error: {problem}");
            return ExitCode::from(BROKEN);
        }
    };
    let colour = match AutoStream::choice(&std::io::stdout()) {
        ColorChoice::Never => Colour::Off,
        _ => Colour::On,
    };
    let printed = super::print(&match arguments.output {
        Format::Text => promotion::text(&outcome, colour),
        Format::Json => promotion::json(&outcome),
    });
    if outcome.objections.is_empty() { printed } else { ExitCode::from(DENIED) }
}

fn promote(arguments: &Arguments) -> Result<Outcome, String> {
    let name = &arguments.policy;
    let page = evidence(arguments)?;
    let Some(policy) = page.policy(name) else {
        return Err(format!("the servers know no policy `{name}`: it must be active to be judged by what it does"));
    };
    let files = files(arguments, policy)?;
    let there = There::read(&files, name)?;
    let wanted = Wanted {
        requests: arguments.min_requests,
        age: arguments.min_age.as_secs(),
        violations: arguments.max_violations,
    };
    let mut found = vec![];
    let step = match step(&files, name, there.mutates) {
        Ok(step) => Some(step),
        Err(problem) => {
            found.push(problem);
            None
        }
    };
    if step.is_some() {
        if there.version != policy.version {
            found.push("the evidence is about another version of the policy than the one that stands here".to_owned());
        }
        found.extend(objections(policy, wanted, page.time));
    }
    let mut written = false;
    if let Some(step) = step.as_ref().filter(|_| found.is_empty()) {
        check(step)?;
        if arguments.write {
            let path = Path::new(step.file.name());
            std::fs::write(path, &step.text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            written = true;
        }
    }
    Ok(Outcome { policy: policy.clone(), time: page.time, step, written, objections: found })
}

fn evidence(arguments: &Arguments) -> Result<Page, String> {
    let Some(path) = &arguments.evidence else {
        let pages = asking::block_on(arguments.servers.pages::<Page>("/evidence", "evidence"))??;
        return Page::together(&pages)
            .ok_or_else(|| "no server has a page /evidence: ask by the port for metrics".to_owned());
    };
    let named = |error: &dyn std::fmt::Display| format!("cannot use the evidence in {}: {error}", path.display());
    let bytes = std::fs::read(path).map_err(|error| named(&error))?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Page::of_book(&Book::unpack(&bytes).map_err(|error| named(&error))?, now()));
    }
    serde_json::from_slice(&bytes).map_err(|error| named(&error))
}

/// The files that the policy may stand in.
fn files(arguments: &Arguments, policy: &PolicyOfPage) -> Result<Vec<Arc<SourceFile>>, String> {
    if arguments.policies.is_empty() {
        let Some(kubeconfig) = arguments.servers.kubeconfig() else {
            return Err("name the file or folder that the policy stands in with -p".to_owned());
        };
        return asking::block_on(config_map(kubeconfig, &policy.unit))?;
    }
    let found = Directory::new(arguments.policies.clone()).poll().map_err(|error| error.to_string())?;
    let mut files = vec![];
    for read in found.unwrap_or_default() {
        match read {
            Read::Unit(unit, _) => files.extend(unit.files),
            Read::Unreadable(name, reason, _) => return Err(format!("cannot read {name:?}: {reason}")),
            Read::Malformed(_, problem) => return Err(problem.to_string()),
        }
    }
    Ok(files)
}

async fn config_map(kubeconfig: &Path, unit: &str) -> Result<Vec<Arc<SourceFile>>, String> {
    let from_a_file =
        || format!("the servers have the policy from {unit}, which is no ConfigMap: name its file with -p");
    let (namespace, name) =
        unit.split_once('/').filter(|(namespace, _)| !namespace.is_empty()).ok_or_else(from_a_file)?;
    let (asked, _) = asking::cluster(Some(kubeconfig)).await?;
    let found = asked.find(&format!("/api/v1/namespaces/{namespace}/configmaps/{name}")).await?;
    let found = found.ok_or_else(from_a_file)?;
    let data = at(&found, "/data").as_object().cloned().unwrap_or_default();
    Ok(data
        .iter()
        .map(|(key, text)| SourceFile::new(format!("{unit}/{key}"), text.as_str().unwrap_or_default()))
        .collect())
}

/// The policy as it stands in the files.
struct There {
    version: String,
    mutates: bool,
}

impl There {
    fn read(files: &[Arc<SourceFile>], name: &str) -> Result<Self, String> {
        let mut units = vec![];
        for file in files {
            units.push(compile(&Unit::of_file(Arc::clone(file))).map_err(|problems| lines(&problems))?);
        }
        let version = versions(&units).remove(name).unwrap_or_default();
        let (set, _) = link(&units);
        let mutates = set.mutators().iter().any(|mutator| mutator.head.origin.policy == name);
        Ok(Self { version, mutates })
    }
}

/// The file must be as sound after the step as before.
fn check(step: &Step) -> Result<(), String> {
    let file = SourceFile::new(step.file.name(), step.text.as_str());
    compile(&Unit::of_file(file)).map(drop).map_err(|problems| lines(&problems))
}

fn lines(problems: &[admittance_engine::document::Diagnostic]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
