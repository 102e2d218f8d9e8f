//! From text to tree, and from tree to text.
//!
//! The language is what cel-go 0.26 accepts with the options of the API server (cel-spec, langdef.md; cel-go, parser/gen/CEL.g4).

mod ast;
mod token;
mod literal;
mod lexer;
mod tree;
mod macros;
mod parser;
mod printer;
mod identifiers;
#[cfg(test)]
mod tests;

pub use ast::{Ast, Comprehension, Expr, ExprId, ExprKind, Literal, Macro, MapEntry, Span, StructField};
pub use identifiers::{Identifier, identifiers};
pub use parser::{MAX_BYTES, MAX_LEVELS, ParseOptions, parse};
pub use printer::print;
pub use tree::{MAX_DEPTH, MAX_EXPRESSIONS};
