//! `admittance cel`

mod lines;
mod variables;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use admittance_engine::cel::encoding::{encode, literal};
use admittance_engine::cel::error::Problem;
use admittance_engine::cel::estimate::{Range, estimate};
use admittance_engine::cel::program::Recording;
use admittance_engine::cel::syntax::Span;
use admittance_engine::deadline::Deadline;
use admittance_engine::document::{Diagnostic, Paint, SourceFile};
use admittance_engine::expression::query::{Bound, CompileError, Compiled, Evaluated, Query, compile, version};
use admittance_engine::json::Arena;
use admittance_engine::pipeline::Budget;
use admittance_engine::verdict::computations;
use admittance_engine::verdict::trace::{Computation, Computed, Evaluation, List};
use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{BROKEN, DENIED};
use crate::output::explain;

/// Evaluate an expression as the API server does in a ValidatingAdmissionPolicy.
///
/// Prints the value as one would write it in an expression. `object`, `oldObject`, `params`, `request`, `namespaceObject` and
/// `authorizer` are declared as policies have them, and null unless --var sets them; other names are declared by --var.
#[derive(Debug, Args)]
#[command(after_long_help = REFERENCE)]
pub(super) struct Arguments {
    /// The expression.
    #[arg(value_name = "EXPR", required_unless_present = "jsonl", conflicts_with = "jsonl")]
    expression: Option<String>,
    /// A variable: NAME=JSON, or NAME=@FILE with the first document of a file of YAML or JSON; may be repeated.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = variables::parse)]
    variables: Vec<(String, String)>,
    /// Print the static type too, and what the evaluation costs: now, and estimated for variables of any size.
    #[arg(long)]
    cost: bool,
    /// Print the expression as a tree, each part with its value; with json in the field `parts`.
    #[arg(long)]
    explain: bool,
    /// Allow only what a new policy may use in a cluster of this version, as in 1.30. Without it everything is known, as for
    /// stored policies.
    #[arg(long, value_name = "VERSION", value_parser = parse_version)]
    kubernetes_version: Option<String>,
    /// Read expressions from standard input, a JSON object a line, and answer each with one.
    #[arg(long, conflicts_with_all = ["variables", "cost", "explain", "kubernetes_version", "output"])]
    jsonl: bool,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

/// What stands below the options in the long help and in the reference.
const REFERENCE: &str = "\
Examples:
  admittance cel '[1, 2, 3].filter(x, x > 1)'
  admittance cel 'object.spec.containers.all(c, has(c.resources))' --var object=@pod.yaml
  admittance cel 'object.spec.replicas <= params.max' --var object=@deployment.yaml --var 'params={\"max\": 5}' --cost
  admittance cel '[3, 1].sort()' --kubernetes-version 1.33
  admittance cel 'object.spec.replicas <= 3' --var object=@deployment.yaml --explain
  echo '{\"expr\": \"x + 1u\", \"values\": {\"x\": {\"uint\": 3}}}' | admittance cel --jsonl

Exit code:
  0  the expression has a value, whatever it is
  1  its evaluation fails
  2  usage, a file that cannot be read, an expression that does not compile

With --jsonl, an object a line; all fields but expr may be left out:
  id (copied to the answer), expr, vars {NAME: JSON}, values {NAME: tagged value}, types {NAME: TYPE} (int, list(string),
  map(string,dyn), timestamp, optional(int), wrapper(int)), variables [{name, expression}] (the policy's own), container,
  k8s_version, params (false: undeclared), authorizer (allow, deny, error; none: undeclared), patch_types (true: as in a
  mutation), check_only (true: the type alone), estimate (true: the estimated cost too)
It is answered, in order, by {id, value, type, cost}, or {id, error, phase, cost}; phase is input, parse, check or eval. A line
that is no such object is answered with phase input. Values are tagged: {\"int\": 1}, {\"uint\": 1}, {\"double\": 1.0},
{\"string\": \"\"}, {\"bool\": true}, {\"null\": null}, {\"bytes\": base64}, {\"duration\": \"1.5s\"}, {\"timestamp\": RFC 3339},
{\"type\": NAME}, {\"optional\": null or value}, {\"list\": []}, {\"map\": {} or [[key, value]]}, {\"opaque\": {\"type\", \"value\"}}; inside
of others those that are plain JSON have no tag.";

/// How long one evaluation may take: the API server's own bound on cost comes first.
const TIME: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The value as an expression writes it.
    #[default]
    Text,
    /// One JSON document with a schemaVersion.
    Json,
}

fn parse_version(text: &str) -> Result<String, String> {
    version(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// `-o json`
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u32,
    value: Box<RawValue>,
    r#type: String,
    cost: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Vec<Computation>>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    // A panic's message may quote an object.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        anstream::eprintln!("panic at {place}");
    }));
    let Some(expression) = &arguments.expression else {
        return lines::run(TIME);
    };
    let paint = match AutoStream::choice(&std::io::stderr()) {
        ColorChoice::Never => Paint::Plain,
        _ => Paint::Coloured,
    };
    match evaluate(arguments, expression, paint) {
        Ok(text) => super::print(&text),
        Err((message, code)) => {
            anstream::eprintln!("{message}");
            ExitCode::from(code)
        }
    }
}

/// What is printed; or what went wrong, and the exit code.
fn evaluate(arguments: &Arguments, expression: &str, paint: Paint) -> Result<String, (String, u8)> {
    let file = SourceFile::new("<expression>", expression);
    let variables = variables::read(&arguments.variables, paint).map_err(|problem| (problem, BROKEN))?;
    let vars: BTreeMap<_, _> = variables.iter().map(|(name, value)| (name.as_str().into(), &**value)).collect();
    let query = Query { vars, k8s_version: arguments.kubernetes_version.clone(), ..Query::of(expression) };
    let compiled = compile(&query).map_err(|error| match error {
        CompileError::Query(error) => (format!("error: {error}"), BROKEN),
        CompileError::Problems(problems) => (rendered(&file, &problems, paint), BROKEN),
    })?;
    let arena = Arena::with_limit(Budget::REVIEW);
    let bound = compiled.bind(&query, &arena).map_err(|error| (format!("error: {error}"), BROKEN))?;
    let deadline = Deadline::at(Instant::now() + TIME);
    let (evaluated, explanation) = if arguments.explain {
        explained(&compiled, &bound, &arena, deadline)
    } else {
        (compiled.evaluate(&bound, &arena, deadline, &mut ()), None)
    };
    let tree = explanation.as_ref().filter(|_| arguments.output == Format::Text);
    let tree = tree.map(|explanation| explain::expression(explanation, super::colour()));
    let value = evaluated.outcome.map_err(|error| {
        if let Some(tree) = &tree {
            super::print(tree);
        }
        let ast = compiled.program().ast();
        let problem = Diagnostic::error(&file, range(ast.span(error.at.unwrap_or(ast.root()))), error.to_string());
        let problem = if arguments.cost { problem.note(format!("cost: {}", evaluated.cost)) } else { problem };
        (problem.render(paint), DENIED)
    })?;
    let too_large = |error| (format!("error: {error}"), DENIED);
    let ty = compiled.program().result_type();
    Ok(match arguments.output {
        Format::Text => {
            let mut text = match tree {
                Some(tree) => tree,
                None => literal(value).map_err(too_large)? + "\n",
            };
            if arguments.cost {
                let _ = write!(text, "type: {ty}\ncost: {}, estimated {}\n", evaluated.cost, estimated(&compiled));
            }
            text
        }
        Format::Json => {
            let value = RawValue::from_string(encode(value).map_err(too_large)?).unwrap_or_default();
            let (r#type, cost) = (ty.to_string(), evaluated.cost);
            let parts = explanation.map(|explanation| explanation.parts);
            let document = Document { schema_version: 1, value, r#type, cost, parts };
            serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
        }
    })
}

/// The evaluation and what its parts came to.
fn explained<'a>(
    compiled: &'a Compiled,
    bound: &Bound<'a>,
    arena: &'a Arena,
    deadline: Deadline,
) -> (Evaluated<'a>, Option<Evaluation>) {
    let program = compiled.program();
    let mut recording = Recording::new(program.ast());
    let evaluated = compiled.evaluate(bound, arena, deadline, &mut recording);
    let parts = computations(program.ast(), &recording.into_parts(), None);
    let result = parts.first().map_or(Computed::NotEvaluated(true), |whole| whole.result.clone());
    let explanation = Evaluation {
        list: List::Validations,
        index: 0,
        name: None,
        parameter: None,
        expression: program.text().to_owned(),
        result,
        cost: evaluated.cost,
        parts,
    };
    (evaluated, Some(explanation))
}

/// What the expression costs at least and at most, whatever its variables are.
fn estimated(compiled: &Compiled) -> String {
    match estimate(compiled.program().checked()) {
        Range { min, max } if min == max => format!("{min}"),
        Range { min, max: u64::MAX } => format!("{min} or more"),
        Range { min, max } => format!("{min} to {max}"),
    }
}

/// All problems of an expression, each with its place.
fn rendered(file: &Arc<SourceFile>, problems: &[Problem], paint: Paint) -> String {
    let render = |problem: &Problem| Diagnostic::error(file, range(problem.span), &problem.message).render(paint);
    problems.iter().map(render).collect::<Vec<_>>().join("\n")
}

fn range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..span.end as usize
}
