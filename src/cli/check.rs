//! `admittance check`

mod deal;
mod gather;
mod lines;
mod page;
mod printer;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use admittance_engine::document::{Diagnostic, Paint, SourceFile};
use admittance_engine::json::Arena;
use admittance_engine::pipeline::Budget;
use admittance_engine::review::Operation;
use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};

use super::BROKEN;
use crate::manifests::inputs::{Input, InputError, documents};
use crate::manifests::objects::objects;
use crate::manifests::{Judge, Manifest};
use crate::output::remark::{Remark, remarks};
use crate::output::text::Tally;
use crate::output::{Colour, explain, jsonl, text};
use page::Said;
use printer::{Printed, Printer};

/// Judge manifests as a cluster with these policies would: mutate, then validate.
///
/// Reads YAML and JSON with any number of documents, lists (`kind: List`, `PodList`) and AdmissionReviews. Manifests become the
/// request that the API server would send for them, with its defaults filled in; AdmissionReviews are judged as they stand.
/// What is printed (line and column, patch, object, diff) is about the document as it was written.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags are independent of each other")]
#[command(after_long_help = REFERENCE)]
pub(super) struct Arguments {
    /// Files, folders (with the folders in them, hidden ones left out) or `-` for standard input.
    #[arg(required_unless_present = "jsonl", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A file or folder with policies; may be repeated. Without it the built-in starter policies judge.
    #[arg(short, long, value_name = "PATH")]
    policies: Vec<PathBuf>,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
    /// Print what mutation changes as a unified diff of YAML.
    #[arg(long)]
    diff: bool,
    /// Say of every policy what became of it and why: what decided that it does not match, the value of each part of its
    /// expressions, what it finds with the line of the file, what it changes. With json and jsonl in the field `trace`.
    #[arg(long)]
    explain: bool,
    /// What is done with the objects: CREATE, or UPDATE where --old-object is given.
    #[arg(long, value_enum, ignore_case = true, value_name = "OPERATION")]
    operation: Option<Asking>,
    /// The objects as they are stored, for UPDATE; found by group, kind, namespace and name. May be repeated.
    #[arg(long, value_name = "FILE")]
    old_object: Vec<PathBuf>,
    /// Who asks.
    #[arg(long, value_name = "NAME", default_value = "admittance-check")]
    user: String,
    /// A group that the user is in; may be repeated. `system:authenticated` is always among them.
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,
    /// Where objects go that name no namespace.
    #[arg(long, value_name = "NAME", default_value = "default")]
    namespace: String,
    /// A Namespace as the cluster has it, for policies that select by its labels; may be repeated. Namespaces among the
    /// manifests are known without it.
    #[arg(long, value_name = "FILE")]
    namespace_object: Vec<PathBuf>,
    /// Read lines of JSON, each a request with its policies, bindings and parameters, and answer each as the API server itself
    /// would; from standard input without FILE.
    #[arg(long, conflicts_with_all = ["policies", "output", "diff", "explain", "operation", "old_object", "params", "raw"])]
    jsonl: bool,
    /// Objects that policies take for parameters (paramKind), as the cluster has them; may be repeated. Those among the policy
    /// documents are known without it.
    #[arg(long, value_name = "FILE")]
    params: Vec<PathBuf>,
    /// Judge manifests as they stand: without the API server's defaults, without a namespace filled in.
    #[arg(long)]
    raw: bool,
}

/// What stands below the options in the long help and in the reference.
const REFERENCE: &str = "\
Requests:
  CREATE, UPDATE and CONNECT are about the manifest as the new object (for CONNECT: PodExecOptions and its like), DELETE about the
  manifest as the stored one. A kind that is not built into Kubernetes is taken for a namespaced custom resource, named as kubectl
  guesses (Widget: widgets). An AdmissionReview keeps its own operation, user and objects.

Exit code:
  0  every object is allowed
  1  an object is denied
  2  usage, a file that cannot be read, broken policies; what can be judged is judged all the same

With --jsonl, each line {policy | policies, bindings, params, paramScope, namespaceObject, namespaces, request, authorizer, typed}
  is answered by one line, in order:
  allowed, code, reason, message, causes, warnings, auditAnnotations, object (after mutating policies), decisions [{policy, action,
  evaluation, reason, message}], errors (what expressions are refused for) [{policy, path, error}], failure (the line cannot be
  judged). Objects are judged as they stand, or with typed: true in the form in which the API server holds built-in kinds.

With -o jsonl, one JSON object a line for each object, in order:
  file, index (of the object in its file, from 0), apiVersion, kind, namespace (empty for cluster-scoped objects), name,
  operation, allowed, code, reason, message (these three where it is denied, as in a Status), warnings,
  findings [{policy, module, unit, line, action, path, container, message}], errors [{policy, message}], auditAnnotations,
  patch (RFC 6902, where mutation changes something), object (after mutation; for DELETE as stored), with --explain also trace
  (docs/explain.md)

With -o json, one document: schemaVersion (1), objects (each as a line of jsonl), problems [{file, line, column, message}] (what
  could not be judged), and the sum: judged, denied, warned, changed

With -o sarif, junit and github, places are those of findings in the files; what could not be judged is a notification, a case with
  an error, an annotation";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A block for each object that there is something to say about.
    #[default]
    Text,
    /// A JSON object a line for each object.
    Jsonl,
    /// One JSON document: the same objects, what could not be judged, and the sum.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit's XML, for CI systems: a file is a suite, an object a case.
    Junit,
    /// GitHub's annotations (workflow commands), one for each finding.
    Github,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
enum Asking {
    /// A new object.
    Create,
    /// A change; needs --old-object.
    Update,
    /// A deletion of the object.
    Delete,
    /// A connection; the manifest is its options (PodExecOptions).
    Connect,
}

impl From<Asking> for Operation {
    fn from(asking: Asking) -> Self {
        match asking {
            Asking::Create => Self::Create,
            Asking::Update => Self::Update,
            Asking::Delete => Self::Delete,
            Asking::Connect => Self::Connect,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    // A panic's message may quote the manifest that caused it; the policy that panics is named in the verdict.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        anstream::eprintln!("panic at {place}");
    }));
    if arguments.jsonl {
        return lines::run(&arguments.files);
    }
    let paint = match AutoStream::choice(&std::io::stderr()) {
        ColorChoice::Never => Paint::Plain,
        _ => Paint::Coloured,
    };
    let (judge, inputs, problems) = match gather::gather(arguments, paint) {
        Ok(gathered) => gathered,
        Err(problems) => {
            problems.iter().for_each(|problem| anstream::eprintln!("{problem}"));
            return ExitCode::from(BROKEN);
        }
    };
    let reader =
        Reader { judge: &judge, format: arguments.output, diff: arguments.diff, colour: crate::cli::colour(), paint };
    let mut printer = Printer::new(inputs.len(), arguments.output);
    problems.iter().for_each(|problem| printer.take(unread(problem)));
    deal::deal(
        &inputs,
        |input, send| reader.read(input, send),
        |position, result| {
            match result {
                Some(result) => printer.take(result),
                None => printer.progress(position + 1),
            }
            printer.goes_on()
        },
    );
    printer.finish()
}

/// Makes verdicts of files and text of verdicts; runs on several threads.
struct Reader<'j> {
    judge: &'j Judge,
    format: Format,
    diff: bool,
    colour: Colour,
    paint: Paint,
}

impl Reader<'_> {
    /// All objects of a file. False from `send` means that nobody reads on.
    fn read(&self, input: &Input, send: &mut dyn FnMut(Printed) -> bool) {
        let file = match input.read() {
            Ok(file) => file,
            Err(InputError::Unreadable(problem)) => {
                send(unread(&problem));
                return;
            }
            Err(InputError::Malformed(problem)) => {
                send(self.problem(&problem));
                return;
            }
        };
        let parsed = documents(&file);
        let (manifests, problems) = objects(&file, &parsed.documents);
        for problem in parsed.problems.iter().chain(&problems) {
            if !send(self.problem(problem)) {
                return;
            }
        }
        let mut arena = Arena::with_limit(Budget::REVIEW);
        for manifest in &manifests {
            if !send(self.judge(&arena, &file, manifest)) {
                return;
            }
            arena.reset();
        }
    }

    fn judge(&self, arena: &Arena, file: &Arc<SourceFile>, manifest: &Manifest<'_>) -> Printed {
        let judged = match self.judge.judge(arena, manifest) {
            Ok(judged) => judged,
            Err(error) => {
                let span = manifest.document.span.clone();
                return self.problem(&Diagnostic::error(file, span, error.to_string()));
            }
        };
        let said = match self.format {
            Format::Text if self.judge.explains => {
                Said::Text(explain::block(file, manifest, &judged, self.diff, self.colour))
            }
            Format::Text => Said::Text(text::block(file, manifest, &judged, self.diff, self.colour)),
            Format::Jsonl | Format::Json => {
                Said::Text(jsonl::line(file.name(), manifest.index, &judged, self.judge.explains))
            }
            Format::Sarif | Format::Junit | Format::Github => Said::Remarks(Box::new(remarks(file, manifest, &judged))),
        };
        Printed::Object(said, Tally::of(&judged))
    }

    fn problem(&self, problem: &Diagnostic) -> Printed {
        Printed::Problem(problem.render(self.paint), Remark::of_diagnostic(problem))
    }
}

/// A file that cannot be read at all.
fn unread(problem: &str) -> Printed {
    Printed::Problem(format!("error: {problem}"), Remark::of_text(problem))
}
