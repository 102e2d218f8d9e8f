//! `privileged`: privileged pods disable most security mechanisms and must be disallowed.

use super::{Check, Forbidden, Level, Node, PodFields, Revision, containers};

pub(super) const CHECK: Check =
    Check { id: "privileged", level: Level::Baseline, revisions: &[Revision::since(0, judge)] };

fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    let is_privileged = |security: Node<'_>| security.get("privileged").and_then(Node::as_bool) == Some(true);
    let bad = pod.names(|container| is_privileged(container.security));
    (!bad.is_empty()).then(|| Forbidden {
        reason: "privileged",
        detail: format!("{} must not set securityContext.privileged=true", containers(&bad)),
    })
}
