//! `runAsNonRoot`: containers must be required to run as non-root users, unless the pod is in a user namespace.

use super::{Check, Forbidden, Level, Node, PodFields, Revision, containers, setters};

pub(super) const CHECK: Check = Check {
    id: "runAsNonRoot",
    level: Level::Restricted,
    revisions: &[Revision::since(0, judge), Revision::since(35, judge_since_35)],
};

const REASON: &str = "runAsNonRoot != true";

fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    let set = |security: Node<'_>| security.field("runAsNonRoot").map(|value| value.as_bool() == Some(true));
    let of_pod = set(pod.security);
    let refusing = pod.names(|container| set(container.security) == Some(false));
    if let Some(who) = setters(of_pod == Some(false), &refusing) {
        let detail = format!("{who} must not set securityContext.runAsNonRoot=false");
        return Some(Forbidden { reason: REASON, detail });
    }
    if of_pod == Some(true) {
        return None;
    }
    let silent = pod.names(|container| set(container.security).is_none());
    (!silent.is_empty()).then(|| Forbidden {
        reason: REASON,
        detail: format!("pod or {} must set securityContext.runAsNonRoot=true", containers(&silent)),
    })
}

fn judge_since_35(pod: &PodFields<'_>) -> Option<Forbidden> {
    if pod.has_user_namespace { None } else { judge(pod) }
}
