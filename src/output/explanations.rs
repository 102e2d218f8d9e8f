//! What servers say of why they decided as they did: the page `/explain` of each, for people.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::promotion::length;
use super::{Colour, Tone, printable};
use crate::cluster::at;

/// The page of a server.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Page {
    /// How many explanations it keeps.
    pub kept: usize,
    /// How many decisions it could not explain.
    pub missed: u64,
    /// Those that were asked for.
    pub explanations: Vec<Value>,
}

/// Those of all servers, the newest first.
pub fn together(pages: Vec<Page>, most: usize) -> Page {
    let mut sum = Page::default();
    for page in pages {
        sum.kept += page.kept;
        sum.missed += page.missed;
        sum.explanations.extend(page.explanations);
    }
    sum.explanations.sort_by_key(|explanation| std::cmp::Reverse(at(explanation, "/time").as_u64()));
    sum.explanations.truncate(most);
    sum
}

/// As one document: `{schemaVersion, kept, missed, explanations}`.
pub fn json(page: &Page) -> String {
    let Page { kept, missed, explanations } = page;
    let document = json!({"schemaVersion": 1, "kept": kept, "missed": missed, "explanations": explanations});
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// For people.
pub fn text(page: &Page, now: u64, colour: Colour) -> String {
    let mut text = String::new();
    for explanation in &page.explanations {
        one(explanation, now, colour, &mut text);
    }
    if page.explanations.is_empty() {
        let _ = writeln!(
            text,
            "nothing fits, of {} that are kept: every denial of late, and a sample of what is allowed",
            page.kept
        );
    }
    if page.missed > 0 {
        let _ = writeln!(text, "{} more decisions came too fast to be explained", page.missed);
    }
    text
}

fn word<'v>(value: &'v Value, pointer: &str) -> std::borrow::Cow<'v, str> {
    printable(at(value, pointer).as_str().unwrap_or_default())
}

fn one(explanation: &Value, now: u64, colour: Colour, text: &mut String) {
    let is_allowed = at(explanation, "/allowed") == true;
    let verdict = if is_allowed { colour.paint(Tone::Good, "allowed") } else { colour.paint(Tone::Bad, "denied") };
    let (namespace, name) = (word(explanation, "/namespace"), word(explanation, "/name"));
    let place = if namespace.is_empty() { name.into_owned() } else { format!("{namespace}/{name}") };
    let ago = length(now.saturating_sub(at(explanation, "/time").as_u64().unwrap_or_default()));
    let _ = writeln!(
        text,
        "{verdict} {} {} {place} by {}, {ago} ago at /{}, uid {}",
        word(explanation, "/operation"),
        word(explanation, "/resource"),
        word(explanation, "/user"),
        word(explanation, "/route"),
        word(explanation, "/uid"),
    );
    for line in at(explanation, "/message").as_str().unwrap_or_default().lines() {
        let _ = writeln!(text, "  {}", printable(line));
    }
    for step in at(explanation, "/trace").as_array().into_iter().flatten() {
        of_policy(step, colour, text);
    }
}

fn of_policy(step: &Value, colour: Colour, text: &mut String) {
    let fate = at(step, "/outcome").as_str().unwrap_or_default();
    let (tone, fate) = match fate {
        "found" => (Tone::Bad, "found something"),
        "failed" => (Tone::Bad, "failed"),
        "changed" => (Tone::Note, "changed the object"),
        "unchanged" => (Tone::Good, "changed nothing"),
        "passed" => (Tone::Good, "passed"),
        _ => (Tone::Caution, "did not match"),
    };
    let reason = word(step, "/reason");
    let shadow = if at(step, "/shadow") == true { " in shadow mode" } else { "" };
    let _ = writeln!(text, "  {}: {}{shadow}: {reason}", word(step, "/policy"), colour.paint(tone, fate));
    if let (Some(what), Some(wanted), Some(found)) = (
        at(step, "/compared/what").as_str(),
        at(step, "/compared/wanted").as_str(),
        at(step, "/compared/found").as_str(),
    ) {
        let (what, wanted, found) = (printable(what), printable(wanted), printable(found));
        let _ = writeln!(text, "    {what}: wanted {wanted}, found {found}");
    }
    for finding in at(step, "/findings").as_array().into_iter().flatten() {
        let path = word(finding, "/path");
        let front = if path.is_empty() { String::new() } else { format!("{path}: ") };
        let _ = writeln!(text, "    {front}{} ({})", word(finding, "/message"), word(finding, "/action"));
    }
    for error in at(step, "/errors").as_array().into_iter().flatten() {
        let _ = writeln!(text, "    error: {}", printable(error.as_str().unwrap_or_default()));
    }
    for change in at(step, "/changes").as_array().into_iter().flatten() {
        let value = change.get("value").map(|value| format!(" {}", printable(&value.to_string()))).unwrap_or_default();
        let _ = writeln!(text, "    {} {}{value}", word(change, "/op"), word(change, "/path"));
    }
    for evaluation in at(step, "/evaluations").as_array().into_iter().flatten() {
        expression(evaluation, colour, text);
    }
}

/// An expression and what it came to; where it is a condition that is not true, its parts too.
fn expression(evaluation: &Value, colour: Colour, text: &mut String) {
    let source = at(evaluation, "/expression").as_str().unwrap_or_default();
    let place = format!("{}[{}]", word(evaluation, "/list"), at(evaluation, "/index"));
    let came_to = |value: &Value| {
        let tone = if at(value, "/value") == "false" || value.get("error").is_some() { Tone::Bad } else { Tone::Good };
        let said = at(value, "/value").as_str().or_else(|| at(value, "/error").as_str()).unwrap_or("not evaluated");
        colour.paint(tone, &printable(said))
    };
    let _ = writeln!(text, "    {place}: {} = {}", printable(source), came_to(evaluation));
    if at(evaluation, "/value") == "true" {
        return;
    }
    for part in at(evaluation, "/parts").as_array().into_iter().flatten().skip(1) {
        let offset = |pointer| at(part, pointer).as_u64().and_then(|offset| usize::try_from(offset).ok());
        let (Some(start), Some(end)) = (offset("/start"), offset("/end")) else { continue };
        let depth = offset("/depth").unwrap_or_default().min(20);
        let words = source.get(start..end).unwrap_or_default();
        let _ = writeln!(text, "    {}{} = {}", "  ".repeat(depth), printable(words), came_to(part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explanation() -> Value {
        json!({
            "time": 100, "uid": "u-1", "route": "validate", "operation": "CREATE", "resource": "pods", "namespace": "shop",
            "name": "web\u{1b}", "user": "ann", "allowed": false, "message": "tags: spec: wrong",
            "trace": [
                {"policy": "other", "outcome": "notMatched", "reason": "the kind is another",
                 "compared": {"what": "kind", "wanted": "Job", "found": "Pod"}},
                {"policy": "tags", "outcome": "found", "reason": "1 finding",
                 "findings": [{"path": "spec", "message": "wrong", "action": "Deny"}],
                 "evaluations": [{"list": "validations", "index": 0, "expression": "a && b", "value": "false", "cost": 2,
                    "parts": [{"depth": 0, "id": 1, "start": 0, "end": 6, "value": "false"},
                              {"depth": 1, "id": 2, "start": 0, "end": 1, "value": "true"},
                              {"depth": 1, "id": 3, "start": 5, "end": 6, "value": "false"}]}]},
                {"policy": "labels", "outcome": "changed", "shadow": true, "reason": "1 operation",
                 "changes": [{"op": "add", "path": "/metadata/labels", "value": {"team": "web"}}]},
            ],
        })
    }

    #[test]
    fn says_what_became_of_each_policy_and_why() {
        let page = Page { kept: 7, missed: 2, explanations: vec![explanation()] };
        assert_eq!(
            text(&page, 220, Colour::Off),
            "\
denied CREATE pods shop/web\\u{1b} by ann, 2m ago at /validate, uid u-1
  tags: spec: wrong
  other: did not match: the kind is another
    kind: wanted Job, found Pod
  tags: found something: 1 finding
    spec: wrong (Deny)
    validations[0]: a && b = false
      a = true
      b = false
  labels: changed the object in shadow mode: 1 operation
    add /metadata/labels {\"team\":\"web\"}
2 more decisions came too fast to be explained
"
        );
        let nothing = text(&Page { kept: 7, ..Page::default() }, 0, Colour::Off);
        assert_eq!(
            nothing,
            "nothing fits, of 7 that are kept: every denial of late, and a sample of what is allowed\n"
        );
    }

    #[test]
    fn puts_the_newest_of_all_servers_first() {
        let page = |times: &[u64]| Page {
            kept: times.len(),
            missed: 0,
            explanations: times.iter().map(|time| json!({"time": time})).collect(),
        };
        let sum = together(vec![page(&[9, 3]), page(&[7, 1])], 3);
        let times: Vec<u64> = sum.explanations.iter().filter_map(|it| it["time"].as_u64()).collect();
        assert_eq!((times, sum.kept), (vec![9, 7, 3], 4));
    }
}
