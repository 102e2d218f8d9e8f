//! A change of one form of a document, carried to another form of it.
//!
//! Offline commands know an object in two forms: as its user wrote it, and as the API server would send it to a webhook
//! (defaults filled in, empty fields dropped, quantities in their canonical spelling). Policies see and change the second
//! form; the patch that a user is shown is of the first. [`rebase`] makes the same change there and nothing else: whatever
//! the two forms differ in stays as it was written.

use super::arena::Arena;
use super::diff::{ListKeys, is_known};
use super::node::{Entry, List, Node, View};

/// What becomes of `written` when it undergoes the change that made `mutated` of `typed`, its other form.
///
/// - A place that the change left alone stays as it was written, which may be: not at all.
/// - A place that it added or replaced becomes what it is in `mutated`. Maps on the way there that nobody wrote are made,
///   without what the other form has in them besides.
/// - A place that it removed is removed, if it was written.
/// - Items of lists are found again by their keys, by equality, or by their position where the list kept its length. A list
///   that has not as many items as in the other form was not written item by item: it comes whole.
pub fn rebase<'a>(arena: &'a Arena, written: Node<'a>, typed: Node<'a>, mutated: Node<'a>, keys: ListKeys) -> Node<'a> {
    let rebase = Rebase { arena, keys };
    rebase.value(Place { parent: "", field: "" }, Some(written), Some(typed), mutated).unwrap_or(written)
}

#[derive(Clone, Copy)]
struct Rebase<'a> {
    arena: &'a Arena,
    keys: ListKeys,
}

/// The names that tell what keys a list's items have, as in [`ListKeys`].
#[derive(Clone, Copy)]
struct Place<'p> {
    parent: &'p str,
    field: &'p str,
}

impl<'a> Rebase<'a> {
    /// What shall stand at a place; None for nothing.
    fn value(
        self,
        place: Place<'_>,
        written: Option<Node<'a>>,
        typed: Option<Node<'a>>,
        mutated: Node<'a>,
    ) -> Option<Node<'a>> {
        let Some(typed) = typed else { return Some(mutated) };
        if typed == mutated {
            return written;
        }
        match (typed.view(), mutated.view()) {
            (View::Map(_), View::Map(_)) => self.map(place, written, typed, mutated),
            (View::List(from), View::List(to)) => {
                let own = written.and_then(Node::as_list).filter(|own| own.len() == from.len());
                Some(own.map_or(mutated, |own| self.list(place, own, from, to)))
            }
            _ => Some(mutated),
        }
    }

    fn map(self, place: Place<'_>, written: Option<Node<'a>>, typed: Node<'a>, mutated: Node<'a>) -> Option<Node<'a>> {
        let own = written.and_then(Node::as_map);
        let mut entries: Vec<Entry<'a>> = Vec::new();
        for (key, old) in own.map_or(&[][..], |own| own.entries()) {
            let new = match (typed.get(key), mutated.get(key)) {
                (None, None) => Some(*old),
                (Some(_), None) => None,
                (typed, Some(mutated)) => self.value(place.entry(key), Some(*old), typed, mutated),
            };
            entries.extend(new.map(|new| (*key, new)));
        }
        for (key, new) in mutated.entries() {
            if own.is_none_or(|own| own.get(key).is_none()) {
                let new = self.value(place.entry(key), None, typed.get(key), *new);
                entries.extend(new.map(|new| (*key, new)));
            }
        }
        if entries.is_empty() && own.is_none() { written } else { Some(self.arena.map(&entries)) }
    }

    fn list(self, place: Place<'_>, written: List<'a>, typed: List<'a>, mutated: List<'a>) -> Node<'a> {
        let keys = (self.keys)(place.parent, place.field);
        let mut taken = vec![false; typed.len()];
        let items: Vec<Node<'a>> = mutated
            .iter()
            .enumerate()
            .map(|(position, new)| {
                let find = |belongs: &dyn Fn(Node<'a>) -> bool| {
                    typed.iter().zip(&taken).position(|(old, taken)| !taken && belongs(*old))
                };
                let partner = find(&|old| old.is_same(*new) || is_known(old, *new, keys))
                    .or_else(|| find(&|old| old == *new))
                    .or_else(|| (keys.is_empty() && typed.len() == mutated.len()).then_some(position));
                let Some(partner) = partner else { return *new };
                if let Some(taken) = taken.get_mut(partner) {
                    *taken = true;
                }
                let (own, old) = (written.get(partner).copied(), typed.get(partner).copied());
                self.value(place, own, old, *new).unwrap_or(*new)
            })
            .collect();
        self.arena.list(&items)
    }
}

impl Place<'_> {
    fn entry<'p>(self, key: &'p str) -> Place<'p>
    where
        Self: 'p,
    {
        Place { parent: self.field, field: key }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::json::{Constant, diff, read};
    use crate::kubernetes::list_keys;

    /// The patch of the written form for a change of the typed one.
    fn rebased(written: &str, typed: &str, mutated: &str) -> String {
        let arena = Arena::with_limit(1 << 20);
        let [written, typed, mutated] = [written, typed, mutated].map(|text| read(&arena, text).unwrap());
        let after = rebase(&arena, written, typed, mutated, list_keys::of);
        serde_json::to_string(&diff(written, after, list_keys::of)).unwrap()
    }

    #[test]
    fn creates_the_map_that_nobody_wrote() {
        assert_eq!(
            rebased(
                r#"{"metadata":{"name":"a"}}"#,
                r#"{"metadata":{"name":"a","annotations":{"filled":"in"}},"spec":{"dnsPolicy":"ClusterFirst"}}"#,
                r#"{"metadata":{"name":"a","annotations":{"filled":"in","origin":"x"}},"spec":{"dnsPolicy":"ClusterFirst"}}"#,
            ),
            r#"[{"op":"add","path":"/metadata/annotations","value":{"origin":"x"}}]"#
        );
    }

    #[test]
    fn adds_where_a_default_was_replaced_and_replaces_what_was_written_or_null() {
        assert_eq!(
            rebased(
                r#"{"a":{},"b":{"policy":"Never"},"c":{"policy":null}}"#,
                r#"{"a":{"policy":"IfNotPresent"},"b":{"policy":"Never"},"c":{}}"#,
                r#"{"a":{"policy":"Always"},"b":{"policy":"Always"},"c":{"policy":"Always"}}"#,
            ),
            r#"[{"op":"add","path":"/a/policy","value":"Always"},{"op":"replace","path":"/b/policy","value":"Always"},{"op":"replace","path":"/c/policy","value":"Always"}]"#
        );
    }

    #[test]
    fn keeps_what_the_other_form_drops_or_spells_otherwise() {
        let written = r#"{"memory":"1024Mi","hostNetwork":false,"unknown":1,"labels":{}}"#;
        assert_eq!(
            rebased(written, r#"{"memory":"1Gi"}"#, r#"{"memory":"1Gi","labels":{"a":"b"}}"#),
            r#"[{"op":"add","path":"/labels/a","value":"b"}]"#
        );
        assert_eq!(rebased(written, r#"{"memory":"1Gi"}"#, r#"{"memory":"1Gi"}"#), "[]");
    }

    #[test]
    fn inserts_an_item_without_touching_its_neighbours() {
        assert_eq!(
            rebased(
                r#"{"spec":{"containers":[{"name":"web"},{"name":"log"}]}}"#,
                r#"{"spec":{"containers":[{"name":"web","pull":"Always"},{"name":"log","pull":"Always"}]}}"#,
                r#"{"spec":{"containers":[{"name":"first"},{"name":"web","pull":"Always"},{"name":"log","pull":"Never"}]}}"#,
            ),
            r#"[{"op":"add","path":"/spec/containers/0","value":{"name":"first"}},{"op":"add","path":"/spec/containers/2/pull","value":"Never"}]"#
        );
    }

    #[test]
    fn finds_moved_items_by_key_and_equal_ones_by_value() {
        let written = r#"{"spec":{"containers":[{"name":"a"},{"name":"b"}],"tolerations":[{"key":"x"},{"key":"y"}]}}"#;
        let typed = r#"{"spec":{"containers":[{"name":"a","d":1},{"name":"b","d":1}],"tolerations":[{"key":"x","d":1},{"key":"y","d":1}]}}"#;
        let mutated =
            r#"{"spec":{"containers":[{"name":"b","d":1},{"name":"a","d":1}],"tolerations":[{"key":"y","d":1}]}}"#;
        let arena = Arena::with_limit(1 << 20);
        let [written, typed, mutated] = [written, typed, mutated].map(|text| read(&arena, text).unwrap());
        let after = rebase(&arena, written, typed, mutated, list_keys::of);
        assert_eq!(
            serde_json::to_string(&after).unwrap(),
            r#"{"spec":{"containers":[{"name":"b"},{"name":"a"}],"tolerations":[{"key":"y"}]}}"#
        );
    }

    #[test]
    fn removes_what_was_written_and_makes_nothing_of_a_removed_default() {
        assert_eq!(
            rebased(r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"b":1,"c":2,"d":{"e":3}}}"#, r#"{"a":{"c":2,"d":{}}}"#),
            r#"[{"op":"remove","path":"/a/b"}]"#
        );
        assert_eq!(
            rebased(r#"{"items":[]}"#, r#"{"items":[1,2]}"#, r#"{"items":[1]}"#),
            r#"[{"op":"add","path":"/items/0","value":1}]"#
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), (0..3).prop_map(Value::from)];
        leaf.prop_recursive(4, 40, 4, |inner| {
            let key = prop_oneof![Just("name"), Just("containers"), Just("a"), Just("b")].prop_map(str::to_owned);
            let list = prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
            prop_oneof![list, prop::collection::btree_map(key, inner, 0..4).prop_map(|map| map.into_iter().collect())]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn makes_the_very_change_where_both_forms_are_one(typed in any_json(), mutated in any_json()) {
            let arena = Arena::with_limit(1 << 20);
            let [typed, mutated] = [typed, mutated].map(|value| Constant::from(value).build(&arena));
            prop_assert!(rebase(&arena, typed, typed, mutated, list_keys::of) == mutated);
        }

        #[test]
        fn leaves_alone_what_did_not_change(written in any_json(), typed in any_json()) {
            let arena = Arena::with_limit(1 << 20);
            let [written, typed, mutated] = [written, typed.clone(), typed].map(|value| Constant::from(value).build(&arena));
            prop_assert!(rebase(&arena, written, typed, mutated, list_keys::of).is_same(written));
        }

        #[test]
        fn ends_whatever_the_three_forms_are(written in any_json(), typed in any_json(), mutated in any_json()) {
            let arena = Arena::with_limit(1 << 20);
            let [written, typed, mutated] = [written, typed, mutated].map(|value| Constant::from(value).build(&arena));
            let once = rebase(&arena, written, typed, mutated, list_keys::of);
            prop_assert!(rebase(&arena, once, typed, typed, list_keys::of).is_same(once));
        }
    }
}
