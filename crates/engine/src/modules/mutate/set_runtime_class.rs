//! Gives a runtime class to pods that have none.
//!
//! # What it does
//! Sets `runtimeClassName` where it is absent, null or empty. A pod that names a class keeps it unless `overwrite` is set.
//! The API server then fills in the class's overhead, node selector and tolerations; the class must exist, or the pod is
//! refused.
//!
//! Pods are changed when they are created, never mirror pods. Pods for Windows (`os.name: windows`) are left alone: runtime
//! classes are made for one system. With `overwrite`, a pod that has the overhead of its former class is left alone as well,
//! as the API server would refuse it with another one.
//!
//! # Why
//! Code that is not trusted belongs into a sandbox, such as gVisor or Kata Containers. Which namespaces hold such code is the
//! platform's to say, and not that code's.
//!
//! # Settings
//! - `className`: the name of the RuntimeClass; required.
//! - `overwrite`: whether another class is replaced; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: sandbox }
//! spec:
//!   module: set-runtime-class
//!   settings: { className: gvisor }
//!   namespaces: { include: ["tenant-*"] }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::open;
use crate::json::{Node, edit};
use crate::kubernetes::names::is_subdomain;
use crate::kubernetes::pod::Changeable;
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// Which class pods get.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The name of the RuntimeClass.
    class_name: String,
    /// Whether another class is replaced.
    overwrite: bool,
}

/// See the page of `set-runtime-class`.
#[derive(Debug)]
pub struct SetRuntimeClass(Settings);

const FIELD: &str = "runtimeClassName";

impl Module for SetRuntimeClass {
    const ID: &'static str = "set-runtime-class";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("set_runtime_class.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let name = &settings.class_name;
        if name.is_empty() {
            return Err(vec![problem("/className", "no class is named: expected the name of a RuntimeClass")]);
        }
        if !is_subdomain(name) {
            let message = format!("{name:?} can be no RuntimeClass: expected one such as \"gvisor\"");
            return Err(vec![problem("/className", message)]);
        }
        Ok(Self(settings))
    }

    fn writes(&self) -> Vec<PathPattern> {
        vec![PathPattern(format!("spec.{FIELD}"))]
    }
}

impl Mutate for SetRuntimeClass {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, Changeable::All)) = open::pod(&subject) else { return Ok(subject.object) };
        let spec = pod.spec();
        let found = spec.field(FIELD);
        let is_chosen = found.is_some_and(|name| name.as_str() != Some(""));
        let stays = found.is_some_and(|name| !open::is_replaceable(name));
        let is_bound = stays || !self.0.overwrite || !spec.entries_of("overhead").is_empty();
        let is_windows = spec.at(&["os", "name"]).and_then(Node::as_str) == Some("windows");
        if is_windows || (is_chosen && is_bound) {
            return Ok(subject.object);
        }
        let arena = subject.arena();
        Ok(pod.edit_spec(arena, |spec| edit::set(arena, spec, &[FIELD], Node::string(&self.0.class_name)))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_is_no_class() {
        let errors =
            |name: &str| SetRuntimeClass::new(Settings { class_name: name.to_owned(), overwrite: false }).unwrap_err();
        assert_eq!(errors(""), [problem("/className", "no class is named: expected the name of a RuntimeClass")]);
        let message = "\"gVisor\" can be no RuntimeClass: expected one such as \"gvisor\"";
        assert_eq!(errors("gVisor"), [problem("/className", message)]);
    }
}
