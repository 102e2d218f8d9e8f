//! Puts volumes into pods, and mounts them into their containers.
//!
//! # What it does
//! Adds each of `volumes` to a pod that has none of this name, and each of `mounts` to those of its containers that have
//! nothing mounted at its `mountPath`. A volume of this name that the pod has stays as it is, and is what gets mounted: names
//! that nobody else would use keep that from happening.
//!
//! A mount is left out where the container has another mount or a device at the same path, and where it uses the volume as
//! a device.
//!
//! Pods are changed when they are created, never mirror pods. Ephemeral containers come later, when no volume can be added
//! any more. Which pods is said by the policy's `namespaces` and by the selectors of its `matchConstraints`.
//!
//! # Why
//! The certificates that a company trusts, a socket of the node's agent, a cache: the platform's files come into every
//! container at the same place.
//!
//! # Settings
//! - `volumes`: the volumes, as a pod's specification writes them; at least one.
//! - `mounts`: where they are mounted, as a container's `volumeMounts` write it, with `name` and `mountPath`. None is needed:
//!   a volume may be there for the containers that mount it themselves.
//! - `containers`: patterns of the names of the containers that get the mounts: `web-*`. By default all.
//! - `initContainers`: whether init containers get them too, native sidecars among them; true by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: trust-store }
//! spec:
//!   module: inject-volume
//!   settings:
//!     volumes:
//!       - { name: platform-trust, configMap: { name: trust, optional: true } }
//!     mounts:
//!       - { name: platform-trust, mountPath: /etc/ssl/platform, readOnly: true }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::named::{Named, add_missing, text_of};
use super::open;
use super::targets::Targets;
use crate::json::edit::{self, Edited};
use crate::json::{Arena, Constant, Node};
use crate::kubernetes::pod::{Changeable, ContainerList};
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// What is put into pods, and into which of their containers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Volumes, as a pod's specification writes them; `name` is required.
    volumes: Vec<Constant>,
    /// Mounts of these volumes, as a container writes them; `name` and `mountPath` are required.
    mounts: Vec<Constant>,
    /// Patterns of the names of containers; all if there are none.
    containers: Vec<String>,
    /// Whether init containers get the mounts too.
    init_containers: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { volumes: vec![], mounts: vec![], containers: vec![], init_containers: true }
    }
}

/// See the page of `inject-volume`.
#[derive(Debug)]
pub struct InjectVolume {
    volumes: Vec<Named>,
    mounts: Vec<Constant>,
    targets: Targets,
}

impl Module for InjectVolume {
    const ID: &'static str = "inject-volume";
    const GROUP: Group = Group::Injection;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["kyverno/add-certificates-volume", "kyverno/add-volume-deployment"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("inject_volume.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        let volumes = Named::read_all("/volumes", settings.volumes, &mut errors);
        if volumes.is_empty() {
            errors.push(problem("/volumes", "there is nothing to add: name at least one volume"));
        }
        let mounts = settings.mounts;
        for (position, mount) in mounts.iter().enumerate() {
            let (name, path) = (text_of(mount, "name"), text_of(mount, "mountPath"));
            if !volumes.iter().any(|volume| volume.name == name) {
                let message = format!("{name:?} is none of the volumes: name one of them");
                errors.push(problem(format!("/mounts/{position}/name"), message));
            }
            let is_twice = mounts.iter().take(position).any(|other| text_of(other, "mountPath") == path);
            if path.is_empty() || path.contains(':') {
                let message = format!("{path:?} can be no place to mount at: expected one such as \"/etc/trust\"");
                errors.push(problem(format!("/mounts/{position}/mountPath"), message));
            } else if is_twice {
                let message = format!("{path:?} is mounted at already: leave one of them out");
                errors.push(problem(format!("/mounts/{position}/mountPath"), message));
            }
        }
        let targets = Targets::read(settings.containers, settings.init_containers, &mut errors);
        if errors.is_empty() { Ok(Self { volumes, mounts, targets }) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        let volumes = self.volumes.iter().map(|volume| format!("spec.volumes[name={}]", volume.name));
        let lists = self.targets.lists().filter(|list| *list != ContainerList::Ephemeral);
        let mounts = lists.flat_map(|list| {
            let path = move |mount| {
                format!("spec.{}[*].volumeMounts[mountPath={}]", list.field(), text_of(mount, "mountPath"))
            };
            self.mounts.iter().map(path)
        });
        volumes.chain(mounts).map(PathPattern).collect()
    }
}

impl InjectVolume {
    fn mount<'a>(&self, arena: &'a Arena, container: Node<'a>) -> Edited<'a> {
        let (mounts, devices) = (container.items_of("volumeMounts"), container.items_of("volumeDevices"));
        let is_free = |mount: &&Constant| {
            let (name, path) = (Some(text_of(mount, "name")), Some(text_of(mount, "mountPath")));
            mounts.iter().all(|other| other.str("mountPath") != path)
                && devices.iter().all(|device| device.str("devicePath") != path && device.str("name") != name)
        };
        self.mounts.iter().filter(is_free).try_fold(container, |container, mount| {
            edit::append(arena, container, &["volumeMounts"], mount.build(arena))
        })
    }
}

impl Mutate for InjectVolume {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, changeable @ Changeable::All)) = open::pod(&subject) else { return Ok(subject.object) };
        let arena = subject.arena();
        let root = pod.edit_spec(arena, |spec| add_missing(arena, spec, "volumes", &self.volumes))?;
        let root = pod.with_root(root).map_lists(arena, changeable, |list, container| {
            let is_meant = list != ContainerList::Ephemeral && self.targets.include(list, container);
            if is_meant { self.mount(arena, container) } else { Ok(container) }
        })?;
        Ok(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_mounts_that_no_container_could_have() {
        let errors = |settings| InjectVolume::new(serde_json::from_value(settings).unwrap()).unwrap_err();
        assert_eq!(
            errors(serde_json::json!({})),
            [problem("/volumes", "there is nothing to add: name at least one volume")]
        );
        assert_eq!(
            errors(serde_json::json!({
                "volumes": [{"name": "trust"}],
                "mounts": [
                    {"name": "other", "mountPath": "/a"}, {"name": "trust"}, {"name": "trust", "mountPath": "/a:b"},
                    {"name": "trust", "mountPath": "/a"}
                ]
            })),
            [
                problem("/mounts/0/name", "\"other\" is none of the volumes: name one of them"),
                problem("/mounts/1/mountPath", "\"\" can be no place to mount at: expected one such as \"/etc/trust\""),
                problem(
                    "/mounts/2/mountPath",
                    "\"/a:b\" can be no place to mount at: expected one such as \"/etc/trust\""
                ),
                problem("/mounts/3/mountPath", "\"/a\" is mounted at already: leave one of them out"),
            ]
        );
    }
}
