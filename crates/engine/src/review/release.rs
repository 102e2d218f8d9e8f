//! The update that lets an object go.

use crate::json::{Arena, List, Node};

/// Whether `new` differs from `old`, which is being deleted, in nothing but fewer finalizers. Whatever policies hold against
/// such an object, they must not keep it from going away.
pub fn only_releases(arena: &Arena, old: Node<'_>, new: Node<'_>) -> bool {
    if old.at(&["metadata", "deletionTimestamp"]).is_none() {
        return false;
    }
    let (before, after) = (finalizers(old), finalizers(new));
    after.len() < before.len() && after.iter().all(|item| before.contains(item)) && rest(arena, old) == rest(arena, new)
}

fn finalizers(object: Node<'_>) -> List<'_> {
    object.field("metadata").unwrap_or_default().items_of("finalizers")
}

/// The object without what the API server itself changes with every update, and without its finalizers.
fn rest<'a>(arena: &'a Arena, object: Node<'a>) -> Node<'a> {
    let ignored = ["finalizers", "managedFields", "resourceVersion", "generation"];
    let entries: Vec<_> = object
        .entries()
        .iter()
        .map(|(key, value)| match *key {
            "metadata" => {
                let kept: Vec<_> = value.entries().iter().copied().filter(|(key, _)| !ignored.contains(key)).collect();
                (*key, arena.map(&kept))
            }
            _ => (*key, *value),
        })
        .collect();
    arena.map(&entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    fn releases(old: &str, new: &str) -> bool {
        let arena = Arena::with_limit(1 << 20);
        only_releases(&arena, read(&arena, old).unwrap(), read(&arena, new).unwrap())
    }

    const OLD: &str = r#"{"metadata":{"deletionTimestamp":"t","finalizers":["a","b"],"generation":1},"spec":{"x":1}}"#;

    #[test]
    fn accepts_fewer_finalizers_and_what_the_api_server_changes_itself() {
        let new = r#"{"spec":{"x":1},"metadata":{"finalizers":["b"],"deletionTimestamp":"t","generation":2}}"#;
        assert!(releases(OLD, new));
        assert!(releases(OLD, r#"{"metadata":{"deletionTimestamp":"t","resourceVersion":"7"},"spec":{"x":1}}"#));
    }

    #[test]
    fn rejects_other_changes_and_objects_that_are_not_being_deleted() {
        assert!(!releases(OLD, r#"{"metadata":{"deletionTimestamp":"t","finalizers":["a"]},"spec":{"x":2}}"#));
        assert!(!releases(OLD, r#"{"metadata":{"deletionTimestamp":"t","finalizers":["c"]},"spec":{"x":1}}"#));
        assert!(!releases(OLD, r#"{"metadata":{"deletionTimestamp":"t","finalizers":["a","b"]},"spec":{"x":1}}"#));
        assert!(!releases(OLD, r#"{"metadata":{"deletionTimestamp":"t","labels":{"a":"b"}},"spec":{"x":1}}"#));
        assert!(!releases(r#"{"metadata":{"finalizers":["a"]}}"#, r#"{"metadata":{"finalizers":[]}}"#));
    }
}
