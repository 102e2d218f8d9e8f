//! `procMount`: the default /proc masks are set up to reduce attack surface, and should be required unless the pod is in a
//! user namespace.

use super::{Check, Forbidden, Level, PodFields, Revision, Values, containers, quoted};

pub(super) const ID: &str = "procMount";

pub(super) const CHECK: Check = Check {
    id: ID,
    level: Level::Baseline,
    revisions: &[Revision::since(0, judge), Revision::since(35, judge_since_35)],
};

pub(super) fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    let mut types = Values::new();
    let bad = pod.names(|container| {
        let Some(set) = container.security.field("procMount") else { return false };
        let set = set.as_str().unwrap_or_default();
        if set != "Default" {
            types.insert(set);
        }
        set != "Default"
    });
    (!bad.is_empty()).then(|| Forbidden {
        reason: "procMount",
        detail: format!("{} must not set securityContext.procMount to {}", containers(&bad), quoted(&types)),
    })
}

fn judge_since_35(pod: &PodFields<'_>) -> Option<Forbidden> {
    if pod.has_user_namespace { None } else { judge(pod) }
}
