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

use crate::cel::regex::Regex;
use crate::json::{Node, Path};
use crate::kubernetes::names::is_label_key;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
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
pub struct RequiredLabels {
    labels: Vec<Requirement>,
    templates: bool,
}

#[derive(Debug)]
struct Requirement {
    key: String,
    pattern: Option<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    source: String,
    whole: Regex,
}

const WRITES: &[Operation] = &[Operation::Create, Operation::Update];

impl Module for RequiredLabels {
    const ID: &'static str = "required-labels";
    const GROUP: Group = Group::Metadata;
    // Labels of pods and Namespaces can be changed through their status as well.
    const APPLIES: Applies = Applies::To(&[
        Resources {
            groups: &[""],
            resources: &[
                "namespaces",
                "namespaces/status",
                "pods",
                "pods/status",
                "podtemplates",
                "replicationcontrollers",
                "services",
            ],
            operations: WRITES,
        },
        Resources {
            groups: &["apps"],
            resources: &["daemonsets", "deployments", "replicasets", "statefulsets"],
            operations: WRITES,
        },
        Resources { groups: &["batch"], resources: &["cronjobs", "jobs"], operations: WRITES },
    ]);
    const REPLACES: &'static [&'static str] = &["gatekeeper-library/requiredlabels", "kyverno/require-labels"];
    const PUBLIC: &'static [&'static str] = &["labels"];
    const DOC: &'static str = include_str!("required_labels.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        let mut refuse = |pointer: String, message: String| errors.push(SettingsError { pointer, message });
        if settings.labels.is_empty() {
            refuse("/labels".into(), "no label is required: expected at least one, such as {key: team}".into());
        }
        let mut labels = vec![];
        for (position, RequiredLabel { key, pattern }) in settings.labels.into_iter().enumerate() {
            if !is_label_key(&key) {
                refuse(
                    format!("/labels/{position}/key"),
                    format!("{key:?} can be no label's key: expected one such as \"team\" or \"example.com/team\""),
                );
            }
            let pattern = pattern.map(Pattern::new).transpose().unwrap_or_else(|message| {
                refuse(format!("/labels/{position}/pattern"), message);
                None
            });
            labels.push(Requirement { key, pattern });
        }
        if errors.is_empty() { Ok(Self { labels, templates: settings.templates }) } else { Err(errors) }
    }
}

impl Pattern {
    fn new(source: String) -> Result<Self, String> {
        let compile = |pattern: &str| {
            Regex::new(pattern).map_err(|reason| {
                let reason = reason.trim_start_matches("error parsing regexp: ");
                format!("{source:?} is no regular expression of RE2 syntax: {reason}")
            })
        };
        // Alone first: in the group below `a)|(b` would be one.
        compile(&source)?;
        let whole = compile(&format!(r"\A(?:{source})\z"))?;
        Ok(Self { source, whole })
    }
}

impl RequiredLabels {
    /// `holder` has the metadata whose place is `place`.
    fn judge(&self, holder: Node<'_>, place: &Path<'_>, report: &mut Report<'_>) {
        let labels = holder.at(&["metadata", "labels"]).unwrap_or_default();
        for Requirement { key, pattern } in &self.labels {
            let value = labels.field(key);
            let (found, message) = match (value, pattern) {
                (None, None) => (Node::NULL, "the label is required".to_owned()),
                (None, Some(Pattern { source, .. })) => {
                    (Node::NULL, format!("the label is required, with a value that matches {source:?}"))
                }
                (Some(_), None) => continue,
                (Some(value), Some(Pattern { source, whole })) => {
                    if value.as_str().is_some_and(|value| whole.is_match(value)) {
                        continue;
                    }
                    let shown = report.show("labels", value);
                    (value, format!("the value {shown} does not match {source:?}"))
                }
            };
            report.finding(&place.key("labels").key(key), found, message);
        }
    }
}

impl Validate for RequiredLabels {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        self.judge(subject.object, &Path::root("metadata"), report);
        let Some(pod) = subject.pod().filter(|pod| self.templates && pod.is_template()) else { return };
        if let Some(jobs) = subject.object.at(&["spec", "jobTemplate"]) {
            self.judge(jobs, &Path::root("spec").key("jobTemplate").key("metadata"), report);
        }
        pod.with_metadata_path(|place| self.judge(pod.node(), place, report));
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
    fn matches_whole_values() {
        let fits = |pattern: &str, value| Pattern::new(pattern.into()).unwrap().whole.is_match(value);
        assert!(fits("dev|devel", "devel") && fits("^dev$", "dev") && fits("(?i)dev", "DEV") && fits("", ""));
        assert!(!fits("dev|prod", "devel") && !fits("prod", "a prod") && !fits("dev", "dev\n") && !fits("", "x"));
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
