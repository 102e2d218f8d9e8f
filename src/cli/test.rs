//! `admittance test`

mod mutants;
mod run;
mod suites;
mod update;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use admittance_engine::document::{Diagnostic, Paint};
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::proof::{Steps, conflicts, idempotence};
use admittance_engine::unit::CompiledUnit;
use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};

use super::{BROKEN, DENIED, policies};
use crate::output::Colour;
use crate::output::testing::{self, Results};
use crate::source::Read;
use crate::suites::{gator, kyverno};
use run::Run;

/// Run the tests of policies: PolicyTest documents, beside the policies or in files of their own.
///
/// Each case is a request, judged as a cluster with the tested policies would, with the API server's defaults filled in. Besides
/// what a case expects, every change is made a second time: mutating twice must be mutating once.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags are independent of each other")]
#[command(after_long_help = REFERENCE)]
pub(super) struct Arguments {
    /// Files and folders with tests and policies (with the folders in them, hidden ones left out).
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// A file or folder with policies that the tests are about, besides those of PATH; may be repeated. Their own tests are not
    /// run.
    #[arg(short, long, value_name = "PATH")]
    policies: Vec<PathBuf>,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
    /// Fail where something is not covered.
    #[arg(long)]
    require_coverage: bool,
    /// Write what happens into each case that expects nothing; nothing else in its file is touched.
    #[arg(long)]
    update: bool,
    /// Run again whenever a file changes, until interrupted.
    #[arg(long, conflicts_with = "update")]
    watch: bool,
    /// Change the policies in small ways, one at a time, and print the changes that no test notices.
    #[arg(long, conflicts_with_all = ["update", "watch", "require_coverage"])]
    mutants: bool,
    /// Whose tests PATH holds.
    #[arg(long, value_enum, default_value_t, conflicts_with_all = ["policies", "update", "watch", "mutants", "require_coverage"], value_name = "SUITES")]
    format: Suites,
}

/// What stands below the options in the long help and in the reference.
const REFERENCE: &str = "\
Which policies:
  A test is about the policies that it names in spec.policies, else about those of its file or ConfigMap, else (where there are
  none) about all policies of PATH and --policies.

With --mutants:
  An operator, a bound, a condition, a validation, an entry of a list, a setting or an operation of a match rule is changed or
  taken away, one at a time, and the tests about the policy are run. -o json and jsonl print {policy, file, line, column, change}
  for each change that no test notices.

With --format kyverno and gator:
  Each case of a suite is run as a case of a PolicyTest on the same policy in Kubernetes' own form. What is not CEL is skipped, and
  the reason printed. -o json and jsonl print {suite, case, outcome: agrees|differs|skipped, reason} for each case.

Exit code:
  0  every case passes
  1  a case fails, with --require-coverage something is not covered, with --mutants no test notices a change
  2  usage, a file that cannot be read, broken policies or tests, no tests at all";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Failures first, then what is not covered, then a sum.
    #[default]
    Text,
    /// A JSON object a line: for each case, and for each thing that is not covered.
    Jsonl,
    /// One JSON document with a schemaVersion.
    Json,
    /// JUnit's XML: a suite for each test.
    Junit,
    /// Annotations for GitHub's workflows.
    Github,
}

/// Whose tests are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Suites {
    /// Documents of kind PolicyTest.
    #[default]
    PolicyTest,
    /// Suites of the Kyverno CLI (kyverno-test.yaml), as far as their policies are CEL.
    Kyverno,
    /// Suites of Gatekeeper's gator, as far as their templates are CEL.
    Gator,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    // A panic's message may quote the object that caused it; the policy that panics is named in the verdict.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        anstream::eprintln!("panic at {place}");
    }));
    let (paths, output) = (&arguments.paths, arguments.output);
    match arguments.format {
        Suites::PolicyTest => {}
        Suites::Kyverno => return ExitCode::from(suites::run(kyverno::suites, paths, output)),
        Suites::Gator => return ExitCode::from(suites::run(gator::suites, paths, output)),
    }
    let all: Vec<PathBuf> = arguments.paths.iter().chain(&arguments.policies).cloned().collect();
    if arguments.watch {
        return watch::follow(all, |files| {
            once(arguments, files);
        });
    }
    let code = match policies::files(&all) {
        Ok(files) => once(arguments, files),
        Err(problem) => {
            anstream::eprintln!("error: {problem}");
            BROKEN
        }
    };
    ExitCode::from(code)
}

/// Runs all tests in these files and prints what became of them. The exit code.
fn once(arguments: &Arguments, files: Vec<Read>) -> u8 {
    let paint = match AutoStream::choice(&std::io::stderr()) {
        ColorChoice::Never => Paint::Plain,
        _ => Paint::Coloured,
    };
    let loaded = policies::load_files(files, paint);
    loaded.problems.iter().for_each(|problem| anstream::eprintln!("{problem}"));
    if loaded.set.is_none() {
        return BROKEN;
    }
    let run = match Run::of(&loaded.units, &arguments.paths) {
        Ok(run) => run,
        Err(problems) => {
            problems.iter().for_each(|problem| anstream::eprintln!("{}", problem.render(paint)));
            return BROKEN;
        }
    };
    if run.cases.is_empty() {
        let paths: Vec<String> = arguments.paths.iter().map(|path| format!("{:?}", path.display())).collect();
        anstream::eprintln!("error: no tests in {}: they are documents of kind PolicyTest", paths.join(", "));
        return BROKEN;
    }
    if arguments.mutants {
        let units: Vec<_> = loaded.sources.into_iter().zip(loaded.units).collect();
        return mutants::run(&units, &arguments.paths, arguments.output);
    }
    if arguments.update {
        return update(&run);
    }
    let unproven = unproven(&loaded, paint);
    let results = Results {
        tests: run.tests(),
        reports: run.reports(),
        uncovered: run.uncovered((&loaded.units, &loaded.sources), &arguments.paths),
    };
    let text = match arguments.output {
        Format::Text => testing::text::page(&results, colour()),
        Format::Jsonl => testing::json::lines(&results),
        Format::Json => testing::json::document(&results),
        Format::Junit => testing::ci::junit(&results),
        Format::Github => testing::ci::github(&results),
    };
    super::print(&text);
    let has_failed = results.reports.iter().any(|report| !report.has_passed());
    let is_bare = arguments.require_coverage && !results.uncovered.is_empty();
    if has_failed || is_bare || unproven { DENIED } else { 0 }
}

/// Says which mutations are not idempotent, which policies want different things, and whose order matters. True where
/// something is refused for it.
fn unproven(loaded: &policies::Loaded, paint: Paint) -> bool {
    let defaults = Defaults::built_in();
    let found = |unit: &Arc<CompiledUnit>| idempotence::problems(unit, &defaults, &mut Steps::new(u64::MAX));
    let problems: Vec<Diagnostic> = loaded.units.iter().filter_map(found).flatten().collect();
    problems.iter().for_each(|problem| anstream::eprintln!("{}", problem.render(paint)));
    let pairs = loaded.set.as_ref().map(|set| conflicts::pairs(set, &defaults, &mut Steps::default()));
    for pair in pairs.iter().flatten() {
        anstream::eprintln!("{}: {pair}", if pair.is_conflict() { "warning" } else { "note" });
    }
    !problems.is_empty()
}

/// Writes expectations, and says where.
fn update(run: &Run<'_>) -> u8 {
    let (written, problems) = update::write(run);
    for (file, cases) in &written {
        let cases = if *cases == 1 { "1 case".to_owned() } else { format!("{cases} cases") };
        super::print(&format!("{file}: {cases} written\n"));
    }
    if written.is_empty() && problems.is_empty() {
        super::print("every case expects something: nothing to write\n");
    }
    problems.iter().for_each(|problem| anstream::eprintln!("error: {problem}"));
    if problems.is_empty() { 0 } else { BROKEN }
}

fn colour() -> Colour {
    match AutoStream::choice(&std::io::stdout()) {
        ColorChoice::Never => Colour::Off,
        _ => Colour::On,
    }
}
