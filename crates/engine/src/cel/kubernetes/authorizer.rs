//! Questions to the authorizer (k8s.io/apiserver/pkg/cel/library/authz.go).

use super::formats::{is_label, is_subdomain};
use crate::cel::context::{Context, Question};
use crate::cel::error::{ErrorKind, Outcome};
use crate::cel::function::{Library, Overload, Version, member};
use crate::cel::value::{Authorizer, Decision, Opaque, Resource, Value};

/// `path`, `group`, `serviceAccount`, `resource` and the like, `check`, and what a decision says
pub(super) const LIBRARY: Library = Library { name: "authz", since: Version(27), until: None, overloads: OVERLOADS };

/// `fieldSelector`, `labelSelector`. A feature gate of the API server holds them, and no version.
pub(super) const SELECTORS: Library =
    Library { name: "authzSelectors", since: Version(0), until: None, overloads: SELECTOR_OVERLOADS };

const AUTHORIZER: &str = "kubernetes.authorization.Authorizer";
const PATH: &str = "kubernetes.authorization.PathCheck";
const GROUP: &str = "kubernetes.authorization.GroupCheck";
const RESOURCE: &str = "kubernetes.authorization.ResourceCheck";
const DECISION: &str = "kubernetes.authorization.Decision";

const OVERLOADS: &[Overload] = &[
    member("authorizer_path", "path", &[AUTHORIZER, "string"], PATH, path),
    member("authorizer_group", "group", &[AUTHORIZER, "string"], GROUP, group),
    member(
        "authorizer_serviceaccount",
        "serviceAccount",
        &[AUTHORIZER, "string", "string"],
        AUTHORIZER,
        service_account,
    ),
    member("groupcheck_resource", "resource", &[GROUP, "string"], RESOURCE, resource),
    member("resourcecheck_subresource", "subresource", &[RESOURCE, "string"], RESOURCE, subresource),
    member("resourcecheck_namespace", "namespace", &[RESOURCE, "string"], RESOURCE, namespace),
    member("resourcecheck_name", "name", &[RESOURCE, "string"], RESOURCE, name),
    member("pathcheck_check", "check", &[PATH, "string"], DECISION, check),
    member("resourcecheck_check", "check", &[RESOURCE, "string"], DECISION, check),
    member("decision_errored", "errored", &[DECISION], "bool", errored),
    member("decision_error", "error", &[DECISION], "string", error),
    member("decision_allowed", "allowed", &[DECISION], "bool", allowed),
    member("decision_reason", "reason", &[DECISION], "string", reason),
];

const SELECTOR_OVERLOADS: &[Overload] = &[
    member("authorizer_fieldselector", "fieldSelector", &[RESOURCE, "string"], RESOURCE, field_selector),
    member("authorizer_labelselector", "labelSelector", &[RESOURCE, "string"], RESOURCE, label_selector),
];

/// The receiver and the text behind it.
fn of<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a, (Authorizer<'a>, &'a str)> {
    match *arguments {
        [Value::Opaque(Opaque::Authorizer(receiver)), Value::String(text)] => Ok((*receiver, text)),
        _ => context.no_such_overload(),
    }
}

fn value<'a>(context: &Context<'_, 'a>, authorizer: Authorizer<'a>) -> Outcome<'a> {
    Ok(Value::Opaque(Opaque::Authorizer(context.keep(authorizer)?)))
}

fn path<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (Authorizer::Authorizer { service_account }, path) = of(context, arguments)? else {
        return context.no_such_overload();
    };
    if path.trim().is_empty() {
        return context.raise(ErrorKind::Text("path must not be empty"));
    }
    value(context, Authorizer::Path { service_account, path })
}

fn group<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (Authorizer::Authorizer { service_account }, group) = of(context, arguments)? else {
        return context.no_such_overload();
    };
    value(context, Authorizer::Group { service_account, group })
}

fn service_account<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[
        Value::Opaque(Opaque::Authorizer(Authorizer::Authorizer { .. })),
        Value::String(namespace),
        Value::String(name),
    ] = arguments
    else {
        return context.no_such_overload();
    };
    if name.len() > 253 || !is_subdomain(name) {
        return context.raise(ErrorKind::Text("Invalid service account name"));
    }
    if namespace.len() > 63 || !is_label(namespace) {
        return context.raise(ErrorKind::Text("Invalid service account namespace"));
    }
    value(context, Authorizer::Authorizer { service_account: Some((namespace, name)) })
}

fn resource<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (Authorizer::Group { service_account, group }, resource) = of(context, arguments)? else {
        return context.no_such_overload();
    };
    if resource.trim().is_empty() {
        return context.raise(ErrorKind::Text("resource must not be empty"));
    }
    value(context, Authorizer::Resource(Resource { service_account, group, resource, ..Resource::default() }))
}

/// The resource with one thing more said about it.
fn with<'a>(
    context: &Context<'_, 'a>,
    arguments: &[Value<'a>],
    set: impl FnOnce(&mut Resource<'a>, &'a str),
) -> Outcome<'a> {
    let (Authorizer::Resource(mut resource), text) = of(context, arguments)? else {
        return context.no_such_overload();
    };
    set(&mut resource, text);
    value(context, Authorizer::Resource(resource))
}

fn subresource<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    with(context, arguments, |resource, text| resource.subresource = text)
}

fn namespace<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    with(context, arguments, |resource, text| resource.namespace = text)
}

fn name<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    with(context, arguments, |resource, text| resource.name = text)
}

/// An empty selector selects nothing out.
fn field_selector<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    with(context, arguments, |resource, text| resource.field_selector = Some(text).filter(|text| !text.is_empty()))
}

fn label_selector<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    with(context, arguments, |resource, text| resource.label_selector = Some(text).filter(|text| !text.is_empty()))
}

/// Asks. Where there is no answer yet, the evaluation ends and nothing absorbs that.
fn check<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let question = match of(context, arguments)? {
        (Authorizer::Path { service_account, path }, verb) => Question::Path { service_account, path, verb },
        (Authorizer::Resource(resource), verb) => Question::Resource { resource, verb },
        _ => return context.no_such_overload(),
    };
    match context.host().authorize(&question, context.arena()) {
        Some(decision) => value(context, Authorizer::Decision(decision)),
        None => context.raise(ErrorKind::Unanswered),
    }
}

fn decision<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a, Decision<'a>> {
    match *arguments {
        [Value::Opaque(Opaque::Authorizer(Authorizer::Decision(decision)))] => Ok(*decision),
        _ => context.no_such_overload(),
    }
}

fn errored<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Bool(decision(context, arguments)?.error.is_some()))
}

fn error<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::String(decision(context, arguments)?.error.unwrap_or_default()))
}

fn allowed<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Bool(decision(context, arguments)?.allowed))
}

fn reason<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::String(decision(context, arguments)?.reason))
}
