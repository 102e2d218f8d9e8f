//! `hostPorts`: host ports must be forbidden.

use std::collections::BTreeSet;

use super::{Check, Forbidden, Level, Node, PodFields, Revision, containers, plural};

pub(super) const CHECK: Check =
    Check { id: "hostPorts", level: Level::Baseline, revisions: &[Revision::since(0, judge)] };

fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    // As texts: upstream sorts them so.
    let mut ports = BTreeSet::new();
    let bad = pod.names(|container| {
        let claimed = container.node.items_of("ports").iter().filter_map(|port| port.field("hostPort"));
        claimed.filter(|port| *port != Node::int(0)).fold(false, |_, port| {
            ports.insert(text(port));
            true
        })
    });
    (!bad.is_empty()).then(|| Forbidden {
        reason: "hostPort",
        detail: format!(
            "{} {} {} {}",
            containers(&bad),
            plural("uses", "use", bad.len()),
            plural("hostPort", "hostPorts", ports.len()),
            ports.into_iter().collect::<Vec<_>>().join(", "),
        ),
    })
}

/// What is no whole number is no port, and no reason to let the pod pass.
fn text(port: Node<'_>) -> String {
    port.as_i64().map_or_else(|| format!("(a {})", port.kind()), |port| port.to_string())
}
