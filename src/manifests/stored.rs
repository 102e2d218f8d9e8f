//! The objects as the cluster has them, for UPDATE.

use std::collections::BTreeMap;

use admittance_engine::document::Spanned;

use super::objects::Manifest;

/// What tells one object from all others in a cluster, in whatever version it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    group: String,
    kind: String,
    namespace: String,
    name: String,
}

/// Stored objects, each found by group, kind, namespace and name.
#[derive(Debug, Default)]
pub struct Stored {
    objects: BTreeMap<Identity, Object>,
}

#[derive(Debug)]
struct Object {
    api_version: String,
    kind: String,
    document: Spanned,
}

impl Stored {
    /// Adds an object; a later one of the same identity takes its place.
    pub fn add(&mut self, manifest: &Manifest<'_>, default_namespace: &str) {
        let object = Object {
            api_version: manifest.api_version.to_owned(),
            kind: manifest.kind.to_owned(),
            document: manifest.document.clone(),
        };
        self.objects.insert(identity(manifest, default_namespace), object);
    }

    /// The stored object that a request about this one would replace.
    pub fn find(&self, manifest: &Manifest<'_>, default_namespace: &str) -> Option<Manifest<'_>> {
        let object = self.objects.get(&identity(manifest, default_namespace))?;
        Some(Manifest { index: 0, document: &object.document, api_version: &object.api_version, kind: &object.kind })
    }
}

/// Objects that name no namespace stand in the default one; for cluster-scoped ones that changes nothing.
fn identity(manifest: &Manifest<'_>, default_namespace: &str) -> Identity {
    let namespace = manifest.metadata("namespace");
    Identity {
        group: manifest.group().to_owned(),
        kind: manifest.kind.to_owned(),
        namespace: if namespace.is_empty() { default_namespace } else { namespace }.to_owned(),
        name: manifest.metadata("name").to_owned(),
    }
}
