//! JSON Merge Patch (RFC 7386).

use super::arena::Arena;
use super::node::{Map, Node};

/// What `patch` makes of `target`: maps are merged, null removes a key, everything else replaces. It cannot fail. What the
/// patch does not change is shared with `target`, and a patch that changes nothing returns `target` itself.
pub fn apply<'a>(arena: &'a Arena, target: Node<'a>, patch: Node<'a>) -> Node<'a> {
    let Some(patch) = patch.as_map() else {
        return if target == patch { target } else { patch };
    };
    let old = target.as_map();
    let mut changed = old.is_none();
    let mut merged = bumpalo::collections::Vec::with_capacity_in(old.map_or(0, Map::len) + patch.len(), &arena.bump);
    for (key, value) in old.map_or(&[][..], Map::entries) {
        let Some(change) = patch.get(key) else {
            merged.push((*key, *value));
            continue;
        };
        if change.is_null() {
            changed = true;
            continue;
        }
        let new = apply(arena, *value, change);
        changed |= !new.is_same(*value);
        merged.push((*key, new));
    }
    for (key, change) in patch.entries() {
        if !change.is_null() && old.is_none_or(|old| old.get(key).is_none()) {
            changed = true;
            // Not the patch's value as it stands: nulls inside of it are removals, too.
            merged.push((*key, apply(arena, Node::NULL, *change)));
        }
    }
    if changed { Node::map(arena.keep(arena.index(merged.into_bump_slice()))) } else { target }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpora;
    use crate::json::read;

    #[test]
    fn passes_the_appendix_of_the_rfc() {
        let (mut passed, lines) = (0, corpora::lines("merge-patch.jsonl", 15));
        for line in &lines {
            let arena = Arena::with_limit(1 << 20);
            let case = read(&arena, line).unwrap();
            let [target, patch, expected] = ["target", "patch", "expected"].map(|key| case.get(key).unwrap());
            let merged = apply(&arena, target, patch);
            assert!(merged == expected, "{line}\n{}", serde_json::to_string(&merged).unwrap());
            passed += 1;
        }
        println!("merge-patch.jsonl: {passed} of {}", lines.len());
    }

    #[test]
    fn drops_nulls_inside_of_what_is_new() {
        let arena = Arena::with_limit(1 << 20);
        let patch = read(&arena, r#"{"a":{"b":null,"c":[null]},"d":null}"#).unwrap();
        for target in [Node::NULL, Node::int(1), read(&arena, r#"{"a":[1]}"#).unwrap()] {
            assert_eq!(serde_json::to_string(&apply(&arena, target, patch)).unwrap(), r#"{"a":{"c":[null]}}"#);
        }
    }

    #[test]
    fn shares_what_it_does_not_change() {
        let arena = Arena::with_limit(1 << 20);
        let target = read(&arena, r#"{"a":{"b":[1],"c":0.5},"d":{"e":1}}"#).unwrap();
        let nothing = read(&arena, r#"{"a":{"b":[1],"c":0.5,"x":null},"y":null}"#).unwrap();
        assert!(apply(&arena, target, nothing).is_same(target));
        let merged = apply(&arena, target, read(&arena, r#"{"a":{"c":2}}"#).unwrap());
        assert_eq!(serde_json::to_string(&merged).unwrap(), r#"{"a":{"b":[1],"c":2},"d":{"e":1}}"#);
        assert!(merged.get("d").unwrap().is_same(target.get("d").unwrap()));
        assert!(merged.at(&["a", "b"]).unwrap().is_same(target.at(&["a", "b"]).unwrap()));
    }
}
