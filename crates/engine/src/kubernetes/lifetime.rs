//! How long containers and pods are meant to run (core/v1 PodSpec, `restartPolicy`; KEP-753).

use super::pod::ContainerList;
use crate::json::Node;

/// Whether the container of this list is a native sidecar: an init container that runs as long as the pod.
pub fn is_sidecar(list: ContainerList, container: Node<'_>) -> bool {
    list == ContainerList::Init && container.str("restartPolicy") == Some("Always")
}

/// Whether the pod of this spec ends when its work is done, as a Job's. The default of `restartPolicy` is `Always`.
pub fn runs_to_its_end(spec: Node<'_>) -> bool {
    matches!(spec.str("restartPolicy"), Some("Never" | "OnFailure"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Arena, read};

    #[test]
    fn tells_sidecars_from_what_ends() {
        let arena = Arena::with_limit(1 << 20);
        let node = |text| read(&arena, text).unwrap();
        let always = node(r#"{"restartPolicy":"Always"}"#);
        assert!(is_sidecar(ContainerList::Init, always) && !is_sidecar(ContainerList::Regular, always));
        assert!(!is_sidecar(ContainerList::Init, node("{}")));
        assert!(!runs_to_its_end(always) && !runs_to_its_end(node("{}")) && !runs_to_its_end(Node::NULL));
        assert!(runs_to_its_end(node(r#"{"restartPolicy":"Never"}"#)));
        assert!(runs_to_its_end(node(r#"{"restartPolicy":"OnFailure"}"#)));
    }
}
