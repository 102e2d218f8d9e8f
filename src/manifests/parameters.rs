//! Parameters of policies, answered from files.

use std::collections::BTreeMap;

use admittance_engine::json::{Arena, Constant, Node};
use admittance_engine::kubernetes::kinds::{Kinds, Scope};
use admittance_engine::review::{Answer, KindName, Lookup, Lookups, ObjectName};
use admittance_engine::unit::Parameter;

use super::namespaces::Namespaces;
use super::objects::Manifest;

/// Objects by kind, namespace and name.
#[derive(Debug, Default)]
pub struct Parameters {
    objects: BTreeMap<Key, Constant>,
}

/// apiVersion, kind, namespace, name. Objects outside of namespaces have no namespace.
type Key = (String, String, String, String);

impl Parameters {
    /// Takes objects that stand among policy documents.
    pub fn take(&mut self, kinds: &Kinds, default_namespace: &str, objects: &[Parameter]) {
        for object in objects {
            let namespace = home(kinds, (&object.api_version, &object.kind), &object.namespace, default_namespace);
            let key = (object.api_version.clone(), object.kind.clone(), namespace, object.name.clone());
            self.objects.insert(key, object.object.clone());
        }
    }

    /// Takes an object as the cluster has it; it takes the place of one of the same name. False if it has no name.
    pub fn give(&mut self, kinds: &Kinds, default_namespace: &str, manifest: &Manifest<'_>) -> bool {
        let name = manifest.metadata("name");
        if name.is_empty() {
            return false;
        }
        let kind = (manifest.api_version, manifest.kind);
        let namespace = home(kinds, kind, manifest.metadata("namespace"), default_namespace);
        let key = (manifest.api_version.to_owned(), manifest.kind.to_owned(), namespace, name.to_owned());
        self.objects.insert(key, manifest.document.to_value().into());
        true
    }

    fn of_kind<'p>(&'p self, kind: &'p KindName<'_>) -> impl Iterator<Item = (&'p Key, &'p Constant)> {
        self.objects
            .iter()
            .filter(move |((api_version, name, ..), _)| *api_version == kind.api_version && *name == kind.kind)
    }

    /// A built-in kind's is known; of others the objects tell.
    fn scope(&self, kinds: &Kinds, kind: &KindName<'_>) -> Answer<'static> {
        let namespaced = match built_in(kinds, &kind.api_version, &kind.kind) {
            Some(scope) => scope == Scope::Namespaced,
            None if self.of_kind(kind).next().is_none() => {
                return Answer::Unavailable("no object of the kind is known, name a file with --params");
            }
            None => self.of_kind(kind).any(|((_, _, namespace, _), _)| !namespace.is_empty()),
        };
        Answer::Found(Node::string(if namespaced { "Namespaced" } else { "Cluster" }))
    }

    fn one<'a>(&self, object: &ObjectName<'_>, arena: &'a Arena) -> Answer<'a> {
        let found = self
            .of_kind(&object.kind)
            .find(|((_, _, namespace, name), _)| *namespace == object.namespace && *name == object.name);
        found.map_or(Answer::Missing, |(_, object)| Answer::Found(object.build(arena)))
    }

    fn all<'a>(&self, objects: &ObjectName<'_>, arena: &'a Arena) -> Answer<'a> {
        let here = self
            .of_kind(&objects.kind)
            .filter(|((_, _, namespace, _), _)| objects.namespace.is_empty() || *namespace == objects.namespace);
        let nodes: Vec<Node<'a>> = here.map(|(_, object)| object.build(arena)).collect();
        Answer::Found(arena.list(&nodes))
    }
}

fn built_in(kinds: &Kinds, api_version: &str, kind: &str) -> Option<Scope> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    kinds.kind(group, version, kind).map(|row| row.scope)
}

/// The namespace that an object lands in: the default one where a namespaced kind's names none.
fn home(kinds: &Kinds, (api_version, kind): (&str, &str), namespace: &str, default: &str) -> String {
    let lands = namespace.is_empty() && built_in(kinds, api_version, kind) == Some(Scope::Namespaced);
    if lands { default.to_owned() } else { namespace.to_owned() }
}

/// All that is known of a cluster offline.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    /// Its kinds.
    pub kinds: &'k Kinds,
    /// Its namespaces.
    pub namespaces: &'k Namespaces,
    /// Objects that are parameters of policies.
    pub parameters: &'k Parameters,
}

impl Lookups for Known<'_> {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        match lookup {
            Lookup::Scope(kind) => self.parameters.scope(self.kinds, kind),
            Lookup::Object(object) => self.parameters.one(object, arena),
            Lookup::Objects(objects) => self.parameters.all(objects, arena),
            Lookup::Pods(_) => Answer::Unavailable("there is no cluster to ask"),
            Lookup::Namespace(_) | Lookup::Access(_) => self.namespaces.answer(lookup, arena),
        }
    }
}
