//! Which updates of a pod are judged (k8s.io/pod-security-admission, admission.go, `isSignificantPodUpdate`).

use crate::json::{List, Node};

/// Whether an update of a pod's spec may change what the standards think of it: another image, or other containers. All else
/// that they look at cannot change.
pub(super) fn is_significant(new: Node<'_>, old: Node<'_>) -> bool {
    ["containers", "initContainers"].into_iter().any(|list| differ(new.items_of(list), old.items_of(list)))
        || new.items_of("ephemeralContainers").iter().any(|container| {
            let name = text(*container, "name");
            let before = old.items_of("ephemeralContainers").iter().find(|before| text(**before, "name") == name);
            before.is_none_or(|before| text(*before, "image") != text(*container, "image"))
        })
}

fn differ(new: List<'_>, old: List<'_>) -> bool {
    new.len() != old.len() || new.iter().zip(old).any(|(new, old)| text(*new, "image") != text(*old, "image"))
}

fn text<'a>(container: Node<'a>, field: &str) -> &'a str {
    container.str(field).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Arena, read};

    fn significant(old: &str, new: &str) -> bool {
        let arena = Arena::with_limit(1 << 20);
        is_significant(read(&arena, new).unwrap(), read(&arena, old).unwrap())
    }

    const OLD: &str = r#"{"initContainers":[{"name":"i","image":"i"}],"containers":[{"name":"a","image":"a"}],
        "ephemeralContainers":[{"name":"e","image":"e"},{"name":"f","image":"f"}]}"#;

    #[test]
    fn images_and_new_containers_are_significant() {
        for (from, to) in [
            (r#""image":"a""#, r#""image":"b""#),
            (r#""image":"i""#, r#""image":"b""#),
            (r#""image":"f""#, r#""image":"b""#),
            (r#""name":"f""#, r#""name":"g""#),
            (r#"{"name":"a","image":"a"}"#, r#"{"name":"a","image":"a"},{}"#),
            (r#"{"name":"i","image":"i"}"#, ""),
        ] {
            assert!(significant(OLD, &OLD.replace(from, to)), "{from} to {to}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for (from, to) in [
            (r#""image":"a""#, r#""image":"a","securityContext":{"privileged":true}"#),
            (r#""name":"a""#, r#""name":"b""#),
            (r#"{"name":"e","image":"e"},"#, ""),
            ("{\"init", "{\"hostNetwork\":true,\"init"),
            ("", ""),
        ] {
            assert!(!significant(OLD, &OLD.replace(from, to)), "{from} to {to}");
        }
    }
}
