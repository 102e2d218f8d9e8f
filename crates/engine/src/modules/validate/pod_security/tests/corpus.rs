//! The fixtures of k8s.io/pod-security-admission at every level and version.

use serde_json::Value;

use super::verdict;
use crate::corpora;

#[test]
fn agrees_with_every_fixture_of_upstream() {
    let lines = corpora::lines("psa.jsonl", 4_537);
    let mut wrong = vec![];
    for line in &lines {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| row[field].as_str().unwrap_or_default();
        let message = verdict(text("level"), &format!("v1.{}", row["minor"]), &row["pod"]);
        let is_right = match &message {
            None => row["allowed"] == true,
            Some(message) => row["allowed"] == false && message.contains(text("expect_substring")),
        };
        if !is_right {
            wrong.push(format!("{}: {message:?}", text("id")));
        }
    }
    println!("psa.jsonl: {} of {}", lines.len() - wrong.len(), lines.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
