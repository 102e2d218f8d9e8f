//! `hostNamespaces`: sharing the host network, PID, and IPC namespaces must be disallowed.

use super::{Check, Forbidden, Level, Node, PodFields, Revision};

pub(super) const CHECK: Check =
    Check { id: "hostNamespaces", level: Level::Baseline, revisions: &[Revision::since(0, judge)] };

const FIELDS: [(&str, &str); 3] =
    [("hostNetwork", "hostNetwork=true"), ("hostPID", "hostPID=true"), ("hostIPC", "hostIPC=true")];

fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    let is_shared = |field: &str| pod.spec.get(field).and_then(Node::as_bool) == Some(true);
    let shared: Vec<&str> = FIELDS.into_iter().filter(|(field, _)| is_shared(field)).map(|(_, text)| text).collect();
    (!shared.is_empty()).then(|| Forbidden { reason: "host namespaces", detail: shared.join(", ") })
}
