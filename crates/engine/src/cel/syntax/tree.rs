//! Builds the tree, within its bounds.

use super::ast::{Ast, Expr, ExprId, ExprKind, Span};

/// How deep a tree may be, its root being at depth 1. What walks trees recursively relies on it. cel-go bounds only what it
/// counts while parsing (see `MAX_LEVELS`), which lets macros nested in logical operators grow deeper.
pub const MAX_DEPTH: u16 = 1_000;

/// How many expressions a tree may have. Text alone makes fewer; `optMap` writes its target twice, so that a chain of them
/// doubles at every step, which cel-go does not bound.
pub const MAX_EXPRESSIONS: usize = 1 << 18;

/// The tree so far.
#[derive(Default)]
pub(super) struct Tree {
    expressions: Vec<Expr>,
    extents: Vec<Extent>,
}

/// How far down a tree reaches from an expression.
#[derive(Clone, Copy, Default)]
struct Extent {
    /// In expressions.
    depth: u16,
    /// In what cel-go's parser counts when it visits its own tree: conditionals, comparisons, arithmetic, fields, indices and
    /// calls with a target.
    levels: u16,
}

/// Why an expression cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// More levels than cel-go allows.
    Levels,
    /// [`MAX_DEPTH`]
    Depth,
    /// [`MAX_EXPRESSIONS`]
    Size,
}

impl Tree {
    /// How many expressions there are; the number of the next.
    pub(super) fn len(&self) -> usize {
        self.expressions.len()
    }

    pub(super) fn kind(&self, id: ExprId) -> Option<&ExprKind> {
        self.expressions.get(id.index()).map(|expression| &expression.kind)
    }

    /// Adds an expression whose parts are there already, and that cel-go's parser does not count.
    pub(super) fn add(&mut self, kind: ExprKind, span: Span) -> Result<ExprId, Full> {
        self.push(kind, span, 0)
    }

    /// Adds one that cel-go's parser counts.
    pub(super) fn add_level(&mut self, kind: ExprKind, span: Span) -> Result<ExprId, Full> {
        self.push(kind, span, 1)
    }

    fn push(&mut self, kind: ExprKind, span: Span, level: u16) -> Result<ExprId, Full> {
        let mut extent = Extent::default();
        kind.for_each_part(|part| {
            let below = self.extents.get(part.index()).copied().unwrap_or_default();
            extent = Extent { depth: extent.depth.max(below.depth), levels: extent.levels.max(below.levels) };
        });
        extent = Extent { depth: extent.depth + 1, levels: extent.levels + level };
        if usize::from(extent.levels) > super::parser::MAX_LEVELS {
            return Err(Full::Levels);
        }
        if extent.depth > MAX_DEPTH {
            return Err(Full::Depth);
        }
        let id = self.next_id()?;
        self.expressions.push(Expr { kind, span });
        self.extents.push(extent);
        Ok(id)
    }

    /// Copies an expression with all its parts. `first` is the number that came next before it was parsed: parts stand
    /// between that and the whole, since the parser adds bottom up and never leaves an expression half done.
    pub(super) fn copy(&mut self, first: usize, whole: ExprId) -> Result<ExprId, Full> {
        let offset = self.next_id()?.0 - u32::try_from(first).map_err(|_| Full::Size)?;
        for index in first..=whole.index() {
            self.next_id()?;
            let (Some(expression), Some(extent)) = (self.expressions.get(index), self.extents.get(index)) else {
                break;
            };
            let (mut expression, extent) = (expression.clone(), *extent);
            expression.kind.renumber(|part| ExprId(part.0 + offset));
            self.expressions.push(expression);
            self.extents.push(extent);
        }
        Ok(ExprId(whole.0 + offset))
    }

    fn next_id(&self) -> Result<ExprId, Full> {
        match u32::try_from(self.len()) {
            Ok(number) if self.len() < MAX_EXPRESSIONS => Ok(ExprId(number)),
            _ => Err(Full::Size),
        }
    }

    /// The finished tree: what macros took apart and nothing contains any more is dropped.
    pub(super) fn finish(self, root: ExprId) -> Ast {
        let mut kept = vec![false; self.len()];
        if let Some(whole) = kept.get_mut(root.index()) {
            *whole = true;
        }
        for (index, expression) in self.expressions.iter().enumerate().rev() {
            if kept.get(index) == Some(&true) {
                expression.kind.for_each_part(|part| {
                    if let Some(part) = kept.get_mut(part.index()) {
                        *part = true;
                    }
                });
            }
        }
        let mut count = 0;
        let numbers: Vec<u32> = kept
            .iter()
            .map(|kept| {
                count += u32::from(*kept);
                count.saturating_sub(1)
            })
            .collect();
        let number = |id: ExprId| ExprId(numbers.get(id.index()).copied().unwrap_or_default());
        let mut expressions = self.expressions;
        let mut kept = kept.into_iter();
        expressions.retain(|_| kept.next().unwrap_or_default());
        for expression in &mut expressions {
            expression.kind.renumber(number);
        }
        Ast { expressions, root: number(root) }
    }
}
