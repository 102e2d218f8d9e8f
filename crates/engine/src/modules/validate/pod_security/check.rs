//! What a check is, and what it is shown of a pod.

use super::level::Level;
use crate::json::{Arena, Node};

/// One requirement of the Pod Security Standards.
pub(super) struct Check {
    /// The standards' name of it.
    pub(super) id: &'static str,
    /// The level that it belongs to; `restricted` holds the checks of `baseline` too.
    pub(super) level: Level,
    /// Its forms, oldest first.
    pub(super) revisions: &'static [Revision],
}

/// A form of a check.
pub(super) struct Revision {
    /// The minor version of Kubernetes from which it holds.
    pub(super) since: usize,
    /// Checks of `baseline` that need not run where this one does.
    pub(super) replaces: &'static [&'static str],
    /// What it holds against a pod.
    pub(super) judge: Judge,
}

impl Revision {
    /// A form that replaces no other check.
    pub(super) const fn since(since: usize, judge: Judge) -> Self {
        Self { since, replaces: &[], judge }
    }
}

/// A pure function of a pod: what is forbidden in it, if something is.
pub(super) type Judge = fn(&PodFields<'_>) -> Option<Forbidden>;

/// What is forbidden in a pod.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Forbidden {
    /// What it is, without anything of the pod itself.
    pub(super) reason: &'static str,
    /// Where it stands and what it is there.
    pub(super) detail: String,
}

/// The parts of a pod that several checks look at.
pub(super) struct PodFields<'a> {
    /// `spec`
    pub(super) spec: Node<'a>,
    /// `spec.securityContext`, or null.
    pub(super) security: Node<'a>,
    /// `metadata.annotations`, or null.
    pub(super) annotations: Node<'a>,
    /// Init, regular and ephemeral containers.
    pub(super) containers: &'a [Container<'a>],
    /// `spec.os.name: windows`
    pub(super) is_windows: bool,
    /// `spec.hostUsers: false`: root in the pod is nobody on the node.
    pub(super) has_user_namespace: bool,
}

/// A container, whichever list it stands in.
#[derive(Clone, Copy)]
pub(super) struct Container<'a> {
    pub(super) name: &'a str,
    pub(super) node: Node<'a>,
    /// `securityContext`, or null.
    pub(super) security: Node<'a>,
}

impl<'a> PodFields<'a> {
    pub(super) fn of(arena: &'a Arena, metadata: Node<'a>, spec: Node<'a>) -> Self {
        let lists = ["initContainers", "containers", "ephemeralContainers"].map(|list| spec.items_of(list));
        let [init, regular, ephemeral] = lists;
        let mut nodes = init.iter().chain(regular).chain(ephemeral);
        let containers = arena.keep_each(init.len() + regular.len() + ephemeral.len(), |_| {
            let node = nodes.next().copied().unwrap_or_default();
            Container {
                name: node.str("name").unwrap_or_default(),
                node,
                security: node.get("securityContext").unwrap_or_default(),
            }
        });
        Self {
            spec,
            security: spec.get("securityContext").unwrap_or_default(),
            annotations: metadata.get("annotations").unwrap_or_default(),
            containers,
            is_windows: spec.at(&["os", "name"]).and_then(Node::as_str) == Some("windows"),
            has_user_namespace: spec.get("hostUsers").and_then(Node::as_bool) == Some(false),
        }
    }

    /// The names of the containers that are `bad`.
    pub(super) fn names(&self, mut bad: impl FnMut(&Container<'a>) -> bool) -> Vec<&'a str> {
        self.containers.iter().filter(|container| bad(container)).map(|container| container.name).collect()
    }
}
