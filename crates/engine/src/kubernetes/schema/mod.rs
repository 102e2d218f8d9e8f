//! What the API server knows of the structure of objects where it merges apply configurations into them: the types of
//! their fields, and which lists and maps are merged by item and which are replaced as a whole.
//!
//! Built-in kinds: `data/schemas.txt`, generated from Kubernetes' own OpenAPI documents. Custom resources: the schema in
//! their CustomResourceDefinition, [`Schema::of_crd`]. Everything else: [`Schemas::deduced`].
//!
//! The vocabulary is that of sigs.k8s.io/structured-merge-diff (schema/elements.go): a type is an atom that may be a
//! scalar, a list, a map, or several of them.

mod crd;
mod table;

pub use crd::CrdError;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::json::Constant;

/// The types of built-in kinds.
///
/// Building it reads a table of some 100 KB: whoever keeps the policies keeps it beside them.
pub struct Schemas {
    types: Arc<[Type]>,
    /// `apps/v1/Deployment` and the type of such objects, sorted by name.
    kinds: Vec<(&'static str, TypeId)>,
    deduced: TypeId,
    metadata: TypeId,
}

/// The type of an object.
#[derive(Clone)]
pub struct Schema {
    types: Arc<[Type]>,
    root: TypeId,
}

/// Position of a type in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TypeId(u32);

/// What a value may be (schema.Atom). Which of several it is, its own kind decides.
#[derive(Clone, Debug, Default)]
pub(super) struct Type {
    pub(super) scalar: Option<Scalar>,
    pub(super) list: Option<ListType>,
    pub(super) map: Option<MapType>,
}

/// Kinds of scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Numeric,
    String,
    Boolean,
    Untyped,
}

/// A list of one type.
#[derive(Clone, Debug)]
pub(super) struct ListType {
    pub(super) items: Items,
    pub(super) element: TypeId,
}

/// How the items of a list belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Items {
    /// The list is one value.
    Atomic,
    /// Scalars, each there once.
    Set,
    /// Maps that are told apart by the values under these keys.
    Keyed(Box<[Cow<'static, str>]>),
}

/// A map of any keys, or one of fields.
#[derive(Clone, Debug)]
pub(super) struct MapType {
    /// Sorted by name.
    fields: Arc<[Field]>,
    /// The type of what is no field; None: there must be none.
    others: Option<TypeId>,
    /// Whether the map is one value.
    pub(super) is_atomic: bool,
}

/// A field of a map.
#[derive(Clone, Debug)]
struct Field {
    name: Cow<'static, str>,
    of: TypeId,
    /// What counts where a merge key is absent.
    default: Option<Constant>,
}

impl Schemas {
    /// What the API server of the version named in the table knows.
    pub fn built_in() -> Self {
        table::read()
    }

    /// The type of objects of a built-in kind: `apps/v1` and `Deployment`.
    pub fn of(&self, api_version: &str, kind: &str) -> Option<Schema> {
        let found = self.kinds.binary_search_by(|(name, _)| {
            // As if it were compared with `apiVersion/kind`, which is never put together.
            name.bytes().cmp(api_version.bytes().chain(*b"/").chain(kind.bytes()))
        });
        let (_, root) = self.kinds.get(found.ok()?)?;
        Some(Schema { types: Arc::clone(&self.types), root: *root })
    }

    /// Whether an API server serves this group and version itself. A kind in it that has no type cannot be merged.
    pub fn serves(&self, api_version: &str) -> bool {
        self.kinds.iter().any(|(name, _)| name.rsplit_once('/').is_some_and(|(version, _)| version == api_version))
    }

    /// The kinds: `apps/v1/Deployment`.
    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.kinds.iter().map(|kind| kind.0)
    }

    /// The type of objects that nothing is known of: fields are merged, every list is replaced as a whole
    /// (typed.DeducedParseableType).
    pub fn deduced(&self) -> Schema {
        Schema { types: Arc::clone(&self.types), root: self.deduced }
    }
}

impl Schema {
    pub(super) fn root(&self) -> TypeId {
        self.root
    }

    /// A type of this table. Ids come from the table itself; one that did not would mean a type that nothing fits.
    pub(super) fn get(&self, id: TypeId) -> &Type {
        static NOTHING: Type = Type { scalar: None, list: None, map: None };
        self.types.get(id.0 as usize).unwrap_or(&NOTHING)
    }

    /// What counts where an item of `list` lacks the merge key.
    pub(super) fn key_default(&self, list: &ListType, key: &str) -> Option<&Constant> {
        self.get(list.element).map.as_ref()?.field(key)?.default.as_ref()
    }
}

impl MapType {
    fn field(&self, name: &str) -> Option<&Field> {
        let position = self.fields.binary_search_by(|field| field.name.as_ref().cmp(name)).ok()?;
        self.fields.get(position)
    }

    /// The declared fields and their types.
    #[cfg(test)]
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, TypeId)> {
        self.fields.iter().map(|field| (field.name.as_ref(), field.of))
    }

    /// The type of a declared field.
    pub(super) fn declared(&self, name: &str) -> Option<TypeId> {
        self.field(name).map(|field| field.of)
    }

    /// The type of what stands under a key; None: it must not stand there.
    pub(super) fn under(&self, key: &str) -> Option<TypeId> {
        self.declared(key).or(self.others)
    }
}

impl fmt::Debug for Schemas {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Schemas({} kinds, {} types)", self.kinds.len(), self.types.len())
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Schema({})", self.root.0)
    }
}

/// A table in the making.
#[derive(Default)]
struct Types(Vec<Type>);

impl Types {
    fn add(&mut self, one: Type) -> TypeId {
        let id = TypeId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        self.0.push(one);
        id
    }

    fn set(&mut self, id: TypeId, one: Type) {
        if let Some(place) = self.0.get_mut(id.0 as usize) {
            *place = one;
        }
    }

    fn get(&self, id: TypeId) -> Option<&Type> {
        self.0.get(id.0 as usize)
    }
}

fn fields(mut fields: Vec<Field>) -> Arc<[Field]> {
    fields.sort_by(|left, right| left.name.cmp(&right.name));
    fields.into()
}

#[cfg(test)]
mod tests;
