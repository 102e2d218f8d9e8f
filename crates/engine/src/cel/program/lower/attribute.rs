//! Names, selections, indices, conditions: attributes of cel-go.

use super::{Lowering, Lowers};
use crate::cel::check::Reference;
use crate::cel::constant::Constant;
use crate::cel::error::Problem;
use crate::cel::program::tree::{Attribute, Base, Conditional, Key, Node, NodeKind, Qualifier};
use crate::cel::syntax::{ExprId, ExprKind};
use crate::cel::types::Type;

impl Lowering<'_> {
    /// A name or a selection.
    #[inline(never)]
    pub(super) fn attribute_node(&mut self, id: ExprId) -> Lowers {
        match self.checked.reference(id) {
            Reference::Declared(slot) => return Ok(attribute(id, Base::Declared(id, *slot))),
            Reference::PolicyVariable(index) => return self.policy_variable(id, *index),
            _ => {}
        }
        match &self.expr(id)?.kind {
            ExprKind::Ident(name) => self.local(id, name),
            ExprKind::Select { operand, field, test_only } => {
                let mut base = self.as_attribute(*operand)?;
                base.qualifiers.push(Qualifier {
                    id,
                    key: Key::Field(field.clone()),
                    is_optional: false,
                    is_test: *test_only,
                    is_declared_field: self.is_made_by_literals(*operand),
                });
                let base = Box::new(base);
                let kind = if *test_only { NodeKind::Has(base) } else { NodeKind::Attribute(base) };
                Ok(Node { id, kind })
            }
            _ => Err(self.problem(id, "this is no name".to_owned())),
        }
    }

    #[inline(never)]
    fn policy_variable(&self, id: ExprId, index: usize) -> Lowers {
        let is_test = matches!(self.expr(id)?.kind, ExprKind::Select { test_only: true, .. });
        let base = Base::PolicyVariable(id, index, is_test);
        let attribute = Box::new(Attribute { base, qualifiers: vec![] });
        let kind = if is_test { NodeKind::Has(attribute) } else { NodeKind::Attribute(attribute) };
        Ok(Node { id, kind })
    }

    /// Types that only literals make: `Object{}`. Their fields are all declared.
    fn is_made_by_literals(&self, operand: ExprId) -> bool {
        matches!(self.checked.type_of(operand), Type::Struct(name)
            if **name == *"JSONPatch" || **name == *"Object" || name.starts_with("Object."))
    }

    #[inline(never)]
    pub(super) fn local(&self, id: ExprId, name: &str) -> Lowers {
        let name = name.strip_prefix('.').unwrap_or(name);
        let Some(named) = self.scope.iter().rev().find(|named| named.name == name) else {
            return Err(self.problem(id, format!("undeclared reference to '{name}'")));
        };
        let base = if named.is_lazy { Base::Lazy(id, named.local) } else { Base::Local(id, named.local) };
        Ok(attribute(id, base))
    }

    /// An expression as something to select from.
    #[inline(never)]
    fn as_attribute(&mut self, id: ExprId) -> Lowers<Attribute> {
        Ok(into_attribute(self.node(id)?))
    }

    /// `a[b]`, `a[?b]`, `a.?b`
    #[inline(never)]
    pub(super) fn index(&mut self, id: ExprId, args: &[ExprId], is_optional: bool) -> Lowers {
        let [operand, key] = args else { return Err(self.problem(id, "an index has one key".to_owned())) };
        let is_declared_field = self.is_made_by_literals(*operand);
        let mut base = self.as_attribute(*operand)?;
        let key = self.node(*key)?;
        let key = match key.kind {
            NodeKind::Constant(Constant::String(name)) => Key::Field(name),
            NodeKind::Constant(
                constant @ (Constant::Int(_) | Constant::Uint(_) | Constant::Double(_) | Constant::Bool(_)),
            ) => Key::Constant(constant),
            NodeKind::Attribute(attribute) => Key::Attribute(*attribute),
            NodeKind::Constant(_) => return Err(self.invalid_key(id)),
            #[cfg(test)]
            NodeKind::Unfolded(unfolded) => match unfolded.1 {
                Constant::String(_)
                | Constant::Int(_)
                | Constant::Uint(_)
                | Constant::Double(_)
                | Constant::Bool(_) => Key::Computed(Node { id: key.id, kind: NodeKind::Unfolded(unfolded) }),
                _ => return Err(self.invalid_key(id)),
            },
            kind => Key::Computed(Node { id: key.id, kind }),
        };
        base.qualifiers.push(Qualifier { id, key, is_optional, is_test: false, is_declared_field });
        Ok(Node { id, kind: NodeKind::Attribute(Box::new(base)) })
    }

    #[cold]
    #[expect(clippy::unnecessary_box_returns, reason = "it goes into a boxed error")]
    fn invalid_key(&self, id: ExprId) -> Box<Problem> {
        self.problem(id, "invalid qualifier type".to_owned())
    }

    /// `a ? b : c`
    #[inline(never)]
    pub(super) fn conditional(&mut self, id: ExprId, args: &[ExprId]) -> Lowers {
        let [condition, then, otherwise] = args else {
            return Err(self.problem(id, "a condition has two branches".to_owned()));
        };
        let condition = self.node(*condition)?;
        let then = self.branch(*then)?;
        let otherwise = self.branch(*otherwise)?;
        Ok(conditional(id, condition, then, otherwise))
    }

    /// A branch: `has(a.b)` is an attribute, too, with all that follows from it.
    #[inline(never)]
    fn branch(&mut self, id: ExprId) -> Lowers<Attribute> {
        Ok(match self.node(id)? {
            Node { kind: NodeKind::Has(attribute), .. } => *attribute,
            node => into_attribute(node),
        })
    }
}

fn attribute(id: ExprId, base: Base) -> Node {
    Node { id, kind: NodeKind::Attribute(Box::new(Attribute { base, qualifiers: vec![] })) }
}

#[inline(never)]
fn conditional(id: ExprId, condition: Node, then: Attribute, otherwise: Attribute) -> Node {
    attribute(id, Base::Conditional(Box::new(Conditional { id, condition, then, otherwise })))
}

#[inline(never)]
fn into_attribute(node: Node) -> Attribute {
    match node.kind {
        NodeKind::Attribute(attribute) => *attribute,
        kind => Attribute { base: Base::Computed(Node { id: node.id, kind }), qualifiers: vec![] },
    }
}
