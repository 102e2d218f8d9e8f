//! A value that nobody may see. It takes the value's place in the tree, so that what is around it can be judged, printed and
//! read again; whoever looks at it leaves a trace in the arena, because what they conclude from it is not so.

use std::fmt;

use super::arena::Arena;
use super::node::Node;

/// What every marker begins with. A number follows.
const PREFIX: &str = "admittance.dev/redacted#";

/// What stands for a value.
#[derive(Clone, Copy)]
pub(super) struct Redacted<'a> {
    arena: &'a Arena,
    number: u32,
    marker: &'a str,
}

impl<'a> Redacted<'a> {
    pub(super) fn new(arena: &'a Arena, number: u32) -> Self {
        Self { arena, number, marker: arena.format(format_args!("{PREFIX}{number}")) }
    }

    /// What is printed.
    pub(super) const fn marker(&self) -> &'a str {
        self.marker
    }

    /// What somebody sees who looks.
    pub(super) fn look(&self) -> &'a str {
        self.arena.mark_unknown();
        self.marker
    }

    /// Whether both stand for the same value. Others may as well be equal: that is not known.
    pub(super) const fn is_same(&self, other: &Redacted<'_>) -> bool {
        self.number == other.number
    }
}

impl<'a> Node<'a> {
    /// Whether its value was redacted.
    pub fn is_redacted(self) -> bool {
        self.as_redacted().is_some()
    }

    /// The same value with the markers in it taken for what they are: text that was printed before. What only looks like a
    /// marker becomes one, too: then nobody can tell what it says, which is the safe reading.
    pub fn with_redacted(self, arena: &'a Arena) -> Self {
        let Some(number) = self.marked_number() else { return self.with_redacted_inside(arena) };
        arena.redacted_as(number)
    }

    fn marked_number(self) -> Option<u32> {
        if self.is_unread() {
            return None;
        }
        self.as_str()?.strip_prefix(PREFIX)?.parse().ok()
    }

    fn with_redacted_inside(self, arena: &'a Arena) -> Self {
        if self.is_unread() {
            return self;
        }
        if let Some(items) = self.as_list() {
            let new: Vec<Node<'a>> = items.iter().map(|item| item.with_redacted(arena)).collect();
            let is_same = new.iter().zip(items).all(|(new, old)| new.is_same(*old));
            return if is_same { self } else { arena.list(&new) };
        }
        let Some(map) = self.as_map() else { return self };
        let new: Vec<_> = map.entries().iter().map(|(key, value)| (*key, value.with_redacted(arena))).collect();
        let is_same = new.iter().zip(map.entries()).all(|(new, old)| new.1.is_same(old.1));
        if is_same { self } else { arena.map(&new) }
    }
}

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.marker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{diff, edit, read};
    use crate::kubernetes::list_keys;

    #[test]
    fn notes_whoever_looks_and_nobody_else() {
        let arena = Arena::with_limit(1 << 20);
        let hidden = arena.redacted();
        let map = arena.map(&[("data", hidden), ("n", Node::int(1))]);
        assert_eq!(serde_json::to_string(&map).unwrap(), r#"{"data":"admittance.dev/redacted#1","n":1}"#);
        let changed = edit::set(&arena, map, &["n"], Node::int(2)).unwrap();
        assert_eq!(diff(map, changed, list_keys::of).len(), 1);
        assert!(map.field("data").is_some() && map.get("data").unwrap() == hidden && !hidden.is_null());
        assert_eq!(format!("{hidden:?}"), "redacted");
        assert_eq!(arena.unknowns(), 0);
        let looks: [&dyn Fn() -> bool; 8] = [
            &|| hidden.as_str().is_some(),
            &|| hidden.as_bool().is_none(),
            &|| hidden.as_i64().is_none(),
            &|| hidden.entries().is_empty(),
            &|| hidden.items().is_empty(),
            &|| hidden.get("a").is_none(),
            &|| hidden != arena.redacted(),
            &|| hidden != Node::string("a"),
        ];
        for (position, look) in looks.into_iter().enumerate() {
            let before = arena.unknowns();
            assert!(look() && arena.unknowns() > before, "{position}");
        }
    }

    #[test]
    fn is_found_again_in_printed_text() {
        let text = r#"{"a":["admittance.dev/redacted#7",{"b":"admittance.dev/redacted#7","c":"admittance.dev/redacted#8"}],
            "d":"admittance.dev/redacted#x","e":{"f":[1,"g",null]}}"#;
        let arena = Arena::with_limit(1 << 20);
        let plain = read(&arena, text).unwrap();
        let node = plain.with_redacted(&arena);
        let [first, second] = node.items_of("a") else { panic!("a list of two") };
        assert!(first.is_redacted() && first.is_same(second.get("b").unwrap()));
        assert!(!first.is_same(second.get("c").unwrap()) && !node.get("d").unwrap().is_redacted());
        assert!(node.get("e").unwrap().is_same(plain.get("e").unwrap()));
        assert_eq!(serde_json::to_string(&node).unwrap(), serde_json::to_string(&plain).unwrap());
        assert_eq!(arena.unknowns(), 0);
    }
}
