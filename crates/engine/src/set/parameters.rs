//! Parameters of policies where no cluster has them.

use std::collections::BTreeMap;
use std::fmt;

use crate::json::{Arena, Constant, Node};
use crate::kubernetes::kinds::{Kinds, Scope};
use crate::review::{Answer, KindName, Lookup, ObjectName};
use crate::unit::Parameter;

/// Objects by kind, namespace and name.
#[derive(Default)]
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

    /// Takes an object as the cluster has it; it takes the place of one of the same name.
    pub fn give(&mut self, kinds: &Kinds, default_namespace: &str, object: ObjectName<'_>, tree: Constant) {
        let (api_version, kind) = (object.kind.api_version.into_owned(), object.kind.kind.into_owned());
        let namespace = home(kinds, (&api_version, &kind), &object.namespace, default_namespace);
        self.objects.insert((api_version, kind, namespace, object.name.into_owned()), tree);
    }

    /// What is known of a question about parameters. None for other questions, and for one about a kind that is not built in
    /// and of which there is no object: whether it lives in namespaces nobody can tell.
    pub fn answer<'a>(&self, kinds: &Kinds, lookup: &Lookup<'_>, arena: &'a Arena) -> Option<Answer<'a>> {
        match lookup {
            Lookup::Scope(kind) => self.scope(kinds, kind),
            Lookup::Object(object) => Some(self.one(object, arena)),
            Lookup::Objects(objects) => Some(self.all(objects, arena)),
            Lookup::Namespace(_) | Lookup::Access(_) | Lookup::Pods(_) => None,
        }
    }

    /// Whether there is an object of this kind.
    pub fn has(&self, kind: &KindName<'_>) -> bool {
        self.of_kind(kind).next().is_some()
    }

    fn of_kind<'p>(&'p self, kind: &'p KindName<'_>) -> impl Iterator<Item = (&'p Key, &'p Constant)> {
        self.objects
            .iter()
            .filter(move |((api_version, name, ..), _)| *api_version == kind.api_version && *name == kind.kind)
    }

    /// A built-in kind's is known; of others the objects tell.
    fn scope(&self, kinds: &Kinds, kind: &KindName<'_>) -> Option<Answer<'static>> {
        let namespaced = match built_in(kinds, &kind.api_version, &kind.kind) {
            Some(scope) => scope == Scope::Namespaced,
            None if !self.has(kind) => return None,
            None => self.of_kind(kind).any(|((_, _, namespace, _), _)| !namespace.is_empty()),
        };
        Some(Answer::Found(Node::string(if namespaced { "Namespaced" } else { "Cluster" })))
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

/// Its Debug shows no content.
impl fmt::Debug for Parameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Parameters({} objects)", self.objects.len())
    }
}
