//! Lists and maps made anew, and only where something in them is another.

use crate::json::node::Entry;
use crate::json::{Arena, Map, Node};

/// The list with what `with` makes of each item; anything else as it is.
pub(super) fn items<'a>(arena: &'a Arena, list: Node<'a>, mut with: impl FnMut(Node<'a>) -> Node<'a>) -> Node<'a> {
    let Some(items) = list.as_list() else { return list };
    let mut is_changed = false;
    let made: Vec<Node<'a>> = items
        .iter()
        .map(|item| {
            let new = with(*item);
            is_changed |= !new.is_same(*item);
            new
        })
        .collect();
    if is_changed { arena.list(&made) } else { list }
}

/// The map with what `with` makes of each value; anything else as it is.
pub(super) fn values<'a>(arena: &'a Arena, node: Node<'a>, mut with: impl FnMut(Node<'a>) -> Node<'a>) -> Node<'a> {
    let Some(map) = node.as_map() else { return node };
    let mut entries = Entries::of(map);
    for (key, value) in map.entries() {
        entries.put(key, *value, Some(with(*value)));
    }
    entries.finish(arena, node)
}

/// The entries of a map in the making.
pub(super) struct Entries<'a> {
    made: Vec<Entry<'a>>,
    is_changed: bool,
}

impl<'a> Entries<'a> {
    pub(super) fn of(map: &Map<'a>) -> Self {
        Self { made: Vec::with_capacity(map.len() + 4), is_changed: false }
    }

    /// What became of an entry; None if it goes.
    pub(super) fn put(&mut self, key: &'a str, old: Node<'a>, new: Option<Node<'a>>) {
        self.is_changed |= !new.is_some_and(|new| new.is_same(old));
        self.made.extend(new.map(|new| (key, new)));
    }

    /// An entry that was not there.
    pub(super) fn add(&mut self, key: &'a str, value: Node<'a>) {
        self.is_changed = true;
        self.made.push((key, value));
    }

    /// The new map, or the one that it was.
    pub(super) fn finish(self, arena: &'a Arena, old: Node<'a>) -> Node<'a> {
        if self.is_changed { arena.map(&self.made) } else { old }
    }
}
