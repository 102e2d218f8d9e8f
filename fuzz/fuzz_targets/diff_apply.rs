//! The diff of two trees, applied to the first, gives the second; and it is empty only for equal ones. The second tree is
//! made of the first by changes, so that they share, move, and repeat parts as objects before and after policies do.

#![no_main]

use admittance_engine::json::{Arena, Node, View, diff, patch, read};
use admittance_engine::kubernetes::list_keys;
use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

const KEYS: [&str; 12] =
    ["spec", "containers", "ports", "env", "volumes", "name", "containerPort", "protocol", "port", "~/", "", "0"];
const TEXTS: [&str; 6] = ["", "a", "b", "TCP", "UDP", "/~1"];

fuzz_target!(|bytes: &[u8]| {
    let arena = Arena::with_limit(1 << 30);
    let mut input = Unstructured::new(bytes);
    let Ok(from) = build(&arena, &mut input, 0) else { return };
    let Ok(to) = change(&arena, &mut input, from, 0) else { return };
    check(&arena, from, to);
    check(&arena, to, from);
});

fn check<'a>(arena: &'a Arena, from: Node<'a>, to: Node<'a>) {
    let operations = diff(from, to, list_keys::of);
    assert_eq!(operations.is_empty(), from == to);
    let applied = patch::apply(arena, from, &operations).expect("a diff applies");
    assert!(applied == to, "{}", print(from, to, &operations));

    let text = arena.text(&serde_json::to_string(&operations).expect("a patch is JSON"));
    let again = patch::read(read(arena, text).expect("a patch is JSON")).expect("a diff is a patch");
    assert!(patch::apply(arena, from, &again).expect("a diff applies") == to, "{}", print(from, to, &again));
}

fn print(from: Node<'_>, to: Node<'_>, operations: &[patch::Operation<'_>]) -> String {
    serde_json::to_string(&(from, to, operations)).unwrap_or_default()
}

fn build<'a>(arena: &'a Arena, input: &mut Unstructured<'_>, depth: usize) -> Result<Node<'a>> {
    Ok(match input.int_in_range(0..=if depth < 6 { 11 } else { 5 })? {
        0 => Node::NULL,
        1 => Node::bool(input.arbitrary()?),
        2 => Node::int(input.int_in_range(-1..=3)?),
        3 => Node::uint(input.arbitrary()?),
        4 => Node::float(f64::from(input.int_in_range(-4i8..=4)?) / 2.0),
        5 => Node::string(input.choose(&TEXTS)?),
        6..=8 => {
            let mut items = Vec::new();
            while items.len() < 12 && more(input, 3, 4)? {
                items.push(build(arena, input, depth + 1)?);
            }
            arena.list(&items)
        }
        _ => {
            let mut entries: Vec<(&str, Node<'_>)> = Vec::new();
            while entries.len() < KEYS.len() && more(input, 3, 4)? {
                let key = *input.choose(&KEYS)?;
                if entries.iter().all(|entry| entry.0 != key) {
                    entries.push((key, build(arena, input, depth + 1)?));
                }
            }
            arena.map(&entries)
        }
    })
}

fn change<'a>(arena: &'a Arena, input: &mut Unstructured<'_>, node: Node<'a>, depth: usize) -> Result<Node<'a>> {
    match input.int_in_range(0..=9)? {
        0 => return build(arena, input, depth),
        1..=3 => return Ok(node),
        _ => {}
    }
    match node.view() {
        View::List(items) => {
            let mut items: Vec<Node<'_>> =
                items.iter().map(|item| change(arena, input, *item, depth + 1)).collect::<Result<_>>()?;
            while more(input, 1, 2)? {
                let place = input.int_in_range(0..=items.len())?;
                match input.int_in_range(0..=3)? {
                    0 => items.insert(place, build(arena, input, depth + 1)?),
                    1 if place < items.len() => drop(items.remove(place)),
                    2 if place < items.len() => {
                        let item = items.remove(place);
                        items.insert(input.int_in_range(0..=items.len())?, item);
                    }
                    3 if place < items.len() => items.push(items[place]),
                    _ => {}
                }
            }
            Ok(arena.list(&items))
        }
        View::Map(map) => {
            let mut entries = Vec::new();
            for (key, value) in map.entries() {
                if !input.ratio(1, 8)? {
                    entries.push((*key, change(arena, input, *value, depth + 1)?));
                }
            }
            let key = *input.choose(&KEYS)?;
            if input.ratio(1, 4)? && entries.iter().all(|entry| entry.0 != key) {
                let place = input.int_in_range(0..=entries.len())?;
                entries.insert(place, (key, build(arena, input, depth + 1)?));
            }
            Ok(arena.map(&entries))
        }
        _ => build(arena, input, 6),
    }
}

/// An input that is used up would say yes for ever.
fn more(input: &mut Unstructured<'_>, in_so_many: u8, of: u8) -> Result<bool> {
    Ok(!input.is_empty() && input.ratio(in_so_many, of)?)
}
