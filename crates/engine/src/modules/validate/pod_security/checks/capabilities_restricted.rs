//! `capabilities_restricted`: containers must drop ALL, and may only add NET_BIND_SERVICE.

use super::{Check, Forbidden, Level, Node, PodFields, Revision, Values, capabilities_baseline, containers, quoted};

pub(super) const CHECK: Check = Check {
    id: "capabilities_restricted",
    level: Level::Restricted,
    // Pods for Windows cannot set capabilities; they say what they are since 1.25.
    revisions: &[
        Revision { since: 22, replaces: &[capabilities_baseline::ID], judge },
        Revision { since: 25, replaces: &[capabilities_baseline::ID], judge: judge_since_25 },
    ],
};

fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    let mut added = Values::new();
    let keeping = pod.names(|container| !drops_all(container.security));
    let adding =
        pod.names(|container| capabilities_baseline::add(container.security, &["NET_BIND_SERVICE"], &mut added));
    let mut details = vec![];
    if !keeping.is_empty() {
        details.push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", containers(&keeping)));
    }
    if !adding.is_empty() {
        let (who, what) = (containers(&adding), quoted(&added));
        details.push(format!("{who} must not include {what} in securityContext.capabilities.add"));
    }
    (!details.is_empty()).then(|| Forbidden { reason: "unrestricted capabilities", detail: details.join("; ") })
}

fn judge_since_25(pod: &PodFields<'_>) -> Option<Forbidden> {
    if pod.is_windows { None } else { judge(pod) }
}

fn drops_all(security: Node<'_>) -> bool {
    let dropped = security.get("capabilities").map_or(&[][..], |capabilities| capabilities.items_of("drop"));
    dropped.iter().any(|capability| capability.as_str() == Some("ALL"))
}
