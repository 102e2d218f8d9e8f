//! Namespaces that policies ask about, and definitions of custom resources, answered from files.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use admittance_engine::json::{Arena, Constant};
use admittance_engine::review::sent::NAME_LABEL;
use admittance_engine::review::{Answer, Lookup, Lookups};
use serde_json::{Map, Value};

use super::inputs::{Input, documents};
use super::objects::{Manifest, objects};

const DEFINITION: &str = "CustomResourceDefinition";

/// Namespaces by name: those that were given, and those among the manifests to judge. The latter are searched for when a
/// policy asks for the first time: most sets never do.
#[derive(Debug)]
pub struct Namespaces {
    given: BTreeMap<String, Constant>,
    inputs: Vec<Input>,
    among_inputs: OnceLock<Found>,
}

/// What the manifests hold, by name.
#[derive(Debug, Default)]
struct Found {
    namespaces: BTreeMap<String, Constant>,
    definitions: BTreeMap<String, Constant>,
}

impl Namespaces {
    /// Namespaces to be found among these files. A given one has precedence.
    pub fn among(inputs: Vec<Input>) -> Self {
        Self { given: BTreeMap::new(), inputs, among_inputs: OnceLock::new() }
    }

    /// Takes a Namespace as the cluster has it. False if the manifest is none.
    pub fn give(&mut self, manifest: &Manifest<'_>) -> bool {
        let found = read(manifest);
        let is_namespace = found.is_some();
        self.given.extend(found);
        is_namespace
    }

    /// Searches the manifests, once. What cannot be read in them is reported by who judges them.
    pub fn gather(&self) {
        self.among_inputs.get_or_init(|| {
            let mut found = Found::default();
            let texts = self.inputs.iter().filter_map(|input| input.read().ok());
            for file in texts.filter(|file| ["Namespace", DEFINITION].iter().any(|kind| file.text().contains(kind))) {
                let parsed = documents(&file);
                let (manifests, _) = objects(&file, &parsed.documents);
                found.namespaces.extend(manifests.iter().filter_map(read));
                let definitions = manifests.iter().filter(|manifest| manifest.kind == DEFINITION);
                found.definitions.extend(definitions.map(|manifest| {
                    (manifest.metadata("name").to_owned(), Constant::from(manifest.document.to_value()))
                }));
            }
            found
        });
    }

    /// The definition of a custom resource, `RESOURCE.GROUP`, among the manifests.
    pub fn definition<'a>(&self, name: &str, arena: &'a Arena) -> Answer<'a> {
        let Some(found) = self.among_inputs.get() else { return Answer::Unknown };
        found.definitions.get(name).map_or(Answer::Missing, |definition| Answer::Found(definition.build(arena)))
    }
}

impl Lookups for Namespaces {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        let Lookup::Namespace(name) = lookup else { return Answer::Unavailable("there is no cluster to ask") };
        if let Some(namespace) = self.given.get(name.as_ref()) {
            return Answer::Found(namespace.build(arena));
        }
        let Some(found) = self.among_inputs.get() else { return Answer::Unknown };
        match found.namespaces.get(name.as_ref()) {
            Some(namespace) => Answer::Found(namespace.build(arena)),
            None => Answer::Unavailable("it is not among the manifests, name its file with --namespace-object"),
        }
    }
}

/// Name and object, with the label that the API server would have given it.
fn read(manifest: &Manifest<'_>) -> Option<(String, Constant)> {
    let name = manifest.metadata("name");
    if manifest.api_version != "v1" || manifest.kind != "Namespace" || name.is_empty() {
        return None;
    }
    let mut object = manifest.document.to_value();
    let labels = object.get_mut("metadata")?.as_object_mut()?.entry("labels").or_insert(Value::Null);
    if labels.is_null() {
        *labels = Value::Object(Map::new());
    }
    if let Some(labels) = labels.as_object_mut() {
        labels.insert(NAME_LABEL.to_owned(), name.into());
    }
    Some((name.to_owned(), object.into()))
}
