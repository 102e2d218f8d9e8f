//! Unknown types and what is found out about them (cel-go `checker/types.go`, `checker/mapping.go`).
//!
//! An unknown is a [`Type::Parameter`]. The rules are cel-go's, which are not those of textbooks: a binding may be replaced by
//! a more general one, and dyn goes with everything.

use crate::cel::types::Type;

/// How deep types may be nested. Expressions nest to 250; policy variables build on each other.
const DEPTH: u32 = 500;

/// How many steps a check may take: types can double with each nested macro (`{x: x}`), and what is compared is their tree.
const STEPS: u32 = 10_000_000;

/// What is known about the unknowns of one expression.
#[derive(Debug)]
pub(super) struct Unknowns {
    bound: Vec<Option<Type>>,
    /// Bindings before they were changed, for taking a failed attempt back.
    trail: Vec<(u32, Option<Type>)>,
    steps: u32,
    exhausted: bool,
}

impl Unknowns {
    pub(super) fn new() -> Self {
        Self { bound: Vec::new(), trail: Vec::new(), steps: STEPS, exhausted: false }
    }

    /// Whether a bound was reached: what was answered since means nothing.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// The number of the first of so many new unknowns.
    pub(super) fn fresh(&mut self, count: u32) -> u32 {
        let first = u32::try_from(self.bound.len()).unwrap_or(u32::MAX);
        self.bound.resize(self.bound.len() + count as usize, None);
        first
    }

    /// Whether a value of one type may stand where the other is expected, either way round where something is unknown. What
    /// was found out stays if so.
    pub(super) fn assignable(&mut self, one: &Type, other: &Type) -> bool {
        self.trail.clear();
        let assignable = self.try_assignable(one, other, DEPTH);
        if !assignable {
            self.take_back();
        }
        assignable
    }

    /// The same for pairs; all or none.
    pub(super) fn all_assignable<'t>(&mut self, pairs: impl IntoIterator<Item = (&'t Type, &'t Type)>) -> bool {
        self.trail.clear();
        let assignable = pairs.into_iter().all(|(one, other)| self.try_assignable(one, other, DEPTH));
        if !assignable {
            self.take_back();
        }
        assignable
    }

    /// The type with what is known filled in.
    pub(super) fn resolve(&mut self, ty: &Type) -> Type {
        self.fill(ty, false, DEPTH).unwrap_or_else(|| ty.clone())
    }

    /// The type with what is known filled in and dyn for the rest.
    pub(super) fn resolve_fully(&mut self, ty: &Type) -> Type {
        self.fill(ty, true, DEPTH).unwrap_or_else(|| ty.clone())
    }

    /// The more general of two types that go together.
    pub(super) fn most_general(&mut self, one: &Type, other: &Type) -> Type {
        if self.is_less_specific(one, other, DEPTH) { one.clone() } else { other.clone() }
    }

    /// Whether two types are the same. A wrapper is the same as what it wraps.
    pub(super) fn exact(&mut self, one: &Type, other: &Type) -> bool {
        self.is_exact(one, other, DEPTH)
    }

    fn step(&mut self, depth: u32) -> bool {
        self.exhausted = self.exhausted || depth == 0 || self.steps == 0;
        self.steps = self.steps.saturating_sub(1);
        !self.exhausted
    }

    fn take_back(&mut self) {
        while let Some((unknown, before)) = self.trail.pop() {
            if let Some(bound) = self.bound.get_mut(unknown as usize) {
                *bound = before;
            }
        }
    }

    fn find(&self, unknown: u32) -> Option<Type> {
        self.bound.get(unknown as usize).cloned().flatten()
    }

    fn bind(&mut self, unknown: u32, ty: Type) {
        if let Some(bound) = self.bound.get_mut(unknown as usize) {
            self.trail.push((unknown, bound.replace(ty)));
        }
    }

    fn try_assignable(&mut self, one: &Type, other: &Type, depth: u32) -> bool {
        if !self.step(depth) {
            return false;
        }
        if let Type::Parameter(unknown) = other {
            match self.substitutes(one, *unknown, depth) {
                Substitution::Valid => return true,
                Substitution::Contradicts => return false,
                Substitution::WouldContainItself => {}
            }
        }
        if let Type::Parameter(unknown) = one {
            return self.substitutes(other, *unknown, depth) == Substitution::Valid;
        }
        match (unwrapped(one), unwrapped(other)) {
            (Type::Dyn | Type::Any | Type::Error, _)
            | (_, Type::Dyn | Type::Any | Type::Error)
            | (Type::Type(_), Type::Type(_)) => true,
            (Type::Null, _) => is_nullable(other),
            (_, Type::Null) => is_nullable(one),
            (Type::List(one), Type::List(other)) | (Type::Optional(one), Type::Optional(other)) => {
                self.try_assignable(one, other, depth - 1)
            }
            (Type::Map(key, value), Type::Map(other_key, other_value)) => {
                self.try_assignable(key, other_key, depth - 1) && self.try_assignable(value, other_value, depth - 1)
            }
            (one, other) => is_same_simple(one, other),
        }
    }

    /// Whether `ty` may be what `unknown` stands for (`isValidTypeSubstitution`).
    fn substitutes(&mut self, ty: &Type, unknown: u32, depth: u32) -> Substitution {
        if *ty == Type::Parameter(unknown) {
            return Substitution::Valid;
        }
        let Some(bound) = self.find(unknown) else {
            if self.is_free_of(ty, unknown, depth) {
                self.bind(unknown, ty.clone());
                return Substitution::Valid;
            }
            return Substitution::WouldContainItself;
        };
        if self.is_exact(ty, &bound, depth) {
            return Substitution::Valid;
        }
        if !self.try_assignable(ty, &bound, depth - 1) {
            return Substitution::Contradicts;
        }
        let general = if self.is_less_specific(ty, &bound, depth) { ty.clone() } else { bound };
        if self.is_free_of(&general, unknown, depth) {
            self.bind(unknown, general);
        }
        Substitution::Valid
    }

    /// Whether the unknown occurs nowhere in the type (`notReferencedIn`).
    fn is_free_of(&mut self, ty: &Type, unknown: u32, depth: u32) -> bool {
        if !self.step(depth) {
            return false;
        }
        match ty {
            Type::Parameter(other) if *other == unknown => false,
            Type::Parameter(other) => match self.find(*other) {
                Some(bound) => self.is_free_of(&bound, unknown, depth - 1),
                None => true,
            },
            Type::List(inner) | Type::Optional(inner) | Type::Type(inner) => self.is_free_of(inner, unknown, depth - 1),
            Type::Map(key, value) => {
                self.is_free_of(key, unknown, depth - 1) && self.is_free_of(value, unknown, depth - 1)
            }
            _ => true,
        }
    }

    /// Whether one type is equal to the other or less specific (`isEqualOrLessSpecific`).
    fn is_less_specific(&mut self, one: &Type, other: &Type, depth: u32) -> bool {
        if !self.step(depth) {
            return false;
        }
        match (unwrapped(one), unwrapped(other)) {
            (Type::Dyn | Type::Any | Type::Parameter(_), _) | (Type::Type(_), Type::Type(_)) => true,
            (_, Type::Dyn | Type::Any | Type::Parameter(_)) => false,
            (Type::List(one), Type::List(other)) | (Type::Optional(one), Type::Optional(other)) => {
                self.is_less_specific(one, other, depth - 1)
            }
            (Type::Map(key, value), Type::Map(other_key, other_value)) => {
                self.is_less_specific(key, other_key, depth - 1) && self.is_less_specific(value, other_value, depth - 1)
            }
            (one, other) => is_same_simple(one, other),
        }
    }

    fn is_exact(&mut self, one: &Type, other: &Type, depth: u32) -> bool {
        if !self.step(depth) {
            return false;
        }
        match (unwrapped(one), unwrapped(other)) {
            (Type::List(one), Type::List(other))
            | (Type::Optional(one), Type::Optional(other))
            | (Type::Type(one), Type::Type(other)) => self.is_exact(one, other, depth - 1),
            (Type::Map(key, value), Type::Map(other_key, other_value)) => {
                self.is_exact(key, other_key, depth - 1) && self.is_exact(value, other_value, depth - 1)
            }
            (one, other) => is_same_simple(one, other),
        }
    }

    /// The type filled in; None where nothing in it changes.
    fn fill(&mut self, ty: &Type, fully: bool, depth: u32) -> Option<Type> {
        match ty {
            Type::Parameter(_) | Type::List(_) | Type::Map(..) | Type::Optional(_) | Type::Type(_) => {}
            _ => return None,
        }
        if !self.step(depth) {
            return Some(Type::Dyn);
        }
        match ty {
            Type::Parameter(unknown) => match self.find(*unknown) {
                Some(bound) => Some(self.fill(&bound, fully, depth - 1).unwrap_or(bound)),
                None => fully.then_some(Type::Dyn),
            },
            Type::List(inner) => self.fill(inner, fully, depth - 1).map(Type::list),
            Type::Optional(inner) => self.fill(inner, fully, depth - 1).map(Type::optional),
            Type::Type(inner) => self.fill(inner, fully, depth - 1).map(Type::of_type),
            Type::Map(key, value) => {
                let filled_key = self.fill(key, fully, depth - 1);
                let filled_value = self.fill(value, fully, depth - 1);
                if filled_key.is_none() && filled_value.is_none() {
                    return None;
                }
                let key = filled_key.map_or_else(|| key.clone(), Into::into);
                Some(Type::Map(key, filled_value.map_or_else(|| value.clone(), Into::into)))
            }
            _ => None,
        }
    }
}

/// What trying a type for an unknown shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Substitution {
    Valid,
    /// The unknown stands for another type already.
    Contradicts,
    /// The type contains the unknown.
    WouldContainItself,
}

/// Without the wrapper: cel-go's wrapper has the kind and name of what it wraps.
fn unwrapped(ty: &Type) -> &Type {
    if let Type::Wrapper(inner) = ty { inner } else { ty }
}

/// Whether types without parts are the same. An unknown has no part.
fn is_same_simple(one: &Type, other: &Type) -> bool {
    match (one, other) {
        (Type::List(_) | Type::Map(..) | Type::Optional(_) | Type::Type(_), _) => false,
        (one, other) => one == other,
    }
}

/// Whether null goes with the type (`isLegacyNullable`, and wrappers).
fn is_nullable(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Null
            | Type::Optional(_)
            | Type::Opaque(_)
            | Type::Struct(_)
            | Type::Any
            | Type::Duration
            | Type::Timestamp
            | Type::Wrapper(_)
            | Type::Dyn
            | Type::Parameter(_)
    )
}

/// A signature's type with its parameters made unknowns, numbered from `first`.
pub(super) fn instantiate(ty: &Type, first: u32) -> Type {
    match ty {
        Type::Parameter(number) => Type::Parameter(first + number),
        Type::List(inner) => Type::list(instantiate(inner, first)),
        Type::Optional(inner) => Type::optional(instantiate(inner, first)),
        Type::Type(inner) => Type::of_type(instantiate(inner, first)),
        Type::Map(key, value) => Type::map(instantiate(key, first), instantiate(value, first)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_attempt_leaves_no_trace() {
        let mut unknowns = Unknowns::new();
        let first = unknowns.fresh(1);
        let unknown = Type::Parameter(first);
        assert!(!unknowns.all_assignable([(&Type::Int, &unknown), (&Type::Int, &Type::String)]));
        assert_eq!(unknowns.resolve(&unknown), unknown);
        assert!(unknowns.assignable(&Type::String, &unknown));
        assert_eq!(unknowns.resolve(&Type::list(unknown)), Type::list(Type::String));
    }

    #[test]
    fn a_binding_becomes_more_general_and_never_contains_itself() {
        let mut unknowns = Unknowns::new();
        let unknown = Type::Parameter(unknowns.fresh(1));
        assert!(unknowns.assignable(&Type::Int, &unknown));
        assert!(unknowns.assignable(&Type::Dyn, &unknown));
        assert_eq!(unknowns.resolve(&unknown), Type::Dyn);
        let unknown = Type::Parameter(unknowns.fresh(1));
        assert!(!unknowns.assignable(&Type::list(unknown.clone()), &unknown));
    }

    #[test]
    fn doubling_types_end_the_check_instead_of_filling_the_memory() {
        let mut unknowns = Unknowns::new();
        let mut ty = Type::Int;
        for _ in 0..100 {
            ty = Type::map(ty.clone(), ty);
        }
        let copy = ty.clone();
        assert!(!unknowns.exact(&ty, &copy));
        assert!(unknowns.is_exhausted());
    }
}
