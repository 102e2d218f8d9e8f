//! What this engine answers, and whether it is what the API server answers.

use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use admittance_engine::deadline::Deadline;
use admittance_engine::expression::query;
use serde_json::{Value, json};

/// No expression of these takes a thousandth of it; one that hangs is reported.
const PATIENCE: Duration = Duration::from_secs(10);

/// The engine's answer to a line, in the form of the oracle's.
pub(crate) fn our_answer(line: &Value) -> Value {
    let text = line.to_string();
    catch_unwind(|| serde_json::to_value(query::answer(&text, Deadline::at(Instant::now() + PATIENCE))).unwrap())
        .unwrap_or_else(|_| json!({ "phase": "panic", "error": "the engine panicked" }))
}

/// What is different: the phase of an error, the static type, the value, or the cost. Texts of errors are our own.
pub(crate) fn difference(ours: &Value, theirs: &Value) -> Option<&'static str> {
    let unstable = |what: &str| theirs["unstable"].as_array().is_some_and(|names| names.contains(&json!(what)));
    if theirs["phase"] == "panic" {
        // Nobody can rely on that: any answer will do.
        return (ours["phase"] == "panic").then_some("phase");
    }
    if unstable("error") {
        return None;
    }
    if ours["phase"] != theirs["phase"] {
        return Some("phase");
    }
    if ours["phase"] == "parse" || ours["phase"] == "check" {
        return None;
    }
    if ours["type"] != theirs["type"] {
        return Some("type");
    }
    if ours["value"] != theirs["value"] && !unstable("value") {
        return Some("value");
    }
    (ours["cost"] != theirs["cost"] && ours.get("phase").is_none() && !unstable("cost")).then_some("cost")
}
