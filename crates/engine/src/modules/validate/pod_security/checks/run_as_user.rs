//! `runAsUser`: containers must not set `runAsUser: 0`, unless the pod is in a user namespace.

use super::{Check, Forbidden, Level, Node, PodFields, Revision, setters};

pub(super) const CHECK: Check = Check {
    id: "runAsUser",
    level: Level::Restricted,
    revisions: &[Revision::since(23, judge), Revision::since(35, judge_since_35)],
};

fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    let is_root = |security: Node<'_>| security.get("runAsUser").is_some_and(|user| user == Node::int(0));
    let bad = pod.names(|container| is_root(container.security));
    let who = setters(is_root(pod.security), &bad)?;
    Some(Forbidden { reason: "runAsUser=0", detail: format!("{who} must not set runAsUser=0") })
}

fn judge_since_35(pod: &PodFields<'_>) -> Option<Forbidden> {
    if pod.has_user_namespace { None } else { judge(pod) }
}
