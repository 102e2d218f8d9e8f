//! Keeps labels of objects as they were when the object was made.
//!
//! # What it checks
//! UPDATE: the labels named in the settings must be the same in the stored object and in the new one. Changing one,
//! removing it, and adding it where it was not are refused alike. A label that is null counts as absent.
//!
//! By default it judges pods, the workloads that make pods, Services and Namespaces, and of pods and Namespaces the status
//! too, because labels can be changed through it; name other kinds in the policy's `matchConstraints`. Labels of templates
//! are not judged: `immutable-fields` can hold them.
//!
//! # Why
//! Labels steer: a NetworkPolicy, a Pod Security level, a bill and a policy's own selector go by them. Whoever may relabel
//! an object may walk out of all of these.
//!
//! # Settings
//! - `labels`: keys of the labels, or patterns of keys with `*` for any text and `?` for one character: `team`,
//!   `pod-security.kubernetes.io/*`. At least one.
//! - `allowSet`: whether a label that was absent may be added once; false by default.
//! - `exemptUsers`: patterns of users who may change them. By default those that Kubernetes' own parts act as
//!   (`system:serviceaccount:kube-system:*`, `system:node:*` and so on). A list of your own replaces the default.
//! - `exemptGroups`: patterns of groups whose members may.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: levels-stay }
//! spec:
//!   module: immutable-labels
//!   settings:
//!     labels: ["pod-security.kubernetes.io/*"]
//!     exemptGroups: [platform-admins]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::entries;
use super::exempt::{self, Exempt};
use crate::json::{Node, Path};
use crate::kubernetes::names::is_label_key;
use crate::matching::glob;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which labels stay, and who may change them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Keys of the labels that stay, or patterns of keys.
    labels: Vec<String>,
    /// Whether a label that was absent may be added.
    allow_set: bool,
    /// Patterns of users who may change them.
    exempt_users: Vec<String>,
    /// Patterns of groups whose members may change them.
    exempt_groups: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { labels: vec![], allow_set: false, exempt_users: exempt::control_plane(), exempt_groups: vec![] }
    }
}

/// See the page of `immutable-labels`.
#[derive(Debug)]
pub struct ImmutableLabels {
    labels: Vec<String>,
    allow_set: bool,
    exempt: Exempt,
}

const RESOURCES: [Resources; 3] = entries::resources(&[Operation::Update]);

impl Module for ImmutableLabels {
    const ID: &'static str = "immutable-labels";
    const GROUP: Group = Group::Metadata;
    const APPLIES: Applies = Applies::To(&RESOURCES);
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("immutable_labels.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if settings.labels.is_empty() {
            errors.push(SettingsError {
                pointer: "/labels".into(),
                message: "no label is named: expected at least one key or pattern, such as \"team\"".into(),
            });
        }
        for (position, label) in settings.labels.iter().enumerate() {
            if !is_pattern(label) {
                errors.push(SettingsError {
                    pointer: format!("/labels/{position}"),
                    message: format!(
                        "{label:?} fits no label's key: expected one such as \"team\" or \"example.com/team\", with `*` for any \
                         text and `?` for one character"
                    ),
                });
            }
        }
        let exempt = Exempt { users: settings.exempt_users, groups: settings.exempt_groups };
        let module = Self { labels: settings.labels, allow_set: settings.allow_set, exempt };
        if errors.is_empty() { Ok(module) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let (old, new) = ("oldObject.?metadata.?labels.orValue({})", "object.?metadata.?labels.orValue({})");
        let (fits, exempt) = (twin::fits("k", &self.labels), self.exempt.in_cel());
        let added = if self.allow_set {
            String::new()
        } else {
            format!(" + {new}.filter(k, {fits} && !(k in {old})).map(k, 'metadata.labels[' + k + ']')")
        };
        let changed = format!(
            "{old}.filter(k, {fits} && !(k in {new} && {new}[k] == {old}[k])).map(k, 'metadata.labels[' + k + ']')"
        );
        let findings =
            format!("(request.operation != 'UPDATE' || oldObject == null || {exempt} ? [] : {changed}{added})");
        let message = "the labels cannot be added, changed or removed after the object was created";
        Ok(CelTwin::of(findings, message).of_change())
    }
}

/// Whether some key of a label may fit: with a letter for each wildcard it is one.
fn is_pattern(label: &str) -> bool {
    is_label_key(&label.replace(['*', '?'], "x"))
}

fn labels(object: Node<'_>) -> Node<'_> {
    object.at(&["metadata", "labels"]).unwrap_or_default()
}

impl ImmutableLabels {
    fn judge(&self, key: &str, old: Option<Node<'_>>, new: Option<Node<'_>>, report: &mut Report<'_>) {
        if !self.labels.iter().any(|pattern| glob::fits(pattern, key)) {
            return;
        }
        let message = match (old, new) {
            (Some(old), Some(new)) if old == new => return,
            (None, None) => return,
            (None, Some(_)) if self.allow_set => return,
            (None, Some(_)) => "the label cannot be added after the object was created",
            (Some(_), None) => "the label cannot be removed after the object was created",
            (Some(_), Some(_)) => "the label cannot change after the object was created",
        };
        report.finding(&Path::root("metadata").key("labels").key(key), new.unwrap_or_default(), message);
    }
}

impl Validate for ImmutableLabels {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let review = subject.review;
        let Some(old) = subject.old_object.filter(|_| review.operation == Operation::Update) else { return };
        let (old, new) = (labels(old), labels(subject.object));
        if self.exempt.covers(&review.user) {
            return;
        }
        for (key, value) in old.entries() {
            self.judge(key, Some(*value).filter(|value| !value.is_null()), new.field(key), report);
        }
        for (key, value) in new.entries().iter().filter(|(key, _)| old.get(key).is_none()) {
            self.judge(key, None, Some(*value).filter(|value| !value.is_null()), report);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_patterns_that_fit_no_key() {
        let labels = ["team", "*", "*/team", "example.com/*", "a b", "", "/x"].map(str::to_owned).to_vec();
        let errors = ImmutableLabels::new(Settings { labels, ..Settings::default() }).unwrap_err();
        let places: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(places, ["/labels/4", "/labels/5", "/labels/6"]);
        assert_eq!(
            errors.first().unwrap().message,
            "\"a b\" fits no label's key: expected one such as \"team\" or \"example.com/team\", with `*` for any text and `?` \
             for one character"
        );
        let none = ImmutableLabels::new(Settings::default()).unwrap_err();
        assert_eq!(
            none.first().unwrap().message,
            "no label is named: expected at least one key or pattern, such as \"team\""
        );
    }
}
