//! The type of a custom resource, from its CustomResourceDefinition.
//!
//! The API server publishes the schema of each version (apiextensions-apiserver, pkg/controller/openapi/builder), adds
//! `apiVersion`, `kind` and `metadata`, and reads it back as it reads those of built-in kinds (kube-openapi,
//! pkg/schemaconv/openapi.go).

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use super::{Field, Items, ListType, MapType, Scalar, Schema, Schemas, Type, TypeId, Types, fields};
use crate::json::{Constant, Node};

/// How deep schemas may be nested: a definition that is deeper is refused, so that nobody's stack ends.
const DEEPEST: u32 = 100;

/// Why a definition gives no type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CrdError {
    /// It has no version of this name.
    NoVersion(String),
    /// It has words that the API server does not know either: the place in the schema, and what is wrong there.
    Schema(String, String),
}

impl fmt::Display for CrdError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVersion(version) => {
                write!(formatter, "the definition has no version \"{version}\" in spec.versions")
            }
            Self::Schema(place, problem) => write!(formatter, "the schema at \"{place}\" {problem}"),
        }
    }
}

impl std::error::Error for CrdError {}

impl Schema {
    /// The type of objects of one version of a CustomResourceDefinition (apiextensions.k8s.io/v1). A version without a
    /// schema has fields that nothing is known of.
    ///
    /// # Errors
    /// Where the definition has no such version, or a schema that the API server could not use for merging.
    pub fn of_crd(definition: Node<'_>, version: &str, built_in: &Schemas) -> Result<Self, CrdError> {
        let versions = definition.at(&["spec"]).map_or(&[][..], |spec| spec.items_of("versions"));
        let found = versions.iter().find(|one| one.str("name") == Some(version));
        let found = found.ok_or_else(|| CrdError::NoVersion(version.to_owned()))?;
        let Some(schema) = found.at(&["schema", "openAPIV3Schema"]) else {
            return Ok(built_in.deduced());
        };
        let mut types = Types::default();
        let common = Common::copy(built_in, &mut types);
        let mut place = vec![];
        let mut builder = Builder { types, common, place: &mut place };
        let root = builder.parse(schema, Level { keeps_unknown: false, is_resource: true, depth: 0 })?;
        let root = builder.types.add(root);
        Ok(Self { types: builder.types.0.into(), root })
    }
}

/// Types that every definition refers to.
#[derive(Clone, Copy)]
struct Common {
    deduced: TypeId,
    untyped: TypeId,
    metadata: TypeId,
    string: TypeId,
}

impl Common {
    fn copy(built_in: &Schemas, types: &mut Types) -> Self {
        let mut copied = HashMap::new();
        let source = built_in.deduced();
        let deduced = copy(&source, built_in.deduced, types, &mut copied);
        let metadata = copy(&source, built_in.metadata, types, &mut copied);
        let untyped = types.get(deduced).and_then(|one| one.list.as_ref()).map_or(deduced, |list| list.element);
        let string = types.add(Type { scalar: Some(Scalar::String), ..Type::default() });
        Self { deduced, untyped, metadata, string }
    }
}

/// A type and all that it is made of, from another table. Each is copied once, so that the depth is bounded by the number
/// of types, which are Kubernetes' own.
fn copy(source: &Schema, id: TypeId, types: &mut Types, copied: &mut HashMap<TypeId, TypeId>) -> TypeId {
    if let Some(known) = copied.get(&id) {
        return *known;
    }
    let place = types.add(Type::default());
    copied.insert(id, place);
    let mut one = source.get(id).clone();
    if let Some(list) = &mut one.list {
        list.element = copy(source, list.element, types, copied);
    }
    if let Some(map) = &mut one.map {
        map.others = map.others.map(|others| copy(source, others, types, copied));
        let mut under = |field: &Field| Field { of: copy(source, field.of, types, copied), ..field.clone() };
        map.fields = map.fields.iter().map(&mut under).collect();
    }
    types.set(place, one);
    place
}

struct Builder<'p> {
    types: Types,
    common: Common,
    /// Where in the schema, for errors.
    place: &'p mut Vec<String>,
}

/// What a schema takes from those around it.
#[derive(Clone, Copy)]
struct Level {
    /// Whether fields that are not declared are kept.
    keeps_unknown: bool,
    /// Whether it describes a whole object.
    is_resource: bool,
    depth: u32,
}

impl Builder<'_> {
    fn below(&mut self, step: &str, schema: Node<'_>, level: Level) -> Result<TypeId, CrdError> {
        self.place.push(step.to_owned());
        let one = self.parse(schema, Level { is_resource: false, depth: level.depth + 1, ..level })?;
        self.place.pop();
        Ok(self.types.add(one))
    }

    fn wrong<T>(&self, problem: &str) -> Result<T, CrdError> {
        Err(CrdError::Schema(self.place.join("."), problem.to_owned()))
    }

    fn parse(&mut self, schema: Node<'_>, mut level: Level) -> Result<Type, CrdError> {
        if level.depth > DEEPEST {
            return self.wrong("is nested too deeply");
        }
        let says = |word: &str| schema.get(word).and_then(Node::as_bool) == Some(true);
        level.keeps_unknown |= says("x-kubernetes-preserve-unknown-fields");
        level.is_resource |= says("x-kubernetes-embedded-resource");
        let scalar = |scalar| Ok(Type { scalar: Some(scalar), ..Type::default() });
        match schema.str("type").unwrap_or_default() {
            "" => {
                let list = Some(self.list(schema, level)?);
                Ok(Type { scalar: Some(Scalar::Untyped), list, map: Some(self.map(schema, level)?) })
            }
            "object" => Ok(Type { map: Some(self.map(schema, level)?), ..Type::default() }),
            "array" => Ok(Type { list: Some(self.list(schema, level)?), ..Type::default() }),
            "integer" | "number" => scalar(Scalar::Numeric),
            "boolean" => scalar(Scalar::Boolean),
            "string" => match schema.str("format").unwrap_or_default() {
                "" | "byte" => scalar(Scalar::String),
                _ => scalar(Scalar::Untyped),
            },
            other => self.wrong(&format!("has the unknown type \"{other}\"")),
        }
    }

    fn map(&mut self, schema: Node<'_>, level: Level) -> Result<MapType, CrdError> {
        let mut declared = vec![];
        for (name, member) in schema.entries_of("properties") {
            let of = self.below(name, *member, level)?;
            let default = member.get("default").and_then(|default| serde_json::to_value(default).ok());
            declared.push(Field { name: Cow::Owned((*name).to_owned()), of, default: default.map(Constant::from) });
        }
        if level.is_resource {
            let Common { string, metadata, .. } = self.common;
            for (name, of) in [("apiVersion", string), ("kind", string), ("metadata", metadata)] {
                declared.retain(|field| field.name != name);
                declared.push(Field { name: Cow::Borrowed(name), of, default: None });
            }
        }
        let others = match schema.get("additionalProperties") {
            None if level.keeps_unknown || declared.is_empty() => Some(self.common.deduced),
            None => None,
            Some(others) => match others.as_bool() {
                Some(allowed) => allowed.then_some(self.common.deduced),
                None => Some(self.below("additionalProperties", others, level)?),
            },
        };
        let is_atomic = match schema.str("x-kubernetes-map-type") {
            None | Some("granular") => false,
            Some("atomic") => true,
            Some(other) => return self.wrong(&format!("has the unknown map type \"{other}\"")),
        };
        Ok(MapType { fields: fields(declared), others, is_atomic })
    }

    fn list(&mut self, schema: Node<'_>, level: Level) -> Result<ListType, CrdError> {
        let items = match schema.str("x-kubernetes-list-type") {
            None | Some("atomic") => Items::Atomic,
            Some("set") => Items::Set,
            Some("map") => {
                let keys = schema.items_of("x-kubernetes-list-map-keys");
                let keys: Box<[_]> =
                    keys.iter().filter_map(|key| key.as_str()).map(|key| Cow::Owned(key.to_owned())).collect();
                if keys.is_empty() {
                    return self.wrong("has the list type \"map\" and no x-kubernetes-list-map-keys");
                }
                Items::Keyed(keys)
            }
            Some(other) => return self.wrong(&format!("has the unknown list type \"{other}\"")),
        };
        let element = match schema.get("items") {
            Some(element) => self.below("items", element, level)?,
            None if schema.str("type").is_none() => self.common.untyped,
            None => return self.wrong("is an array without items"),
        };
        Ok(ListType { items, element })
    }
}
