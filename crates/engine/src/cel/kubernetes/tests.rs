use serde_json::Value;

use crate::deadline::Deadline;
use crate::expression::query::answer;

/// `answers.jsonl` holds expressions and, as `want`, what the API server's code says of them: value, static type and cost, or
/// how far an error lets them come.
#[test]
fn agrees_with_the_api_server() {
    let mut differing = vec![];
    let mut count = 0;
    for line in include_str!("answers.jsonl").lines() {
        let mut question: Value = serde_json::from_str(line).unwrap();
        let wanted = question.as_object_mut().unwrap().remove("want").unwrap();
        let ours = serde_json::to_value(answer(&question.to_string(), Deadline::never())).unwrap();
        let agrees = match wanted.get("phase") {
            Some(phase) => ours["phase"] == *phase,
            None => ["value", "type", "cost"].iter().all(|part| ours[part] == wanted[part]),
        };
        if !agrees {
            differing.push(format!("{question}\n    ours     {ours}\n    upstream {wanted}"));
        }
        count += 1;
    }
    assert!(differing.is_empty(), "{} of {count} differ:\n{}", differing.len(), differing.join("\n"));
    assert_eq!(count, 1_759);
}
