//! The rule `pod-ips`: a pod's status says its first address twice.

use crate::json::{Arena, Node, edit};

/// Keeps `podIP` and the `ip` of the first of `podIPs` alike; `podIP` wins where they differ.
pub(super) fn keep_alike<'a>(arena: &'a Arena, status: Node<'a>) -> Node<'a> {
    let addresses = status.field("podIPs");
    let first = addresses.and_then(|addresses| addresses.items().first().copied());
    // An empty text is no address: where `ip` has none, one is always written.
    let address =
        |holder: Node<'a>, field| holder.field(field).filter(|ip| ip.as_str().is_some_and(|ip| !ip.is_empty()));
    let first_ip = first.and_then(|first| address(first, "ip"));
    let ip = address(status, "podIP");
    // A list that is none is left as it stands.
    if addresses.is_some_and(|addresses| addresses.as_list().is_none()) {
        return status;
    }
    match (ip, first_ip) {
        (None, Some(first_ip)) if status.field("podIP").is_none() => {
            edit::set(arena, status, &["podIP"], first_ip).unwrap_or(status)
        }
        (Some(ip), _) if first_ip.is_none_or(|first_ip| first_ip != ip) => {
            let addresses = arena.list(&[arena.map(&[("ip", ip)])]);
            edit::set(arena, status, &["podIPs"], addresses).unwrap_or(status)
        }
        _ => status,
    }
}
