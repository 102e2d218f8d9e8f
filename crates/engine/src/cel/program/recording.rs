//! The recorder that keeps what every part came to, in bounded memory.
//!
//! Outcomes come parts before wholes. Each one takes as its own parts those of the outcomes before it that belong to it, so
//! that a tree grows as the evaluation goes on. Parts that stand where their whole stands were made by a macro and are nothing
//! that anybody wrote: what they are made of becomes a part of what they belong to.

use super::Recorder;
use crate::cel::error::Outcome;
use crate::cel::syntax::{Ast, ExprId, ExprKind};
use crate::cel::value::Value;
use crate::cel::watch::Part;

/// Of the turns of a macro the first ones and the last ones are kept, so many of each.
const TURNS: u32 = 5;
/// So many turns that failed are kept besides.
const FAILED: u32 = 3;
/// With more parts in all, each outcome is kept without its parts.
const PARTS: usize = 2000;
/// How far back the parts of an outcome may stand behind others: `optMap` computes its value in the middle of what uses it.
const SKIPPED: usize = 4;

/// Keeps outcomes. Nothing of it touches the bounds of the evaluation.
#[derive(Debug)]
pub struct Recording<'p, 'a> {
    ast: &'p Ast,
    /// Of each expression, what it is a part of.
    wholes: Vec<Option<ExprId>>,
    /// Of the body of a macro, the macro, and whether a turn begins with it.
    bodies: Vec<Option<(ExprId, bool)>>,
    /// Outcomes that belong to none yet.
    open: Vec<Branch<'a>>,
    /// The turns of macros that are not over.
    turns: Vec<Turns>,
    kept: usize,
}

#[derive(Debug)]
struct Branch<'a> {
    expression: ExprId,
    outcome: Outcome<'a>,
    is_held: bool,
    turn: Option<u32>,
    turns_left_out: u32,
    parts: Vec<Branch<'a>>,
}

#[derive(Debug)]
struct Turns {
    of: ExprId,
    begun: u32,
    failed: u32,
    left_out: u32,
}

impl<'p, 'a> Recording<'p, 'a> {
    /// Nothing yet.
    pub fn new(ast: &'p Ast) -> Self {
        let mut wholes = vec![None; ast.len()];
        let mut bodies = vec![None; ast.len()];
        for (index, expression) in (0_u32..).zip(ast.iter()) {
            let whole = ExprId(index);
            expression.kind.for_each_part(|part| set(&mut wholes, part, whole));
            if let ExprKind::Comprehension(fold) = &expression.kind {
                let (predicate, transform) = fold.origin.body();
                if let Some(predicate) = predicate {
                    set(&mut bodies, predicate, (whole, true));
                }
                if let Some(transform) = transform {
                    set(&mut bodies, transform, (whole, predicate.is_none()));
                }
            }
        }
        Self { ast, wholes, bodies, open: vec![], turns: vec![], kept: 0 }
    }

    fn whole_of(&self, part: ExprId) -> Option<ExprId> {
        self.wholes.get(part.index()).copied().flatten()
    }

    fn is_within(&self, part: ExprId, whole: ExprId) -> bool {
        if part == whole {
            // Another turn of the same.
            return false;
        }
        let mut part = part;
        // Parts have smaller numbers than what they belong to.
        while part < whole {
            match self.whole_of(part) {
                Some(next) => part = next,
                None => return false,
            }
        }
        part == whole
    }

    /// Whether a macro made it.
    fn is_made(&self, expression: ExprId) -> bool {
        self.whole_of(expression).is_some_and(|whole| self.ast.span(whole) == self.ast.span(expression))
    }

    fn add(&mut self, expression: ExprId, outcome: Outcome<'a>, is_held: bool) {
        if self.is_made(expression) {
            return;
        }
        let mut parts = vec![];
        let (mut position, mut skipped) = (self.open.len(), 0);
        while position > 0 && skipped <= SKIPPED {
            position -= 1;
            match self.open.get(position) {
                Some(branch) if self.is_within(branch.expression, expression) => parts.push(self.open.remove(position)),
                _ => skipped += 1,
            }
        }
        parts.reverse();
        // `optMap` asks for what it maps twice: whether there is a value, and for the value.
        let evaluated: usize = parts.iter().map(Branch::len).sum();
        parts.dedup_by(|again, first| {
            again.turn.is_none() && self.ast.span(again.expression) == self.ast.span(first.expression)
        });
        self.kept = self.kept.saturating_sub(evaluated - parts.iter().map(Branch::len).sum::<usize>());
        let turns_left_out = match self.turns.iter().position(|turns| turns.of == expression) {
            Some(position) => self.turns.remove(position).left_out,
            None => 0,
        };
        if self.kept > PARTS {
            self.kept -= parts.iter().map(Branch::len).sum::<usize>();
            parts.clear();
        }
        self.kept += 1;
        let turn = self.turn(expression, outcome.is_err());
        self.open.push(Branch { expression, outcome, is_held, turn, turns_left_out, parts });
    }

    /// The turn that an expression is evaluated in, if it is the body of a macro. A turn too many goes.
    fn turn(&mut self, expression: ExprId, failed: bool) -> Option<u32> {
        let (of, begins) = self.bodies.get(expression.index()).copied().flatten()?;
        if !self.turns.iter().any(|turns| turns.of == of) {
            self.turns.push(Turns { of, begun: 0, failed: 0, left_out: 0 });
        }
        let turns = self.turns.iter_mut().rev().find(|turns| turns.of == of)?;
        turns.begun += u32::from(begins);
        let turn = turns.begun.saturating_sub(1);
        if failed && turns.failed < FAILED {
            turns.failed += 1;
        }
        if begins && turn >= 2 * TURNS {
            self.leave_out(of, turn - TURNS);
        }
        Some(turn)
    }

    fn leave_out(&mut self, of: ExprId, turn: u32) {
        let is_of = |branch: &Branch<'a>, bodies: &[Option<(ExprId, bool)>]| {
            let body = bodies.get(branch.expression.index()).copied().flatten();
            branch.turn == Some(turn) && body.is_some_and(|(whole, _)| whole == of)
        };
        let has_failed = self.open.iter().any(|branch| is_of(branch, &self.bodies) && branch.outcome.is_err());
        let Some(turns) = self.turns.iter_mut().rev().find(|turns| turns.of == of) else { return };
        if has_failed && turns.failed < FAILED {
            return;
        }
        turns.left_out += 1;
        let (bodies, mut gone) = (&self.bodies, 0);
        self.open.retain(|branch| {
            let stays = !is_of(branch, bodies);
            gone += if stays { 0 } else { branch.len() };
            stays
        });
        self.kept = self.kept.saturating_sub(gone);
    }

    /// All parts, the whole first.
    pub fn into_parts(self) -> Vec<Part<'a>> {
        let mut parts = vec![];
        for branch in &self.open {
            self.flatten(branch, 0, &mut parts);
        }
        parts
    }

    fn flatten(&self, branch: &Branch<'a>, depth: u32, parts: &mut Vec<Part<'a>>) {
        parts.push(Part {
            expression: branch.expression,
            depth,
            turn: branch.turn,
            turns_left_out: branch.turns_left_out,
            outcome: Some(branch.outcome),
            is_held: branch.is_held,
        });
        let mut written = vec![];
        self.passable(branch.expression, &mut written);
        let is_known = |expression: ExprId| branch.parts.iter().any(|part| part.expression == expression);
        let mut missing = written.iter().copied().filter(|expression| !is_known(*expression)).peekable();
        let mut skip = |parts: &mut Vec<Part<'a>>, before: Option<ExprId>| {
            while let Some(expression) = missing.next_if(|missing| before.is_none_or(|before| *missing < before)) {
                let (turn, outcome) = (None, None);
                parts.push(Part { expression, depth: depth + 1, turn, turns_left_out: 0, outcome, is_held: false });
            }
        };
        for part in &branch.parts {
            skip(parts, Some(part.expression));
            self.flatten(part, depth + 1, parts);
        }
        skip(parts, None);
    }

    /// The parts of an expression that may be passed over, in the order in which they are written.
    fn passable(&self, whole: ExprId, found: &mut Vec<ExprId>) {
        let Some(expression) = self.ast.get(whole) else { return };
        match &expression.kind {
            ExprKind::Call { function, target, args } => {
                if matches!(&**function, "_&&_" | "_||_" | "_?_:_" | "or" | "orValue") {
                    target.iter().chain(args).for_each(|part| self.written(*part, found));
                }
            }
            ExprKind::Comprehension(fold) => {
                let (predicate, transform) = fold.origin.body();
                predicate.iter().chain(&transform).for_each(|part| self.written(*part, found));
            }
            _ => {}
        }
    }

    /// The part itself, or what was written of one that a macro made.
    fn written(&self, part: ExprId, found: &mut Vec<ExprId>) {
        if self.is_made(part) { self.passable(part, found) } else { found.push(part) }
    }
}

fn set<T>(places: &mut [Option<T>], of: ExprId, value: T) {
    if let Some(place) = places.get_mut(of.index()) {
        *place = Some(value);
    }
}

impl Branch<'_> {
    /// How many parts it is.
    fn len(&self) -> usize {
        1 + self.parts.iter().map(Self::len).sum::<usize>()
    }
}

impl<'a> Recorder<'a> for Recording<'_, 'a> {
    fn record(&mut self, expression: ExprId, outcome: &Outcome<'a>) {
        self.add(expression, *outcome, false);
    }

    fn record_held(&mut self, expression: ExprId, value: Value<'a>) {
        self.add(expression, Ok(value), true);
    }
}
