//! What is known about the sizes of values before they are there: of literals exactly, of what is made from them in bounds.

use super::Range;
use crate::cel::check::Checked;
use crate::cel::syntax::{Comprehension, ExprId, ExprKind, Literal, MapEntry};
use crate::cel::types::Type;
use crate::seedless::HashMap;

/// The sizes of what a list or map holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entries {
    is_list: bool,
    key: Range,
    pub(super) value: Range,
}

/// What is known at some point of the walk.
pub(super) struct Sizes<'c> {
    checked: &'c Checked,
    computed: Vec<Option<Range>>,
    entries: HashMap<ExprId, Entries>,
    /// Variables by name, the innermost last.
    locals: HashMap<&'c str, Vec<Local>>,
}

#[derive(Clone, Copy)]
struct Local {
    size: Option<Range>,
    entries: Option<Entries>,
}

impl<'c> Sizes<'c> {
    pub(super) fn new(checked: &'c Checked) -> Self {
        let computed = vec![None; checked.ast().len()];
        Self { checked, computed, entries: HashMap::default(), locals: HashMap::default() }
    }

    /// The size of an expression's value, if anything is known about it.
    pub(super) fn of(&self, id: ExprId) -> Option<Range> {
        if let Some(size) = self.computed.get(id.index()).copied().flatten() {
            return Some(size);
        }
        if let Some(size) = size_of_literal(&self.checked.ast().get(id)?.kind) {
            return Some(Range::exactly(size));
        }
        if is_scalar(self.checked.type_of(id)) { Some(Range::exactly(1)) } else { self.local(id)?.size }
    }

    pub(super) fn set(&mut self, id: ExprId, size: Range) {
        if let Some(place) = self.computed.get_mut(id.index()) {
            *place = Some(size);
        }
    }

    /// The sizes of what it holds.
    pub(super) fn entries(&self, id: ExprId) -> Option<Entries> {
        self.entries.get(&id).copied().or_else(|| self.local(id)?.entries)
    }

    pub(super) fn set_entries(&mut self, id: ExprId, entries: Option<Entries>) {
        if let Some(entries) = entries {
            self.entries.insert(id, entries);
        }
    }

    /// What covers what two hold, if both are known.
    pub(super) fn entries_of_either(&self, one: ExprId, other: ExprId) -> Option<Entries> {
        let (one, other) = (self.entries(one)?, self.entries(other)?);
        Some(Entries { is_list: one.is_list, key: one.key.or(other.key), value: one.value.or(other.value) })
    }

    pub(super) fn copy(&mut self, to: ExprId, from: ExprId) {
        if let Some(size) = self.of(from) {
            self.set(to, size);
        }
        self.set_entries(to, self.entries(from));
    }

    pub(super) fn list(&mut self, id: ExprId, elements: &[ExprId]) {
        let entries = Entries { is_list: true, key: Range::exactly(1), value: self.union(elements.iter().copied()) };
        self.entries.insert(id, entries);
    }

    pub(super) fn map(&mut self, id: ExprId, map: &[MapEntry]) {
        let key = self.union(map.iter().map(|entry| entry.key));
        let value = self.union(map.iter().map(|entry| entry.value));
        self.entries.insert(id, Entries { is_list: false, key, value });
    }

    fn union(&self, ids: impl Iterator<Item = ExprId>) -> Range {
        ids.map(|id| self.of(id).unwrap_or(Range::UNKNOWN)).reduce(Range::or).unwrap_or_default()
    }

    /// Names the value of an expression.
    pub(super) fn bind(&mut self, name: &'c str, value: ExprId) {
        let local = Local { size: self.of(value), entries: self.entries(value) };
        self.locals.entry(name).or_default().push(local);
    }

    pub(super) fn unbind(&mut self, name: &str) {
        if let Some(locals) = self.locals.get_mut(name) {
            locals.pop();
        }
    }

    pub(super) fn enter_loop(&mut self, fold: &'c Comprehension) {
        let entries = self.entries(fold.range);
        let is_list = match entries {
            Some(entries) => entries.is_list,
            None => matches!(self.checked.type_of(fold.range), Type::List(_)),
        };
        let (key, value) = (entries.map(|entries| entries.key), entries.map(|entries| entries.value));
        let first = if is_list && fold.variable2.is_none() { value } else { key };
        self.locals.entry(&fold.variable).or_default().push(Local { size: first, entries: None });
        if let Some(name) = &fold.variable2 {
            self.locals.entry(name).or_default().push(Local { size: value, entries: None });
        }
    }

    pub(super) fn leave_loop(&mut self, fold: &Comprehension) {
        self.unbind(&fold.variable);
        if let Some(name) = &fold.variable2 {
            self.unbind(name);
        }
    }

    /// The size of what a fold over so many makes.
    pub(super) fn fold(&mut self, id: ExprId, fold: &Comprehension, count: Range) {
        match self.checked.ast().get(fold.init).map(|init| &init.kind) {
            Some(ExprKind::Literal(_)) => {
                if let Some(size) = self.of(fold.init) {
                    self.set(id, size);
                }
            }
            Some(ExprKind::List { .. } | ExprKind::Map(_)) => {
                self.set(id, count);
                self.set_entries(id, self.entries(fold.step));
            }
            _ => {}
        }
    }

    fn local(&self, id: ExprId) -> Option<Local> {
        let ExprKind::Ident(name) = &self.checked.ast().get(id)?.kind else { return None };
        let name = name.strip_prefix('.').unwrap_or(name);
        self.locals.get(name)?.last().copied()
    }
}

fn size_of_literal(kind: &ExprKind) -> Option<u64> {
    let size = match kind {
        ExprKind::Literal(Literal::String(text)) => text.chars().count(),
        ExprKind::Literal(Literal::Bytes(bytes)) => bytes.len(),
        ExprKind::Literal(_) => 1,
        ExprKind::List { elements, .. } => elements.len(),
        ExprKind::Map(entries) => entries.len(),
        _ => return None,
    };
    u64::try_from(size).ok()
}

/// Whether values of the type have all the same size (`isScalar`).
fn is_scalar(ty: &Type) -> bool {
    match ty {
        Type::Bool | Type::Double | Type::Duration | Type::Int | Type::Timestamp | Type::Uint => true,
        Type::Optional(inner) | Type::Wrapper(inner) => is_scalar(inner),
        _ => false,
    }
}
