//! `-o sarif`: findings in OASIS SARIF 2.1.0, for code scanning.
//!
//! A rule is a policy, a result a finding or an evaluation error; what keeps a file from being judged is a notification of the
//! run. Columns count characters.

use admittance_engine::modules;
use serde::Serialize;
use serde_json::{Value, json};

use super::remark::{Level, Remark, Remarked, Rule};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Results on their way into one document.
#[derive(Debug, Default)]
pub struct Log {
    rules: Vec<Rule>,
    results: Vec<Value>,
    notifications: Vec<Value>,
}

#[derive(Serialize)]
struct Document<'l> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'l>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'l> {
    tool: Value,
    invocations: [Value; 1],
    column_kind: &'static str,
    results: &'l [Value],
}

impl Log {
    /// All that was said about an object.
    pub fn object(&mut self, object: &Remarked) {
        for (rule, remark) in &object.remarks {
            let index = self.rules.iter().position(|known| known == rule).unwrap_or_else(|| {
                self.rules.push(rule.clone());
                self.rules.len() - 1
            });
            let mut result = json!({
                "ruleId": rule.policy,
                "ruleIndex": index,
                "level": level(remark.level),
                "message": { "text": remark.message },
            });
            set_locations(&mut result, remark, Some(&object.name));
            self.results.push(result);
        }
    }

    /// What keeps a file, or a part of it, from being judged.
    pub fn problem(&mut self, problem: &Remark) {
        let mut notification = json!({ "level": level(problem.level), "message": { "text": problem.message } });
        set_locations(&mut notification, problem, None);
        self.notifications.push(notification);
    }

    /// The document.
    pub fn document(&self) -> String {
        let rules: Vec<Value> = self.rules.iter().map(describe).collect();
        let driver = json!({
            "name": "admittance",
            "version": env!("CARGO_PKG_VERSION"),
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": rules,
        });
        let mut invocation = json!({ "executionSuccessful": self.notifications.is_empty() });
        if let Some(invocation) = invocation.as_object_mut().filter(|_| !self.notifications.is_empty()) {
            invocation.insert("toolExecutionNotifications".to_owned(), Value::Array(self.notifications.clone()));
        }
        let run = Run {
            tool: json!({ "driver": driver }),
            invocations: [invocation],
            column_kind: "unicodeCodePoints",
            results: &self.results,
        };
        let document = Document { schema: SCHEMA, version: "2.1.0", runs: [run] };
        serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
    }
}

fn describe(rule: &Rule) -> Value {
    let module = rule.module.and_then(modules::find);
    let about = match module {
        Some(module) => module.summary().to_owned(),
        None => format!("The policy {} of {}.", rule.policy, rule.unit),
    };
    let mut properties = json!({ "unit": rule.unit, "line": rule.line });
    if let (Some(properties), Some(module)) = (properties.as_object_mut(), rule.module) {
        properties.insert("module".to_owned(), module.into());
    }
    json!({ "id": rule.policy, "shortDescription": { "text": about }, "properties": properties })
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "note",
    }
}

fn set_locations(result: &mut Value, remark: &Remark, object: Option<&str>) {
    let Some(file) = &remark.file else { return };
    let mut physical = json!({ "artifactLocation": { "uri": uri(file) } });
    if let (Some(region), Some(physical)) = (&remark.region, physical.as_object_mut()) {
        let end = (region.line, region.end_column);
        let region =
            json!({ "startLine": region.line, "startColumn": region.column, "endLine": end.0, "endColumn": end.1 });
        physical.insert("region".to_owned(), region);
    }
    let mut location = json!({ "physicalLocation": physical });
    if let (Some(object), Some(location)) = (object, location.as_object_mut()) {
        location.insert("logicalLocations".to_owned(), json!([{ "fullyQualifiedName": object, "kind": "object" }]));
    }
    if let Some(result) = result.as_object_mut() {
        result.insert("locations".to_owned(), json!([location]));
    }
}

/// A path as a relative (or, from the root, absolute) URI reference of RFC 3986.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for (position, byte) in path.bytes().enumerate() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => uri.push(byte.into()),
            byte => uri.extend(format!("%{byte:02X}").chars()),
        }
        if position == 0 && byte == b'/' && path.as_bytes().get(1) == Some(&b'/') {
            // Two slashes would begin a host.
            uri.clear();
        }
    }
    if path.starts_with('/') { format!("file://{uri}") } else { uri }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_paths_as_uris() {
        assert_eq!(uri("deploy/my pod:1%.yaml"), "deploy/my%20pod%3A1%25.yaml");
        assert_eq!(uri("/tmp/ü.yaml"), "file:///tmp/%C3%BC.yaml");
        assert_eq!(uri("//tmp/a.yaml"), "file:///tmp/a.yaml");
    }
}
