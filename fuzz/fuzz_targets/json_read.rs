//! Whatever the bytes, reading ends with a tree or an error. A tree prints as JSON that reads as the same tree, and it is
//! what serde_json reads, too.

#![no_main]

use admittance_engine::json::path::hash_of;
use admittance_engine::json::{Arena, Constant, Node, View, diff, read};
use admittance_engine::kubernetes::list_keys;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let arena = Arena::with_limit(1 << 26);
    let node = match read(&arena, text) {
        Ok(node) => node,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let size = count(node);
    if arena.has_unreadable() {
        return;
    }
    assert!(size <= text.len());
    let printed = serde_json::to_string(&node).expect("a tree is JSON");
    let again = read(&arena, &printed).expect("what was printed can be read");
    assert!(node == again, "{printed}");
    assert_eq!(hash_of(node), hash_of(again));
    assert!(diff(node, again, list_keys::of).is_empty());

    let theirs: serde_json::Value = serde_json::from_str(text).expect("what can be read is JSON");
    assert!(Constant::from(theirs).build(&arena) == node, "{printed}");
});

/// How many values there are; it looks into every part that was left unparsed.
fn count(node: Node<'_>) -> usize {
    1 + match node.view() {
        View::List(items) => items.iter().map(|item| count(*item)).sum(),
        View::Map(map) => map.entries().iter().map(|(_, value)| count(*value)).sum::<usize>(),
        _ => 0,
    }
}
