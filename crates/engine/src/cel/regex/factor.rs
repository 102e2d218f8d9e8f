//! Common beginnings of alternatives are taken out (`factor` of regexp/syntax/parse.go): it changes how high and how large
//! a pattern is, and so which are refused.

use super::stack::Stack;
use super::tree::{Id, Limit, Op, flags};

impl Stack {
    /// The alternatives, with common beginnings taken out, characters merged to classes, and one empty one for several.
    pub(super) fn factor(&mut self, alternatives: Vec<Id>) -> Result<Vec<Id>, Limit> {
        if alternatives.len() < 2 {
            return Ok(alternatives);
        }
        let alternatives = self.factor_texts(alternatives)?;
        let alternatives = self.factor_firsts(alternatives)?;
        let alternatives = self.merge_characters(alternatives);
        let mut kept: Vec<Id> = vec![];
        for id in alternatives {
            match kept.last_mut() {
                Some(last) if self.tree.op(*last) == Op::EmptyMatch && self.tree.op(id) == Op::EmptyMatch => *last = id,
                _ => kept.push(id),
            }
        }
        Ok(kept)
    }

    /// Round 1: common literal beginnings.
    fn factor_texts(&mut self, alternatives: Vec<Id>) -> Result<Vec<Id>, Limit> {
        let mut out = vec![];
        let mut run: Vec<Id> = vec![];
        let (mut text, mut text_flags): (Vec<u32>, u8) = (vec![], 0);
        for id in alternatives {
            let (next, next_flags) = self.leading_text(id);
            if next_flags == text_flags {
                let same = text.iter().zip(&next).take_while(|(left, right)| left == right).count();
                if same > 0 {
                    text.truncate(same);
                    run.push(id);
                    continue;
                }
            }
            self.end_of_texts(&mut out, std::mem::take(&mut run), text, text_flags)?;
            run.push(id);
            (text, text_flags) = (next, next_flags);
        }
        self.end_of_texts(&mut out, run, text, text_flags)?;
        Ok(out)
    }

    fn end_of_texts(&mut self, out: &mut Vec<Id>, mut run: Vec<Id>, text: Vec<u32>, of: u8) -> Result<(), Limit> {
        if run.len() < 2 {
            out.append(&mut run);
            return Ok(());
        }
        let prefix = self.tree.make(Op::Literal);
        let len = text.len();
        let node = self.tree.node_mut(prefix);
        node.flags = of;
        node.text = text;
        for id in &mut run {
            *id = self.remove_text(*id, len);
            self.tree.check_limits(*id, &self.items)?;
        }
        let suffix = self.collapse(run, Op::Alternate)?;
        out.push(self.pair(prefix, suffix));
        Ok(())
    }

    fn pair(&mut self, prefix: Id, suffix: Id) -> Id {
        let id = self.tree.make(Op::Concat);
        self.tree.node_mut(id).subs = vec![prefix, suffix];
        id
    }

    /// Round 2: common beginnings that are a class, or one that is repeated a fixed number of times.
    fn factor_firsts(&mut self, alternatives: Vec<Id>) -> Result<Vec<Id>, Limit> {
        let mut out = vec![];
        let mut run: Vec<Id> = vec![];
        let mut first: Option<Id> = None;
        for id in alternatives {
            let next = self.leading_part(id);
            if let (Some(first), Some(next)) = (first, next)
                && self.tree.equal(first, next)
                && self.is_fixed_class(first)
            {
                run.push(id);
                continue;
            }
            self.end_of_firsts(&mut out, std::mem::take(&mut run), first)?;
            run.push(id);
            first = next;
        }
        self.end_of_firsts(&mut out, run, first)?;
        Ok(out)
    }

    fn end_of_firsts(&mut self, out: &mut Vec<Id>, mut run: Vec<Id>, first: Option<Id>) -> Result<(), Limit> {
        let Some(prefix) = first.filter(|_| run.len() > 1) else {
            out.append(&mut run);
            return Ok(());
        };
        for (position, id) in run.iter_mut().enumerate() {
            *id = self.remove_part(*id, position > 0);
            self.tree.check_limits(*id, &self.items)?;
        }
        let suffix = self.collapse(run, Op::Alternate)?;
        out.push(self.pair(prefix, suffix));
        Ok(())
    }

    fn is_fixed_class(&self, id: Id) -> bool {
        let node = self.tree.node(id);
        node.is_char_class()
            || node.op == Op::Repeat
                && node.max == Some(node.min)
                && node.subs.first().is_some_and(|&sub| self.tree.node(sub).is_char_class())
    }

    /// Round 3: neighbouring characters and classes become one class.
    fn merge_characters(&mut self, alternatives: Vec<Id>) -> Vec<Id> {
        let mut out = vec![];
        let mut run: Vec<Id> = vec![];
        for id in alternatives {
            if self.tree.node(id).is_char_class() {
                run.push(id);
                continue;
            }
            self.end_of_characters(&mut out, std::mem::take(&mut run));
            out.push(id);
        }
        self.end_of_characters(&mut out, run);
        out
    }

    fn end_of_characters(&mut self, out: &mut Vec<Id>, mut run: Vec<Id>) {
        if run.len() < 2 {
            out.append(&mut run);
            return;
        }
        let mut largest = 0;
        let weight = |id: Id| {
            let node = self.tree.node(id);
            (node.op, node.text.len() + 2 * node.class.0.len())
        };
        let weights: Vec<_> = run.iter().map(|&id| weight(id)).collect();
        for position in 1..run.len() {
            if weights.get(largest) < weights.get(position) {
                largest = position;
            }
        }
        run.swap(0, largest);
        let mut run = run.into_iter();
        let Some(class) = run.next() else { return };
        for id in run {
            self.merge_class(class, id);
            self.tree.reuse(id);
        }
        self.clean(class);
        out.push(class);
    }

    fn leading_text(&self, id: Id) -> (Vec<u32>, u8) {
        let node = self.tree.node(id);
        let node = match node.subs.first() {
            Some(&first) if node.op == Op::Concat => self.tree.node(first),
            _ => node,
        };
        if node.op == Op::Literal { (node.text.clone(), node.flags & flags::FOLD_CASE) } else { (vec![], 0) }
    }

    /// What is left without the first `len` characters.
    fn remove_text(&mut self, id: Id, len: usize) -> Id {
        let node = self.tree.node(id);
        let Some(&first) = node.subs.first().filter(|_| node.op == Op::Concat) else {
            self.remove_characters(id, len);
            return id;
        };
        self.remove_characters(first, len);
        if self.tree.op(first) != Op::EmptyMatch {
            return id;
        }
        self.tree.reuse(first);
        self.without_first(id)
    }

    fn remove_characters(&mut self, id: Id, len: usize) {
        let node = self.tree.node_mut(id);
        if node.op == Op::Literal {
            node.text.drain(..len.min(node.text.len()));
            if node.text.is_empty() {
                node.op = Op::EmptyMatch;
            }
        }
    }

    /// A concatenation without its first part.
    fn without_first(&mut self, id: Id) -> Id {
        let subs = &mut self.tree.node_mut(id).subs;
        subs.remove(0);
        match *subs.as_slice() {
            [] => {
                self.tree.node_mut(id).op = Op::EmptyMatch;
                id
            }
            [only] => {
                self.tree.reuse(id);
                only
            }
            _ => id,
        }
    }

    fn leading_part(&self, id: Id) -> Option<Id> {
        let node = self.tree.node(id);
        match (node.op, node.subs.first()) {
            (Op::EmptyMatch, _) => None,
            (Op::Concat, Some(&first)) => Some(first).filter(|&first| self.tree.op(first) != Op::EmptyMatch),
            _ => Some(id),
        }
    }

    /// What is left without the first part, which is used again unless it is still needed.
    fn remove_part(&mut self, id: Id, reuse: bool) -> Id {
        let node = self.tree.node(id);
        if let Some(&first) = node.subs.first().filter(|_| node.op == Op::Concat) {
            if reuse {
                self.tree.reuse(first);
            }
            return self.without_first(id);
        }
        if reuse {
            self.tree.reuse(id);
        }
        self.tree.make(Op::EmptyMatch)
    }
}
