//! Refuses priority classes that are not on a list, and keeps the system's for the system.
//!
//! # What it checks
//! `priorityClassName` in pods and in the templates of workloads. The classes whose names begin with `system-` are let
//! pass in the namespaces of the system alone, whatever the list says. Of the others those on the list pass, or all of
//! them if there is no list.
//!
//! A name that is absent, null or empty passes unless `required` is set. In pods it is seldom absent in a cluster with a
//! default PriorityClass: the API server has filled in that one before, so put it on the list. A bare number under
//! `priority` is not looked at: the API server refuses one that is not its class's.
//!
//! # Why
//! The pods of a higher class push others off their nodes. A workload that calls itself `system-node-critical` outlives the
//! cluster's own.
//!
//! # Settings
//! - `allowed`: patterns of classes that may be used: `batch`, `web-*`. By default all but those of the system.
//! - `required`: whether a class must be named; false by default.
//! - `systemNamespaces`: patterns of the namespaces that may use the classes of the system. By default `kube-system`.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: priority-classes }
//! spec:
//!   module: priority-classes
//!   settings:
//!     allowed: [batch, "web-*"]
//!     required: true
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::Node;
use crate::matching::glob;
use crate::modules::patterns;
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which classes may be used where.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Patterns of classes; all but those of the system if there are none.
    allowed: Vec<String>,
    /// Whether a class must be named.
    required: bool,
    /// Patterns of namespaces that may use the classes of the system.
    system_namespaces: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allowed: vec![], required: false, system_namespaces: vec!["kube-system".to_owned()] }
    }
}

/// See the page of `priority-classes`.
#[derive(Debug)]
pub struct PriorityClasses {
    settings: Settings,
    /// The end of messages: ` such as "batch"`, or nothing.
    accepted: String,
}

/// The beginning of the names that only the API server's own classes have (scheduling, `SystemPriorityClassPrefix`).
const SYSTEM: &str = "system-";

impl Module for PriorityClasses {
    const ID: &'static str = "priority-classes";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] =
        &["kyverno/allowed-pod-priorities", "kyverno/require-pod-priorityclassname"];
    const PUBLIC: &'static [&'static str] = &["priorityClassName"];
    const DOC: &'static str = include_str!("priority_classes.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors: Vec<SettingsError> =
            patterns::of_namespaces("/systemNamespaces", &settings.system_namespaces).collect();
        for (position, pattern) in settings.allowed.iter().enumerate() {
            let pointer = format!("/allowed/{position}");
            if pattern.starts_with(SYSTEM) {
                let message = format!(
                    "{pattern:?} is a class of the system: expected none here, and its namespaces under systemNamespaces"
                );
                errors.push(problem(pointer, message));
            } else if pattern.is_empty() || !pattern.bytes().all(is_of_pattern) {
                let message = format!(
                    "{pattern:?} fits no class: expected lower-case letters, digits, `-` and `.`, with `*` for any text"
                );
                errors.push(problem(pointer, message));
            }
        }
        let accepted = match settings.allowed.as_slice() {
            [] => String::new(),
            allowed => format!("; allowed: {}", allowed.join(", ")),
        };
        if errors.is_empty() { Ok(Self { settings, accepted }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let Self { settings, accepted } = self;
        let class = "#spec.?priorityClassName.orValue('')";
        let namespace = twin::fits(twin::NAMESPACE, &settings.system_namespaces);
        let unnamed = settings.required;
        let other = if settings.allowed.is_empty() {
            "false".to_owned()
        } else {
            format!("!{}", twin::fits(class, &settings.allowed))
        };
        let is_wrong = format!(
            "!(#pod == {{}}) && ({class} == '' ? {unnamed} : {class}.startsWith('{SYSTEM}') ? !{namespace} : {other})"
        );
        let findings = twin::one_with(&is_wrong, "priorityClassName", class);
        Ok(CelTwin::of(findings, format!("this priority class, or none, is not allowed here{accepted}")))
    }
}

const fn is_of_pattern(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'*' | b'?')
}

impl PriorityClasses {
    /// What is wrong with the class; None if nothing is.
    fn problem(&self, class: Node<'_>, namespace: &str, report: &Report<'_>) -> Option<String> {
        let Self { settings, accepted } = self;
        let shown = report.show("priorityClassName", class);
        let fits = |patterns: &[String], text: &str| patterns.iter().any(|pattern| glob::fits(pattern, text));
        match class.as_str() {
            // Anything but a string is refused by the API server, and no class that could be allowed.
            None if !class.is_null() => Some(format!("priority class {shown} is no name{accepted}")),
            None | Some("") => settings.required.then(|| format!("no priority class is named{accepted}")),
            Some(name) if name.starts_with(SYSTEM) => (!fits(&settings.system_namespaces, namespace))
                .then(|| format!("priority class {shown} is for the namespaces of the system{accepted}")),
            Some(name) => (!settings.allowed.is_empty() && !fits(&settings.allowed, name))
                .then(|| format!("priority class {shown} is not allowed{accepted}")),
        }
    }
}

impl Validate for PriorityClasses {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        let class = pod.spec().get("priorityClassName").unwrap_or_default();
        if let Some(message) = self.problem(class, subject.review.namespace, report) {
            pod.with_spec_path(|spec| report.finding(&spec.key("priorityClassName"), class, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_patterns_that_no_class_can_meet() {
        let allowed = ["web-*", "system-*", "Web", ""].map(str::to_owned).to_vec();
        let errors = PriorityClasses::new(Settings { allowed, ..Settings::default() }).unwrap_err();
        let fits_none = |text: &str| {
            format!("{text:?} fits no class: expected lower-case letters, digits, `-` and `.`, with `*` for any text")
        };
        assert_eq!(
            errors,
            [
                problem(
                    "/allowed/1",
                    "\"system-*\" is a class of the system: expected none here, and its namespaces under systemNamespaces"
                ),
                problem("/allowed/2", fits_none("Web")),
                problem("/allowed/3", fits_none(""))
            ]
        );
    }
}
