//! Compares what a path leads to in the stored object and in the new one.

use crate::json::{List, Map, Node, Path, View};
use crate::modules::field_path::Step;

/// What stands at a place in the stored object and in the new one; None for what is absent.
pub(super) type Pair<'a> = (Option<Node<'a>>, Option<Node<'a>>);

/// Shows every place that the steps lead to in one of the two, with what stands there.
pub(super) fn visit(steps: &[Step], (old, new): Pair<'_>, place: &Path<'_>, see: &mut dyn FnMut(Pair<'_>, &Path<'_>)) {
    let (old, new) = (old.filter(|node| !node.is_null()), new.filter(|node| !node.is_null()));
    match steps {
        _ if old.is_none() && new.is_none() => {}
        [] => see((old, new), place),
        [Step::Key(key), rest @ ..] => {
            let pair = (old.and_then(|old| old.field(key)), new.and_then(|new| new.field(key)));
            visit(rest, pair, &place.key(key), see);
        }
        [Step::Each, rest @ ..] => match (old.map(Node::view), new.map(Node::view)) {
            (Some(View::Map(_)) | None, Some(View::Map(_)) | None) => {
                visit_values(rest, (map_of(old), map_of(new)), place, see);
            }
            (Some(View::List(_)) | None, Some(View::List(_)) | None) => {
                let lists = (old.map_or(&[][..], Node::items), new.map_or(&[][..], Node::items));
                visit_items(rest, lists, place, see);
            }
            // Another type than before: all below it has changed.
            _ => see((old, new), place),
        },
    }
}

fn visit_values(
    rest: &[Step],
    (old, new): (&Map<'_>, &Map<'_>),
    place: &Path<'_>,
    see: &mut dyn FnMut(Pair<'_>, &Path<'_>),
) {
    for (key, value) in old.entries() {
        visit(rest, (Some(*value), new.get(key)), &place.key(key), see);
    }
    for (key, value) in new.entries().iter().filter(|(key, _)| old.get(key).is_none()) {
        visit(rest, (None, Some(*value)), &place.key(key), see);
    }
}

/// Items that all have a name are found again by it, others by their position.
fn visit_items(
    rest: &[Step],
    (old, new): (List<'_>, List<'_>),
    place: &Path<'_>,
    see: &mut dyn FnMut(Pair<'_>, &Path<'_>),
) {
    let by_name = are_named(old) && are_named(new);
    let partner = |list: List<'_>, index: usize, item: Node<'_>| match item.str("name") {
        Some(name) if by_name => list.iter().position(|other| other.str("name") == Some(name)),
        _ => Some(index).filter(|index| *index < list.len()),
    };
    for (index, item) in old.iter().enumerate() {
        let found = partner(new, index, *item);
        let pair = (Some(*item), found.and_then(|found| new.get(found)).copied());
        visit(rest, pair, &place.item(found.unwrap_or(index), "name", *item), see);
    }
    for (index, item) in new.iter().enumerate().filter(|(index, item)| partner(old, *index, **item).is_none()) {
        visit(rest, (None, Some(*item)), &place.item(index, "name", *item), see);
    }
}

fn map_of(node: Option<Node<'_>>) -> &Map<'_> {
    node.and_then(Node::as_map).unwrap_or(&Map::EMPTY)
}

/// Whether every item has a name, and no two the same.
fn are_named(list: List<'_>) -> bool {
    list.iter().enumerate().all(|(index, item)| {
        let name = item.str("name");
        name.is_some() && !list.iter().take(index).any(|other| other.str("name") == name)
    })
}
