//! Lists and maps that are written out.

use super::walk::{Step, Walk};
use crate::cel::syntax::{ExprId, ExprKind, MapEntry};
use crate::cel::types::Type;

impl Walk<'_> {
    /// Goes on with an element of a list, or ends it.
    pub(super) fn next_element(&mut self, list: ExprId, index: usize, joined: Option<Type>) {
        match self.list_element(list, index) {
            Some((element, _)) => self.then([Step::Visit(element), Step::Element { list, index, joined }]),
            None => {
                let element = joined.unwrap_or_else(|| Type::Parameter(self.unknowns.fresh(1)));
                self.set_type(list, Type::list(element));
            }
        }
    }

    pub(super) fn element(&mut self, list: ExprId, index: usize, joined: Option<Type>) {
        let Some((element, optional)) = self.list_element(list, index) else {
            return;
        };
        let mut ty = self.type_of(element);
        if optional {
            ty = self.unwrap_optional(element, ty);
        }
        let joined = self.join(joined, ty);
        self.next_element(list, index + 1, Some(joined));
    }

    fn list_element(&self, list: ExprId, index: usize) -> Option<(ExprId, bool)> {
        let ExprKind::List { elements, optional } = &self.ast.get(list)?.kind else {
            return None;
        };
        let is_optional = u32::try_from(index).is_ok_and(|index| optional.binary_search(&index).is_ok());
        Some((*elements.get(index)?, is_optional))
    }

    /// Goes on with an entry of a map, or ends it.
    pub(super) fn next_entry(&mut self, map: ExprId, index: usize, key: Option<Type>, value: Option<Type>) {
        if let Some(entry) = self.map_entry(map, index) {
            self.then([Step::Visit(entry.key), Step::Key { map, index, key, value }]);
            return;
        }
        let (key, value) = match (key, value) {
            (Some(key), Some(value)) => (key, value),
            _ => {
                let first = self.unknowns.fresh(2);
                (Type::Parameter(first), Type::Parameter(first + 1))
            }
        };
        self.set_type(map, Type::map(key, value));
    }

    pub(super) fn key(&mut self, map: ExprId, index: usize, key: Option<Type>, value: Option<Type>) {
        let Some(entry) = self.map_entry(map, index) else {
            return;
        };
        let ty = self.type_of(entry.key);
        let key = Some(self.join(key, ty));
        self.then([Step::Visit(entry.value), Step::Value { map, index, key, value }]);
    }

    pub(super) fn value(&mut self, map: ExprId, index: usize, key: Option<Type>, value: Option<Type>) {
        let Some(entry) = self.map_entry(map, index) else {
            return;
        };
        let mut ty = self.type_of(entry.value);
        if entry.optional {
            ty = self.unwrap_optional(entry.value, ty);
        }
        let value = Some(self.join(value, ty));
        self.next_entry(map, index + 1, key, value);
    }

    fn map_entry(&self, map: ExprId, index: usize) -> Option<MapEntry> {
        match &self.ast.get(map)?.kind {
            ExprKind::Map(entries) => entries.get(index).copied(),
            _ => None,
        }
    }

    /// The type of several values (`joinTypes`): dyn where they do not go together. That they must is left to the validation,
    /// which exempts arguments of `format`.
    fn join(&mut self, previous: Option<Type>, current: Type) -> Type {
        let Some(previous) = previous else {
            return current;
        };
        if self.unknowns.assignable(&previous, &current) {
            return self.unknowns.most_general(&previous, &current);
        }
        Type::Dyn
    }
}
