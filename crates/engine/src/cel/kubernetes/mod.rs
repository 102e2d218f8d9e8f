//! The libraries that Kubernetes adds to CEL (k8s.io/apiserver/pkg/cel/library), one file a library.
//!
//! What several of them stand on comes first: texts in quotes, addresses, URLs, formats.

pub(crate) mod quoted;
mod address;
mod url;
pub mod formats;
mod urls;
pub mod regex;
mod authorizer;
mod quantity;
mod ip;
mod cidr;
mod format;
mod semver;
mod jsonpatch;
#[cfg(test)]
mod tests;

use super::context::Context;
use super::error::{ErrorKind, Outcome};
use super::function::Library;

/// In the order of k8s.io/apiserver/pkg/cel/environment/base.go. Overloads of one function are tried in this order.
pub const LIBRARIES: &[&Library] = &[
    &urls::LIBRARY,
    &regex::LIBRARY,
    &authorizer::LIBRARY,
    &quantity::LIBRARY,
    &ip::LIBRARY,
    &cidr::LIBRARY,
    &format::LIBRARY,
    &authorizer::SELECTORS,
    &semver::LIBRARY,
];

/// What the mutations of policies have besides.
pub const MUTATION_LIBRARIES: &[&Library] = &[&jsonpatch::LIBRARY];

/// An error with this text, which counts as a value: it may hold as much of an object.
#[cold]
fn refuse<'a, T>(context: &Context<'_, 'a>, text: &str) -> Outcome<'a, T> {
    let text = context.text(text)?;
    context.raise(ErrorKind::Text(text))
}
