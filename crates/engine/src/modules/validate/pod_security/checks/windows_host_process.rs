//! `windowsHostProcess`: pod and containers must not set `securityContext.windowsOptions.hostProcess` to true.

use super::{Check, Forbidden, Level, Node, PodFields, Revision, setters};

pub(super) const CHECK: Check =
    Check { id: "windowsHostProcess", level: Level::Baseline, revisions: &[Revision::since(0, judge)] };

fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    let is_host =
        |security: Node<'_>| security.at(&["windowsOptions", "hostProcess"]).and_then(Node::as_bool) == Some(true);
    let bad = pod.names(|container| is_host(container.security));
    let who = setters(is_host(pod.security), &bad)?;
    let detail = format!("{who} must not set securityContext.windowsOptions.hostProcess=true");
    Some(Forbidden { reason: "hostProcess", detail })
}
