//! Fills in the security contexts that the Pod Security Standards ask for in `restricted`.
//!
//! # What it does
//! Sets what is absent or null, and keeps whatever the author of the pod wrote:
//!
//! - `allowPrivilegeEscalation: false` in each container, unless it is privileged or adds `CAP_SYS_ADMIN`: the API server
//!   would refuse the two together.
//! - `capabilities.drop: [ALL]` in each container that drops nothing and is not privileged. What it adds stays.
//! - `runAsNonRoot: true` for the pod. If the pod or one of its containers runs as `runAsUser: 0`, it is set in those
//!   containers alone that do not; and nowhere in a pod with `hostUsers: false`, where the Standards do not ask for it.
//! - `seccompProfile.type: RuntimeDefault` for the pod; a container's own profile goes before it.
//! - `readOnlyRootFilesystem: true` in each container, which the Standards do not ask for: only if it is among `fields`.
//!
//! Nothing is weakened: a container that asks for more than `restricted` allows still asks for it, and is left to
//! `pod-security`. An image that runs as root does not start any more; leave `runAsNonRoot` out of `fields` where there are
//! such.
//!
//! What is set for the pod stays, also if a policy that comes later gives it a container which runs as root: let such a policy
//! come first, by a lower `order`.
//!
//! Pods are changed when they are created, and in their new ephemeral containers; never mirror pods, and never pods for
//! Windows (`spec.os.name`, or `kubernetes.io/os` in the node selector). Templates can be named in `matchConstraints`; one
//! that belongs to another object, as a ReplicaSet's to its Deployment, is left alone.
//!
//! # Why
//! Most programs need none of what containers may do by default. Filled in here, old manifests run under `restricted`, and
//! nobody has to repeat ten lines in each.
//!
//! # Settings
//! - `fields`: what is filled in, of `allowPrivilegeEscalation`, `capabilities`, `runAsNonRoot`, `seccompProfile` and
//!   `readOnlyRootFilesystem`. By default the first four.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: set-security-context }
//! spec:
//!   module: set-security-context
//!   settings:
//!     fields: [allowPrivilegeEscalation, capabilities, seccompProfile]
//! ```

mod plan;

use schemars::JsonSchema;
use serde::Deserialize;

use super::open;
use crate::json::Node;
use crate::kubernetes::pod::ContainerList;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};
use plan::Plan;

/// What is filled in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Fields of security contexts.
    fields: Vec<Field>,
}

impl Default for Settings {
    fn default() -> Self {
        let fields =
            vec![Field::AllowPrivilegeEscalation, Field::Capabilities, Field::RunAsNonRoot, Field::SeccompProfile];
        Self { fields }
    }
}

/// A field of security contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Field {
    /// Set to false.
    AllowPrivilegeEscalation,
    /// `drop` is set to `ALL`.
    Capabilities,
    /// Set to true.
    RunAsNonRoot,
    /// The type is set to `RuntimeDefault`.
    SeccompProfile,
    /// Set to true.
    ReadOnlyRootFilesystem,
}

/// See the page of `set-security-context`.
#[derive(Debug)]
pub struct SetSecurityContext {
    fields: Vec<Field>,
}

impl Module for SetSecurityContext {
    const ID: &'static str = "set-security-context";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] =
        &["kyverno/add-default-securitycontext", "kyverno/apply-pss-restricted-profile"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("set_security_context.rs");
    type Settings = Settings;

    fn new(Settings { fields }: Settings) -> Result<Self, Vec<SettingsError>> {
        if fields.is_empty() {
            let message = "there is nothing to fill in: name at least one field, such as \"seccompProfile\"".to_owned();
            return Err(vec![SettingsError { pointer: "/fields".to_owned(), message }]);
        }
        Ok(Self { fields })
    }

    fn writes(&self) -> Vec<PathPattern> {
        let of_pod = |field| PathPattern(format!("spec.securityContext.{field}"));
        let of_containers = |field: &'static str| {
            let list =
                move |list: ContainerList| PathPattern(format!("spec.{}[*].securityContext.{field}", list.field()));
            ContainerList::ALL.into_iter().map(list)
        };
        let mut paths = vec![];
        for field in &self.fields {
            match field {
                Field::AllowPrivilegeEscalation => paths.extend(of_containers("allowPrivilegeEscalation")),
                Field::Capabilities => paths.extend(of_containers("capabilities.drop")),
                Field::ReadOnlyRootFilesystem => paths.extend(of_containers("readOnlyRootFilesystem")),
                Field::RunAsNonRoot => {
                    paths.push(of_pod("runAsNonRoot"));
                    paths.extend(of_containers("runAsNonRoot"));
                }
                Field::SeccompProfile => {
                    paths.push(of_pod("seccompProfile"));
                    paths.extend(of_containers("seccompProfile"));
                }
            }
        }
        paths
    }
}

impl Mutate for SetSecurityContext {
    fn mutate<'a>(&self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let found = open::pod(&subject).filter(|(pod, _)| !pod.is_meant_for_windows());
        let Some((pod, changeable)) = found else { return Ok(subject.object) };
        let (arena, plan) = (subject.arena(), Plan::new(&self.fields, &pod, changeable));
        let root = pod.edit_spec(arena, |spec| plan.fill_pod(arena, spec))?;
        let fill = |container| plan.fill_container(arena, container);
        Ok(pod.with_root(root).map_containers(arena, changeable, fill)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_fill_in_nothing() {
        let message = "there is nothing to fill in: name at least one field, such as \"seccompProfile\"".to_owned();
        let errors = SetSecurityContext::new(Settings { fields: vec![] }).unwrap_err();
        assert_eq!(errors, [SettingsError { pointer: "/fields".to_owned(), message }]);
    }
}
