//! The parameters of a binding: CollectParams of k8s.io/apiserver, admission/plugin/policy/generic/policy_dispatcher.go.

use std::borrow::Cow;

use crate::json::{Arena, Node};
use crate::matching::LabelSelector;
use crate::review::{Answer, KindName, Lookup, ObjectName};
use crate::verdict::{Expressed, Report};

/// `spec.paramKind`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamKind {
    /// `rules.example.com/v1`
    pub api_version: String,
    /// `ReplicaLimit`
    pub kind: String,
}

/// `spec.paramRef` of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamRef {
    /// The object of this name ...
    pub name: Option<String>,
    /// ... in this namespace; without one, in the request's.
    pub namespace: Option<String>,
    /// Or all that this selects.
    pub selector: Option<LabelSelector>,
    /// `parameterNotFoundAction: Deny`
    pub denies_without: bool,
}

/// Why there are no parameters to evaluate with.
#[derive(Debug)]
pub(super) enum NoParameters {
    /// A configuration error of the policy or of the binding, in the API server's words.
    Misconfigured(Expressed, String),
    /// Somebody has to be asked first; the report says what.
    Unanswered,
}

/// What the binding may ask of the cluster.
pub(super) fn lookups(kind: &ParamKind, reference: &ParamRef) -> [Lookup<'static>; 2] {
    let text = |text: &Option<String>| Cow::Owned(text.clone().unwrap_or_default());
    let name = KindName { api_version: kind.api_version.clone().into(), kind: kind.kind.clone().into() };
    let kind = name.clone();
    let objects = ObjectName { kind, namespace: text(&reference.namespace), name: text(&reference.name) };
    let wanted = if reference.name.is_some() { Lookup::Object(objects) } else { Lookup::Objects(objects) };
    [Lookup::Scope(name), wanted]
}

/// The parameters to evaluate a policy with, one after another. A policy that takes none is evaluated with null.
pub(super) fn collect<'a>(
    kind: Option<&ParamKind>,
    reference: Option<&ParamRef>,
    namespace: &str,
    report: &mut Report<'_>,
    arena: &'a Arena,
) -> Result<&'a [Node<'a>], NoParameters> {
    let (Some(kind), Some(reference)) = (kind, reference) else { return Ok(&[Node::NULL]) };
    let of_binding = |text: &str| NoParameters::Misconfigured(Expressed::Binding, text.to_owned());
    let name = KindName { api_version: Cow::Borrowed(&kind.api_version), kind: Cow::Borrowed(&kind.kind) };
    let Some(scope) = ask(Lookup::Scope(name.clone()), report, arena)? else {
        let (group, version) = kind.api_version.split_once('/').unwrap_or(("", &kind.api_version));
        let text = format!("failed to find resource referenced by paramKind: '{group}/{version}, Kind={}'", kind.kind);
        return Err(NoParameters::Misconfigured(Expressed::Constraints, text));
    };
    let namespace = match (scope.as_str() == Some("Namespaced"), &reference.namespace) {
        (true, Some(own)) => own.as_str(),
        (true, None) if namespace.is_empty() => {
            return Err(of_binding(
                "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
            ));
        }
        (true, None) => namespace,
        (false, Some(_)) => {
            return Err(of_binding("paramRef.namespace must not be provided for a cluster-scoped `paramKind`"));
        }
        (false, None) => "",
    };
    let object =
        |text| ObjectName { kind: name.clone(), namespace: Cow::Borrowed(namespace), name: Cow::Borrowed(text) };
    let found: Vec<Node<'a>> = match (&reference.name, &reference.selector) {
        (Some(_), Some(_)) => return Err(of_binding("paramRef.name and paramRef.selector are mutually exclusive")),
        (Some(name), None) => ask(Lookup::Object(object(name)), report, arena)?.into_iter().collect(),
        (None, Some(selector)) => {
            let all = ask(Lookup::Objects(object("")), report, arena)?.unwrap_or_default();
            let labels = |object: &Node<'a>| object.at(&["metadata", "labels"]).unwrap_or_default();
            all.items().iter().copied().filter(|object| selector.unmet(labels(object)).is_none()).collect()
        }
        (None, None) => return Err(of_binding("one of name or selector must be provided")),
    };
    if found.is_empty() && reference.denies_without {
        return Err(of_binding("no params found for policy binding with `Deny` parameterNotFoundAction"));
    }
    Ok(arena.keep_slice(&found))
}

fn ask<'a>(lookup: Lookup<'_>, report: &mut Report<'_>, arena: &'a Arena) -> Result<Option<Node<'a>>, NoParameters> {
    match report.answer(&lookup, arena) {
        Answer::Found(node) => Ok(Some(node)),
        Answer::Missing => Ok(None),
        Answer::Unknown => {
            report.need(lookup.into_owned());
            Err(NoParameters::Unanswered)
        }
        Answer::Unavailable(reason) => {
            Err(NoParameters::Misconfigured(Expressed::Binding, format!("{lookup} is not known: {reason}")))
        }
    }
}
