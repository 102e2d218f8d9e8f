//! Fields: selects and struct literals.

use super::super::environment::{Field, Meaning};
use super::walk::{Step, Walk};
use super::{Reference, messages};
use crate::cel::syntax::{ExprId, ExprKind, Literal, StructField};
use crate::cel::types::Type;

impl Walk<'_> {
    pub(super) fn select(&mut self, id: ExprId) {
        let Some(ExprKind::Select { operand, field, test_only }) = self.ast.get(id).map(|expression| &expression.kind)
        else {
            return;
        };
        let ty = self.field_type(id, *operand, field, false);
        let ty = if *test_only { Type::Bool } else { self.unknowns.resolve(&ty) };
        self.set_type(id, ty);
    }

    pub(super) fn optional_select(&mut self, id: ExprId) {
        let Some(ExprKind::Call { args, .. }) = self.ast.get(id).map(|expression| &expression.kind) else {
            return;
        };
        let [operand, field] = args.as_slice() else {
            return self.report(id, "unsupported optional field selection: expected `operand.?field`".to_owned());
        };
        let Some(ExprKind::Literal(Literal::String(name))) = self.ast.get(*field).map(|expression| &expression.kind)
        else {
            return self
                .report(*field, "unsupported optional field selection: expected the name of a field".to_owned());
        };
        let ty = self.field_type(id, *operand, name, true);
        let ty = self.unknowns.resolve(&ty);
        self.set_type(*field, Type::String);
        self.set_type(id, ty);
        if let Some(mut overloads) = self.environment.overloads("_?._") {
            let overload = overloads.find(|signature| signature.overload.id == "select_optional_field");
            self.refer(id, Reference::Overloads(overload.map(|signature| signature.overload).into_iter().collect()));
        }
    }

    /// The type of a field of an operand that has been visited (`checkSelectField`).
    fn field_type(&mut self, id: ExprId, operand: ExprId, field: &str, optional: bool) -> Type {
        let operand_type = self.type_of(operand);
        let operand_type = self.unknowns.resolve(&operand_type);
        let (target, was_optional) = match &operand_type {
            Type::Optional(inner) => (&**inner, true),
            other => (other, false),
        };
        let ty = match target {
            Type::Map(_, value) => (**value).clone(),
            Type::Struct(name) => self.struct_field(id, operand, name, field),
            Type::Parameter(_) => {
                self.unknowns.assignable(&Type::Dyn, target);
                Type::Dyn
            }
            Type::Dyn | Type::Any | Type::Error => Type::Dyn,
            _ => {
                let message = messages::no_field_selection(&self.unknowns.resolve_fully(target));
                self.report(id, message);
                Type::Dyn
            }
        };
        if was_optional || optional { Type::optional(ty) } else { ty }
    }

    fn struct_field(&mut self, id: ExprId, operand: ExprId, struct_name: &str, field: &str) -> Type {
        match self.environment.field(struct_name, field) {
            Field::Known(ty) => ty,
            Field::PolicyVariable(index, ty) => {
                let is_select = matches!(self.ast.get(id).map(|select| &select.kind), Some(ExprKind::Select { .. }));
                if is_select && matches!(self.reference(operand), Reference::Declared(_)) {
                    self.refer(id, Reference::PolicyVariable(index));
                }
                ty
            }
            Field::Unknown | Field::Doubtful => {
                let names = self.environment.field_names(struct_name);
                self.report(id, messages::undefined_field(field, struct_name, &names));
                Type::Error
            }
            Field::NoType => {
                self.report(id, messages::no_field_selection(&Type::Struct(struct_name.into())));
                Type::Error
            }
        }
    }

    pub(super) fn struct_literal(&mut self, id: ExprId, name: &str) {
        let mut candidates = self.environment.candidates(name);
        let meaning = candidates.find_map(|candidate| {
            let is_local = self.locals.iter().any(|(local, _)| *local == candidate);
            if is_local { Some(None) } else { self.environment.meaning(&candidate).map(Some) }
        });
        let ty = match meaning {
            Some(Some(Meaning::TypeName(ty))) if is_message(&ty) => {
                self.refer(id, Reference::TypeName(ty.clone()));
                ty
            }
            Some(Some(Meaning::TypeName(ty))) => {
                self.report(id, format!("'{ty}' is not a message type"));
                Type::Error
            }
            Some(Some(Meaning::Variable(_, ty))) => {
                self.report(id, format!("'{ty}' is not a type: '{name}' is a variable"));
                Type::Error
            }
            Some(None) => {
                self.report(id, format!("'{name}' is not a type but a variable"));
                Type::Error
            }
            None => {
                self.report(id, messages::undeclared_type(name));
                return self.set_type(id, Type::Error);
            }
        };
        self.set_type(id, ty);
        self.next_field(id, 0);
    }

    /// Goes on with a field of a struct literal, if it has so many.
    fn next_field(&mut self, literal: ExprId, index: usize) {
        if let Some(field) = self.literal_field(literal, index) {
            let value = field.value;
            self.then([Step::Visit(value), Step::Field { literal, index }]);
        }
    }

    fn literal_field(&self, literal: ExprId, index: usize) -> Option<&StructField> {
        match &self.ast.get(literal)?.kind {
            ExprKind::Struct { fields, .. } => fields.get(index),
            _ => None,
        }
    }

    pub(super) fn field(&mut self, literal: ExprId, index: usize) {
        let Some(StructField { name, value, optional, .. }) = self.literal_field(literal, index).cloned() else {
            return;
        };
        let mut value_type = self.type_of(value);
        if optional {
            value_type = self.unwrap_optional(value, value_type);
        }
        if let Type::Struct(struct_name) = self.type_of(literal) {
            match self.environment.field(&struct_name, &name) {
                Field::Known(ty) | Field::PolicyVariable(_, ty) => {
                    if !self.unknowns.assignable(&ty, &value_type) {
                        let found = self.unknowns.resolve_fully(&value_type);
                        self.report(value, messages::field_mismatch(&name, &ty, &found));
                    }
                }
                Field::Doubtful if matches!(value_type, Type::Dyn | Type::Any | Type::Error) => {}
                Field::Doubtful | Field::Unknown | Field::NoType => {
                    let names = self.environment.field_names(&struct_name);
                    self.report(value, messages::undefined_field(&name, &struct_name, &names));
                }
            }
        }
        self.next_field(literal, index + 1);
    }

    /// What an optional of a literal holds. A value that is no optional is refused; dyn is left to the validation.
    pub(super) fn unwrap_optional(&mut self, id: ExprId, ty: Type) -> Type {
        match ty {
            Type::Optional(inner) => (*inner).clone(),
            Type::Dyn | Type::Any => ty,
            _ => {
                let message = messages::mismatch(&Type::optional(self.unknowns.resolve_fully(&ty)), &ty);
                self.report(id, message);
                ty
            }
        }
    }
}

/// Whether the checker accepts the type in a struct literal. The well-known types of protocol buffers that have a message
/// are not: there are no messages here.
fn is_message(ty: &Type) -> bool {
    matches!(ty, Type::Struct(_))
}
