//! `capabilities_baseline`: adding NET_RAW or capabilities beyond the default set must be disallowed.

use super::{Check, Forbidden, Level, Node, PodFields, Revision, Values, containers, quoted};

pub(super) const ID: &str = "capabilities_baseline";

pub(super) const CHECK: Check = Check { id: ID, level: Level::Baseline, revisions: &[Revision::since(0, judge)] };

/// The capabilities that containers may add.
pub(in crate::modules::validate) const ALLOWED: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    let mut added = Values::new();
    let bad = pod.names(|container| add(container.security, ALLOWED, &mut added));
    (!bad.is_empty()).then(|| Forbidden {
        reason: "non-default capabilities",
        detail: format!("{} must not include {} in securityContext.capabilities.add", containers(&bad), quoted(&added)),
    })
}

/// Whether capabilities are added that are not `allowed`; these are put into `forbidden`.
pub(super) fn add<'a>(security: Node<'a>, allowed: &[&str], forbidden: &mut Values<'a>) -> bool {
    let added = security.get("capabilities").map_or(&[][..], |capabilities| capabilities.items_of("add"));
    let names = added.iter().map(|capability| capability.as_str().unwrap_or_default());
    names.filter(|name| !allowed.contains(name)).fold(false, |_, name| {
        forbidden.insert(name);
        true
    })
}
