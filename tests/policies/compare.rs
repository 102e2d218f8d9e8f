//! What `check --jsonl` answers, and whether it is what the API server answers.

use admittance::output::upstream::Line;
use admittance_engine::json::Arena;
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::pipeline::Budget;
use serde_json::{Map, Value, json};

/// Answers as `check --jsonl` does.
pub(crate) struct Judge {
    arena: Arena,
    defaults: Defaults,
}

impl Judge {
    pub(crate) fn new() -> Self {
        Self { arena: Arena::with_limit(Budget::REVIEW), defaults: Defaults::built_in() }
    }

    pub(crate) fn answer(&mut self, line: &Value) -> Value {
        self.arena.reset();
        let text = line.to_string();
        let answer = || Line::answer(text.as_bytes(), &self.arena, &self.defaults).text();
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(answer)) {
            Ok(answer) => serde_json::from_str(&answer).unwrap(),
            Err(_) => json!({ "failure": "panic: the engine panicked" }),
        }
    }
}

/// The fields of an answer, in the order in which differences are told.
const FIELDS: [&str; 10] =
    ["allowed", "errors", "object", "code", "reason", "message", "decisions", "warnings", "auditAnnotations", "causes"];

/// The first field that is different, with what it is about.
pub(crate) fn difference(ours: &Value, theirs: &Value) -> Option<String> {
    let panics = |answer: &Value| answer["failure"].as_str().is_some_and(|text| text.starts_with("panic"));
    if panics(theirs) && !panics(ours) {
        // Nobody can rely on that: any answer will do.
        return None;
    }
    let fails = |answer: &Value| answer.get("failure").is_some();
    if fails(ours) || fails(theirs) {
        return (fails(ours) != fails(theirs)).then(|| "failure".to_owned());
    }
    // What is no JSON in a configuration we say in our own words, before it is held against a schema.
    let is_foreign = ours.to_string().contains("unsupported value of type");
    FIELDS.into_iter().find_map(|field| {
        let (ours, theirs) =
            (comparable(field, &ours[field], is_foreign), comparable(field, &theirs[field], is_foreign));
        (ours != theirs).then(|| field.to_owned())
    })
}

fn comparable(field: &str, value: &Value, is_foreign: bool) -> Value {
    match (field, value) {
        // Which expressions are refused; for what reason is said in our own words.
        ("errors", Value::Array(errors)) => {
            errors.iter().map(|error| json!([error["policy"], error["path"]])).collect()
        }
        _ => plain(value, is_foreign),
    }
}

/// Without what may differ: texts of errors of compilation, which are our own, and how Go writes doubles.
fn plain(value: &Value, is_foreign: bool) -> Value {
    match value {
        Value::String(text) => Value::String(cut(text, is_foreign)),
        Value::Array(items) => items.iter().map(|item| plain(item, is_foreign)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), plain(value, is_foreign))).collect::<Map<_, _>>().into()
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is a whole number")]
        Value::Number(number) => match number.as_f64() {
            Some(double) if number.is_f64() && double.fract() == 0.0 && double.abs() < 1e15 => json!(double as i64),
            _ => value.clone(),
        },
        other => other.clone(),
    }
}

/// Texts that are our own after these: errors of compilation, and what an object holds, which we do not tell.
const OWN: [&str; 4] = [
    "compilation failed: ",
    "failed to convert original object to typed object: ",
    "Object 'Kind' is missing",
    "join: invalid input: ",
];

/// Before a list of fields.
const ATOMIC: &str = "may not mutate atomic arrays, maps or structs: ";

fn cut(text: &str, is_foreign: bool) -> String {
    let own = OWN.iter().chain(is_foreign.then_some(&"failed to convert patch object to typed object: "));
    let ends = own.filter_map(|own| text.find(own).map(|at| at + own.len()));
    let text = &text[..ends.min().unwrap_or(text.len())];
    // Fields of a Go map, in any order.
    if let Some((head, paths)) = text.split_once(ATOMIC) {
        let mut paths: Vec<&str> = paths.split(", ").collect();
        paths.sort_unstable();
        return format!("{head}{ATOMIC}{}", paths.join(", "));
    }
    match text.split_once(" errors:\n") {
        Some((head, lines)) => {
            let mut lines: Vec<&str> = lines.lines().collect();
            lines.sort_unstable();
            format!("{head} errors:\n{}", lines.join("\n"))
        }
        None => text.to_owned(),
    }
}

/// What a line is an example of.
pub(crate) fn outcomes(line: &Value, theirs: &Value) -> Vec<String> {
    let is_there = |field: &str| theirs.get(field).is_some();
    let decided = |evaluation: &str| {
        theirs["decisions"]
            .as_array()
            .is_some_and(|all| all.iter().any(|decision| decision["evaluation"] == evaluation))
    };
    let is_changed = is_there("object") && theirs["object"] != line["request"]["object"];
    [
        ("denied", theirs["allowed"] == false && !is_there("failure")),
        ("admitted", decided("admit")),
        ("erring", decided("error")),
        ("changed", is_changed),
        ("warned", is_there("warnings")),
        ("annotated", is_there("auditAnnotations")),
        ("refused", is_there("errors")),
        ("failed", is_there("failure")),
    ]
    .into_iter()
    .filter(|(_, is)| *is)
    .map(|(name, _)| name.to_owned())
    .collect()
}
