//! From a document to a test.

use std::collections::BTreeMap;

use super::raw::{
    RawAccess, RawAnswer, RawAuthorizer, RawCase, RawExpect, RawOperation, RawRequest, RawResource, RawUser,
};
use super::{Allowed, Authorizer, Case, Expect, Pattern, PolicyTest, ResourceName, UserInfo, check};
use crate::document::{Decoder, Kind, Place, Spanned, settings};
use crate::review::Operation;
use crate::unit::policy_document;

/// Reads one document of kind PolicyTest. `None` has been reported.
pub(in crate::unit) fn decode(decoder: &Decoder, node: &Spanned) -> Option<PolicyTest> {
    let mut fields = decoder.fields(node)?;
    fields.entry("apiVersion");
    fields.entry("kind");
    let name = fields.required_with("metadata", policy_document::name);
    let spec = fields.required_with("spec", spec);
    fields.finish();
    let place = Place::new(decoder.file(), node.place("/metadata/name"));
    let (policies, cases) = spec?;
    Some(PolicyTest { name: name?, place, policies, cases })
}

type Spec = (Option<Vec<(String, Place)>>, Vec<Case>);

fn spec(decoder: &Decoder, node: &Spanned) -> Option<Spec> {
    let mut fields = decoder.fields(node)?;
    let policies = fields.entry("policies").map(|entry| policies(decoder, &entry.value));
    let cases = fields.required_with("cases", cases);
    fields.finish();
    let policies = match policies {
        Some(policies) => Some(policies?),
        None => None,
    };
    Some((policies, cases?))
}

fn policies(decoder: &Decoder, node: &Spanned) -> Option<Vec<(String, Place)>> {
    let names: Vec<&Spanned> = decoder.decode(node)?;
    if names.is_empty() {
        decoder.error(node.span.clone(), "expected the policies that are tested, found none");
        return None;
    }
    check::unique(decoder, names.iter().copied(), "policy");
    let place = |node: &Spanned| Place::new(decoder.file(), node.span.clone());
    let names: Vec<Option<_>> =
        names.into_iter().map(|node| Some((decoder.decode::<String>(node)?, place(node)))).collect();
    names.into_iter().collect()
}

fn cases(decoder: &Decoder, node: &Spanned) -> Option<Vec<Case>> {
    let nodes: Vec<&Spanned> = decoder.decode(node)?;
    if nodes.is_empty() {
        decoder.error(node.span.clone(), "expected cases, found none");
        return None;
    }
    check::unique(decoder, nodes.iter().filter_map(|case| case.at("/name")), "case");
    // All cases are read before the first that is wrong counts.
    let read: Vec<Option<Case>> = nodes.into_iter().map(|node| case(decoder, node)).collect();
    read.into_iter().collect()
}

fn case(decoder: &Decoder, node: &Spanned) -> Option<Case> {
    let raw: Option<RawCase> = settings(decoder, node);
    let is_sound = check::case(decoder, node);
    let raw = raw.filter(|_| is_sound)?;
    let place = |span: std::ops::Range<usize>| Place::new(decoder.file(), span);
    let request = raw.request.unwrap_or_default();
    let (object, old_object) = (part(node, "/object"), part(node, "/oldObject"));
    let operation = match raw.operation {
        Some(RawOperation::Create) => Operation::Create,
        Some(RawOperation::Update) => Operation::Update,
        Some(RawOperation::Delete) => Operation::Delete,
        Some(RawOperation::Connect) => Operation::Connect,
        None => check::default_operation(object.is_some(), old_object.is_some()),
    };
    let expect = raw.expect.unwrap_or_default();
    Some(Case {
        place: place(node.place("/name")),
        whole: place(node.span.clone()),
        object,
        old_object,
        operation,
        options: part(node, "/request/options"),
        dry_run: request.dry_run.unwrap_or_default(),
        subresource: request.subresource.clone().unwrap_or_default(),
        request_name: request.name.clone().unwrap_or_default(),
        resource: resource(request),
        namespace: raw.namespace.unwrap_or_else(|| default_namespace(node)),
        namespace_object: part(node, "/namespaceObject"),
        user: raw.user_info.map(user).unwrap_or_default(),
        params: match node.at("/params").map(|params| &params.kind) {
            Some(Kind::List(items)) => items.clone(),
            _ => part(node, "/params").into_iter().collect(),
        },
        authorizer: raw.authorizer.map(authorizer),
        expect: self::expect(decoder, node, expect)?,
        name: raw.name,
    })
}

fn default_namespace(case: &Spanned) -> String {
    let of_namespace = case.at("/namespaceObject/metadata/name").and_then(Spanned::as_str);
    of_namespace.unwrap_or("default").to_owned()
}

/// A copy of what stands there; None where that is nothing or null.
fn part(node: &Spanned, pointer: &str) -> Option<Spanned> {
    node.at(pointer).filter(|part| part.kind != Kind::Null).cloned()
}

fn resource(request: RawRequest) -> Option<ResourceName> {
    Some(match request.resource? {
        RawResource::Name(resource) => ResourceName::Plural(resource),
        RawResource::Whole(whole) => ResourceName::Whole {
            group: whole.group.unwrap_or_default(),
            version: whole.version,
            resource: whole.resource,
        },
    })
}

fn user(raw: RawUser) -> UserInfo {
    let default = UserInfo::default();
    UserInfo {
        username: raw.username.unwrap_or(default.username),
        uid: raw.uid.unwrap_or_default(),
        groups: raw.groups.unwrap_or_default(),
        extra: raw.extra.unwrap_or_default(),
    }
}

fn authorizer(raw: RawAuthorizer) -> Authorizer {
    let allowed = |raw: RawAccess| Allowed {
        user: raw.user,
        verb: raw.verb,
        group: raw.group,
        resource: raw.resource,
        subresource: raw.subresource,
        namespace: raw.namespace,
        name: raw.name,
        path: raw.path,
    };
    match raw {
        RawAuthorizer::Word(RawAnswer::Allow) => Authorizer::Allow,
        RawAuthorizer::Word(RawAnswer::Deny) => Authorizer::Deny,
        RawAuthorizer::Word(RawAnswer::Error) => Authorizer::Error,
        RawAuthorizer::Only(rules) => Authorizer::Only(rules.into_iter().map(allowed).collect()),
    }
}

fn expect(decoder: &Decoder, case: &Spanned, raw: RawExpect) -> Option<Expect> {
    let place = |span: std::ops::Range<usize>| Place::new(decoder.file(), span);
    let key = case.entry("/expect").map(|entry| place(entry.key_span.clone()));
    let Some(node) = case.at("/expect").filter(|node| node.kind != Kind::Null) else {
        return Some(Expect { key, ..Expect::default() });
    };
    let mut places = BTreeMap::new();
    for field in FIELDS {
        if let Some(entry) = node.entry(&format!("/{field}")).filter(|entry| entry.value.kind != Kind::Null) {
            places.insert(field, place(entry.key_span.clone()));
        }
    }
    let texts = |texts: Option<Vec<String>>| {
        let patterns =
            |texts: Vec<String>| texts.iter().map(|text| Pattern::new(text).ok()).collect::<Option<Vec<_>>>();
        match texts {
            Some(texts) => patterns(texts).map(Some),
            None => Some(None),
        }
    };
    let annotations = raw.audit_annotations.map(|annotations| {
        let pattern = |(key, text): (String, String)| Some((key, Pattern::new(&text).ok()?));
        annotations.into_iter().map(pattern).collect::<Option<BTreeMap<_, _>>>()
    });
    let audit_annotations = match annotations {
        Some(annotations) => Some(annotations?),
        None => None,
    };
    Some(Expect {
        key,
        place: Some(place(node.span.clone())),
        places,
        allowed: raw.allowed,
        code: raw.code,
        message: raw.message.and_then(|text| Pattern::new(&text).ok()),
        object: part(node, "/object"),
        patch: part(node, "/patch"),
        warnings: texts(raw.warnings)?,
        audit_annotations,
        errors: texts(raw.errors)?,
        policies: raw.policies,
    })
}

/// The fields of `expect`, in the order in which they are compared.
const FIELDS: [&str; 9] =
    ["allowed", "code", "message", "policies", "object", "patch", "warnings", "auditAnnotations", "errors"];
