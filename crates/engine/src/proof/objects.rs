//! Objects that matter to a policy: those of the corpus that it matches, and others made of them by small changes, with the
//! names, texts and numbers that its expressions mention. What is made is what an API server could send: it fits its kind.
//!
//! The same seed makes the same objects everywhere.

use std::sync::LazyLock;

use crate::json::{Arena, Node, Operation, View, patch};
use crate::kubernetes::decoding::fault;
use crate::kubernetes::schema::Schemas;
use crate::rule::Mentions;

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(Schemas::built_in);

/// Chance that anybody can repeat (splitmix64).
pub(super) struct Chance(u64);

impl Chance {
    /// From a text, such as a digest.
    pub(super) fn of(seed: &str) -> Self {
        // FNV-1a, so that every byte counts.
        Self(
            seed.bytes()
                .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)),
        )
    }

    /// Below `end`; 0 where that is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mixed = usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or_default();
        mixed.checked_rem(end).unwrap_or_default()
    }

    fn of_all<'t, T>(&mut self, items: &'t [T]) -> Option<&'t T> {
        items.get(self.below(items.len()))
    }
}

/// An object made of `base` by one to four changes; `base` itself where none fits.
pub(super) fn varied<'a>(arena: &'a Arena, base: Node<'a>, mentions: &'a Mentions, chance: &mut Chance) -> Node<'a> {
    let changes = 1 + chance.below(4);
    (0..changes).fold(base, |object, _| {
        let Some(operation) = change(arena, object, mentions, chance) else { return object };
        let Ok(next) = patch::apply(arena, object, &[operation]) else { return object };
        let text = |key| base.str(key).unwrap_or_default();
        let is_sound =
            SCHEMAS.of(text("apiVersion"), text("kind")).is_none_or(|schema| fault(&schema, object, next).is_none());
        if is_sound { next } else { object }
    })
}

fn change<'a>(
    arena: &'a Arena,
    object: Node<'a>,
    mentions: &'a Mentions,
    chance: &mut Chance,
) -> Option<Operation<'a>> {
    let places = places(object);
    let (path, node) = chance.of_all(&places)?;
    match chance.below(5) {
        0 => is_removable(object, path).then(|| Operation::Remove { path: path.clone() }),
        1 => {
            let (key, value) = (chance.of_all(&KEYS)?, label(arena, mentions, chance)?);
            let entry = arena.map(&[(value.0, value.1)]);
            let there = object.at(&["metadata", key]).is_some();
            let path = format!("/metadata/{key}");
            Some(if there {
                Operation::Add { path: format!("{path}/{}", escaped(value.0)), value: value.1 }
            } else {
                Operation::Add { path, value: entry }
            })
        }
        2 => match node.view() {
            View::List(items) => {
                let item = *chance.of_all(items)?;
                Some(Operation::Add { path: format!("{path}/-"), value: renamed(arena, item, items.len()) })
            }
            _ => None,
        },
        // Names in a list stay what they are: each stands there once.
        3 if path.ends_with("/name") => None,
        3 => Some(Operation::Replace { path: path.clone(), value: like(*node, mentions, chance)? }),
        _ => {
            let maps: Vec<&(String, Node<'a>)> = places.iter().filter(|(_, node)| node.as_map().is_some()).collect();
            let (path, _) = chance.of_all(&maps)?;
            let field = chance.of_all(&mentions.fields)?;
            let value = any(arena, mentions, chance);
            Some(Operation::Add { path: format!("{path}/{}", escaped(field)), value })
        }
    }
}

const KEYS: [&str; 2] = ["labels", "annotations"];

/// A key as a part of a JSON pointer (RFC 6901).
pub(super) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A label or an annotation: a name or a text that is mentioned, with a text that is.
fn label<'a>(arena: &'a Arena, mentions: &'a Mentions, chance: &mut Chance) -> Option<(&'a str, Node<'a>)> {
    let names = if chance.below(2) == 0 { &mentions.fields } else { &mentions.texts };
    let key = chance.of_all(names)?;
    Some((arena.text(key), text(mentions, chance)))
}

fn text<'a>(mentions: &'a Mentions, chance: &mut Chance) -> Node<'a> {
    let known = ["", "x", "1", "true"];
    match chance.below(known.len() + mentions.texts.len()) {
        position if position < known.len() => Node::string(known.get(position).copied().unwrap_or_default()),
        position => Node::string(mentions.texts.get(position - known.len()).map_or("", String::as_str)),
    }
}

fn number<'a>(mentions: &Mentions, chance: &mut Chance) -> Node<'a> {
    let known = [0, 1, 2, 1000];
    let all: Vec<i64> = known.iter().chain(&mentions.numbers).copied().collect();
    Node::int(chance.of_all(&all).copied().unwrap_or_default())
}

/// Another value of the same kind.
fn like<'a>(node: Node<'a>, mentions: &'a Mentions, chance: &mut Chance) -> Option<Node<'a>> {
    match node.view() {
        View::Bool(value) => Some(Node::bool(!value)),
        View::Int(_) | View::UInt(_) | View::Float(_) => Some(number(mentions, chance)),
        View::String(_) => Some(text(mentions, chance)),
        View::Null | View::List(_) | View::Map(_) => None,
    }
}

fn any<'a>(arena: &'a Arena, mentions: &'a Mentions, chance: &mut Chance) -> Node<'a> {
    match chance.below(5) {
        0 => number(mentions, chance),
        1 => Node::bool(chance.below(2) == 0),
        2 => arena.map(&[]),
        _ => text(mentions, chance),
    }
}

/// An item under another name, where it has one: lists of named items have each name once.
fn renamed<'a>(arena: &'a Arena, item: Node<'a>, position: usize) -> Node<'a> {
    let Some(name) = item.str("name") else { return item };
    let name = Node::string(arena.format(format_args!("{name}-{position}")));
    patch::apply(arena, item, &[Operation::Replace { path: "/name".to_owned(), value: name }]).unwrap_or(item)
}

/// What no object can be without that the API server stores: a policy that stumbles over its absence is not refused for it. An
/// empty list is as good as none.
const NEEDED: [&str; 3] = ["containers", "spec", "template"];

/// Whether an object may be without what stands at this place.
pub(super) fn is_removable(object: Node<'_>, path: &str) -> bool {
    let Some((around, last)) = path.rsplit_once('/') else { return false };
    let is_last_item =
        patch::find(object, around).is_ok_and(|list| list.as_list().is_some_and(|items| items.len() == 1));
    !is_last_item && !NEEDED.contains(&last) && last != "name"
}

/// Every place of an object but those that say what it is, with what stands there.
pub(super) fn places(object: Node<'_>) -> Vec<(String, Node<'_>)> {
    let mut found = vec![];
    for (key, value) in object.entries() {
        if !matches!(*key, "apiVersion" | "kind") {
            walk(format!("/{}", escaped(key)), *value, &mut found);
        }
    }
    found.retain(|(path, _)| !matches!(path.as_str(), "/metadata" | "/metadata/name"));
    found
}

fn walk<'a>(path: String, node: Node<'a>, into: &mut Vec<(String, Node<'a>)>) {
    match node.view() {
        View::Map(map) => {
            for (key, value) in map.entries() {
                walk(format!("{path}/{}", escaped(key)), *value, into);
            }
        }
        View::List(items) => {
            for (position, item) in items.iter().enumerate() {
                walk(format!("{path}/{position}"), *item, into);
            }
        }
        _ => {}
    }
    into.push((path, node));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::corpus;

    #[test]
    fn makes_the_same_objects_of_the_same_seed_and_others_of_another() {
        let mentions = Mentions {
            fields: vec!["labels".to_owned(), "replicas".to_owned()],
            texts: vec!["team".to_owned()],
            numbers: vec![7],
        };
        let made = |seed: &str| -> Vec<String> {
            let (arena, mut chance) = (Arena::with_limit(1 << 26), Chance::of(seed));
            let object = |n: usize| varied(&arena, corpus::object(&arena, n % corpus::len()), &mentions, &mut chance);
            let objects: Vec<Node<'_>> = (0..200).map(object).collect();
            for object in &objects {
                let text = |key| object.str(key).unwrap();
                let schema = SCHEMAS.of(text("apiVersion"), text("kind")).unwrap();
                assert_eq!(fault(&schema, Node::NULL, *object), None);
            }
            objects.iter().map(|object| serde_json::to_string(object).unwrap()).collect()
        };
        let first = made("a");
        assert_eq!(first, made("a"));
        let differs = |other: &[String]| first.iter().zip(other).filter(|(left, right)| left != right).count();
        assert!(differs(&made("b")) > 100);
        assert!(first.iter().any(|text| text.contains("team")));
    }
}
