//! Macros.

use super::{Lowering, Lowers, Named};
use crate::cel::program::tree::{Bind, Fold, FoldKind, Node, NodeKind};
use crate::cel::syntax::{Comprehension, ExprId, Macro};

impl<'c> Lowering<'c> {
    pub(super) fn fold(&mut self, id: ExprId, comprehension: &'c Comprehension) -> Lowers {
        if let Macro::OptMap { transform } | Macro::OptFlatMap { transform } | Macro::SortBy { transform } =
            comprehension.origin
        {
            return self.bind(id, comprehension, transform);
        }
        let range = self.node(comprehension.range)?;
        let (next, visible) = (self.next, self.scope.len());
        let local = self.place();
        self.scope.push(Named { name: &comprehension.variable, local, is_lazy: false });
        if let Some(name) = &comprehension.variable2 {
            let local = self.place();
            self.scope.push(Named { name, local, is_lazy: false });
        }
        let kind = self.kind(comprehension)?;
        self.scope.truncate(visible);
        self.next = next;
        let has_two = comprehension.variable2.is_some();
        Ok(Node { id, kind: NodeKind::Fold(Box::new(Fold { range, local, has_two, kind })) })
    }

    fn kind(&mut self, comprehension: &'c Comprehension) -> Lowers<FoldKind> {
        let mut maybe = |predicate: Option<ExprId>| predicate.map(|predicate| self.node(predicate)).transpose();
        Ok(match comprehension.origin {
            Macro::Map { predicate, transform } | Macro::TransformList { predicate, transform } => {
                FoldKind::Collect { predicate: maybe(predicate)?, transform: self.node(transform)? }
            }
            Macro::TransformMap { predicate, transform } => {
                FoldKind::Entries { predicate: maybe(predicate)?, transform: self.node(transform)? }
            }
            Macro::TransformMapEntry { predicate, transform } => {
                FoldKind::Merge { predicate: maybe(predicate)?, transform: self.node(transform)? }
            }
            Macro::All { predicate } => FoldKind::All(self.node(predicate)?),
            Macro::Exists { predicate } => FoldKind::Exists(self.node(predicate)?),
            Macro::ExistsOne { predicate } => FoldKind::ExistsOne(self.node(predicate)?),
            Macro::Filter { predicate } => FoldKind::Collect {
                predicate: Some(self.node(predicate)?),
                transform: self.local(predicate, &comprehension.variable)?,
            },
            Macro::OptMap { transform } | Macro::OptFlatMap { transform } | Macro::SortBy { transform } => {
                FoldKind::All(self.node(transform)?)
            }
        })
    }

    fn bind(&mut self, id: ExprId, comprehension: &'c Comprehension, transform: ExprId) -> Lowers {
        let (next, visible) = (self.next, self.scope.len());
        let local = self.place();
        self.scope.push(Named { name: &comprehension.accumulator, local, is_lazy: true });
        let body = self.node(transform)?;
        self.scope.truncate(visible);
        // The value may be computed while the body's own variables are in use.
        self.next = self.locals;
        let value = self.node(comprehension.init)?;
        self.next = next;
        Ok(Node { id, kind: NodeKind::Bind(Box::new(Bind { local, value, body })) })
    }
}
