//! Types of expressions, and what their names mean (cel-go `checker/`, `cel/validator.go`, `ext/formatting.go`).

mod calls;
mod fields;
mod format;
mod literals;
mod messages;
mod names;
mod parts;
mod unify;
mod validate;
mod walk;

#[cfg(test)]
mod tests;

pub(super) use parts::{is_member_call, parts};

use super::environment::{Environment, Slot};
use super::error::{Phase, Problem};
use super::function::Overload;
use super::syntax::{Ast, ExprId};
use super::types::Type;

/// An expression whose types are known.
#[derive(Clone, Debug)]
pub struct Checked {
    ast: Ast,
    types: Vec<Type>,
    references: Vec<Reference>,
}

/// What an expression refers to.
#[derive(Clone, Debug, Default)]
pub enum Reference {
    /// Nothing; also what stands inside of a qualified name.
    #[default]
    None,
    /// A declared variable: an identifier, or the outermost select of a name with dots (`authorizer.requestResource`).
    Declared(Slot),
    /// A variable of a comprehension.
    Local,
    /// A type by its name: as a value, or of a struct literal.
    TypeName(Type),
    /// The select `variables.x`, also inside of `has()`.
    PolicyVariable(usize),
    /// The candidates that the types leave, in order of declaration. Where they are no members but the call has a target,
    /// the target is a part of the function's name (`optional.of`) and is not evaluated.
    Overloads(Vec<&'static Overload>),
}

/// Finds the types of all parts of an expression and what its names mean.
///
/// # Errors
///
/// All problems, in order of their place.
pub fn check(ast: Ast, environment: &Environment) -> Result<Checked, Vec<Problem>> {
    let walked = walk::walk(&ast, environment);
    let mut problems = walked.problems;
    let checked = Checked { ast, types: walked.types, references: walked.references };
    if problems.is_empty() {
        problems = validate::validate(&checked, environment);
    }
    if problems.is_empty() {
        return Ok(checked);
    }
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    problems.dedup();
    Err(problems)
}

impl Checked {
    /// The tree.
    pub const fn ast(&self) -> &Ast {
        &self.ast
    }

    /// The type of an expression: what is not known is dyn. That of an expression inside of a qualified name is dyn.
    pub fn type_of(&self, id: ExprId) -> &Type {
        self.types.get(id.index()).unwrap_or(&Type::Dyn)
    }

    /// What an expression refers to.
    pub fn reference(&self, id: ExprId) -> &Reference {
        self.references.get(id.index()).unwrap_or(&Reference::None)
    }

    /// The type of the whole.
    pub fn result_type(&self) -> &Type {
        self.type_of(self.ast.root())
    }
}

fn problem(ast: &Ast, id: ExprId, message: String) -> Problem {
    Problem { span: ast.span(id), message, phase: Phase::Check }
}
