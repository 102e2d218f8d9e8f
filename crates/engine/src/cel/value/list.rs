//! Lists.

use super::Value;
use crate::cel::constant::Constant;
use crate::json::Node;

/// A list: of an object, of a literal, or the sum of two.
#[derive(Clone, Copy)]
pub enum List<'a> {
    /// Of an object.
    Nodes(&'a [Node<'a>]),
    /// Made by the evaluation.
    Values(&'a [Value<'a>]),
    /// A literal of constants, in the program.
    Constants(&'a [Constant]),
    /// `left + right`, not copied.
    Sum(&'a Sum<'a>),
}

/// Two lists, one after the other.
#[derive(Clone, Copy)]
pub struct Sum<'a> {
    pub(super) left: List<'a>,
    pub(super) right: List<'a>,
    pub(super) len: usize,
    pub(super) depth: u32,
}

impl List<'_> {
    /// The list without elements.
    pub const EMPTY: List<'static> = List::Values(&[]);

    /// How many elements it has.
    pub const fn len(self) -> usize {
        match self {
            Self::Nodes(nodes) => nodes.len(),
            Self::Values(values) => values.len(),
            Self::Constants(constants) => constants.len(),
            Self::Sum(sum) => sum.len,
        }
    }

    /// Whether it has none.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}
