//! From the checked tree to the one that is evaluated (cel-go, interpreter/planner.go and decorators.go): names become places,
//! chains of selections one node, constants are computed.

mod attribute;
mod call;
mod constant;
mod fold;

use super::tree::{Element, MapItem, Node, NodeKind, StructItem, StructItems};
use crate::cel::check::{Checked, Reference};
use crate::cel::constant::{Constant, ConstantMap};
use crate::cel::error::{Phase, Problem};
use crate::cel::program::eval::is_same_key;
use crate::cel::syntax::{Expr, ExprId, ExprKind, Literal, MapEntry, StructField};

/// What was lowered.
pub(super) struct Lowered {
    pub(super) root: Node,
    /// How many variables of macros there are at once.
    pub(super) locals: usize,
}

/// The tree of an expression, or what cannot be computed when the program is made.
pub(super) fn lower(checked: &Checked) -> Result<Lowered, Vec<Problem>> {
    lower_with(checked, Folding::Done)
}

/// Whether what is known when the program is made is computed then, or at each evaluation: for tests of the former.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Folding {
    Done,
    #[cfg(test)]
    LeftOut,
}

/// As [`lower`].
pub(super) fn lower_with(checked: &Checked, folding: Folding) -> Result<Lowered, Vec<Problem>> {
    let mut lowering = Lowering { checked, folding, scope: vec![], next: 0, locals: 0 };
    match lowering.node(checked.ast().root()) {
        Ok(root) => Ok(Lowered { root, locals: lowering.locals }),
        Err(problem) => Err(vec![*problem]),
    }
}

struct Lowering<'c> {
    checked: &'c Checked,
    folding: Folding,
    /// The names of macros that are visible, the innermost last.
    scope: Vec<Named<'c>>,
    /// The first free place.
    next: usize,
    /// The most places in use so far.
    locals: usize,
}

/// A name of a macro.
struct Named<'c> {
    name: &'c str,
    local: usize,
    /// Whether its value is computed where it is first used.
    is_lazy: bool,
}

/// The problem is boxed, and building stands apart from going down, so that deep trees need little stack.
type Lowers<T = Node> = Result<T, Box<Problem>>;

impl<'c> Lowering<'c> {
    fn expr(&self, id: ExprId) -> Lowers<&'c Expr> {
        self.checked.ast().get(id).ok_or_else(|| self.problem(id, "the expression has lost a part".to_owned()))
    }

    #[cold]
    #[expect(clippy::unnecessary_box_returns, reason = "it goes into a boxed error")]
    fn problem(&self, id: ExprId, message: String) -> Box<Problem> {
        Box::new(Problem { span: self.checked.ast().span(id), message, phase: Phase::Check })
    }

    /// A free place.
    fn place(&mut self) -> usize {
        let place = self.next;
        self.next += 1;
        self.locals = self.locals.max(self.next);
        place
    }

    /// A constant, and how it comes about.
    #[cfg_attr(not(test), expect(unused_variables, reason = "tests alone leave out folding"))]
    fn folded(&self, id: ExprId, constant: Constant, unfolded: impl FnOnce() -> NodeKind) -> NodeKind {
        match self.folding {
            Folding::Done => NodeKind::Constant(constant),
            #[cfg(test)]
            Folding::LeftOut => NodeKind::Unfolded(Box::new((Node { id, kind: unfolded() }, constant))),
        }
    }

    fn node(&mut self, id: ExprId) -> Lowers {
        let expr = self.expr(id)?;
        match &expr.kind {
            ExprKind::Literal(literal) => Ok(Node { id, kind: NodeKind::Constant(literal_constant(literal)) }),
            ExprKind::Ident(_) | ExprKind::Select { .. } => match self.checked.reference(id) {
                Reference::TypeName(named) => {
                    Ok(Node { id, kind: NodeKind::Constant(Constant::Type(Box::new(named.clone()))) })
                }
                _ => self.attribute_node(id),
            },
            ExprKind::Call { target, function, args } => self.call(id, *target, function, args),
            ExprKind::List { elements, optional } => self.list(id, elements, optional),
            ExprKind::Map(entries) => self.map(id, entries),
            ExprKind::Struct { name, fields } => self.structure(id, name, fields),
            ExprKind::Comprehension(comprehension) => self.fold(id, comprehension),
        }
    }

    #[inline(never)]
    fn list(&mut self, id: ExprId, elements: &'c [ExprId], optional: &[u32]) -> Lowers {
        let mut nodes = Vec::with_capacity(elements.len());
        for (position, element) in (0_u32..).zip(elements) {
            nodes.push(Element { value: self.node(*element)?, is_optional: optional.contains(&position) });
        }
        let kind = match constant_list(&nodes) {
            Some(constant) => self.folded(id, constant, || NodeKind::List(nodes.into())),
            None => NodeKind::List(nodes.into()),
        };
        Ok(Node { id, kind })
    }

    #[inline(never)]
    fn map(&mut self, id: ExprId, entries: &'c [MapEntry]) -> Lowers {
        let mut items = Vec::with_capacity(entries.len());
        for entry in entries {
            let (key, value) = (self.node(entry.key)?, self.node(entry.value)?);
            items.push(MapItem { key, value, is_optional: entry.optional });
        }
        let kind = match constant_map(&items) {
            Some(constant) => self.folded(id, constant, || NodeKind::Map(items.into())),
            None => NodeKind::Map(items.into()),
        };
        Ok(Node { id, kind })
    }

    #[inline(never)]
    fn structure(&mut self, id: ExprId, name: &str, fields: &'c [StructField]) -> Lowers {
        let mut items = Vec::with_capacity(fields.len());
        for field in fields {
            items.push(StructItem {
                name: field.name.clone(),
                value: self.node(field.value)?,
                is_optional: field.optional,
            });
        }
        // The type's full name, where the expression has a container.
        let name = match self.checked.type_of(id) {
            crate::cel::types::Type::Struct(name) => name.as_ref().into(),
            _ => name.into(),
        };
        Ok(Node { id, kind: NodeKind::Struct(Box::new(StructItems { name, fields: items.into() })) })
    }
}

/// A list whose elements are all constant is a constant.
#[inline(never)]
fn constant_list(elements: &[Element]) -> Option<Constant> {
    let constants = elements.iter().map(|element| element.value.constant().filter(|_| !element.is_optional).cloned());
    constants.collect::<Option<Vec<Constant>>>().map(|constants| Constant::List(constants.into()))
}

/// So is a map. Of entries with the same key the last one counts.
#[inline(never)]
fn constant_map(items: &[MapItem]) -> Option<Constant> {
    let mut unique: Vec<(Constant, Constant)> = Vec::with_capacity(items.len());
    for item in items {
        let (key, value) = (item.key.constant()?, item.value.constant()?);
        // Go cannot keep bytes: an error when the map is made.
        if item.is_optional || matches!(key, Constant::Bytes(_)) {
            return None;
        }
        match unique.iter_mut().find(|(other, _)| is_same_key(other.value(), key.value())) {
            Some(entry) => entry.1 = value.clone(),
            None => unique.push((key.clone(), value.clone())),
        }
    }
    Some(Constant::Map(Box::new(ConstantMap::new(unique))))
}

#[inline(never)]
fn literal_constant(literal: &Literal) -> Constant {
    match literal {
        Literal::Null => Constant::Null,
        Literal::Bool(value) => Constant::Bool(*value),
        Literal::Int(value) => Constant::Int(*value),
        Literal::Uint(value) => Constant::Uint(*value),
        Literal::Double(value) => Constant::Double(*value),
        Literal::String(value) => Constant::String(value.clone()),
        Literal::Bytes(value) => Constant::Bytes(value.clone()),
    }
}
