//! `request` as expressions see it: the AdmissionRequest that the API server makes of an admission's attributes
//! (k8s.io/apiserver, plugin/cel/condition.go `CreateAdmissionRequest`), with the fields of its Go struct that are not left
//! out when they are empty.

use crate::json::{Arena, Entry, Node};
use crate::review::{GroupVersionKind, GroupVersionResource, Review};

/// The request. `resource` is the one that the policy matched; match conditions see the one that the user asked for.
pub(super) fn build<'a>(review: &Review<'a>, resource: GroupVersionResource<'a>, arena: &'a Arena) -> Node<'a> {
    let mut entries: Vec<Entry<'a>> = vec![
        ("uid", Node::string("")),
        ("kind", kind(review.kind, arena)),
        ("resource", self::resource(resource, arena)),
    ];
    let unless_empty = |entries: &mut Vec<Entry<'a>>, key, text: &'a str| {
        if !text.is_empty() {
            entries.push((key, Node::string(text)));
        }
    };
    unless_empty(&mut entries, "subResource", review.subresource);
    entries.push(("requestKind", kind(review.request_kind, arena)));
    entries.push(("requestResource", self::resource(review.request_resource, arena)));
    unless_empty(&mut entries, "requestSubResource", review.subresource);
    unless_empty(&mut entries, "name", review.name);
    unless_empty(&mut entries, "namespace", review.namespace);
    let mut user: Vec<Entry<'a>> = Vec::new();
    unless_empty(&mut user, "username", review.user.username);
    unless_empty(&mut user, "uid", review.user.uid);
    if !review.user.groups.is_empty() {
        let groups: Vec<Node<'a>> = review.user.groups.iter().map(|group| Node::string(group)).collect();
        user.push(("groups", arena.list(&groups)));
    }
    if !review.user.extra.entries().is_empty() {
        user.push(("extra", review.user.extra));
    }
    entries.push(("operation", Node::string(review.operation.as_str())));
    entries.push(("userInfo", arena.map(&user)));
    entries.push(("object", Node::NULL));
    entries.push(("oldObject", Node::NULL));
    entries.push(("dryRun", Node::bool(review.dry_run)));
    // Options that cannot be read are those of a request that nobody can judge: its policies read the object before.
    let options = review.options.as_ref().and_then(|options| options.node().ok()).unwrap_or_default();
    entries.push(("options", options));
    arena.map(&entries)
}

fn kind<'a>(kind: GroupVersionKind<'a>, arena: &'a Arena) -> Node<'a> {
    arena.map(&[
        ("group", Node::string(kind.group)),
        ("version", Node::string(kind.version)),
        ("kind", Node::string(kind.kind)),
    ])
}

fn resource<'a>(resource: GroupVersionResource<'a>, arena: &'a Arena) -> Node<'a> {
    arena.map(&[
        ("group", Node::string(resource.group)),
        ("version", Node::string(resource.version)),
        ("resource", Node::string(resource.resource)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::typed;
    use crate::json::read;
    use crate::review::Envelope;

    const POD: &str = r#"{"uid":"x","kind":{"group":"","version":"v1","kind":"Pod"},
        "resource":{"group":"","version":"v1","resource":"pods"},"subResource":"ephemeralcontainers",
        "requestKind":{"group":"","version":"v1","kind":"Pod"},
        "requestResource":{"group":"","version":"v1","resource":"pods"},"requestSubResource":"ephemeralcontainers",
        "name":"web","namespace":"shop","operation":"UPDATE",
        "userInfo":{"username":"ann","uid":"4711","groups":["dev","ops"],"extra":{"scopes":["a","b"]}},
        "object":{"a":1},"oldObject":{"a":2},"dryRun":true,"options":{"kind":"UpdateOptions","fieldManager":"kubectl"}}"#;

    const NODE: &str = r#"{"uid":"y","kind":{"group":"","version":"v1","kind":"Node"},
        "resource":{"group":"","version":"v1","resource":"nodes"},
        "requestKind":{"group":"","version":"v1","kind":"Node"},
        "requestResource":{"group":"","version":"v1","resource":"nodes"},
        "operation":"DELETE","userInfo":{},"object":null,"oldObject":{},"dryRun":false,"options":null}"#;

    #[test]
    fn makes_of_a_review_what_a_line_with_the_same_request_reads() {
        for request in [POD, NODE] {
            let arena = Arena::with_limit(1 << 20);
            let body =
                format!(r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{request}}}"#);
            let (envelope, outcome) = Envelope::read(&arena, body.as_bytes());
            outcome.unwrap();
            let review = envelope.into_review(&arena).unwrap();
            let of_line = typed::request(read(&arena, request).unwrap(), &arena).unwrap();
            let text = |node: Node<'_>| serde_json::to_string(&node).unwrap();
            assert_eq!(text(build(&review, review.resource, &arena)), text(of_line));
        }
    }
}
