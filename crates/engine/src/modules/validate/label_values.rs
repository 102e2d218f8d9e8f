//! Allows labels certain values only.
//!
//! # What it checks
//! The labels of the object itself, and those of what a controller makes of it: the template of a workload's pods, and
//! for a CronJob the template of its jobs too. A label that is absent or null passes; `required-labels` demands labels.
//! The empty value is a value like any other.
//!
//! By default it judges pods, the workloads that make pods, Services and Namespaces; name other kinds in the policy's
//! `matchConstraints`.
//!
//! # Why
//! `prod`, `production` and `Prod` are three environments to a selector, a dashboard and a bill.
//!
//! # Settings
//! - `labels`: the labels, at least one, each with its `key` and either `values`, the list of what is allowed, or a
//!   `pattern`: a regular expression in RE2 syntax that the whole value must match (`dev|prod` fits `dev` and not `devel`).
//! - `templates`: whether templates are judged; true by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: known-stages }
//! spec:
//!   module: label-values
//!   settings:
//!     labels:
//!       - key: example.com/stage
//!         values: [dev, test, prod]
//!       - key: example.com/cost-centre
//!         pattern: "[0-9]{4}"
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::entries::{self, Entries, Requirement, Values};
use crate::kubernetes::names::is_label_value;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{CelTwin, NoTwin};
use crate::verdict::Report;

/// Which values labels may have.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The labels whose values are judged.
    labels: Vec<LabelValue>,
    /// Whether the labels of workloads' templates are judged as well.
    templates: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { labels: vec![], templates: true }
    }
}

/// A label and its values.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct LabelValue {
    /// Its key: `stage`, `example.com/stage`.
    key: String,
    /// All values that it may have.
    values: Option<Vec<String>>,
    /// A regular expression (RE2 syntax) that the whole value must match.
    pattern: Option<String>,
}

/// See the page of `label-values`.
#[derive(Debug)]
pub struct LabelValues(Entries);

impl Module for LabelValues {
    const ID: &'static str = "label-values";
    const GROUP: Group = Group::Metadata;
    const APPLIES: Applies = Applies::To(entries::RESOURCES);
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &["labels"];
    const DOC: &'static str = include_str!("label_values.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if settings.labels.is_empty() {
            errors.push(SettingsError {
                pointer: "/labels".into(),
                message: "no label is judged: expected at least one, such as {key: stage, values: [dev, prod]}".into(),
            });
        }
        entries::check_repeats("labels", settings.labels.iter().map(|label| &label.key), &mut errors);
        let mut requirements = vec![];
        for (position, LabelValue { key, values, pattern }) in settings.labels.into_iter().enumerate() {
            entries::check_label_key(position, &key, &mut errors);
            let values = match (values, pattern) {
                (Some(values), None) => {
                    check_values(position, &values, &mut errors);
                    Values::OneOf(values)
                }
                (None, Some(pattern)) => {
                    Values::of_pattern(Some(pattern), format!("/labels/{position}/pattern"), &mut errors)
                }
                (values, _) => {
                    let given = if values.is_some() { "both are there" } else { "neither is there" };
                    errors.push(SettingsError {
                        pointer: format!("/labels/{position}"),
                        message: format!("expected either values or a pattern; {given}"),
                    });
                    Values::Any
                }
            };
            requirements.push(Requirement { key, is_required: false, values });
        }
        let entries = Entries { field: "labels", requirements, templates: settings.templates };
        if errors.is_empty() { Ok(Self(entries)) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        Ok(self.0.twin())
    }
}

fn check_values(label: usize, values: &[String], errors: &mut Vec<SettingsError>) {
    if values.is_empty() {
        errors.push(SettingsError {
            pointer: format!("/labels/{label}/values"),
            message: "no value is allowed: expected at least one".into(),
        });
    }
    for (position, value) in values.iter().enumerate().filter(|(_, value)| !is_label_value(value)) {
        errors.push(SettingsError {
            pointer: format!("/labels/{label}/values/{position}"),
            message: format!(
                "{value:?} can be no label's value: expected at most 63 letters, digits, `-`, `_` and `.`, the first and the \
                 last a letter or digit"
            ),
        });
    }
}

impl Validate for LabelValues {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        self.0.judge(subject, report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(label: LabelValue) -> Vec<(String, String)> {
        let errors = LabelValues::new(Settings { labels: vec![label], templates: true }).unwrap_err();
        errors.into_iter().map(|error| (error.pointer, error.message)).collect()
    }

    #[test]
    fn rejects_settings_that_allow_nothing_or_everything() {
        let label = |values: Option<&[&str]>, pattern: Option<&str>| LabelValue {
            key: "stage".into(),
            values: values.map(|values| values.iter().map(ToString::to_string).collect()),
            pattern: pattern.map(str::to_owned),
        };
        let one = |pointer: &str, message: &str| vec![(pointer.to_owned(), message.to_owned())];
        assert_eq!(
            errors(label(None, None)),
            one("/labels/0", "expected either values or a pattern; neither is there")
        );
        assert_eq!(
            errors(label(Some(&["dev"]), Some("dev"))),
            one("/labels/0", "expected either values or a pattern; both are there")
        );
        assert_eq!(
            errors(label(Some(&[]), None)),
            one("/labels/0/values", "no value is allowed: expected at least one")
        );
        assert_eq!(
            errors(label(Some(&["dev", "a b"]), None)),
            one(
                "/labels/0/values/1",
                "\"a b\" can be no label's value: expected at most 63 letters, digits, `-`, `_` and `.`, the first and the last \
                 a letter or digit"
            )
        );
        let none = LabelValues::new(Settings::default()).unwrap_err();
        assert_eq!(
            none.first().unwrap().message,
            "no label is judged: expected at least one, such as {key: stage, values: [dev, prod]}"
        );
    }
}
