//! Gives pods a seccomp profile that have none.
//!
//! # What it does
//! Sets `securityContext.seccompProfile` of the pod where it is absent or null. Containers without a profile of their own
//! take the pod's; those with one keep it. With `overwrite` a profile of type `Unconfined` counts as none, in the pod and in
//! its containers. Profiles of other types are never changed.
//!
//! Pods are changed when they are created; their new ephemeral containers get the profile themselves if the pod has none.
//! Never changed are mirror pods, and pods for Windows (`spec.os.name`, or `kubernetes.io/os` in the node selector).
//! Templates can be named in `matchConstraints`; one that belongs to another object, as a ReplicaSet's to its Deployment, is
//! left alone. A profile is of no use to privileged containers: Kubernetes runs them without.
//!
//! # Why
//! Without a profile a container may make every system call. The container runtime's default forbids the dangerous ones that
//! hardly any program makes.
//!
//! # Settings
//! - `type`: `RuntimeDefault` (the default), or `Localhost` for a profile of the node.
//! - `localhostProfile`: with `Localhost` the file of the profile, below the kubelet's folder of profiles:
//!   `profiles/web.json`. It must be on every node.
//! - `overwrite`: whether `Unconfined` is replaced; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: set-seccomp }
//! spec:
//!   module: set-seccomp
//!   settings:
//!     overwrite: true
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::{open, seccomp};
use crate::json::edit::{self, Edited};
use crate::json::{Arena, Node};
use crate::kubernetes::pod::{Changeable, ContainerList};
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// Which profile pods get.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Where the profile comes from.
    r#type: Type,
    /// The file of a profile of the node.
    localhost_profile: Option<String>,
    /// Whether `Unconfined` is replaced.
    overwrite: bool,
}

/// Where a profile comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Type {
    /// The container runtime.
    #[default]
    RuntimeDefault,
    /// The node.
    Localhost,
}

/// See the page of `set-seccomp`.
#[derive(Debug)]
pub struct SetSeccomp {
    /// None: the container runtime's default.
    localhost_profile: Option<String>,
    overwrite: bool,
}

impl Module for SetSeccomp {
    const ID: &'static str = "set-seccomp";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("set_seccomp.rs");
    type Settings = Settings;

    fn new(Settings { r#type, localhost_profile, overwrite }: Settings) -> Result<Self, Vec<SettingsError>> {
        let is_below =
            |path: &str| !path.is_empty() && !path.starts_with('/') && path.split('/').all(|part| part != "..");
        let message = match (r#type, &localhost_profile) {
            (Type::Localhost, None) => {
                "a profile of the node needs its file: expected one such as \"profiles/web.json\""
            }
            (Type::Localhost, Some(file)) if !is_below(file) => {
                "the file is not below the kubelet's folder: expected one such as \"profiles/web.json\", without `..`"
            }
            (Type::RuntimeDefault, Some(_)) => "only a profile of the node has a file: set `type` to \"Localhost\"",
            _ => return Ok(Self { localhost_profile, overwrite }),
        };
        Err(vec![SettingsError { pointer: "/localhostProfile".to_owned(), message: message.to_owned() }])
    }

    fn writes(&self) -> Vec<PathPattern> {
        let of_pod = PathPattern("spec.securityContext.seccompProfile".to_owned());
        let list =
            |list: ContainerList| PathPattern(format!("spec.{}[*].securityContext.seccompProfile", list.field()));
        std::iter::once(of_pod).chain(ContainerList::ALL.into_iter().map(list)).collect()
    }
}

impl SetSeccomp {
    fn profile<'a>(&'a self, arena: &'a Arena) -> Node<'a> {
        match &self.localhost_profile {
            None => seccomp::runtime_default(arena),
            Some(file) => seccomp::localhost(arena, file),
        }
    }

    fn set<'a>(&'a self, arena: &'a Arena, holder: Node<'a>) -> Edited<'a> {
        edit::set(arena, holder, &["securityContext", "seccompProfile"], self.profile(arena))
    }

    fn replaces(&self, security: Node<'_>) -> bool {
        let kind = security.field("seccompProfile").and_then(|profile| profile.str("type"));
        self.overwrite && kind == Some("Unconfined")
    }

    /// Whether nothing is there that stays.
    fn fills(&self, security: Node<'_>) -> bool {
        security.field("seccompProfile").is_none() || self.replaces(security)
    }
}

impl Mutate for SetSeccomp {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let found = open::pod(&subject).filter(|(pod, _)| !pod.is_meant_for_windows());
        let Some((pod, changeable)) = found else { return Ok(subject.object) };
        let (arena, fills_pod) = (subject.arena(), self.fills(pod.security()));
        let is_new = matches!(changeable, Changeable::All);
        let root = pod.edit_spec(arena, |spec| if is_new && fills_pod { self.set(arena, spec) } else { Ok(spec) })?;
        let root = pod.with_root(root).map_containers(arena, changeable, |container| {
            let own = container.get("securityContext").unwrap_or_default();
            let is_bare = !is_new && fills_pod && own.field("seccompProfile").is_none() && container.as_map().is_some();
            if self.replaces(own) || is_bare { self.set(arena, container) } else { Ok(container) }
        })?;
        Ok(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_contradict_each_other() {
        let error = |r#type, file: Option<&str>| {
            let settings = Settings { r#type, localhost_profile: file.map(str::to_owned), overwrite: false };
            let mut errors = SetSeccomp::new(settings).unwrap_err();
            assert_eq!((errors.len(), errors[0].pointer.as_str()), (1, "/localhostProfile"));
            errors.remove(0).message
        };
        assert_eq!(
            error(Type::Localhost, None),
            "a profile of the node needs its file: expected one such as \"profiles/web.json\""
        );
        for file in ["", "/etc/a.json", "../a.json"] {
            assert_eq!(
                error(Type::Localhost, Some(file)),
                "the file is not below the kubelet's folder: expected one such as \"profiles/web.json\", without `..`"
            );
        }
        assert_eq!(
            error(Type::RuntimeDefault, Some("a.json")),
            "only a profile of the node has a file: set `type` to \"Localhost\""
        );
    }
}
