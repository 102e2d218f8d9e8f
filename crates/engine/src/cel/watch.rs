//! What an evaluation came to, part by part, for whoever watches it.

use super::error::Outcome;
use super::syntax::{Ast, ExprId};

/// A part of an expression and what it came to. Parts stand in a list, each before its own parts, which are one level deeper;
/// in the order in which they were evaluated, except that what was not evaluated stands where it is written.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Which part; its place is [`Ast::span`].
    pub expression: ExprId,
    /// How deep it stands: 0 for the whole.
    pub depth: u32,
    /// In a macro over a list or a map, the turn in which it was evaluated, from 0.
    pub turn: Option<u32>,
    /// How many turns of this macro are left out of the list.
    pub turns_left_out: u32,
    /// What it came to. None for the operand of `&&`, `||` or `?:` (and of other parts that may be passed over) that was not
    /// evaluated.
    pub outcome: Option<Outcome<'a>>,
    /// Whether the outcome is what an optional holds: the part itself is that optional.
    pub is_held: bool,
}

/// What was evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched<'w> {
    /// The expression that was asked for.
    Expression,
    /// A policy's variable that it used.
    Variable {
        /// Its position among the variables.
        index: usize,
        /// Its name.
        name: &'w str,
    },
}

/// Sees each evaluation once it has ended; those of variables before that of the expression that used them.
pub trait Watch<'a> {
    /// An evaluation: the text and tree of the expression, its parts, and what it cost, in the API server's units, without the
    /// variables in it.
    fn evaluated(&self, what: Watched<'_>, text: &str, ast: &Ast, parts: &[Part<'a>], cost: u64);
}
