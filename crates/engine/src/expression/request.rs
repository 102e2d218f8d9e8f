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
