//! The standard library of CEL, and those of cel-go's extensions that Kubernetes takes: one file a library.

pub mod number;
pub mod duration;
pub mod timestamp;
mod zone;
mod text;
mod sort;
mod locale_number;
pub mod clause;
mod operators;
mod arithmetic;
mod comparisons;
mod conversions;
mod matches;
mod times;
mod strings;
mod format;
mod lists;
mod sequences;
mod sets;
mod optionals;
mod comprehensions;
#[cfg(test)]
mod tests;

use super::function::Library;

/// In the order of k8s.io/apiserver/pkg/cel/environment/base.go. Overloads of one function are tried in this order.
pub const LIBRARIES: &[&Library] = &[
    &operators::LIBRARY,
    &arithmetic::LIBRARY,
    &comparisons::LIBRARY,
    &conversions::LIBRARY,
    &matches::LIBRARY,
    &times::LIBRARY,
    &lists::LIBRARY,
    &optionals::LIBRARY,
    &strings::LIBRARY,
    &format::LIBRARY,
    &sets::LIBRARY,
    &comprehensions::LIBRARY,
    &sequences::LIBRARY,
];
