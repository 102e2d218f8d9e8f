//! Who an object belongs to (metav1 OwnerReference).

use crate::json::Node;

/// The reference to the controller that made the object, if one did: the first with `controller: true`.
pub fn controller(object: Node<'_>) -> Option<Node<'_>> {
    let owners = object.field("metadata").map_or(&[][..], |metadata| metadata.items_of("ownerReferences"));
    owners.iter().copied().find(|owner| owner.get("controller").and_then(Node::as_bool) == Some(true))
}

/// Whether a controller made it.
pub fn is_controlled(object: Node<'_>) -> bool {
    controller(object).is_some()
}

/// Whether it stands for a static pod: the kubelet made it after a file on its node, and gives it up if the two differ.
pub fn is_mirror_pod(object: Node<'_>) -> bool {
    object.at(&["metadata", "annotations", "kubernetes.io/config.mirror"]).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Arena, read};

    #[test]
    fn finds_the_controller_among_owners() {
        let arena = Arena::with_limit(1 << 20);
        let object = |owners: &str| {
            let text = arena.format(format_args!(r#"{{"metadata":{{"ownerReferences":{owners}}}}}"#));
            read(&arena, text).unwrap()
        };
        let found = controller(object(r#"[{"kind":"Node"},{"kind":"ReplicaSet","controller":true}]"#)).unwrap();
        assert_eq!(found.str("kind"), Some("ReplicaSet"));
        for none in ["[]", "null", "7", r#"[{"controller":false}]"#, r#"[{"controller":"true"}]"#] {
            assert!(!is_controlled(object(none)), "{none}");
        }
        assert!(!is_controlled(Node::NULL) && !is_mirror_pod(Node::NULL));
        let mirror = read(&arena, r#"{"metadata":{"annotations":{"kubernetes.io/config.mirror":"x"}}}"#).unwrap();
        assert!(is_mirror_pod(mirror));
    }
}
