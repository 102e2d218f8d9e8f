//! What identifiers and names with dots mean.

use super::super::environment::Meaning;
use super::walk::Walk;
use super::{Reference, messages};
use crate::cel::syntax::{ExprId, ExprKind};
use crate::cel::types::Type;

impl<'c> Walk<'c> {
    pub(super) fn identifier(&mut self, id: ExprId, name: &'c str) {
        if !self.named(id, name) {
            let locals: Vec<&str> = self.locals.iter().map(|(name, _)| *name).collect();
            let message = messages::undeclared_name(name, self.environment, &locals);
            self.report(id, message);
            self.set_type(id, Type::Error);
        }
    }

    /// Whether a select is a name with dots; then its type is set.
    pub(super) fn qualified_name(&mut self, id: ExprId) -> bool {
        self.has_head(id, |walk, head| walk.environment.may_be_qualified(head))
            && self.written_name(id).is_some_and(|name| self.named(id, &name))
    }

    /// The function that a call's target and name are together, if they are (`optional.of`).
    pub(super) fn namespaced(&self, call: ExprId, target: ExprId) -> Option<String> {
        if !self.has_head(target, |walk, head| walk.environment.may_hold_functions(head)) {
            return None;
        }
        let ExprKind::Call { function, .. } = &self.ast.get(call)?.kind else {
            return None;
        };
        let name = format!("{}.{function}", self.written_name(target)?);
        self.function_named(&name)
    }

    /// The full name of a function that is written so.
    pub(super) fn function_named(&self, name: &str) -> Option<String> {
        let found = self.environment.candidates(name).find(|name| self.environment.overloads(name).is_some());
        found.map(std::borrow::Cow::into_owned)
    }

    /// Whether an expression is a name, with dots or without, whose first part passes a test.
    fn has_head(&self, mut id: ExprId, test: impl Fn(&Self, &str) -> bool) -> bool {
        loop {
            match self.ast.get(id).map(|expression| &expression.kind) {
                Some(ExprKind::Ident(name)) => return test(self, name),
                Some(ExprKind::Select { operand, test_only: false, .. }) => id = *operand,
                _ => return false,
            }
        }
    }

    /// The name as it is written, dots and all.
    pub(super) fn written_name(&self, mut id: ExprId) -> Option<String> {
        let mut parts = Vec::new();
        loop {
            match &self.ast.get(id)?.kind {
                ExprKind::Ident(name) => {
                    parts.push(&**name);
                    parts.reverse();
                    return Some(parts.join("."));
                }
                ExprKind::Select { operand, field, test_only: false } => {
                    parts.push(field);
                    id = *operand;
                }
                _ => return None,
            }
        }
    }

    fn named(&mut self, id: ExprId, name: &str) -> bool {
        for candidate in self.environment.candidates(name) {
            let local = self.locals.iter().rev().find(|(local, _)| *local == candidate);
            if let Some((_, ty)) = local {
                let ty = ty.clone();
                if matches!(ty, Type::Type(_) | Type::Parameter(_)) {
                    self.names.push((id, candidate.into_owned()));
                }
                self.set_type(id, ty);
                self.refer(id, Reference::Local);
                return true;
            }
            match self.environment.meaning(&candidate) {
                Some(Meaning::Variable(slot, ty)) => {
                    if matches!(ty, Type::Type(_)) {
                        self.names.push((id, candidate.into_owned()));
                    }
                    self.set_type(id, ty);
                    self.refer(id, Reference::Declared(slot));
                    return true;
                }
                Some(Meaning::TypeName(ty)) => {
                    self.set_type(id, Type::of_type(ty.clone()));
                    self.refer(id, Reference::TypeName(ty));
                    self.names.push((id, candidate.into_owned()));
                    return true;
                }
                None => {}
            }
        }
        false
    }

    /// A name whose type is a type is the type of that name, whatever else it was (cel-go `interpreter/planner.go`,
    /// `planCheckedIdent`): variables cannot hold types.
    pub(super) fn settle_type_names(&mut self, types: &[Type]) {
        for (id, name) in std::mem::take(&mut self.names) {
            if !matches!(types.get(id.index()), Some(Type::Type(_))) {
                continue;
            }
            match self.environment.type_value(&name) {
                Some(ty) => self.refer(id, Reference::TypeName(ty)),
                None => self.report(id, messages::no_type_value(&name)),
            }
        }
    }
}
