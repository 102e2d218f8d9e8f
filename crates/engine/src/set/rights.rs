//! What the policies of a set ask the cluster, as the rights that a server needs for it.

use std::collections::{BTreeMap, BTreeSet};

use super::PolicySet;
use crate::kubernetes::kinds::Kinds;
use crate::matching::{MatchConstraints, Names};
use crate::policy::Head;
use crate::review::{KindName, Lookup, ObjectName};

/// A rule of a Role or ClusterRole, and who needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// The namespace in which it is needed; empty for all of the cluster.
    pub namespace: String,
    /// The API group; empty for the core group.
    pub group: String,
    /// `namespaces`
    pub resource: String,
    /// `get`, `list`, `watch`, `create`
    pub verbs: &'static [&'static str],
    /// The objects; none for all.
    pub names: Vec<String>,
    /// The policies that need it, by name.
    pub policies: Vec<String>,
    /// The kind, where the name of its resource is guessed: that of a custom resource is known to the cluster alone.
    pub guessed_from: Option<String>,
}

/// Everything about a right but its names and policies; the last says whether it has names.
type Key = (String, String, String, &'static [&'static str], Option<String>, bool);

/// Reading as it is now, and as it will be.
const KEPT: &[&str] = &["get", "list", "watch"];
const LISTED: &[&str] = &["list", "watch"];

/// The rights that a server needs so that every policy of the set can ask what it asks.
pub fn rights(set: &PolicySet) -> Vec<Right> {
    let heads = set.mutators().iter().map(|mutator| &mutator.head);
    let heads = heads.chain(set.validators().iter().map(|validator| &validator.head));
    let mut found: BTreeMap<Key, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for head in heads {
        for (key, names) in lookups(head).iter().filter_map(|lookup| right(lookup, head, set.kinds())) {
            let entry = found.entry(key).or_default();
            entry.0.extend(names);
            entry.1.insert(head.origin.policy.clone());
        }
    }
    found
        .into_iter()
        .map(|((namespace, group, resource, verbs, guessed_from, _), (names, policies))| Right {
            namespace,
            group,
            resource,
            verbs,
            names: names.into_iter().collect(),
            policies: policies.into_iter().collect(),
            guessed_from,
        })
        .collect()
}

/// What all policies of the set may ask.
pub fn declared(set: &PolicySet) -> BTreeSet<Lookup<'static>> {
    let heads = set.mutators().iter().map(|mutator| &mutator.head);
    heads.chain(set.validators().iter().map(|validator| &validator.head)).flat_map(lookups).collect()
}

/// What the policy may ask: its rule, its conditions, and who matches it.
pub fn lookups(head: &Head) -> Vec<Lookup<'static>> {
    let selects = |constraints: &MatchConstraints| !constraints.namespace_selector.is_empty();
    let mut lookups = head.lookups.clone();
    if selects(&head.constraints) || head.binding.as_ref().is_some_and(selects) {
        lookups.push(Lookup::Namespace("".into()));
    }
    lookups
}

fn right(lookup: &Lookup<'static>, head: &Head, kinds: &Kinds) -> Option<(Key, BTreeSet<String>)> {
    let everywhere = |group: &str, resource: &str, verbs| {
        ((String::new(), group.to_owned(), resource.to_owned(), verbs, None, false), BTreeSet::new())
    };
    match lookup {
        Lookup::Namespace(_) => Some(everywhere("", "namespaces", KEPT)),
        Lookup::Access(_) => Some(everywhere("authorization.k8s.io", "subjectaccessreviews", &["create"])),
        // Discovery is for everybody.
        Lookup::Scope(_) => None,
        Lookup::Pods(_) => Some(everywhere("", "pods", &["list"])),
        Lookup::Object(object) if object.kind == KindName::CUSTOM_RESOURCE_DEFINITION && object.name.is_empty() => {
            let names = definitions(&head.constraints, kinds)?;
            let (mut key, _) = everywhere("apiextensions.k8s.io", "customresourcedefinitions", &["get"]);
            key.5 = !names.is_empty();
            Some((key, names))
        }
        Lookup::Object(object) => Some(of_objects(object, &["get"], kinds)),
        Lookup::Objects(objects) => Some(of_objects(objects, LISTED, kinds)),
    }
}

fn of_objects(object: &ObjectName<'static>, verbs: &'static [&'static str], kinds: &Kinds) -> (Key, BTreeSet<String>) {
    let KindName { api_version, kind } = &object.kind;
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let (resource, guessed_from) = match kinds.kind(group, version, kind) {
        Some(row) => (row.resource.to_owned(), None),
        None => (guessed(kind), Some(format!("{kind} of {api_version}"))),
    };
    let names: BTreeSet<String> = (!object.name.is_empty()).then(|| object.name.to_string()).into_iter().collect();
    let key = (object.namespace.to_string(), group.to_owned(), resource, verbs, guessed_from, !names.is_empty());
    (key, names)
}

/// The plural as most have it (apimachinery, meta.UnsafeGuessKindToResource).
fn guessed(kind: &str) -> String {
    let singular = kind.to_ascii_lowercase();
    match singular.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if singular.ends_with('s') => format!("{singular}es"),
        None => format!("{singular}s"),
    }
}

/// The definitions of the custom resources that a policy may match; an empty set where that may be any, None where all that it
/// matches is built in.
fn definitions(constraints: &MatchConstraints, kinds: &Kinds) -> Option<BTreeSet<String>> {
    let is_built_in = |group: &str| kinds.rows().iter().any(|row| row.group == group);
    let mut names = BTreeSet::new();
    for rule in &constraints.resource_rules {
        let Names::Only(groups) = &rule.groups else { return Some(BTreeSet::new()) };
        for group in groups.iter().filter(|group| !is_built_in(group)) {
            for pattern in &rule.resources {
                let Some(resource) = &pattern.resource else { return Some(BTreeSet::new()) };
                names.insert(format!("{resource}.{group}"));
            }
        }
    }
    let is_any = constraints.resource_rules.is_empty();
    (is_any || !names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests;
