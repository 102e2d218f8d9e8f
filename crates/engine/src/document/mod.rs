//! Documents: from the text of a file to typed values, with every problem in its place.
//!
//! 1. [`SourceFile`] is the text, [`parse`] reads it into one [`Spanned`] tree a document: YAML as Kubernetes reads it,
//!    or a stream of JSON.
//! 2. [`Decoder`] takes typed values out of a tree, field by field. It never stops at the first problem.
//! 3. [`settings`] reads a type that serde knows: a walk along its JSON Schema finds all problems, then serde makes the
//!    value.
//! 4. A [`Diagnostic`] is one problem with its place. A place inside a string (an expression in a block scalar) is
//!    carried into the file by [`Text::raw_range`].

mod de;
mod decode;
mod diagnostic;
mod json;
mod offsets;
mod open_map;
mod scalar;
mod schema_walk;
mod schema_words;
mod source;
mod tree;
mod yaml;

pub use de::{SettingsError, fields_of, from_tree, settings};
pub use decode::{Decode, Decoder, Fields, Located};
pub use diagnostic::{Diagnostic, Paint, Place, Severity};
pub use source::{Position, SourceFile};
pub use tree::{Entry, Kind, Limits, Map, Parsed, Spanned, Text, parse};

#[cfg(test)]
mod tests;
