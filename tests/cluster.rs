//! The cluster of a case: its namespace, its parameters, its roles and its definitions of kinds.

use admittance_engine::json::{Arena, Constant, Node};
use admittance_engine::kubernetes::kinds::{Kinds, Scope};
use admittance_engine::review::{Answer, KindName, Lookup, Lookups, ObjectName};
use serde_json::{Value, json};

use crate::{case::Case, rbac};

/// Answers from what a case says.
pub(crate) struct Cluster<'c> {
    case: &'c Case,
    objects: Vec<Value>,
    kinds: Kinds,
}

impl<'c> Cluster<'c> {
    pub(crate) fn of(case: &'c Case) -> Self {
        Self { case, objects: case.cluster_objects(), kinds: Kinds::built_in() }
    }

    fn scope(&self, kind: &KindName<'_>) -> Option<Scope> {
        self.case.resource(&self.kinds, &kind.api_version, &kind.kind).map(|(_, scope)| scope)
    }

    /// Those of a kind, in order of namespace and name. What names no namespace is in the default one.
    fn objects(&self, wanted: &ObjectName<'_>) -> Vec<&Value> {
        let KindName { api_version, kind } = &wanted.kind;
        let is_namespaced = self.scope(&wanted.kind) == Some(Scope::Namespaced);
        let namespace = |object: &Value| {
            let own = object["metadata"]["namespace"].as_str();
            own.unwrap_or(if is_namespaced { "default" } else { "" }).to_owned()
        };
        let mut found: Vec<&Value> = self
            .objects
            .iter()
            .filter(|object| object["apiVersion"] == **api_version && object["kind"] == **kind)
            .filter(|object| wanted.namespace.is_empty() || namespace(object) == wanted.namespace)
            .filter(|object| wanted.name.is_empty() || object["metadata"]["name"] == *wanted.name)
            .collect();
        found.sort_by_key(|object| (namespace(object), object["metadata"]["name"].as_str().map(str::to_owned)));
        found
    }
}

impl Lookups for Cluster<'_> {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        let built = |value: Value| Constant::from(value).build(arena);
        match lookup {
            Lookup::Namespace(name) => Answer::Found(built(self.case.namespace_object(name))),
            Lookup::Access(access) => Answer::Found(built(json!({"allowed": rbac::allows(&self.objects, access)}))),
            Lookup::Scope(kind) => match self.scope(kind) {
                Some(Scope::Namespaced) => Answer::Found(Node::string("Namespaced")),
                Some(Scope::Cluster) => Answer::Found(Node::string("Cluster")),
                None => Answer::Missing,
            },
            Lookup::Object(wanted) => {
                self.objects(wanted).first().map_or(Answer::Missing, |&found| Answer::Found(built(found.clone())))
            }
            Lookup::Objects(wanted) => {
                let found: Vec<Value> = self.objects(wanted).into_iter().cloned().collect();
                Answer::Found(built(found.into()))
            }
            // As `check`, which has no cluster.
            Lookup::Pods(_) => Answer::Unavailable("there is no cluster to ask"),
        }
    }
}
