//! The API server's audit log (audit.k8s.io/v1 `Event`): a CREATE at level Request or above says all that a webhook was
//! told. An UPDATE lacks the stored object, a PATCH what becomes of it, and a DELETE the object.

use std::borrow::Cow;

use admittance_engine::json::{Arena, Node, edit, read as read_json};
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::pipeline::Route;
use admittance_engine::recording::Outcome;
use admittance_engine::review::sent::NAME_LABEL;
use admittance_engine::review::{GroupVersionKind, GroupVersionResource, Lazy, Operation, Review, User};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::case::{Before, Case, Unfit};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'t> {
    #[serde(borrow, default)]
    stage: Cow<'t, str>,
    #[serde(borrow, default)]
    verb: Cow<'t, str>,
    #[serde(borrow, default, rename = "requestURI")]
    request_uri: Cow<'t, str>,
    #[serde(borrow, rename = "auditID", default)]
    audit_id: Cow<'t, str>,
    #[serde(borrow, default)]
    user: Who<'t>,
    #[serde(borrow)]
    impersonated_user: Option<Who<'t>>,
    #[serde(borrow)]
    object_ref: Option<ObjectReference<'t>>,
    response_status: Option<ResponseStatus>,
    #[serde(borrow)]
    request_object: Option<&'t RawValue>,
    request_received_timestamp: Option<String>,
}

#[derive(Default, Deserialize)]
struct Who<'t> {
    #[serde(borrow, default)]
    username: Cow<'t, str>,
    #[serde(borrow, default)]
    uid: Cow<'t, str>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(borrow)]
    extra: Option<&'t RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectReference<'t> {
    #[serde(borrow, default)]
    resource: Cow<'t, str>,
    #[serde(borrow, default)]
    namespace: Cow<'t, str>,
    #[serde(borrow, default)]
    name: Cow<'t, str>,
    #[serde(borrow, default)]
    api_group: Cow<'t, str>,
    #[serde(borrow, default)]
    api_version: Cow<'t, str>,
    #[serde(borrow, default)]
    subresource: Cow<'t, str>,
}

#[derive(Deserialize)]
struct ResponseStatus {
    code: Option<u16>,
}

/// The review that a webhook was sent for this event.
///
/// # Errors
/// Why there is none that can be made again.
pub(super) fn read<'a>(arena: &'a Arena, text: &'a str, defaults: &Defaults) -> Result<Case<'a>, Unfit> {
    let event: Event<'a> = serde_json::from_str(text).map_err(|_| "audit: no event of audit.k8s.io/v1")?;
    if event.stage != "ResponseComplete" {
        return Err("audit: another stage of a request than its end".into());
    }
    match event.verb.as_ref() {
        "create" => {}
        "update" => return Err("audit: update (the log lacks the stored object)".into()),
        "patch" => return Err("audit: patch (the log lacks what it is applied to)".into()),
        "delete" | "deletecollection" => return Err("audit: delete (the log lacks the stored object)".into()),
        _ => return Err("audit: reads nothing to admit".into()),
    }
    let Some(reference) = event.object_ref else { return Err("audit: no resource".into()) };
    let Some(object) = event.request_object else {
        return Err("audit: create without its object (its level is below Request)".into());
    };
    let object = read_json(arena, object.get()).map_err(|_| "audit: its object cannot be read")?;
    let api_version = object.str("apiVersion").unwrap_or_default();
    let kind = object.str("kind").unwrap_or_default();
    if kind.is_empty() || api_version.is_empty() {
        return Err("audit: its object does not say what it is".into());
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let kind = GroupVersionKind { group, version, kind };
    let keep = |text: &str| arena.text(text);
    let resource = GroupVersionResource {
        group: keep(&reference.api_group),
        version: keep(&reference.api_version),
        resource: keep(&reference.resource),
    };
    let metadata_name = object.get("metadata").and_then(|metadata| metadata.str("name")).unwrap_or_default();
    let name = if reference.name.is_empty() { metadata_name } else { keep(&reference.name) };
    let is_namespace = kind.group.is_empty() && kind.kind == "Namespace";
    let namespace = if is_namespace { name } else { keep(&reference.namespace) };
    let review = Review {
        arena,
        uid: keep(&event.audit_id),
        kind,
        resource,
        subresource: keep(&reference.subresource),
        request_kind: kind,
        request_resource: resource,
        name,
        namespace,
        operation: Operation::Create,
        user: user(arena, event.impersonated_user.as_ref().unwrap_or(&event.user)),
        dry_run: event.request_uri.contains("dryRun=All"),
        object: Some(Lazy::of(arena, as_admitted(arena, defaults, kind, namespace, object))),
        old_object: None,
        options: None,
    };
    let code = event.response_status.and_then(|status| status.code);
    let was_allowed = code.is_some_and(|code| code < 300);
    // Who refused it the log does not say.
    let before =
        was_allowed.then(|| Before { outcome: Outcome { allowed: true, ..Outcome::default() }, is_ours: false });
    Ok(Case {
        review,
        route: Route::Offline,
        time: event.request_received_timestamp,
        lookups: vec![],
        cluster: None,
        before,
    })
}

fn user<'a>(arena: &'a Arena, who: &Who<'_>) -> User<'a> {
    let groups: Vec<&str> = who.groups.iter().map(|group| arena.text(group)).collect();
    let extra = who.extra.and_then(|extra| read_json(arena, arena.text(extra.get())).ok());
    User {
        username: arena.text(&who.username),
        uid: arena.text(&who.uid),
        groups: arena.texts(&groups),
        extra: extra.unwrap_or_default(),
    }
}

/// The log has the object as the user sent it: the API server fills in its namespace and its defaults before webhooks see it.
fn as_admitted<'a>(
    arena: &'a Arena,
    defaults: &Defaults,
    kind: GroupVersionKind<'a>,
    namespace: &'a str,
    object: Node<'a>,
) -> Node<'a> {
    let place: &[&str] = match (kind.group, kind.kind) {
        _ if namespace.is_empty() => return defaults.apply(arena, kind.group, kind.version, kind.kind, object),
        ("", "Namespace") => &["metadata", "labels", NAME_LABEL],
        _ => &["metadata", "namespace"],
    };
    let object = edit::set_default(arena, object, place, Node::string(namespace)).unwrap_or(object);
    defaults.apply(arena, kind.group, kind.version, kind.kind, object)
}
