//! What is filled in, and where.

use super::Field;
use crate::json::edit::{self, Edited};
use crate::json::{Arena, Node};
use crate::kubernetes::pod::{Changeable, Pod};
use crate::modules::mutate::seccomp;

/// What is filled in for the pod, and what in its containers because it cannot be there.
#[derive(Clone, Copy)]
pub(super) struct Plan<'f, 'a> {
    fields: &'f [Field],
    /// The pod's security context, or null.
    of_pod: Node<'a>,
    non_root: Place,
    profile: Place,
}

/// Where a field is filled in that pods and containers have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Nowhere,
    Pod,
    Containers,
}

impl Place {
    const fn of(fills: bool, for_pod: bool) -> Self {
        match (fills, for_pod) {
            (false, _) => Self::Nowhere,
            (true, true) => Self::Pod,
            (true, false) => Self::Containers,
        }
    }
}

impl<'f, 'a> Plan<'f, 'a> {
    pub(super) fn new(fields: &'f [Field], pod: &Pod<'a>, changeable: Changeable<'_>) -> Self {
        let is_new = matches!(changeable, Changeable::All);
        let of_pod = pod.security();
        let fills_profile = fields.contains(&Field::SeccompProfile) && of_pod.field("seccompProfile").is_none();
        let has_user_namespace = pod.spec().get("hostUsers").and_then(Node::as_bool) == Some(false);
        let fills_non_root =
            fields.contains(&Field::RunAsNonRoot) && of_pod.field("runAsNonRoot").is_none() && !has_user_namespace;
        let mut has_root = is_root(of_pod, Node::NULL);
        if fills_non_root {
            pod.visit_security(|context| {
                has_root |= context.node.field("runAsNonRoot").is_none() && is_root(of_pod, context.node);
            });
        }
        Self {
            fields,
            of_pod,
            non_root: Place::of(fills_non_root, is_new && !has_root),
            profile: Place::of(fills_profile, is_new),
        }
    }

    /// The pod's specification with what is filled in for the pod.
    pub(super) fn fill_pod(&self, arena: &'a Arena, spec: Node<'a>) -> Edited<'a> {
        let mut spec = spec;
        if self.non_root == Place::Pod {
            spec = edit::set_default(arena, spec, &["securityContext", "runAsNonRoot"], Node::bool(true))?;
        }
        if self.profile == Place::Pod {
            let profile = seccomp::runtime_default(arena);
            spec = edit::set_default(arena, spec, &["securityContext", "seccompProfile"], profile)?;
        }
        Ok(spec)
    }

    /// A container with what is filled in there.
    pub(super) fn fill_container(&self, arena: &'a Arena, container: Node<'a>) -> Edited<'a> {
        if container.as_map().is_none() {
            return Ok(container);
        }
        let fills = |field| self.fields.contains(&field);
        let security = container.get("securityContext").unwrap_or_default();
        let set = |container, field, value| edit::set_default(arena, container, &["securityContext", field], value);
        let is_privileged = security.get("privileged").and_then(Node::as_bool) == Some(true);
        let mut filled = container;
        if fills(Field::AllowPrivilegeEscalation) && !is_privileged && !adds_sys_admin(security) {
            filled = set(filled, "allowPrivilegeEscalation", Node::bool(false))?;
        }
        if fills(Field::Capabilities) && !is_privileged && drops_nothing(security) {
            let all = arena.list(&[Node::string("ALL")]);
            filled = edit::set(arena, filled, &["securityContext", "capabilities", "drop"], all)?;
        }
        if self.non_root == Place::Containers && !is_root(self.of_pod, security) {
            filled = set(filled, "runAsNonRoot", Node::bool(true))?;
        }
        if self.profile == Place::Containers {
            filled = set(filled, "seccompProfile", seccomp::runtime_default(arena))?;
        }
        if fills(Field::ReadOnlyRootFilesystem) {
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
