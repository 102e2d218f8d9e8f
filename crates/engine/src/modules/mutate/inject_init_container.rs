//! Puts an init container, and the volumes that it needs, into pods that do not have it.
//!
//! # What it does
//! Adds `container` to the `initContainers` of a pod that has no container of this name, be it an init, a regular or an
//! ephemeral one. `volumes` are added with it, but for those whose name the pod uses already. A pod that has the container
//! is not touched at all, so that a second round changes nothing.
//!
//! The container runs once, before the pod's own containers start, and must end well. One that runs as long as the pod is
//! put in by `inject-sidecar` with `native: true`.
//!
//! Pods are changed when they are created, never mirror pods. Which ones is said by the policy's `namespaces` and by the
//! selectors of its `matchConstraints`. Templates can be named there too; a template that belongs to another object, as a
//! ReplicaSet's to its Deployment, is left alone.
//!
//! # Why
//! Certificates to fetch, a database to wait for, a file system to prepare: what every pod of a platform needs before it
//! starts is written down once.
//!
//! # Settings
//! - `container`: the container, as a pod's specification writes it, with at least `name` and `image`.
//! - `position`: `First` (the default) or `Last` among the init containers.
//! - `volumes`: volumes that the container mounts, as a pod's specification writes them. `inject-volume` mounts them into
//!   the pod's other containers.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: fetch-certificates }
//! spec:
//!   module: inject-init-container
//!   settings:
//!     container:
//!       name: fetch-certificates
//!       image: registry.example.com/platform/certificates:1.2.0
//!       volumeMounts:
//!         - { name: certificates, mountPath: /certificates }
//!     volumes:
//!       - { name: certificates, emptyDir: { medium: Memory } }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

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
    /// Where among the init containers it stands; by default first.
    position: Option<Position>,
    /// Volumes that are added with it, as a pod's specification writes them.
    volumes: Vec<Constant>,
}

/// See the page of `inject-init-container`.
#[derive(Debug)]
pub struct InjectInitContainer(Injected);

/// What init containers that end cannot have (core/v1, ValidatePodSpec): it is for containers that run on.
const FORBIDDEN: [&str; 4] = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"];

impl Module for InjectInitContainer {
    const ID: &'static str = "inject-init-container";
    const GROUP: Group = Group::Injection;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("inject_init_container.rs");
    type Settings = Settings;

    fn new(Settings { container, position, volumes }: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        let has = |field: &str| container.value().get(field).is_some_and(|value| !value.is_null());
        if has("restartPolicy") {
            let message = "an init container has none: for one that runs on use inject-sidecar with native: true";
            errors.push(problem("/container/restartPolicy", message));
        }
        for field in FORBIDDEN.into_iter().filter(|field| has(field)) {
            let message = format!("an init container can have no {field}: leave it out");
            errors.push(problem(format!("/container/{field}"), message));
        }
        let position = position.unwrap_or(Position::First);
        let injected = Injected::read(container, volumes, ContainerList::Init, position, &mut errors);
        if errors.is_empty() { Ok(Self(injected)) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        self.0.writes()
    }
}

impl Mutate for InjectInitContainer {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        self.0.inject(&subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_is_for_containers_that_run_on() {
        let settings = serde_json::json!({
            "container": {"name": "a", "image": "b", "restartPolicy": "Always", "readinessProbe": {}, "lifecycle": null},
            "volumes": [{"name": "v"}, {"name": "v"}]
        });
        let errors = InjectInitContainer::new(serde_json::from_value(settings).unwrap()).unwrap_err();
        let restart = "an init container has none: for one that runs on use inject-sidecar with native: true";
        assert_eq!(
            errors,
            [
                problem("/container/restartPolicy", restart),
                problem("/container/readinessProbe", "an init container can have no readinessProbe: leave it out"),
                problem("/volumes/1/name", "there are two of the name \"v\": leave one of them out")
            ]
        );
    }
}
