//! Gives a priority class to pods that have none.
//!
//! # What it does
//! Sets `priorityClassName` where it is absent, null or empty, or where it is one of the classes under `over`.
//!
//! The API server looks up a pod's class before anybody else sees the pod, and writes down `priority` and
//! `preemptionPolicy` after it; those that have no class get the cluster's default one, if there is one. So where there is a
//! default PriorityClass, name it under `over`. Both fields belong to the former class: they are taken away, and the API
//! server fills them in again after the new one. The class must exist, or the pod is refused.
//!
//! Pods are changed when they are created, never mirror pods.
//!
//! # Why
//! When a cluster is full, the pods of a lower class make room. Which namespaces those are is known to the platform.
//!
//! # Settings
//! - `className`: the name of the PriorityClass; required.
//! - `over`: patterns of classes that are replaced: `standard`, `low-*`. By default none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: batch-gives-way }
//! spec:
//!   module: set-priority-class
//!   settings:
//!     className: batch
//!     over: [standard]
//!   namespaces: { include: ["batch-*"] }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::open;
use crate::json::{Node, edit};
use crate::kubernetes::names::is_subdomain;
use crate::kubernetes::pod::Changeable;
use crate::matching::glob;
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// Which class pods get.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The name of the PriorityClass.
    class_name: String,
    /// Patterns of classes that are replaced.
    over: Vec<String>,
}

/// See the page of `set-priority-class`.
#[derive(Debug)]
pub struct SetPriorityClass(Settings);

const FIELD: &str = "priorityClassName";

/// What the API server writes down after the class.
const COMPUTED: [&str; 2] = ["priority", "preemptionPolicy"];

impl Module for SetPriorityClass {
    const ID: &'static str = "set-priority-class";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["kyverno/add-pod-priorityclassname"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("set_priority_class.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        let name = &settings.class_name;
        if name.is_empty() {
            errors.push(problem("/className", "no class is named: expected the name of a PriorityClass"));
        } else if !is_subdomain(name) {
            errors.push(problem(
                "/className",
                format!("{name:?} can be no PriorityClass: expected one such as \"batch\""),
            ));
        }
        for (position, pattern) in settings.over.iter().enumerate().filter(|(_, pattern)| pattern.is_empty()) {
            errors.push(problem(format!("/over/{position}"), format!("{pattern:?} fits no class")));
        }
        if errors.is_empty() { Ok(Self(settings)) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        [FIELD].iter().chain(&COMPUTED).map(|field| PathPattern(format!("spec.{field}"))).collect()
    }
}

impl Mutate for SetPriorityClass {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, Changeable::All)) = open::pod(&subject) else { return Ok(subject.object) };
        let Settings { class_name, over } = &self.0;
        let is_replaced = |name: &str| name.is_empty() || over.iter().any(|pattern| glob::fits(pattern, name));
        let present = pod.spec().field(FIELD).map_or(Some(""), Node::as_str);
        if !present.is_some_and(is_replaced) || present == Some(class_name) {
            return Ok(subject.object);
        }
        let arena = subject.arena();
        let root = pod.edit_spec(arena, |spec| {
            let spec = edit::set(arena, spec, &[FIELD], Node::string(class_name))?;
            Ok(COMPUTED.iter().fold(spec, |spec, field| edit::remove(arena, spec, &[*field])))
        })?;
        Ok(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_is_no_class() {
        let errors = |name: &str, over: &[&str]| {
            let over = over.iter().map(|&pattern| pattern.to_owned()).collect();
            SetPriorityClass::new(Settings { class_name: name.to_owned(), over }).unwrap_err()
        };
        assert_eq!(errors("", &[]), [problem("/className", "no class is named: expected the name of a PriorityClass")]);
        assert_eq!(
            errors("Batch", &["low-*", ""]),
            [
                problem("/className", "\"Batch\" can be no PriorityClass: expected one such as \"batch\""),
                problem("/over/1", "\"\" fits no class")
            ]
        );
    }
}
