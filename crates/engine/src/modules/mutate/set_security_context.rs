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

use schemars::JsonSchema;
use serde::Deserialize;

use super::{open, seccomp};
use crate::json::edit::{self, Edited};
use crate::json::{Arena, Node};
use crate::kubernetes::pod::{Changeable, ContainerList, Pod};
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

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

/// What is filled in for the pod, and what in its containers because it cannot be there.
#[derive(Clone, Copy, Default)]
struct Plan {
    non_root_of_pod: bool,
    non_root_of_containers: bool,
    profile_of_pod: bool,
    profile_of_containers: bool,
}

impl SetSecurityContext {
    fn fills(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }

    fn plan(&self, pod: &Pod<'_>, changeable: Changeable<'_>) -> Plan {
        let is_new = matches!(changeable, Changeable::All);
        let of_pod = pod.security();
        let mut plan = Plan::default();
        if self.fills(Field::SeccompProfile) && of_pod.field("seccompProfile").is_none() {
            (plan.profile_of_pod, plan.profile_of_containers) = (is_new, !is_new);
        }
        let has_user_namespace = pod.spec().get("hostUsers").and_then(Node::as_bool) == Some(false);
        if self.fills(Field::RunAsNonRoot) && of_pod.field("runAsNonRoot").is_none() && !has_user_namespace {
            let mut has_root = is_root(of_pod, Node::NULL);
            pod.visit_security(|context| {
                has_root |= context.node.field("runAsNonRoot").is_none() && is_root(of_pod, context.node);
            });
            let for_pod = is_new && !has_root;
            (plan.non_root_of_pod, plan.non_root_of_containers) = (for_pod, !for_pod);
        }
        plan
    }

    fn fill<'a>(&self, arena: &'a Arena, plan: Plan, of_pod: Node<'a>, container: Node<'a>) -> Edited<'a> {
        if container.as_map().is_none() {
            return Ok(container);
        }
        let security = container.get("securityContext").unwrap_or_default();
        let set = |container, field, value| edit::set_default(arena, container, &["securityContext", field], value);
        let is_privileged = security.get("privileged").and_then(Node::as_bool) == Some(true);
        let mut filled = container;
        if self.fills(Field::AllowPrivilegeEscalation) && !is_privileged && !adds_sys_admin(security) {
            filled = set(filled, "allowPrivilegeEscalation", Node::bool(false))?;
        }
        if self.fills(Field::Capabilities) && !is_privileged && drops_nothing(security) {
            let all = arena.list(&[Node::string("ALL")]);
            filled = edit::set(arena, filled, &["securityContext", "capabilities", "drop"], all)?;
        }
        if plan.non_root_of_containers && !is_root(of_pod, security) {
            filled = set(filled, "runAsNonRoot", Node::bool(true))?;
        }
        if plan.profile_of_containers {
            filled = set(filled, "seccompProfile", seccomp::runtime_default(arena))?;
        }
        if self.fills(Field::ReadOnlyRootFilesystem) {
            filled = set(filled, "readOnlyRootFilesystem", Node::bool(true))?;
        }
        Ok(filled)
    }
}

fn is_root(of_pod: Node<'_>, own: Node<'_>) -> bool {
    own.field("runAsUser").or_else(|| of_pod.field("runAsUser")) == Some(Node::int(0))
}

/// The API server compares with this name alone (pkg/apis/core/validation, ValidateSecurityContext).
fn adds_sys_admin(security: Node<'_>) -> bool {
    let added = security.get("capabilities").map_or(&[][..], |capabilities| capabilities.items_of("add"));
    added.iter().any(|name| name.as_str() == Some("CAP_SYS_ADMIN"))
}

fn drops_nothing(security: Node<'_>) -> bool {
    let dropped = security.at(&["capabilities", "drop"]);
    dropped.is_none_or(|dropped| dropped.as_list().is_some_and(<[Node<'_>]>::is_empty))
}

impl Mutate for SetSecurityContext {
    fn mutate<'a>(&self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let found = open::pod(&subject).filter(|(pod, _)| !pod.is_meant_for_windows());
        let Some((pod, changeable)) = found else { return Ok(subject.object) };
        let (arena, of_pod, plan) = (subject.arena(), pod.security(), self.plan(&pod, changeable));
        let root = pod.edit_spec(arena, |spec| {
            let mut spec = spec;
            if plan.non_root_of_pod {
                spec = edit::set_default(arena, spec, &["securityContext", "runAsNonRoot"], Node::bool(true))?;
            }
            if plan.profile_of_pod {
                let profile = seccomp::runtime_default(arena);
                spec = edit::set_default(arena, spec, &["securityContext", "seccompProfile"], profile)?;
            }
            Ok(spec)
        })?;
        let fill = |container| self.fill(arena, plan, of_pod, container);
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
