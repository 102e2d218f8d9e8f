//! The functions of all libraries by name. Made once for the whole program: a version of Kubernetes is a view of it.

use std::sync::LazyLock;

use super::notation;
use crate::cel::function::{Library, Overload, Version};
use crate::cel::types::Type;
use crate::cel::{kubernetes, standard};
use crate::seedless::{HashMap, HashSet};

/// Overloads of one function are tried in this order.
const LIBRARIES: &[&[&Library]] = &[standard::LIBRARIES, kubernetes::LIBRARIES, kubernetes::MUTATION_LIBRARIES];

/// A function for one list of argument types, its types read.
#[derive(Debug)]
pub(in crate::cel) struct Signature {
    /// As it is declared.
    pub overload: &'static Overload,
    /// The receiver first. Type parameters are numbered from 0.
    pub parameters: Box<[Type]>,
    /// What it gives.
    pub result: Type,
    /// How many type parameters there are.
    pub unknowns: u32,
    since: Version,
    until: Option<Version>,
}

/// All functions, and what is asked of their names before they are looked up.
#[derive(Debug)]
pub(super) struct Functions {
    by_name: HashMap<&'static str, Vec<Signature>>,
    /// First parts of names with dots: `optional` of `optional.none`.
    heads: HashSet<&'static str>,
}

static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| {
    let mut functions = Functions { by_name: HashMap::default(), heads: HashSet::default() };
    for library in LIBRARIES.iter().copied().flatten() {
        functions.add(library);
    }
    functions
});

impl Signature {
    /// Whether expressions of this version may use it.
    pub(super) fn is_in(&self, version: Version) -> bool {
        self.since <= version && self.until.is_none_or(|until| version < until)
    }
}

impl Functions {
    /// The functions of all libraries.
    pub(super) fn get() -> &'static Self {
        &FUNCTIONS
    }

    /// Overloads of all versions, in order of declaration.
    pub(super) fn overloads(&self, name: &str) -> &[Signature] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether names with dots begin so.
    pub(super) fn has_head(&self, head: &str) -> bool {
        self.heads.contains(head)
    }

    /// All names that a user may write in this version.
    pub(super) fn names(&self, version: Version) -> impl Iterator<Item = &'static str> {
        self.by_name
            .iter()
            .filter(move |(_, overloads)| overloads.iter().any(|overload| overload.is_in(version)))
            .map(|(name, _)| *name)
            .filter(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()))
    }

    /// The first version after this one that has the function.
    pub(super) fn later_version(&self, name: &str, version: Version) -> Option<Version> {
        self.overloads(name).iter().map(|overload| overload.since).filter(|since| *since > version).min()
    }

    fn add(&mut self, library: &'static Library) {
        for overload in library.overloads {
            if let Some(signature) = read(overload, library) {
                self.by_name.entry(overload.function).or_default().push(signature);
                if let Some((head, _)) = overload.function.split_once('.') {
                    self.heads.insert(head);
                }
            }
        }
    }
}

fn read(overload: &'static Overload, library: &Library) -> Option<Signature> {
    let parameters = overload.parameters.iter().map(|text| notation::read(text)).collect::<Option<Vec<_>>>()?;
    let mut letters = Vec::new();
    let parameters = parameters.iter().map(|ty| number(ty, &mut letters)).collect();
    let result = number(&notation::read(overload.result)?, &mut letters);
    let unknowns = u32::try_from(letters.len()).ok()?;
    Some(Signature { overload, parameters, result, unknowns, since: library.since, until: library.until })
}

/// Numbers type parameters from 0, in order of appearance.
fn number(ty: &Type, letters: &mut Vec<u32>) -> Type {
    match ty {
        Type::Parameter(letter) => {
            let place = letters.iter().position(|known| known == letter).unwrap_or_else(|| {
                letters.push(*letter);
                letters.len() - 1
            });
            Type::Parameter(u32::try_from(place).unwrap_or(u32::MAX))
        }
        Type::List(element) => Type::list(number(element, letters)),
        Type::Map(key, value) => Type::map(number(key, letters), number(value, letters)),
        Type::Optional(value) => Type::optional(number(value, letters)),
        Type::Type(named) => Type::of_type(number(named, letters)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_readable_and_ids_are_unique_in_a_version() {
        for library in LIBRARIES.iter().copied().flatten() {
            for overload in library.overloads {
                assert!(read(overload, library).is_some(), "{}: {}", library.name, overload.id);
                assert!(!overload.is_member || !overload.parameters.is_empty(), "{}: {}", library.name, overload.id);
            }
        }
        for overloads in Functions::get().by_name.values() {
            for (index, one) in overloads.iter().enumerate() {
                for other in overloads.iter().skip(index + 1).filter(|other| other.overload.id == one.overload.id) {
                    let apart = one.until.is_some_and(|until| until <= other.since)
                        || other.until.is_some_and(|until| until <= one.since);
                    assert!(apart, "{} is declared twice", one.overload.id);
                }
            }
        }
    }
}
