//! Requires annotations, and values of them that match a pattern.
//!
//! # What it checks
//! The annotations of the object itself, and those of what a controller makes of it: the template of a workload's pods, and
//! for a CronJob the template of its jobs too. An annotation that is null counts as absent; one that is empty is there.
//!
//! By default it judges pods, the workloads that make pods, Services and Namespaces; name other kinds in the policy's
//! `matchConstraints`. All that is checked together is closed under what controllers do: a Deployment that is let in
//! makes ReplicaSets and pods that are let in, because ReplicaSets get its annotations and pods those of its template.
//!
//! Values of annotations are never shown in messages.
//!
//! # Why
//! Annotations say what labels have no room for: who is called at night, where the source lies, which ticket asked for the
//! object. Whoever needs them has no time to look for them.
//!
//! # Settings
//! - `annotations`: the annotations, each with its `key` and, where not every value will do, a `pattern`: a regular
//!   expression in RE2 syntax that the whole value must match. At least one.
//! - `templates`: whether templates are judged; true by default. Set it to false if pods need no annotations, and leave
//!   pods and Jobs out of `matchConstraints` then.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: who-is-called }
//! spec:
//!   module: required-annotations
//!   settings:
//!     annotations:
//!       - key: example.com/on-call
//!       - key: example.com/source
//!         pattern: "https://git\\.example\\.com/.+"
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::entries::{self, Entries, Requirement, Values};
use crate::kubernetes::names::is_annotation_key;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{CelTwin, NoTwin};
use crate::verdict::Report;

/// Which annotations are required.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The annotations that must be there.
    annotations: Vec<RequiredAnnotation>,
    /// Whether the templates of workloads need them as well.
    templates: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { annotations: vec![], templates: true }
    }
}

/// An annotation that must be there.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct RequiredAnnotation {
    /// Its key: `owner`, `example.com/owner`.
    key: String,
    /// A regular expression (RE2 syntax) that the whole value must match; every value will do without one.
    pattern: Option<String>,
}

/// See the page of `required-annotations`.
#[derive(Debug)]
pub struct RequiredAnnotations(Entries);

impl Module for RequiredAnnotations {
    const ID: &'static str = "required-annotations";
    const GROUP: Group = Group::Metadata;
    const APPLIES: Applies = Applies::To(entries::RESOURCES);
    const REPLACES: &'static [&'static str] =
        &["gatekeeper-library/requiredannotations", "kyverno/require-annotations"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("required_annotations.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if settings.annotations.is_empty() {
            errors.push(SettingsError {
                pointer: "/annotations".into(),
                message: "no annotation is required: expected at least one, such as {key: example.com/owner}".into(),
            });
        }
        entries::check_repeats("annotations", settings.annotations.iter().map(|entry| &entry.key), &mut errors);
        let mut requirements = vec![];
        for (position, RequiredAnnotation { key, pattern }) in settings.annotations.into_iter().enumerate() {
            if !is_annotation_key(&key) {
                errors.push(SettingsError {
                    pointer: format!("/annotations/{position}/key"),
                    message: format!(
                        "{key:?} can be no annotation's key: expected one such as \"owner\" or \"example.com/owner\""
                    ),
                });
            }
            let values = Values::of_pattern(pattern, format!("/annotations/{position}/pattern"), &mut errors);
            requirements.push(Requirement { key, is_required: true, values });
        }
        let entries = Entries { field: "annotations", requirements, templates: settings.templates };
        if errors.is_empty() { Ok(Self(entries)) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        Ok(self.0.twin())
    }
}

impl Validate for RequiredAnnotations {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        self.0.judge(subject, report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_no_annotation_can_meet() {
        let entry = |key: &str, pattern: Option<&str>| RequiredAnnotation {
            key: key.into(),
            pattern: pattern.map(str::to_owned),
        };
        let annotations = vec![entry("owner", None), entry("a b", Some("(")), entry("owner", Some("x"))];
        let errors = RequiredAnnotations::new(Settings { annotations, templates: true }).unwrap_err();
        let errors: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.message.as_str())).collect();
        assert_eq!(
            errors,
            [
                ("/annotations/2/key", "\"owner\" stands at /annotations/0 already: say all of it there"),
                (
                    "/annotations/1/key",
                    "\"a b\" can be no annotation's key: expected one such as \"owner\" or \"example.com/owner\""
                ),
                ("/annotations/1/pattern", "\"(\" is no regular expression of RE2 syntax: missing closing ): `(`"),
            ]
        );
        let none = RequiredAnnotations::new(Settings::default()).unwrap_err();
        assert_eq!(
            none.first().unwrap().message,
            "no annotation is required: expected at least one, such as {key: example.com/owner}"
        );
    }
}
