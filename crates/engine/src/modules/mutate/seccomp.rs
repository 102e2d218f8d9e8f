//! Seccomp profiles as pods write them.

use crate::json::{Arena, Node};

/// `{type: RuntimeDefault}`
pub(super) fn runtime_default(arena: &Arena) -> Node<'_> {
    arena.map(&[("type", Node::string("RuntimeDefault"))])
}

/// `{type: Localhost, localhostProfile: …}`
pub(super) fn localhost<'a>(arena: &'a Arena, profile: &'a str) -> Node<'a> {
    arena.map(&[("type", Node::string("Localhost")), ("localhostProfile", Node::string(profile))])
}
