//! The collections of cases with upstream's answers: values, static types and costs, and for errors how far they come.

mod folding;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer;
use crate::corpora;
use crate::deadline::Deadline;
use crate::oracle;

fn answered(line: &str) -> Value {
    serde_json::to_value(answer(line, Deadline::never())).unwrap()
}

/// What counts of an answer. Texts of errors are free, and so is the cost of what failed.
fn essence(answer: &Value, unordered: bool) -> Value {
    let field = |name: &str| answer.get(name).cloned().unwrap_or(Value::Null);
    if answer.get("error").is_some() {
        return json!({ "phase": field("phase") });
    }
    let mut value = field("value");
    if unordered {
        // Upstream walks maps in random order: what comes of it is a list in any order, and any cost.
        if let Some(items) = value.get_mut("list").and_then(Value::as_array_mut) {
            items.sort_by_key(ToString::to_string);
        }
        return json!({ "value": value, "type": field("type") });
    }
    json!({ "value": value, "type": field("type"), "cost": field("cost") })
}

/// Asks all rows of a collection that can be asked, and names those whose answer differs.
fn differing(name: &str, rows: usize, asked: usize) -> BTreeMap<String, String> {
    let rows: Vec<Value> = corpora::lines(name, rows).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rows: Vec<&Value> = rows.iter().filter(|row| row.get("query").is_some()).collect();
    let mut differing = BTreeMap::new();
    for row in &rows {
        let upstream = &row["kubernetes"];
        let ours = answered(&row["query"].to_string());
        let unordered = upstream.get("unstable").is_some();
        let (ours, theirs) = (essence(&ours, unordered), essence(upstream, unordered));
        if ours != theirs {
            let id = row["id"].as_str().unwrap().to_owned();
            differing.insert(id, format!("{}\n    ours     {ours}\n    upstream {theirs}", row["query"]));
        }
    }
    if !rows.is_empty() {
        assert_eq!(rows.len(), asked, "rows with a query in {name}");
        println!("{name}: {} of {asked} as upstream", asked - differing.len());
    }
    differing
}

fn assert_none(differing: BTreeMap<String, String>) {
    let listed: Vec<String> = differing.into_iter().map(|(id, text)| format!("{id}: {text}")).collect();
    assert!(listed.is_empty(), "{} differ from upstream:\n{}", listed.len(), listed.join("\n"));
}

#[test]
fn answers_the_conformance_tests_of_cel_as_kubernetes_does() {
    assert_none(differing("cel-spec.jsonl", 2456, 1745));
}

#[test]
fn answers_the_tests_of_kubernetes_libraries() {
    assert_none(differing("k8s-cel-lib.jsonl", 168, 168));
}

#[test]
fn counts_costs_as_kubernetes_does() {
    assert_none(differing("k8s-cel-cost.jsonl", 116, 116));
}

/// Every field of a line, every tag of a value, and what is wrong with them, in the answers of the API server's own code.
#[test]
fn answers_lines_as_the_oracle_does() {
    let lines: Vec<Value> =
        include_str!("tests/lines.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let Some(answers) = oracle::ask("cel-oracle", lines.clone()) else { return };
    let mut differing = BTreeMap::new();
    for (number, (line, answer)) in lines.iter().zip(&answers).enumerate() {
        let theirs = essence(&serde_json::from_str(answer).unwrap(), false);
        let ours = essence(&answered(&line.to_string()), false);
        if ours != theirs {
            differing
                .insert(format!("line {}", number + 1), format!("{line}\n    ours     {ours}\n    upstream {theirs}"));
        }
    }
    assert_none(differing);
}

#[test]
fn answers_hostile_lines() {
    let deep = format!("{{\"expr\":\"x\",\"vars\":{{\"x\":{}}}}}", "[".repeat(100_000));
    let wide = format!("{{\"expr\":{:?}}}", "(".repeat(60_000));
    let raw = format!("{{\"expr\":\"x\",\"values\":{{\"x\":{}1{}}}}}", "{\"list\":[".repeat(90), "]}".repeat(90));
    let fields =
        format!("{{\"expr\":\"x\",\"values\":{{\"x\":{}1{}}}}}", "{\"managedFields\":".repeat(9000), "}".repeat(9000));
    for (line, phase) in [
        (deep.as_str(), "input"),
        (&wide, "parse"),
        (&raw, "input"),
        (&fields, "input"),
        ("", "input"),
        ("{\"expr\":\"\"}", "parse"),
        ("{\"expr\":\"a\",\"types\":{\"a\":\"list(\"}}", "input"),
        ("{\"expr\":\"[0].map(x, [x, x].map(y, [y, y])).size()\",\"k8s_version\":\"none\"}", "input"),
    ] {
        let answer = answered(line);
        assert_eq!(answer["phase"], phase, "{answer}");
    }
}
