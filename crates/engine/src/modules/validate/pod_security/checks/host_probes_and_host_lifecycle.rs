//! `hostProbesAndHostLifecycle`: the host field is restricted in the probes and lifecycle handlers.

use super::{Check, Container, Forbidden, Level, PodFields, Revision, Values, containers, plural, quoted};

pub(super) const CHECK: Check =
    Check { id: "hostProbesAndHostLifecycle", level: Level::Baseline, revisions: &[Revision::since(34, judge)] };

/// What a kubelet asks of a container, and how it may ask. Lifecycle handlers no longer do anything with `tcpSocket`.
const HANDLERS: [&[&str]; 5] = [
    &["livenessProbe"],
    &["readinessProbe"],
    &["startupProbe"],
    &["lifecycle", "postStart"],
    &["lifecycle", "preStop"],
];
const ACTIONS: [&str; 2] = ["httpGet", "tcpSocket"];

fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    let mut hosts = Values::new();
    let mut bad = pod.names(|container| {
        hosts_of(container).fold(false, |_, host| {
            hosts.insert(host);
            true
        })
    });
    bad.sort_unstable();
    bad.dedup();
    (!bad.is_empty()).then(|| Forbidden {
        reason: "probe or lifecycle host",
        detail: format!(
            "{} {} {} {}",
            containers(&bad),
            plural("uses", "use", bad.len()),
            plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.len()),
            quoted(&hosts),
        ),
    })
}

/// The hosts that a container names.
fn hosts_of<'a>(container: &Container<'a>) -> impl Iterator<Item = &'a str> {
    let handlers = HANDLERS.into_iter().filter_map(|keys| container.node.at(keys));
    let hosts =
        handlers.flat_map(|handler| ACTIONS.into_iter().filter_map(move |action| handler.at(&[action, "host"])));
    // A host that is no text is not empty either.
    hosts.map(|host| host.as_str().unwrap_or("(no text)")).filter(|host| !host.is_empty())
}
