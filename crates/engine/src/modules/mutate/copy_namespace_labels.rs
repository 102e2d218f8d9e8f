//! Copies labels of the namespace onto objects.
//!
//! # What it does
//! Sets each label of the namespace whose key fits one of the patterns on the object, if the object does not have it; one
//! that is null counts as absent. A label that the object has keeps its value unless `overwrite` is set. Values that are
//! no strings are not copied.
//!
//! By default it acts on pods when they are created, and never on their updates, nor on mirror pods. Other kinds, and
//! their updates, are named in the policy's `matchConstraints`; objects outside of namespaces, and Namespaces themselves, are
//! never changed. What changes about the namespace later reaches new objects only.
//!
//! It needs the namespace: where it cannot be known, that is an evaluation error, and the policy's `failurePolicy` decides.
//!
//! # Why
//! A team, a cost centre or a stage is said once, of the namespace. Bills, dashboards and NetworkPolicies look at the
//! labels of pods.
//!
//! # Settings
//! - `labels`: keys of the labels, or patterns of keys with `*` for any text and `?` for one character: `team`,
//!   `example.com/*`. At least one.
//! - `overwrite`: whether a label with another value is set as well; false by default. With it nobody can give a pod
//!   the labels of another team.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: teams-of-pods }
//! spec:
//!   module: copy-namespace-labels
//!   settings:
//!     labels: [team, example.com/cost-centre]
//!     overwrite: true
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::open;
use crate::json::{Node, edit};
use crate::kubernetes::names::is_label_key;
use crate::matching::glob;
use crate::review::{Answer, Lookup, Operation, Subject};
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, Resources, SettingsError};
use crate::verdict::{PolicyError, Report};

/// Which labels are copied.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Keys of the labels, or patterns of keys.
    labels: Vec<String>,
    /// Whether labels that have another value are set as well.
    overwrite: bool,
}

/// See the page of `copy-namespace-labels`.
#[derive(Debug)]
pub struct CopyNamespaceLabels(Settings);

impl Module for CopyNamespaceLabels {
    const ID: &'static str = "copy-namespace-labels";
    const GROUP: Group = Group::Metadata;
    const APPLIES: Applies =
        Applies::To(&[Resources { groups: &[""], resources: &["pods"], operations: &[Operation::Create] }]);
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("copy_namespace_labels.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if settings.labels.is_empty() {
            errors.push(SettingsError {
                pointer: "/labels".to_owned(),
                message: "there is nothing to copy: name at least one key or pattern".to_owned(),
            });
        }
        for (position, pattern) in settings.labels.iter().enumerate() {
            let message = if !is_label_key(&pattern.replace(['*', '?'], "x")) {
                format!(
                    "{pattern:?} fits no label's key: expected one such as \"team\" or \"example.com/team\", with `*` for any text \
                     and `?` for one character"
                )
            } else if glob::fits(pattern, NAME) {
                format!("{pattern:?} fits {NAME:?}, which means the namespace alone: expected a narrower pattern")
            } else {
                continue;
            };
            errors.push(SettingsError { pointer: format!("/labels/{position}"), message });
        }
        if errors.is_empty() { Ok(Self(settings)) } else { Err(errors) }
    }

    fn lookups(&self) -> Vec<Lookup<'static>> {
        vec![Lookup::Namespace("".into())]
    }

    fn writes(&self) -> Vec<PathPattern> {
        self.0.labels.iter().map(|pattern| PathPattern(format!("metadata.labels[{pattern}]"))).collect()
    }
}

/// The API server sets it on every Namespace.
const NAME: &str = "kubernetes.io/metadata.name";

impl Mutate for CopyNamespaceLabels {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, report: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let (review, arena) = (subject.review, subject.arena());
        if !open::is_open(&subject) || review.namespace.is_empty() || review.is_of_namespace() {
            return Ok(subject.object);
        }
        let lookup = Lookup::Namespace(review.namespace.into());
        let reason = match report.answer(&lookup, arena) {
            Answer::Found(namespace) => return self.copy(namespace, &subject),
            Answer::Unknown => {
                report.need(lookup.into_owned());
                return Ok(subject.object);
            }
            Answer::Missing => "it does not exist",
            Answer::Unavailable(reason) => reason,
        };
        Err(PolicyError::Unanswered { lookup: lookup.into_owned(), reason })
    }

    fn asks(&self) -> Option<&'static str> {
        Some("reads the labels of namespaces")
    }
}

impl CopyNamespaceLabels {
    fn copy<'a>(&self, namespace: Node<'a>, subject: &Subject<'_, 'a>) -> Result<Node<'a>, PolicyError> {
        let labels = namespace.at(&["metadata", "labels"]).unwrap_or_default();
        let present = subject.object.at(&["metadata", "labels"]).unwrap_or_default();
        let is_copied = |key: &str, value: &str| {
            let is_other = |found: Node<'_>| open::is_replaceable(found) && found.as_str() != Some(value);
            self.0.labels.iter().any(|pattern| glob::fits(pattern, key))
                && present.field(key).is_none_or(|found| self.0.overwrite && is_other(found))
        };
        let arena = subject.arena();
        let copied = labels.entries().iter().filter_map(|(key, value)| Some((*key, value.as_str()?)));
        let root =
            copied.filter(|(key, value)| is_copied(key, value)).try_fold(subject.object, |root, (key, value)| {
                edit::set(arena, root, &["metadata", "labels", key], Node::string(value))
            })?;
        Ok(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_patterns_that_fit_nothing_or_too_much() {
        let labels = ["team", "example.com/*", "a b", "*"].map(str::to_owned).to_vec();
        let errors = CopyNamespaceLabels::new(Settings { labels, overwrite: false }).unwrap_err();
        let errors: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.message.as_str())).collect();
        assert_eq!(
            errors,
            [
                (
                    "/labels/2",
                    "\"a b\" fits no label's key: expected one such as \"team\" or \"example.com/team\", with `*` for any text \
                     and `?` for one character"
                ),
                (
                    "/labels/3",
                    "\"*\" fits \"kubernetes.io/metadata.name\", which means the namespace alone: expected a narrower pattern"
                ),
            ]
        );
        let none = CopyNamespaceLabels::new(Settings::default()).unwrap_err();
        assert_eq!(none.first().unwrap().message, "there is nothing to copy: name at least one key or pattern");
    }
}
