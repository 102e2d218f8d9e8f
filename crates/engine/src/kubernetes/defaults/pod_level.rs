//! The rule `pod-level-resources` (KEP-2837): what a pod as a whole requests and is limited to, where its user says so for a part.

use crate::json::{Arena, Node, edit};
use crate::kubernetes::quantity::Quantity;

/// Fills in the limits of huge pages and the requests of a pod that has limits or requests of its own.
pub(super) fn fill<'a>(arena: &'a Arena, pod: Node<'a>) -> Node<'a> {
    let Some(spec) = pod.field("spec") else { return pod };
    let Some(own) = spec.field("resources") else { return pod };
    let has =
        |own: Node<'a>, list: &str, name: &str| own.field(list).is_some_and(|amounts| amounts.field(name).is_some());
    if own.entries_of("limits").is_empty() && own.entries_of("requests").is_empty() {
        return pod;
    }
    let add = |own: Node<'a>, list: &str, name: &str, amount: &Quantity| {
        let amount = Node::string(arena.format(format_args!("{amount}")));
        edit::set(arena, own, &[list, name], amount).unwrap_or(own)
    };
    let mut filled = own;
    for (name, amount) in &Amounts::peak(spec, "limits").0 {
        if is_huge_pages(name) && !has(own, "limits", name) && !has(own, "requests", name) {
            filled = add(filled, "limits", name, amount);
        }
    }
    if filled.entries_of("limits").is_empty() {
        return pod;
    }
    for (name, amount) in &Amounts::peak(spec, "requests").0 {
        if is_compute(name) && !has(filled, "requests", name) {
            filled = add(filled, "requests", name, amount);
        }
    }
    for (name, amount) in &Amounts::read(filled.field("limits")).0 {
        if (is_compute(name) || is_huge_pages(name)) && !has(filled, "requests", name) {
            filled = add(filled, "requests", name, amount);
        }
    }
    if filled.is_same(own) { pod } else { edit::set(arena, pod, &["spec", "resources"], filled).unwrap_or(pod) }
}

fn is_compute(name: &str) -> bool {
    matches!(name, "cpu" | "memory")
}

fn is_huge_pages(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// Amounts of resources by their name.
#[derive(Default)]
struct Amounts<'a>(Vec<(&'a str, Quantity)>);

impl<'a> Amounts<'a> {
    /// Those of a map; what is no quantity counts for nothing.
    fn read(amounts: Option<Node<'a>>) -> Self {
        let entries = amounts.map_or(&[][..], Node::entries);
        Self(entries.iter().filter_map(|(name, amount)| Some((*name, Quantity::read(*amount).ok()?))).collect())
    }

    /// What a pod needs at most: all containers and sidecars together or, where that is more, one init container beside
    /// the sidecars that were started before it.
    fn peak(spec: Node<'a>, list: &str) -> Self {
        let of = |container: Node<'a>| Self::read(container.field("resources").and_then(|own| own.field(list)));
        let (mut total, mut peak, mut sidecars) = (Self::default(), Self::default(), Self::default());
        spec.items_of("containers").iter().for_each(|container| total.add(&of(*container)));
        for container in spec.items_of("initContainers") {
            let mut now = Self::default();
            if container.str("restartPolicy") == Some("Always") {
                total.add(&of(*container));
                sidecars.add(&of(*container));
            } else {
                now.add(&of(*container));
            }
            now.add(&sidecars);
            peak.raise(&now);
        }
        total.raise(&peak);
        total
    }

    fn add(&mut self, more: &Self) {
        self.merge(more, |have, more| *have = have.plus(more));
    }

    /// To the greater of each.
    fn raise(&mut self, other: &Self) {
        self.merge(other, |have, other| {
            if *other > *have {
                have.clone_from(other);
            }
        });
    }

    fn merge(&mut self, other: &Self, with: impl Fn(&mut Quantity, &Quantity)) {
        for (name, amount) in &other.0 {
            match self.0.iter_mut().find(|(known, _)| known == name) {
                Some((_, have)) => with(have, amount),
                None => self.0.push((name, amount.clone())),
            }
        }
    }
}
