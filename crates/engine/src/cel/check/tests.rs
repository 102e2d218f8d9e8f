//! The checker against the answers of the API server's own code.

use serde_json::Value;

use super::{Checked, check};
use crate::cel::environment::Environment;
use crate::cel::error::{Phase, Problem};
use crate::cel::function::Version;
use crate::cel::syntax::parse;
use crate::cel::types::Type;
use crate::corpora;

/// The environment of a line of the collections: a policy's, and the variables that the line has besides.
fn environment(query: &Value) -> Environment {
    let version = query["k8s_version"].as_str().and_then(|version| version.strip_prefix("1.")?.parse().ok());
    let mut base = version.map_or_else(Environment::stored, |minor| Environment::of_version(Version(minor)));
    if query["patch_types"] == true {
        base = base.with_mutation_types();
    }
    if let Some(container) = query["container"].as_str() {
        base = base.with_container(container);
    }
    let policy = crate::expression::declarations::Declarations {
        params: query["params"] != false,
        authorizer: query["authorizer"] != "none",
        mutation: false,
    };
    let mut environment = crate::expression::declarations::policy_environment(base, &policy);
    for field in ["vars", "values", "types"] {
        for (name, _) in query[field].as_object().into_iter().flatten() {
            if !["object", "oldObject", "params", "request", "namespaceObject"].contains(&name.as_str()) {
                let ty = query["types"][name].as_str().map_or(Type::Dyn, read_type);
                environment.declare(name, ty);
            }
        }
    }
    for variable in query["variables"].as_array().into_iter().flatten() {
        let checked = compile(variable["expression"].as_str().unwrap(), &environment);
        let ty = checked.map_or(Type::Dyn, |checked| checked.result_type().clone());
        environment.declare_policy_variable(variable["name"].as_str().unwrap(), ty);
    }
    environment
}

fn read_type(text: &str) -> Type {
    let inner = |prefix: &str| Some(text.strip_prefix(prefix)?.strip_suffix(')')?.trim());
    if let Some(inner) = inner("list(") {
        return Type::list(read_type(inner));
    }
    if let Some(inner) = inner("wrapper(") {
        return Type::Wrapper(read_type(inner).into());
    }
    if let Some(inner) = inner("optional(").or_else(|| inner("optional_type(")) {
        return Type::optional(read_type(inner));
    }
    if let Some(inner) = inner("map(") {
        let (key, value) = inner.split_once(',').unwrap();
        return Type::map(read_type(key), read_type(value.trim()));
    }
    match text {
        "dyn" => Type::Dyn,
        "any" => Type::Any,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "null" | "null_type" => Type::Null,
        "timestamp" | "google.protobuf.Timestamp" => Type::Timestamp,
        "duration" | "google.protobuf.Duration" => Type::Duration,
        "type" => Type::of_type(Type::Dyn),
        other => panic!("type {other}"),
    }
}

fn compile(text: &str, environment: &Environment) -> Result<Checked, Vec<Problem>> {
    check(parse(text, &environment.parse_options())?, environment)
}

/// `ok TYPE`, `parse` or `check`, and the message.
fn answer(query: &Value) -> (String, String) {
    match compile(query["expr"].as_str().unwrap(), &environment(query)) {
        Ok(checked) => (format!("ok {}", checked.result_type()), String::new()),
        Err(problems) => {
            let phase = if problems[0].phase == Phase::Parse { "parse" } else { "check" };
            (phase.to_owned(), problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; "))
        }
    }
}

/// The same of an answer of the API server's code; None where the line asks nothing of the checker: constants that cannot
/// be converted are found later.
fn expected(answer: &Value) -> Option<String> {
    let error = answer["error"].as_str().unwrap_or_default();
    match answer["phase"].as_str() {
        Some("input") => None,
        Some("check") if error.starts_with("program instantiation failed") && !error.contains("undefined type") => None,
        Some("panic") => Some("check".to_owned()),
        Some(phase @ ("parse" | "check")) => Some(phase.to_owned()),
        _ => Some(format!("ok {}", answer["type"].as_str().unwrap())),
    }
}

#[test]
fn dev() {
    let Ok(path) = std::env::var("CHECK_LINES") else { return };
    let mut wrong = 0;
    let mut count = 0;
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let Some(expected) = expected(&line["answer"]) else { continue };
        let (got, message) = answer(&line["query"]);
        count += 1;
        if got != expected {
            wrong += 1;
            println!("{}\n  got {got} {message}\n  expected {expected} {}", line["query"], line["answer"]["error"]);
        } else if std::env::var("SHOW").is_ok() && !message.is_empty() {
            println!("{} -> {message}", line["query"]["expr"]);
        }
    }
    println!("{wrong} wrong of {count}");
}

fn agrees(collection: &str, lines: usize) {
    let mut wrong = Vec::new();
    for line in corpora::lines(collection, lines) {
        let line: Value = serde_json::from_str(&line).unwrap();
        let Some(expected) = line.get("query").and_then(|_| expected(&line["kubernetes"])) else { continue };
        let (got, message) = answer(&line["query"]);
        if got != expected {
            wrong.push(format!("{}: got {got} {message}, expected {expected}", line["query"]));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn accepts_and_types_what_kubernetes_does() {
    agrees("cel-spec.jsonl", 2_456);
    agrees("k8s-cel-lib.jsonl", 168);
    agrees("k8s-cel-cost.jsonl", 116);
}
