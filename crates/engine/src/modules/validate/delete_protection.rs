//! Refuses the deletion of what is marked as protected.
//!
//! # What it checks
//! DELETE of an object that carries one of the labels or annotations named in the settings, or that stands in one of the
//! namespaces. A Namespace counts as standing in itself, so that a protected namespace cannot be deleted with all that it
//! holds. Deleting a whole collection asks for each object, and the protected ones stay.
//!
//! The mark is read from the stored object: whoever may change the object can take the mark off and delete it then. That
//! second step is the point: it protects against mistakes.
//!
//! These always pass: the namespace controller, because a Namespace that is being deleted could never be emptied, and the
//! garbage collector, because the owner is gone by then.
//!
//! # Why
//! A volume claim, a Namespace or a CustomResourceDefinition takes its data along. Permissions say who may delete a kind
//! of object; they cannot say that this one is precious.
//!
//! # Settings
//! - `annotations`, `labels`: marks, each `key` (with any value) or `key=value`. By default the annotation
//!   `admittance.dev/protected=true`.
//! - `namespaces`: patterns of namespaces in which nothing is deleted: `prod`, `prod-*`.
//! - `exemptUsers`: patterns of users who may delete all the same. By default those that Kubernetes' own parts act as
//!   (`system:serviceaccount:kube-system:*`, `system:node:*` and so on): they delete pods, ReplicaSets and EndpointSlices
//!   that are replaced. A list of your own replaces the default.
//! - `exemptGroups`: patterns of groups whose members may.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: keep-what-is-marked }
//! spec:
//!   module: delete-protection
//!   settings:
//!     annotations: ["admittance.dev/protected=true"]
//!     labels: ["example.com/precious"]
//!     exemptGroups: ["storage-admins"]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt::{self, Exempt};
use crate::json::{Node, Path};
use crate::kubernetes::names::{is_annotation_key, is_label_key};
use crate::matching::glob;
use crate::modules::patterns;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// What is protected, and from whom.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Annotations that protect: `key`, or `key=value`.
    annotations: Vec<String>,
    /// Labels that protect: `key`, or `key=value`.
    labels: Vec<String>,
    /// Patterns of namespaces in which everything is protected.
    namespaces: Vec<String>,
    /// Patterns of users who may delete what is protected.
    exempt_users: Vec<String>,
    /// Patterns of groups whose members may delete what is protected.
    exempt_groups: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            annotations: vec!["admittance.dev/protected=true".to_owned()],
            labels: vec![],
            namespaces: vec![],
            exempt_users: exempt::control_plane(),
            exempt_groups: vec![],
        }
    }
}

/// See the page of `delete-protection`.
#[derive(Debug)]
pub struct DeleteProtection {
    annotations: Vec<Mark>,
    labels: Vec<Mark>,
    namespaces: Vec<String>,
    exempt: Exempt,
}

/// `key`, or `key=value`.
#[derive(Debug)]
struct Mark {
    key: String,
    value: Option<String>,
}

impl Module for DeleteProtection {
    const ID: &'static str = "delete-protection";
    const GROUP: Group = Group::Access;
    const APPLIES: Applies =
        Applies::To(&[Resources { groups: &["*"], resources: &["*"], operations: &[Operation::Delete] }]);
    const REPLACES: &'static [&'static str] = &["kyverno/block-updates-deletes"];
    const PUBLIC: &'static [&'static str] = &["namespace"];
    const DOC: &'static str = include_str!("delete_protection.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        let annotations = marks("annotations", &settings.annotations, is_annotation_key, &mut errors);
        let labels = marks("labels", &settings.labels, is_label_key, &mut errors);
        errors.extend(patterns::of_namespaces("/namespaces", &settings.namespaces));
        let exempt = Exempt { users: settings.exempt_users, groups: settings.exempt_groups };
        if annotations.is_empty() && labels.is_empty() && settings.namespaces.is_empty() {
            errors.push(SettingsError {
                pointer: String::new(),
                message: "nothing is protected: name annotations, labels or namespaces".to_owned(),
            });
        }
        let module = Self { annotations, labels, namespaces: settings.namespaces, exempt };
        if errors.is_empty() { Ok(module) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let is_exempt = Exempt {
            users: exempt::CLEANERS.iter().map(ToString::to_string).chain(self.exempt.users.iter().cloned()).collect(),
            groups: self.exempt.groups.clone(),
        };
        let is_asked = format!("request.operation == 'DELETE' && !{}", is_exempt.in_cel());
        let mut parts = vec![];
        for (field, marks) in [("annotations", &self.annotations), ("labels", &self.labels)] {
            for Mark { key, value } in marks {
                let found = format!("#object.?metadata.?{field}[?{}]", twin::quoted(key));
                let is_there = match value {
                    None => format!("{found}.hasValue()"),
                    Some(value) => format!("{found} == optional.of({})", twin::quoted(value)),
                };
                parts.push(twin::one(&format!("{is_asked} && {is_there}"), &format!("metadata.{field}[{key}]")));
            }
        }
        if !self.namespaces.is_empty() {
            let namespace = format!("({} ? {} : {})", twin::IS_NAMESPACE, twin::OBJECT_NAME, twin::NAMESPACE);
            let is_wrong = format!("{is_asked} && [{namespace}].exists(n, {})", twin::fits("n", &self.namespaces));
            parts.push(twin::one(&is_wrong, "metadata.namespace"));
        }
        Ok(CelTwin::of(parts.join(" + "), "it protects the object from deletion; change it first").of_change())
    }
}

fn marks(field: &str, texts: &[String], is_key: fn(&str) -> bool, errors: &mut Vec<SettingsError>) -> Vec<Mark> {
    let read = |text: &String| match text.split_once('=') {
        None => Mark { key: text.clone(), value: None },
        Some((key, value)) => Mark { key: key.to_owned(), value: Some(value.to_owned()) },
    };
    let marks: Vec<Mark> = texts.iter().map(read).collect();
    errors.extend(marks.iter().enumerate().filter(|(_, mark)| !is_key(&mark.key)).map(|(position, mark)| {
        SettingsError {
            pointer: format!("/{field}/{position}"),
            message: format!("{:?} can be no key: expected \"key\" or \"key=value\"", mark.key),
        }
    }));
    marks
}

impl Mark {
    fn judge(&self, what: &str, field: &'static str, metadata: Node<'_>, report: &mut Report<'_>) {
        let Self { key, value } = self;
        let Some(found) = metadata.field(field).and_then(|entries| entries.field(key)) else { return };
        // The value is shown as the settings have it: it is equal, and values of annotations are not for messages.
        let message = match value {
            None => format!("the {what} protects the object from deletion; remove it first"),
            Some(value) if found.as_str() == Some(value) => {
                format!("the {what} protects the object from deletion while it is {value:?}; change it first")
            }
            Some(_) => return,
        };
        report.finding(&Path::root("metadata").key(field).key(key), found, message);
    }
}

impl Validate for DeleteProtection {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let review = subject.review;
        let is_exempt = exempt::CLEANERS.contains(&review.user.username) || self.exempt.covers(&review.user);
        if review.operation != Operation::Delete || is_exempt {
            return;
        }
        let metadata = subject.object.field("metadata").unwrap_or_default();
        self.annotations.iter().for_each(|mark| mark.judge("annotation", "annotations", metadata, report));
        self.labels.iter().for_each(|mark| mark.judge("label", "labels", metadata, report));
        let namespace = if review.is_of_namespace() { review.object_name() } else { review.namespace };
        if let Some(pattern) = self.namespaces.iter().find(|pattern| glob::fits(pattern, namespace)) {
            let namespace = Node::string(namespace);
            let shown = report.show("namespace", namespace);
            let message = format!("nothing is deleted in namespace {shown}, which is protected as {pattern:?}");
            report.finding(&Path::root("metadata").key("namespace"), namespace, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_protect_nothing() {
        let nothing = Settings { annotations: vec![], ..Settings::default() };
        let errors = DeleteProtection::new(nothing).unwrap_err();
        assert_eq!(errors.first().unwrap().message, "nothing is protected: name annotations, labels or namespaces");
        let misspelt = Settings { labels: vec!["keep".into(), "keep me=yes".into()], ..Settings::default() };
        let errors = DeleteProtection::new(misspelt).unwrap_err();
        let expected = SettingsError {
            pointer: "/labels/1".to_owned(),
            message: "\"keep me\" can be no key: expected \"key\" or \"key=value\"".to_owned(),
        };
        assert_eq!(errors, [expected]);
    }
}
