//! From text to tree.

mod ast;

pub use ast::{Ast, Comprehension, Expr, ExprId, ExprKind, Literal, Macro, MapEntry, Span, StructField};
