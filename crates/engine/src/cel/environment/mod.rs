//! What names mean: functions by version of Kubernetes, declared variables, types (cel-go `checker/env.go`,
//! k8s.io/apiserver `pkg/cel/environment/base.go`).

mod functions;
mod notation;
mod type_names;

pub(super) use functions::Signature;

use std::sync::Arc;

use super::function::Version;
use super::syntax::ParseOptions;
use super::types::Type;
use crate::seedless::{HashMap, HashSet};
use functions::Functions;
use type_names::TypeName;

/// The version of Kubernetes whose API server this engine is: it evaluates stored expressions with all that it knows.
const LATEST: Version = Version(36);

/// Since when there are optionals, and comprehensions with two variables.
const OPTIONALS: Version = Version(28);
const TWO_VARIABLES: Version = Version(32);
/// The version since which lists are sorted by a key (ext.Lists).
const SORT_BY: Version = Version(34);

/// The name that policy variables are fields of, and its type.
const VARIABLES: &str = "variables";
const VARIABLES_TYPE: &str = "kubernetes.variables";

/// The types of mutations (k8s.io/apiserver `pkg/cel/mutation/typeresolver.go`).
const OBJECT_TYPE: &str = "Object";
const JSON_PATCH_TYPE: &str = "JSONPatch";

/// The place of a declared variable in an activation: counted from 0 in order of declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(pub u32);

/// What names mean to the checker. Functions are shared by all environments; the rest is small.
#[derive(Clone, Debug)]
pub struct Environment {
    version: Version,
    container: Box<str>,
    mutation: bool,
    slots: u32,
    variables: HashMap<Box<str>, (Slot, Type)>,
    structs: HashMap<Arc<str>, Arc<[(String, Type)]>>,
    policy_variables: HashMap<Box<str>, (usize, Type)>,
    policy_variable_count: usize,
    /// First parts of declared names with dots.
    heads: HashSet<Box<str>>,
}

/// What an identifier may mean besides a comprehension's variable.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Meaning {
    /// A declared variable.
    Variable(Slot, Type),
    /// The name of a type.
    TypeName(Type),
}

/// What a field of a struct type is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Field {
    /// A field with this type.
    Known(Type),
    /// `variables.name`
    PolicyVariable(usize, Type),
    /// The type takes it only where its value's type is not known, and refuses it then at run time (`JSONPatch`).
    Doubtful,
    /// The type has no such field.
    Unknown,
    /// There is no such type.
    NoType,
}

impl Environment {
    /// What an API server of this version evaluates stored expressions with: everything.
    pub fn stored() -> Self {
        Self::of_version(LATEST)
    }

    /// What a new expression may use at this compatibility version.
    pub fn of_version(version: Version) -> Self {
        Self {
            version,
            container: "".into(),
            mutation: false,
            slots: 0,
            variables: HashMap::default(),
            structs: HashMap::default(),
            policy_variables: HashMap::default(),
            policy_variable_count: 0,
            heads: HashSet::default(),
        }
    }

    /// Declares a variable. A name with dots is found before the fields that it looks like (`authorizer.requestResource`).
    pub fn declare(&mut self, name: &str, ty: Type) -> Slot {
        let slot = self.reserve();
        self.note_head(name);
        self.variables.insert(name.into(), (slot, ty));
        slot
    }

    /// Takes a slot without a name, so that those declared later stand where they always do.
    pub fn reserve(&mut self) -> Slot {
        let slot = Slot(self.slots);
        self.slots += 1;
        slot
    }

    /// Declares a type with fields. Its name means the type in struct literals.
    pub fn declare_struct(&mut self, name: &str, fields: Vec<(String, Type)>) {
        self.note_head(name);
        self.structs.insert(name.into(), fields.into());
    }

    /// Declares `variables`, the struct of the policy's own variables, without any.
    pub fn declare_policy_variables(&mut self) -> Slot {
        self.declare(VARIABLES, Type::Struct(VARIABLES_TYPE.into()))
    }

    /// Declares `variables.name` for an expression of this type, and says its number, from 0. Types that are no scalars,
    /// lists or maps are dyn from there on, as upstream (plugin/cel/composition.go `convertCelTypeToDeclType`); so are those
    /// of expressions that do not compile.
    pub fn declare_policy_variable(&mut self, name: &str, ty: Type) -> usize {
        if !self.variables.contains_key(VARIABLES) {
            self.declare_policy_variables();
        }
        let index = self.policy_variable_count;
        self.policy_variable_count += 1;
        self.policy_variables.insert(name.into(), (index, of_policy_variable(ty)));
        index
    }

    /// With what mutations use besides: `Object{}` and the types of its fields, `JSONPatch{}`, `jsonpatch.escapeKey`.
    #[must_use]
    pub fn with_mutation_types(mut self) -> Self {
        self.mutation = true;
        self
    }

    /// With a namespace in which names are looked up first.
    #[must_use]
    pub fn with_container(mut self, container: &str) -> Self {
        self.container = container.into();
        self
    }

    /// The version that expressions are written for.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The syntax that expressions of this version may use.
    pub fn parse_options(&self) -> ParseOptions {
        ParseOptions {
            optional_syntax: self.version >= OPTIONALS,
            two_variable_comprehensions: self.version >= TWO_VARIABLES,
            sort_by: self.version >= SORT_BY,
        }
    }

    fn note_head(&mut self, name: &str) {
        if let Some((head, _)) = name.split_once('.') {
            self.heads.insert(head.into());
        }
    }

    /// The full names that a name may stand for, the innermost namespace first (cel-go `containers.ResolveCandidateNames`).
    pub(super) fn candidates<'n>(&self, name: &'n str) -> impl Iterator<Item = std::borrow::Cow<'n, str>> {
        let absolute = name.strip_prefix('.');
        let container = if absolute.is_some() { "" } else { &*self.container };
        let ends = container.rmatch_indices('.').map(|(end, _)| end);
        let namespaces = (!container.is_empty()).then_some(container.len()).into_iter().chain(ends);
        let qualified =
            namespaces.filter_map(|end| container.get(..end)).map(move |space| format!("{space}.{name}").into());
        qualified.chain([absolute.unwrap_or(name).into()]).collect::<Vec<_>>().into_iter()
    }

    /// Whether a name with dots that begins so may be declared.
    pub(super) fn may_be_qualified(&self, head: &str) -> bool {
        !self.container.is_empty()
            || head.starts_with('.')
            || self.heads.contains(head)
            || matches!(head, "net" | "google")
            || self.mutation && head == OBJECT_TYPE
    }

    /// Whether a function's name with dots may begin so.
    pub(super) fn may_hold_functions(&self, head: &str) -> bool {
        !self.container.is_empty() || head.starts_with('.') || Functions::get().has_head(head)
    }

    /// What a full name means.
    pub(super) fn meaning(&self, name: &str) -> Option<Meaning> {
        if let Some((slot, ty)) = self.variables.get(name) {
            return Some(Meaning::Variable(*slot, ty.clone()));
        }
        self.type_named(name).map(Meaning::TypeName)
    }

    fn type_named(&self, name: &str) -> Option<Type> {
        if self.structs.contains_key(name) || name == VARIABLES_TYPE && self.variables.contains_key(VARIABLES) {
            return Some(Type::Struct(name.into()));
        }
        if self.mutation && (is_object_type(name) || name == JSON_PATCH_TYPE) {
            return Some(Type::Struct(name.into()));
        }
        TypeName::find(name).filter(|known| known.since <= self.version).map(TypeName::named)
    }

    /// The type that a full name is as a value. Others can only be named in struct literals.
    pub(super) fn type_value(&self, name: &str) -> Option<Type> {
        TypeName::find(name).filter(|known| known.is_value && known.since <= self.version).map(TypeName::named)
    }

    /// The field of a struct type.
    pub(super) fn field(&self, struct_name: &str, field: &str) -> Field {
        if struct_name == VARIABLES_TYPE {
            return match self.policy_variables.get(field) {
                Some((index, ty)) => Field::PolicyVariable(*index, ty.clone()),
                None => Field::Unknown,
            };
        }
        if let Some(fields) = self.structs.get(struct_name) {
            let known = fields.iter().find(|(name, _)| name == field);
            return known.map_or(Field::Unknown, |(_, ty)| Field::Known(ty.clone()));
        }
        if self.mutation && is_object_type(struct_name) {
            return Field::Known(Type::Dyn);
        }
        if self.mutation && struct_name == JSON_PATCH_TYPE {
            return match field {
                "op" | "path" | "from" => Field::Known(Type::String),
                "value" => Field::Known(Type::Dyn),
                _ => Field::Doubtful,
            };
        }
        Field::NoType
    }

    /// The names of a struct type's fields.
    pub(super) fn field_names(&self, struct_name: &str) -> Vec<&str> {
        match self.structs.get(struct_name) {
            _ if struct_name == VARIABLES_TYPE => self.policy_variables.keys().map(|name| &**name).collect(),
            Some(fields) => fields.iter().map(|(name, _)| name.as_str()).collect(),
            None if struct_name == JSON_PATCH_TYPE => vec!["op", "path", "from", "value"],
            None => Vec::new(),
        }
    }

    /// The overloads of a function with this full name, in order of declaration; None where the name is no function.
    pub(super) fn overloads(&self, name: &str) -> Option<impl Iterator<Item = &'static Signature> + use<>> {
        let version = self.version;
        let hidden = !self.mutation && is_of_mutations(name);
        let overloads = if hidden { &[] } else { Functions::get().overloads(name) };
        let mut overloads = overloads.iter().filter(move |overload| overload.is_in(version)).peekable();
        overloads.peek()?;
        Some(overloads)
    }

    /// The first later version that has a function of this name.
    pub(super) fn later_version(&self, name: &str) -> Option<Version> {
        let hidden = !self.mutation && is_of_mutations(name);
        if hidden { None } else { Functions::get().later_version(name, self.version) }
    }

    /// The names of the functions.
    pub(super) fn function_names(&self) -> impl Iterator<Item = &'static str> {
        Functions::get().names(self.version).filter(|name| self.mutation || !is_of_mutations(name))
    }

    /// The names of the variables.
    pub(super) fn variable_names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(|name| &**name)
    }
}

fn is_object_type(name: &str) -> bool {
    name.strip_prefix(OBJECT_TYPE).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn is_of_mutations(function: &str) -> bool {
    function.starts_with("jsonpatch.")
}

fn of_policy_variable(ty: Type) -> Type {
    match ty {
        Type::List(element) => Type::list(of_policy_variable(Arc::unwrap_or_clone(element))),
        Type::Map(key, value) => {
            Type::map(of_policy_variable(Arc::unwrap_or_clone(key)), of_policy_variable(Arc::unwrap_or_clone(value)))
        }
        Type::Any
        | Type::Null
        | Type::Bool
        | Type::Int
        | Type::Uint
        | Type::Double
        | Type::String
        | Type::Bytes
        | Type::Duration
        | Type::Timestamp => ty,
        _ => Type::Dyn,
    }
}
