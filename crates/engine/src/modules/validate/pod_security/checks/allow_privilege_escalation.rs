//! `allowPrivilegeEscalation`: privilege escalation (such as via set-user-ID or set-group-ID file mode) should not be allowed.

use super::{Check, Forbidden, Level, Node, PodFields, Revision, containers};

pub(super) const CHECK: Check = Check {
    id: "allowPrivilegeEscalation",
    level: Level::Restricted,
    // The field came with 1.8, `spec.os` with 1.25: pods for Windows cannot set the field.
    revisions: &[Revision::since(8, judge), Revision::since(25, judge_since_25)],
};

fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    let is_off = |security: Node<'_>| security.get("allowPrivilegeEscalation").and_then(Node::as_bool) == Some(false);
    let bad = pod.names(|container| !is_off(container.security));
    (!bad.is_empty()).then(|| Forbidden {
        reason: "allowPrivilegeEscalation != false",
        detail: format!("{} must set securityContext.allowPrivilegeEscalation=false", containers(&bad)),
    })
}

fn judge_since_25(pod: &PodFields<'_>) -> Option<Forbidden> {
    if pod.is_windows { None } else { judge(pod) }
}
