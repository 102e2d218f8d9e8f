//! Labels and annotations.

use serde_json::{Map, Value, json};

use super::{Acts, Template};

const PATTERN: &str = "with `key`, and `allowedRegex` as `pattern`. A pattern must match the whole value: where the \
                       expression has no `^…$`, write `.*` around it";

const MESSAGE: (&str, &str) = ("message", "the policy's `message`");

pub(super) const REQUIRED_LABELS: Template = Template {
    kind: "K8sRequiredLabels",
    library: "requiredlabels",
    modules: &["required-labels"],
    parameters: &[("labels", PATTERN), MESSAGE],
    note: "`templates: false`, for the template judges objects by themselves",
    acts: Acts::Writes,
    counts: false,
    differs: None,
    map: |parameters| Ok(required("required-labels", "labels", parameters)),
};

pub(super) const REQUIRED_ANNOTATIONS: Template = Template {
    kind: "K8sRequiredAnnotations",
    library: "requiredannotations",
    modules: &["required-annotations"],
    parameters: &[("annotations", PATTERN), MESSAGE],
    note: "`templates: false`",
    acts: Acts::Writes,
    counts: false,
    differs: None,
    map: |parameters| Ok(required("required-annotations", "annotations", parameters)),
};

fn required(module: &str, list: &str, parameters: &Value) -> Vec<Value> {
    let entries: Vec<Value> = parameters[list].as_array().into_iter().flatten().map(entry).collect();
    if entries.is_empty() {
        return vec![];
    }
    let settings = Map::from_iter([(list.to_owned(), entries.into()), ("templates".to_owned(), false.into())]);
    let mut spec = super::one(module, settings.into());
    if let Some(message) = parameters["message"].as_str() {
        spec["message"] = message.into();
    }
    vec![spec]
}

/// The value must hold a match; a pattern is of the whole value.
fn entry(given: &Value) -> Value {
    match given["allowedRegex"].as_str().filter(|pattern| !pattern.is_empty()) {
        Some(pattern) => json!({"key": given["key"], "pattern": format!("(?s:.*)(?:{pattern})(?s:.*)")}),
        None => json!({"key": given["key"]}),
    }
}
