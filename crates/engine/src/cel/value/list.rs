//! Lists.

use std::slice;

use super::Value;
use crate::cel::constant::Constant;
use crate::cel::context::Context;
use crate::cel::error::Outcome;
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

/// Two lists, one after the other: neither is empty.
#[derive(Clone, Copy)]
pub struct Sum<'a> {
    left: List<'a>,
    right: List<'a>,
    /// Of both; a list that was doubled 64 times has this many and no more.
    len: usize,
}

impl<'a> List<'a> {
    /// The list without elements.
    pub const EMPTY: List<'static> = List::Values(&[]);

    /// A list of these values.
    pub fn of(values: &[Value<'a>], context: &Context<'_, 'a>) -> Outcome<'a, Self> {
        Ok(Self::Values(context.keep_slice(values)?))
    }

    /// `self + other` (cel-go, common/types/list.go `concatList`).
    pub fn plus(self, other: List<'a>, context: &Context<'_, 'a>) -> Outcome<'a, Self> {
        if self.is_empty() {
            return Ok(other);
        }
        if other.is_empty() {
            return Ok(self);
        }
        let sum = Sum { left: self, right: other, len: self.len().saturating_add(other.len()) };
        Ok(Self::Sum(context.keep(sum)?))
    }

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

    /// The element at `index`.
    pub fn get(self, mut index: usize, context: &Context<'_, 'a>) -> Outcome<'a, Option<Value<'a>>> {
        let mut list = self;
        loop {
            match list {
                Self::Nodes(nodes) => return Ok(nodes.get(index).copied().map(Value::of_node)),
                Self::Values(values) => return Ok(values.get(index).copied()),
                Self::Constants(constants) => return Ok(constants.get(index).map(Constant::value)),
                Self::Sum(sum) => {
                    context.step(1)?;
                    match index.checked_sub(sum.left.len()) {
                        Some(behind) => (list, index) = (sum.right, behind),
                        None => list = sum.left,
                    }
                }
            }
        }
    }

    /// Its elements, in order. Whoever walks it counts the steps.
    pub fn iter(self) -> Iter<'a> {
        let mut iter = Iter { run: Run::Values([].iter()), next: None, pending: vec![] };
        iter.enter(self);
        iter
    }
}

/// The elements of a list.
pub struct Iter<'a> {
    run: Run<'a>,
    /// What comes behind `run`: the right half of a sum.
    next: Option<List<'a>>,
    /// What comes behind that, the next one last; most sums have two halves and need no memory.
    pending: Vec<List<'a>>,
}

enum Run<'a> {
    Nodes(slice::Iter<'a, Node<'a>>),
    Values(slice::Iter<'a, Value<'a>>),
    Constants(slice::Iter<'a, Constant>),
}

impl<'a> Iter<'a> {
    fn enter(&mut self, mut list: List<'a>) {
        loop {
            match list {
                List::Nodes(nodes) => self.run = Run::Nodes(nodes.iter()),
                List::Values(values) => self.run = Run::Values(values.iter()),
                List::Constants(constants) => self.run = Run::Constants(constants.iter()),
                List::Sum(sum) => {
                    self.pending.extend(self.next.replace(sum.right));
                    list = sum.left;
                    continue;
                }
            }
            return;
        }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        loop {
            let next = match &mut self.run {
                Run::Nodes(nodes) => nodes.next().copied().map(Value::of_node),
                Run::Values(values) => values.next().copied(),
                Run::Constants(constants) => constants.next().map(Constant::value),
            };
            if next.is_some() {
                return next;
            }
            let list = self.next.take()?;
            self.next = self.pending.pop();
            self.enter(list);
        }
    }
}
