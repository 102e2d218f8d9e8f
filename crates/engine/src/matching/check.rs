//! From what a document says to checked values: refuses what the API server's validation refuses
//! (k8s.io/kubernetes 1.36, pkg/apis/admissionregistration/validation), all of it at once.

use std::collections::BTreeSet;

use super::raw::{RawLabelSelector, RawRequirement, RawResourceRule};
use super::rules::{Names, Operations, ResourcePattern, ResourceRule, Scope};
use super::selectors::{LabelSelector, Requirement, Test};
use crate::kubernetes::names::{is_label_key, is_label_value};
use crate::review::Operation;

/// Something in a document that cannot be worked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// JSON pointer (RFC 6901) below the value that was checked: `/resourceRules/0/operations/1`. What is missing is named
    /// too.
    pub pointer: String,
    /// What is wrong, and what is accepted.
    pub message: String,
}

/// Problems as they are found.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { pointer: pointer.into(), message: message.into() });
    }

    pub(super) fn none_or<T>(self, checked: T) -> Result<T, Vec<Problem>> {
        if self.0.is_empty() { Ok(checked) } else { Err(self.0) }
    }
}

pub(super) fn rules(raw: &[RawResourceRule], pointer: &str, problems: &mut Problems) -> Vec<ResourceRule> {
    raw.iter().enumerate().map(|(position, raw)| rule(raw, &format!("{pointer}/{position}"), problems)).collect()
}

fn rule(raw: &RawResourceRule, pointer: &str, problems: &mut Problems) -> ResourceRule {
    ResourceRule {
        names: resource_names(raw.resource_names.as_deref().unwrap_or_default(), pointer, problems),
        operations: operations(raw.operations.as_deref().unwrap_or_default(), pointer, problems),
        groups: names(raw.api_groups.as_deref().unwrap_or_default(), pointer, "apiGroups", problems),
        versions: versions(raw.api_versions.as_deref().unwrap_or_default(), pointer, problems),
        resources: resources(raw.resources.as_deref().unwrap_or_default(), pointer, problems),
        scope: match raw.scope.as_deref() {
            None | Some("*") => Scope::Any,
            Some("Cluster") => Scope::Cluster,
            Some("Namespaced") => Scope::Namespaced,
            Some(other) => {
                let message = format!("unknown scope {other:?}: expected Cluster, Namespaced or \"*\"");
                problems.add(format!("{pointer}/scope"), message);
                Scope::Any
            }
        },
    }
}

/// What a path segment of a URL may be; duplicates are refused as the API server refuses them.
fn resource_names(raw: &[String], pointer: &str, problems: &mut Problems) -> Vec<String> {
    let mut seen = BTreeSet::new();
    for (position, name) in raw.iter().enumerate() {
        let place = || format!("{pointer}/resourceNames/{position}");
        if matches!(name.as_str(), "." | "..") || name.contains(['/', '%']) {
            let message = format!("{name:?} is no name of an object: expected neither `.` nor `..`, no `/` and no `%`");
            problems.add(place(), message);
        }
        if !seen.insert(name) {
            problems.add(place(), format!("{name:?} stands here twice"));
        }
    }
    raw.to_vec()
}

fn operations(raw: &[String], pointer: &str, problems: &mut Problems) -> Operations {
    alone(raw, pointer, "operations", problems);
    let mut operations = vec![];
    for (position, name) in raw.iter().enumerate() {
        match Operation::parse(name) {
            Some(operation) => operations.push(operation),
            None if name == "*" => {}
            None => problems.add(
                format!("{pointer}/operations/{position}"),
                format!("unknown operation {name:?}: expected CREATE, UPDATE, DELETE, CONNECT or \"*\""),
            ),
        }
    }
    if raw.iter().any(|name| name == "*") { Operations::ALL } else { operations.into_iter().collect() }
}

fn versions(raw: &[String], pointer: &str, problems: &mut Problems) -> Names {
    for (position, version) in raw.iter().enumerate() {
        if version.is_empty() {
            problems.add(format!("{pointer}/apiVersions/{position}"), "expected a version: `v1`, or \"*\" for all");
        }
    }
    names(raw, pointer, "apiVersions", problems)
}

fn names(raw: &[String], pointer: &str, field: &str, problems: &mut Problems) -> Names {
    alone(raw, pointer, field, problems);
    if raw.iter().any(|name| name == "*") { Names::Any } else { Names::Only(raw.to_vec()) }
}

/// There must be something, and `*` stands for everything: nothing may stand beside it.
fn alone(raw: &[String], pointer: &str, field: &str, problems: &mut Problems) {
    if raw.is_empty() {
        problems.add(format!("{pointer}/{field}"), "expected at least one item, or \"*\" for all");
    }
    if raw.len() > 1 && raw.iter().any(|name| name == "*") {
        problems.add(format!("{pointer}/{field}"), "\"*\" stands for all: expected nothing beside it");
    }
}

/// The API server is stricter in one order of items than in another; where it takes a document, so do we.
fn resources(raw: &[String], pointer: &str, problems: &mut Problems) -> Vec<ResourcePattern> {
    let list = format!("{pointer}/resources");
    if raw.is_empty() {
        problems.add(&list, "expected at least one resource, or \"*\" for all");
    }
    let mut any_subresource_of = BTreeSet::new();
    let mut any_resource_with = BTreeSet::new();
    let mut last_without_subresource = None;
    for (position, text) in raw.iter().enumerate() {
        let place = || format!("{list}/{position}");
        if text.is_empty() {
            problems.add(place(), "expected a resource: `pods`, `pods/log`, or \"*\" for all");
            continue;
        }
        let Some((resource, subresource)) = text.split_once('/') else {
            last_without_subresource = Some(text.as_str());
            continue;
        };
        if any_subresource_of.contains(resource) {
            problems.add(place(), format!("\"{resource}/*\" stands for {text:?} already: expected one of the two"));
        }
        if any_resource_with.contains(subresource) {
            problems.add(place(), format!("\"*/{subresource}\" stands for {text:?} already: expected one of the two"));
        }
        if subresource == "*" {
            any_subresource_of.insert(resource);
        }
        if resource == "*" {
            any_resource_with.insert(subresource);
        }
    }
    if raw.len() > 1 && raw.iter().any(|text| text == "*/*") {
        problems.add(&list, "\"*/*\" stands for all resources and subresources: expected nothing beside it");
    }
    if raw.iter().any(|text| text == "*") && last_without_subresource.is_some_and(|text| text != "*") {
        problems.add(&list, "\"*\" stands for all resources: expected only subresources beside it");
    }
    raw.iter().map(|text| ResourcePattern::new(text)).collect()
}

pub(super) fn selector(raw: &RawLabelSelector, pointer: &str, problems: &mut Problems) -> LabelSelector {
    let mut requirements = vec![];
    for (key, value) in raw.match_labels.iter().flatten() {
        let place = format!("{pointer}/matchLabels/{}", key.replace('~', "~0").replace('/', "~1"));
        label_key(key, &place, problems);
        label_value(value, &place, problems);
        requirements.push(Requirement { key: key.clone(), test: Test::In(vec![value.clone()]) });
    }
    for (position, raw) in raw.match_expressions.iter().flatten().enumerate() {
        requirements.extend(requirement(raw, &format!("{pointer}/matchExpressions/{position}"), problems));
    }
    LabelSelector::new(requirements)
}

fn requirement(raw: &RawRequirement, pointer: &str, problems: &mut Problems) -> Option<Requirement> {
    let key = raw.key.clone().unwrap_or_default();
    label_key(&key, &format!("{pointer}/key"), problems);
    let values = raw.values.clone().unwrap_or_default();
    for (position, value) in values.iter().enumerate() {
        label_value(value, &format!("{pointer}/values/{position}"), problems);
    }
    let operator = raw.operator.as_deref().unwrap_or_default();
    let has_values = !values.is_empty();
    let (test, takes_values) = match operator {
        "In" => (Test::In(values), true),
        "NotIn" => (Test::NotIn(values), true),
        "Exists" => (Test::Exists, false),
        "DoesNotExist" => (Test::DoesNotExist, false),
        other => {
            let message = format!("unknown operator {other:?}: expected In, NotIn, Exists or DoesNotExist");
            problems.add(format!("{pointer}/operator"), message);
            return None;
        }
    };
    match (takes_values, has_values) {
        (true, false) => problems.add(format!("{pointer}/values"), format!("{operator} needs at least one value")),
        (false, true) => problems.add(format!("{pointer}/values"), format!("{operator} takes no values")),
        _ => {}
    }
    Some(Requirement { key, test })
}

fn label_key(key: &str, place: &str, problems: &mut Problems) {
    if !is_label_key(key) {
        problems.add(
            place,
            format!(
                "{key:?} is no label key: expected at most 63 letters, digits, `-`, `_`, `.`, with a letter or digit at both \
                 ends, and before it perhaps a DNS name and `/`"
            ),
        );
    }
}

fn label_value(value: &str, place: &str, problems: &mut Problems) {
    if !is_label_value(value) {
        problems.add(
            place,
            format!(
                "{value:?} is no label value: expected at most 63 letters, digits, `-`, `_`, `.`, with a letter or digit at \
                 both ends, or nothing"
            ),
        );
    }
}
