//! The merge itself (typed/merge.go, rule `ruleKeepRHS`). Both sides fit the type.

use super::key::{Index, Key};
use super::validate::{Part, part_for};
use crate::json::node::Entry;
use crate::json::{Arena, List, Node};
use crate::kubernetes::schema::{Items, ListType, MapType, Schema, TypeId};

/// The object with what the configuration sets.
pub(super) fn merge<'a>(arena: &'a Arena, schema: &Schema, object: Node<'a>, configuration: Node<'a>) -> Node<'a> {
    Merge { arena, schema }.value(schema.root(), object, configuration)
}

struct Merge<'s, 'a> {
    arena: &'a Arena,
    schema: &'s Schema,
}

impl<'s, 'a: 's> Merge<'s, 'a> {
    /// What becomes of a value that both have. (What only one has stays as it is.)
    fn value(&self, id: TypeId, old: Node<'a>, new: Node<'a>) -> Node<'a> {
        match part_for(self.schema.get(id), new) {
            Part::Map(map) if !map.is_atomic => self.maps(map, old, new),
            Part::List(list) if list.items != Items::Atomic => self.lists(list, old, new),
            _ => new,
        }
    }

    fn maps(&self, map: &'s MapType, old: Node<'a>, new: Node<'a>) -> Node<'a> {
        // What is no map, null before all, counts as one without keys; between two such the new one stands, so that the
        // difference between null and empty is kept.
        let (Some(entries), changes) = (old.as_map().filter(|map| !map.is_empty()), new.as_map()) else { return new };
        let Some(changes) = changes.filter(|map| !map.is_empty()) else { return old };
        let mut is_changed = false;
        let mut merged: Vec<Entry<'a>> = Vec::with_capacity(entries.len() + changes.len());
        for (key, value) in entries.entries() {
            let change = changes.get(key).and_then(|change| Some((map.under(key)?, change)));
            let becomes = change.map_or(*value, |(of, change)| self.value(of, *value, change));
            is_changed |= !becomes.is_same(*value);
            merged.push((*key, becomes));
        }
        let is_new = |entry: &&Entry<'a>| entries.get(entry.0).is_none();
        merged.extend(changes.entries().iter().filter(is_new));
        is_changed |= merged.len() > entries.len();
        if is_changed { self.arena.map(&merged) } else { old }
    }

    fn lists(&self, list: &'s ListType, old: Node<'a>, new: Node<'a>) -> Node<'a> {
        let (Some(items), changes) = (old.as_list().filter(|items| !items.is_empty()), new.as_list()) else {
            return new;
        };
        let Some(changes) = changes.filter(|changes| !changes.is_empty()) else { return old };
        let (Some(left), Some(right)) = (self.side(list, items), self.side(list, changes)) else { return new };
        let merged = self.items(list, &left, &right);
        let is_same = |(left, right): (&Node<'a>, &Node<'a>)| left.is_same(*right);
        if merged.len() == items.len() && merged.iter().zip(items).all(is_same) {
            old
        } else {
            self.arena.list(&merged)
        }
    }

    /// None if an item has no key, which the validation has refused.
    fn side(&self, list: &'s ListType, items: List<'a>) -> Option<Side<'s, 'a>> {
        let keys = items.iter().map(|item| Key::of(self.arena, self.schema, list, *item).ok());
        let keys: Vec<Key<'s>> = keys.collect::<Option<_>>()?;
        let mut index = Index::default();
        let mut is_repeated = vec![false; keys.len()];
        for position in 0..keys.len() {
            if let Some(repeated) = index.insert(&keys, position).and_then(|first| is_repeated.get_mut(first)) {
                *repeated = true;
            }
        }
        Some(Side { items, keys, index, is_repeated })
    }

    /// Upstream's `visitListItems`, step by step. Items that both sides have come in the order of the configuration, the
    /// others keep their place relative to those around them.
    fn items(&self, list: &'s ListType, left: &Side<'s, 'a>, right: &Side<'s, 'a>) -> Vec<Node<'a>> {
        let mut merged = Vec::with_capacity(left.items.len() + right.items.len());
        let mut is_merged = vec![false; right.keys.len()];
        // The items of the configuration that the object has, too, in their order.
        let is_shared: Vec<bool> = right.keys.iter().map(|key| left.find(key).is_some()).collect();
        let next_shared = |from: usize| (from..right.keys.len()).find(|at| is_shared.get(*at) == Some(&true));
        let mut shared = next_shared(0);
        // For each item of the object: where the configuration has it.
        let twin: Vec<Option<usize>> = left.keys.iter().map(|key| right.find(key)).collect();
        let twin = |at: usize| twin.get(at).copied().flatten();
        let (mut l, mut r) = (0, 0);
        while l < left.keys.len() || r < right.keys.len() {
            if l < left.keys.len() && r < right.keys.len() {
                if twin(l) == Some(r) {
                    merged.extend(self.item(list, left, right, r));
                    set(&mut is_merged, r);
                    l += 1;
                    r += 1;
                    shared = shared.and_then(|shared| next_shared(shared + 1));
                    continue;
                }
                if twin(l).is_some() && shared.is_some() && shared != twin(l) {
                    // Both have it, but another one is due.
                    l += 1;
                    continue;
                }
            }
            if l < left.keys.len() {
                match twin(l) {
                    None => {
                        merged.extend(left.items.get(l));
                        l += 1;
                        continue;
                    }
                    // A repetition of one that is there by now.
                    Some(twin) if is_merged.get(twin) == Some(&true) => l += 1,
                    Some(_) => {}
                }
            }
            if r < right.keys.len() {
                merged.extend(self.item(list, left, right, r));
                set(&mut is_merged, r);
                if shared == Some(r) {
                    shared = next_shared(r + 1);
                }
                r += 1;
            }
        }
        merged
    }

    /// The configuration's item at `position`, merged with the object's item of its key. Where the object has several
    /// such, the configuration's stands alone.
    fn item(&self, list: &'s ListType, left: &Side<'s, 'a>, right: &Side<'s, 'a>, position: usize) -> Option<Node<'a>> {
        let new = *right.items.get(position)?;
        let old = left.find(right.keys.get(position)?).filter(|at| left.is_repeated.get(*at) == Some(&false));
        let old = old.and_then(|at| left.items.get(at));
        Some(old.map_or(new, |old| self.value(list.element, *old, new)))
    }
}

fn set(flags: &mut [bool], position: usize) {
    if let Some(flag) = flags.get_mut(position) {
        *flag = true;
    }
}

/// A list whose items are known by key.
struct Side<'s, 'a> {
    items: List<'a>,
    keys: Vec<Key<'s>>,
    index: Index,
    /// For the first item of a key: whether others have it, too.
    is_repeated: Vec<bool>,
}

impl Side<'_, '_> {
    /// The first item of this key.
    fn find(&self, key: &Key<'_>) -> Option<usize> {
        self.index.find(&self.keys, key)
    }
}
