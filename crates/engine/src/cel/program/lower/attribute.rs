//! Names, selections, indices, conditions: attributes of cel-go.

use super::{Lowering, Lowers};
use crate::cel::check::Reference;
use crate::cel::constant::Constant;
use crate::cel::program::tree::{Attribute, Base, Conditional, Key, Node, NodeKind, Qualifier};
use crate::cel::syntax::{ExprId, ExprKind};
use crate::cel::types::Type;

impl<'c> Lowering<'c> {
    /// A name or a selection.
    pub(super) fn attribute_node(&mut self, id: ExprId) -> Lowers {
        let name = match self.checked.reference(id) {
            Reference::Declared(slot) => Some(Base::Declared(id, *slot)),
            Reference::PolicyVariable(index) => {
                let is_test = matches!(self.expr(id)?.kind, ExprKind::Select { test_only: true, .. });
                let attribute = Attribute { base: Base::PolicyVariable(id, *index, is_test), qualifiers: vec![] };
                let kind =
                    if is_test { NodeKind::Has(Box::new(attribute)) } else { NodeKind::Attribute(Box::new(attribute)) };
                return Ok(Node { id, kind });
            }
            _ => None,
        };
        if let Some(base) = name {
            return Ok(attribute(id, base));
        }
        match &self.expr(id)?.kind {
            ExprKind::Ident(name) => self.local(id, name),
            ExprKind::Select { operand, field, test_only } => {
                let qualifier = Qualifier {
                    id,
                    key: Key::Field(field.clone()),
                    is_optional: false,
                    is_test: *test_only,
                    is_declared_field: self.is_made_by_literals(*operand),
                };
                let mut base = self.as_attribute(*operand)?;
                base.qualifiers.push(qualifier);
                let base = Box::new(base);
                let kind = if *test_only { NodeKind::Has(base) } else { NodeKind::Attribute(base) };
                Ok(Node { id, kind })
            }
            _ => Err(self.problem(id, "this is no name".to_owned())),
        }
    }

    /// Types that only literals make: `Object{}`. Their fields are all declared.
    fn is_made_by_literals(&self, operand: ExprId) -> bool {
        matches!(self.checked.type_of(operand), Type::Struct(name)
            if **name == *"JSONPatch" || **name == *"Object" || name.starts_with("Object."))
    }

    pub(super) fn local(&self, id: ExprId, name: &str) -> Lowers {
        let name = name.strip_prefix('.').unwrap_or(name);
        let Some(named) = self.scope.iter().rev().find(|named| named.name == name) else {
            return Err(self.problem(id, format!("undeclared reference to '{name}'")));
        };
        let base = if named.is_lazy { Base::Lazy(id, named.local) } else { Base::Local(id, named.local) };
        Ok(attribute(id, base))
    }

    /// An expression as something to select from.
    fn as_attribute(&mut self, id: ExprId) -> Lowers<Attribute> {
        Ok(into_attribute(self.node(id)?))
    }

    /// `a[b]`, `a[?b]`, `a.?b`
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
            NodeKind::Constant(_) => return Err(self.problem(id, "invalid qualifier type".to_owned())),
            kind => Key::Computed(Node { id: key.id, kind }),
        };
        base.qualifiers.push(Qualifier { id, key, is_optional, is_test: false, is_declared_field });
        Ok(Node { id, kind: NodeKind::Attribute(Box::new(base)) })
    }

    /// `a ? b : c`
    pub(super) fn conditional(&mut self, id: ExprId, args: &[ExprId]) -> Lowers {
        let [condition, then, otherwise] = args else {
            return Err(self.problem(id, "a condition has two branches".to_owned()));
        };
        let condition = self.node(*condition)?;
        let then = self.branch(*then)?;
        let otherwise = self.branch(*otherwise)?;
        let conditional = Conditional { id, condition, then, otherwise };
        Ok(attribute(id, Base::Conditional(Box::new(conditional))))
    }

    /// A branch: `has(a.b)` is an attribute, too, with all that follows from it.
    fn branch(&mut self, id: ExprId) -> Lowers<Attribute> {
        let node = self.node(id)?;
        Ok(match node.kind {
            NodeKind::Has(attribute) => *attribute,
            kind => into_attribute(Node { id: node.id, kind }),
        })
    }
}

fn attribute(id: ExprId, base: Base) -> Node {
    Node { id, kind: NodeKind::Attribute(Box::new(Attribute { base, qualifiers: vec![] })) }
}

fn into_attribute(node: Node) -> Attribute {
    match node.kind {
        NodeKind::Attribute(attribute) => *attribute,
        kind => Attribute { base: Base::Computed(Node { id: node.id, kind }), qualifiers: vec![] },
    }
}
