//! Requires labels, and values of them that match a pattern.
//!
//! # What it checks
//! The labels of the object itself, and those of what a controller makes of it: the template of a workload's pods, and
//! for a CronJob the template of its jobs too. A label that is null counts as absent.
//!
//! By default it judges pods, the workloads that make pods, Services and Namespaces; name other kinds in the policy's
//! `matchConstraints`. All that is checked together is closed under what controllers do: a Deployment that is let in
//! makes ReplicaSets and pods that are let in, because both get the labels of its template.
//!
//! # Why
//! Labels say who owns an object and what it costs; NetworkPolicies, dashboards and clean-up jobs select by them. An
//! object without them is found when something breaks.
//!
//! # Settings
//! - `labels`: the labels, each with its `key` and, where not every value will do, a `pattern`: a regular expression in RE2
//!   syntax that the whole value must match (`dev|prod` fits `dev` and not `devel`). At least one.
//! - `templates`: whether templates are judged; true by default. Set it to false if pods need no labels, and leave pods,
//!   ReplicaSets and Jobs out of `matchConstraints` then.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: owner-labels }
//! spec:
//!   module: required-labels
//!   settings:
//!     labels:
//!       - key: team
//!       - key: example.com/stage
//!         pattern: "dev|test|prod"
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::entries::{self, Entries, Requirement, Values};
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{CelTwin, NoTwin};
use crate::verdict::Report;

/// Which labels are required.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The labels that must be there.
    labels: Vec<RequiredLabel>,
    /// Whether the templates of workloads need them as well.
    templates: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { labels: vec![], templates: true }
    }
}

/// A label that must be there.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct RequiredLabel {
    /// Its key: `team`, `example.com/team`.
    key: String,
    /// A regular expression (RE2 syntax) that the whole value must match; every value will do without one.
    pattern: Option<String>,
}

/// See the page of `required-labels`.
#[derive(Debug)]
pub struct RequiredLabels(Entries);

impl Module for RequiredLabels {
    const ID: &'static str = "required-labels";
    const GROUP: Group = Group::Metadata;
    const APPLIES: Applies = Applies::To(entries::RESOURCES);
    const REPLACES: &'static [&'static str] = &["gatekeeper-library/requiredlabels", "kyverno/require-labels"];
    const PUBLIC: &'static [&'static str] = &["labels"];
    const DOC: &'static str = include_str!("required_labels.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if settings.labels.is_empty() {
            errors.push(SettingsError {
                pointer: "/labels".into(),
                message: "no label is required: expected at least one, such as {key: team}".into(),
            });
        }
        let mut requirements = vec![];
        for (position, RequiredLabel { key, pattern }) in settings.labels.into_iter().enumerate() {
            entries::check_label_key(position, &key, &mut errors);
            let values = Values::of_pattern(pattern, format!("/labels/{position}/pattern"), &mut errors);
            requirements.push(Requirement { key, is_required: true, values });
        }
        let entries = Entries { field: "labels", requirements, templates: settings.templates };
        if errors.is_empty() { Ok(Self(entries)) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        Ok(self.0.twin())
    }
}

impl Validate for RequiredLabels {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        self.0.judge(subject, report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(key: &str, pattern: &str) -> Vec<(String, String)> {
        let label = RequiredLabel { key: key.into(), pattern: Some(pattern.into()) };
        let errors = RequiredLabels::new(Settings { labels: vec![label], templates: true }).unwrap_err();
        errors.into_iter().map(|error| (error.pointer, error.message)).collect()
    }

    #[test]
    fn rejects_settings_that_no_label_can_meet() {
        assert_eq!(
            errors("a b", "("),
            [
                (
                    "/labels/0/key".to_owned(),
                    "\"a b\" can be no label's key: expected one such as \"team\" or \"example.com/team\"".to_owned()
                ),
                (
                    "/labels/0/pattern".to_owned(),
                    "\"(\" is no regular expression of RE2 syntax: missing closing ): `(`".to_owned()
                )
            ]
        );
        assert_eq!(
            errors("team", "a)|(b").pop().unwrap().1,
            "\"a)|(b\" is no regular expression of RE2 syntax: unexpected ): `a)|(b`"
        );
        assert_eq!(
            errors("team", "(a{500}){500}").pop().unwrap().1,
            "\"(a{500}){500}\" is no regular expression of RE2 syntax: invalid repeat count: `{500}`"
        );
        let none = RequiredLabels::new(Settings::default()).unwrap_err();
        assert_eq!(none.first().unwrap().message, "no label is required: expected at least one, such as {key: team}");
    }
}
