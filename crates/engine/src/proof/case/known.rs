//! What a case says about the cluster.

use std::borrow::Cow;

use serde_json::json;

use crate::document::Spanned;
use crate::json::{Arena, Constant, Node, edit};
use crate::kubernetes::kinds::Kinds;
use crate::review::sent::NAME_LABEL;
use crate::review::{Access, AccessTarget, Answer, KindName, Lookup, Lookups, ObjectName};
use crate::set::{Parameters, PolicySet};
use crate::unit::Parameter;
use crate::unit::policy_test::{Allowed, Authorizer, Case};

/// A cluster with one namespace, the parameters of a case, and an authorizer that says what the case says.
pub(super) struct Known<'k> {
    kinds: &'k Kinds,
    case: &'k Case,
    namespace: &'k str,
    parameters: Parameters,
}

impl<'k> Known<'k> {
    /// For a request in this namespace. Objects of the policies' own unit are parameters too, unless the case has some of the
    /// same kind.
    pub(super) fn of(case: &'k Case, set: &'k PolicySet, namespace: &'k str) -> Self {
        let kinds = set.kinds();
        let mut parameters = Parameters::default();
        let text = |object: &Spanned, pointer: &str| {
            object.at(pointer).and_then(Spanned::as_str).unwrap_or_default().to_owned()
        };
        let is_given = |one: &Parameter| {
            let kind = |given: &Spanned| (text(given, "/apiVersion"), text(given, "/kind"));
            case.params.iter().any(|given| kind(given) == (one.api_version.clone(), one.kind.clone()))
        };
        let own: Vec<Parameter> = set.parameters().iter().filter(|one| !is_given(one)).cloned().collect();
        parameters.take(kinds, &case.namespace, &own);
        for object in &case.params {
            let kind = KindName { api_version: text(object, "/apiVersion").into(), kind: text(object, "/kind").into() };
            let (namespace, name) = (text(object, "/metadata/namespace"), text(object, "/metadata/name"));
            let name = ObjectName { kind, namespace: namespace.into(), name: name.into() };
            parameters.give(kinds, &case.namespace, name, Constant::from(object.to_value()));
        }
        Self { kinds, case, namespace, parameters }
    }

    fn namespace<'a>(&self, name: &str, arena: &'a Arena) -> Answer<'a> {
        let given = self.case.namespace_object.as_ref();
        let own = given.and_then(|given| given.at("/metadata/name")?.as_str()).unwrap_or(self.namespace);
        if name != own && name != self.namespace {
            return Answer::Unavailable("the case is about another namespace");
        }
        let object = match given.filter(|_| name == own) {
            Some(given) => Constant::from(given.to_value()).build(arena),
            None => Constant::from(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": {} })).build(arena),
        };
        let name = Node::string(arena.text(name));
        let paths: [&[&str]; 2] = [&["metadata", "name"], &["metadata", "labels", NAME_LABEL]];
        let set = |object, path: &&[&str]| edit::set(arena, object, path, name).unwrap_or(object);
        Answer::Found(paths.iter().fold(object, set))
    }

    fn access<'a>(&self, access: &Access<'_>, arena: &'a Arena) -> Answer<'a> {
        let Some(authorizer) = &self.case.authorizer else {
            return Answer::Unavailable("the case does not say what the authorizer answers: give `authorizer`");
        };
        let status = match authorizer {
            Authorizer::Allow => json!({ "allowed": true }),
            Authorizer::Deny => json!({ "allowed": false }),
            Authorizer::Error => json!({ "allowed": false, "evaluationError": "the authorizer of the case fails" }),
            Authorizer::Only(rules) => json!({ "allowed": rules.iter().any(|rule| allows(rule, access)) }),
        };
        Answer::Found(Constant::from(status).build(arena))
    }
}

fn allows(rule: &Allowed, access: &Access<'_>) -> bool {
    let fits = |wanted: &Option<String>, asked: &Cow<'_, str>| wanted.as_ref().is_none_or(|wanted| wanted == asked);
    let is_target = match &access.target {
        AccessTarget::Path(path) => {
            let of_resource = [&rule.group, &rule.resource, &rule.subresource, &rule.namespace, &rule.name];
            of_resource.iter().all(|field| field.is_none()) && fits(&rule.path, path)
        }
        AccessTarget::Resource { group, resource, subresource, namespace, name, .. } => {
            rule.path.is_none()
                && fits(&rule.group, group)
                && fits(&rule.resource, resource)
                && fits(&rule.subresource, subresource)
                && fits(&rule.namespace, namespace)
                && fits(&rule.name, name)
        }
    };
    is_target && fits(&rule.user, &access.user) && fits(&rule.verb, &access.verb)
}

impl Lookups for Known<'_> {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        match lookup {
            Lookup::Namespace(name) => self.namespace(name, arena),
            Lookup::Access(access) => self.access(access, arena),
            // There is nothing else in the namespace of a case.
            Lookup::Pods(_) => Answer::Missing,
            Lookup::Scope(_) | Lookup::Object(_) | Lookup::Objects(_) => {
                let unknown = Answer::Unavailable("the case has no object of the kind: give it under `params`");
                self.parameters.answer(self.kinds, lookup, arena).unwrap_or(unknown)
            }
        }
    }
}
