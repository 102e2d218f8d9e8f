//! Puts a container, and the volumes that it needs, into pods that do not have it.
//!
//! # What it does
//! Adds `container` to a pod that has no container of this name, be it an init, a regular or an ephemeral one. With
//! `native: true` it becomes a native sidecar: an init container with `restartPolicy: Always`, which starts before the
//! pod's other containers, ends after them, and does not keep a Job from finishing. `volumes` are added with it, but for
//! those whose name the pod uses already. A pod that has the container is not touched at all, so that a second round, or a
//! sidecar that somebody wrote by hand, changes nothing.
//!
//! Pods are changed when they are created, never mirror pods. Which ones is said by the policy's `namespaces` and by the
//! selectors of its `matchConstraints`. Templates can be named there too; a template that belongs to another object, as a
//! ReplicaSet's to its Deployment, is left alone.
//!
//! # Why
//! Proxies, log shippers and agents belong to the platform. Put in here, they are in every pod, at the same version, and
//! no manifest has to be edited to replace them.
//!
//! # Settings
//! - `container`: the container, as a pod's specification writes it, with at least `name` and `image`.
//! - `native`: whether it is a native sidecar (Kubernetes 1.29 or later); false by default.
//! - `position`: `First` or `Last` in its list. A native sidecar stands first by default, so that the other init
//!   containers can use it; a regular container last, because `kubectl exec` takes the first.
//! - `volumes`: volumes that the container mounts, as a pod's specification writes them.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: ship-logs }
//! spec:
//!   module: inject-sidecar
//!   settings:
//!     native: true
//!     container:
//!       name: log-shipper
//!       image: registry.example.com/platform/log-shipper:2.4.1
//!       volumeMounts:
//!         - { name: shipper-state, mountPath: /state }
//!     volumes:
//!       - { name: shipper-state, emptyDir: {} }
//!   matchConstraints:
//!     namespaceSelector:
//!       matchLabels: { example.com/logs: shipped }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::injected::{Injected, Position};
use crate::json::{Constant, Node};
use crate::kubernetes::pod::ContainerList;
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// What is put into pods.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The container, as a pod's specification writes it; `name` and `image` are required.
    container: Constant,
    /// Whether it becomes a native sidecar: an init container that runs as long as the pod.
    native: bool,
    /// Where in its list it stands; by default first if it is native, and last otherwise.
    position: Option<Position>,
    /// Volumes that are added with it, as a pod's specification writes them.
    volumes: Vec<Constant>,
}

/// See the page of `inject-sidecar`.
#[derive(Debug)]
pub struct InjectSidecar(Injected);

impl Module for InjectSidecar {
    const ID: &'static str = "inject-sidecar";
    const GROUP: Group = Group::Injection;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["kyverno/inject-sidecar-deployment"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("inject_sidecar.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let Settings { container, native, position, volumes } = settings;
        let mut errors = vec![];
        let container = with_restart_policy(container, native, &mut errors);
        let (list, default) =
            if native { (ContainerList::Init, Position::First) } else { (ContainerList::Regular, Position::Last) };
        let injected = Injected::read(container, volumes, list, position.unwrap_or(default), &mut errors);
        if errors.is_empty() { Ok(Self(injected)) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        self.0.writes()
    }
}

/// What makes an init container a native sidecar (KEP-753).
fn with_restart_policy(container: Constant, native: bool, errors: &mut Vec<SettingsError>) -> Constant {
    match container.value() {
        Value::Object(fields) if native => {
            let mut fields = fields.clone();
            let set = fields.insert("restartPolicy".to_owned(), "Always".into());
            if set.is_some_and(|set| set != "Always") {
                let message = "a native sidecar is always restarted: expected \"Always\", or nothing";
                errors.push(problem("/container/restartPolicy", message));
            }
            Value::Object(fields).into()
        }
        _ => container,
    }
}

impl Mutate for InjectSidecar {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        self.0.inject(&subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(settings: Value) -> Vec<(String, String)> {
        let errors = InjectSidecar::new(serde_json::from_value(settings).unwrap()).unwrap_err();
        errors.into_iter().map(|error| (error.pointer, error.message)).collect()
    }

    #[test]
    fn rejects_what_no_pod_could_run() {
        let name = "it has no name: expected a map with at least `name`";
        let image = "the container has no image: expected one such as \"registry.example.com/proxy:1.0\"";
        let expected = |pointer: &str, message: &str| (pointer.to_owned(), message.to_owned());
        assert_eq!(
            errors(serde_json::json!({})),
            [expected("/container/name", name), expected("/container/image", image)]
        );
        assert_eq!(
            errors(serde_json::json!({"container": {"name": "a", "image": "b"}, "volumes": [{"name": "v"}, {}]})),
            [expected("/volumes/1/name", name)]
        );
        assert_eq!(
            errors(
                serde_json::json!({"native": true, "container": {"name": "a", "image": "b", "restartPolicy": "Never"}})
            ),
            [expected(
                "/container/restartPolicy",
                "a native sidecar is always restarted: expected \"Always\", or nothing"
            )]
        );
    }
}
