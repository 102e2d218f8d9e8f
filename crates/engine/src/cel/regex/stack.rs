//! What the parser does with its stack (regexp/syntax/parse.go).

use super::runes::{MAX, Runes, orbit, simple_fold};
use super::tree::{Id, Limit, Op, Tree, flags};

/// What is parsed so far: finished parts, with open groups and alternatives between them.
#[derive(Debug, Default)]
pub(super) struct Stack {
    pub(super) tree: Tree,
    pub(super) items: Vec<Id>,
    pub(super) flags: u8,
}

impl Stack {
    /// Pushes a part; a class that is one character, in whatever case, becomes that character.
    pub(super) fn push(&mut self, id: Id) -> Result<(), Limit> {
        self.tree.count_ranges(id);
        let node = self.tree.node(id);
        let is_pair = |one, other| simple_fold(one) == other && simple_fold(other) == one;
        let literal = match *node.class.0.as_slice() {
            _ if node.op != Op::CharClass => None,
            [(low, high)] if low == high => Some((low, self.flags & !flags::FOLD_CASE)),
            [(low, high)] if low + 1 == high && is_pair(low, high) => Some((low, self.flags | flags::FOLD_CASE)),
            [(low, same_low), (high, same_high)] if low == same_low && high == same_high && is_pair(low, high) => {
                Some((low, self.flags | flags::FOLD_CASE))
            }
            _ => None,
        };
        if self.concat_literals(literal) {
            return Ok(());
        }
        if let Some((rune, flags)) = literal {
            let node = self.tree.node_mut(id);
            node.op = Op::Literal;
            node.class = Runes::default();
            node.text = vec![rune];
            node.flags = flags;
        }
        self.items.push(id);
        self.tree.check_limits(id, &self.items)
    }

    /// Merges the two literals on the top, the upper of which no operator can reach any more. With a character, the node
    /// that became free takes it; the answer is whether it did.
    fn concat_literals(&mut self, rune: Option<(u32, u8)>) -> bool {
        let &[.., below, top] = self.items.as_slice() else { return false };
        let (first, second) = (self.tree.node(below), self.tree.node(top));
        if first.op != Op::Literal || second.op != Op::Literal || (first.flags ^ second.flags) & flags::FOLD_CASE != 0 {
            return false;
        }
        let text = std::mem::take(&mut self.tree.node_mut(top).text);
        self.tree.node_mut(below).text.extend(text);
        if let Some((rune, flags)) = rune {
            let node = self.tree.node_mut(top);
            node.text = vec![rune];
            node.flags = flags;
            return true;
        }
        self.items.pop();
        self.tree.reuse(top);
        false
    }

    /// Pushes a character.
    pub(super) fn literal(&mut self, rune: u32) -> Result<(), Limit> {
        let id = self.tree.make(Op::Literal);
        let folds = self.flags & flags::FOLD_CASE != 0;
        let node = self.tree.node_mut(id);
        node.flags = self.flags;
        node.text = vec![if folds { orbit(rune).fold(rune, u32::min) } else { rune }];
        self.push(id)
    }

    /// Pushes a node of this kind.
    pub(super) fn op(&mut self, op: Op) -> Result<Id, Limit> {
        let id = self.tree.make(op);
        self.tree.node_mut(id).flags = self.flags;
        self.push(id)?;
        Ok(id)
    }

    /// How many parts stand above the topmost pseudo-operator.
    fn above(&mut self) -> Vec<Id> {
        let start = self.items.iter().rposition(|&id| self.tree.op(id).is_pseudo()).map_or(0, |position| position + 1);
        self.items.split_off(start)
    }

    /// Replaces the parts above the topmost `|` or `(` by their concatenation.
    pub(super) fn concat(&mut self) -> Result<(), Limit> {
        self.concat_literals(None);
        let parts = self.above();
        let id = if parts.is_empty() { self.tree.make(Op::EmptyMatch) } else { self.collapse(parts, Op::Concat)? };
        self.push(id)
    }

    /// Replaces the parts above the topmost `(` by their alternation.
    pub(super) fn alternate(&mut self) -> Result<(), Limit> {
        let parts = self.above();
        if let Some(&last) = parts.last() {
            self.clean(last);
        }
        let id = if parts.is_empty() { self.tree.make(Op::NoMatch) } else { self.collapse(parts, Op::Alternate)? };
        self.push(id)
    }

    /// Completes a class that goes into an alternation.
    pub(super) fn clean(&mut self, id: Id) {
        let node = self.tree.node_mut(id);
        if node.op != Op::CharClass {
            return;
        }
        node.class.clean();
        let newline = u32::from('\n');
        node.op = match node.class.0.as_slice() {
            [(0, MAX)] => Op::AnyChar,
            &[(0, before), (after, MAX)] if before == newline - 1 && after == newline + 1 => Op::AnyCharNotNewline,
            _ => return,
        };
        node.class = Runes::default();
    }

    /// `op` of the parts; those that are `op` themselves give their parts.
    pub(super) fn collapse(&mut self, parts: Vec<Id>, op: Op) -> Result<Id, Limit> {
        if let &[part] = parts.as_slice() {
            return Ok(part);
        }
        let id = self.tree.make(op);
        let mut subs = vec![];
        for part in parts {
            if self.tree.op(part) == op {
                subs.append(&mut self.tree.node_mut(part).subs);
                self.tree.reuse(part);
            } else {
                subs.push(part);
            }
        }
        if op == Op::Alternate {
            subs = self.factor(subs)?;
            if let &[only] = subs.as_slice() {
                self.tree.reuse(id);
                return Ok(only);
            }
        }
        self.tree.node_mut(id).subs = subs;
        Ok(id)
    }

    /// Whether there was a `|` below the top: the two are swapped, or the parts on both sides of it merged into one class.
    pub(super) fn swap_bar(&mut self) -> bool {
        let (top, bar, below) = match *self.items.as_slice() {
            [.., below, bar, top] => (top, bar, Some(below)),
            [bar, top] => (top, bar, None),
            _ => return false,
        };
        if self.tree.op(bar) != Op::VerticalBar {
            return false;
        }
        if let Some(below) = below {
            if self.tree.node(top).is_char_class() && self.tree.node(below).is_char_class() {
                let (simple, complex) =
                    if self.tree.op(top) > self.tree.op(below) { (below, top) } else { (top, below) };
                self.merge_class(complex, simple);
                self.tree.reuse(simple);
                self.items.truncate(self.items.len() - 3);
                self.items.extend([complex, bar]);
                return true;
            }
            self.clean(below);
        }
        self.items.truncate(self.items.len() - 2);
        self.items.extend([top, bar]);
        true
    }

    /// Adds the characters of the simpler node to the other one.
    pub(super) fn merge_class(&mut self, into: Id, from: Id) {
        let from = self.tree.node(from).clone();
        let into = self.tree.node_mut(into);
        match into.op {
            Op::AnyCharNotNewline => {
                let newline = u32::from('\n');
                let has_newline = match from.op {
                    Op::Literal => from.text.as_slice() == [newline],
                    Op::CharClass => from.class.contains(newline),
                    op => op == Op::AnyChar,
                };
                if has_newline {
                    into.op = Op::AnyChar;
                }
            }
            Op::CharClass => match from.op {
                Op::Literal => add_literal(&mut into.class, &from.text, from.flags),
                _ => into.class.add_all(&from.class),
            },
            Op::Literal if from.text != into.text || from.flags != into.flags => {
                into.op = Op::CharClass;
                add_literal(&mut into.class, &into.text, into.flags);
                into.text = vec![];
                add_literal(&mut into.class, &from.text, from.flags);
            }
            _ => {}
        }
    }
}

fn add_literal(class: &mut Runes, text: &[u32], of: u8) {
    let Some(&rune) = text.first() else { return };
    if of & flags::FOLD_CASE == 0 { class.add(rune, rune) } else { class.add_folded(rune, rune) }
}
