//! Macros.

use super::{Lowering, Lowers, Named};
use crate::cel::program::tree::{Bind, Fold, FoldKind, Node, NodeKind};
use crate::cel::syntax::{Comprehension, ExprId, ExprKind, Macro};

impl<'c> Lowering<'c> {
    #[inline(never)]
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

    #[inline(never)]
    fn kind(&mut self, comprehension: &'c Comprehension) -> Lowers<FoldKind> {
        let (predicate, transform) = match comprehension.origin {
            Macro::All { predicate } | Macro::Exists { predicate } | Macro::ExistsOne { predicate } => {
                (None, predicate)
            }
            Macro::Filter { predicate } => (Some(predicate), predicate),
            Macro::Map { predicate, transform }
            | Macro::TransformList { predicate, transform }
            | Macro::TransformMap { predicate, transform }
            | Macro::TransformMapEntry { predicate, transform } => (predicate, transform),
            Macro::OptMap { transform } | Macro::OptFlatMap { transform } | Macro::SortBy { transform } => {
                (None, transform)
            }
        };
        let predicate = match predicate {
            Some(predicate) => Some(self.node(predicate)?),
            None => None,
        };
        let transform = match comprehension.origin {
            Macro::Filter { .. } => self.local(self.kept(comprehension), &comprehension.variable)?,
            _ => self.node(transform)?,
        };
        Ok(kind(comprehension.origin, predicate, transform))
    }

    /// The element that `filter` keeps: in its step, `predicate ? accumulator + [element] : accumulator`.
    fn kept(&self, comprehension: &Comprehension) -> ExprId {
        let part = |id: ExprId, argument: usize| match self.checked.ast().get(id).map(|expr| &expr.kind) {
            Some(ExprKind::Call { args, .. }) => args.get(argument).copied(),
            Some(ExprKind::List { elements, .. }) => elements.get(argument).copied(),
            _ => None,
        };
        let longer = part(comprehension.step, 1);
        let element = longer.and_then(|longer| part(longer, 1)).and_then(|list| part(list, 0));
        element.unwrap_or(comprehension.step)
    }

    #[inline(never)]
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

#[inline(never)]
fn kind(origin: Macro, predicate: Option<Node>, body: Node) -> FoldKind {
    match origin {
        Macro::All { .. } => FoldKind::All(body),
        Macro::Exists { .. } => FoldKind::Exists(body),
        Macro::ExistsOne { .. } => FoldKind::ExistsOne(body),
        Macro::TransformMap { .. } => FoldKind::Entries { predicate, transform: body },
        Macro::TransformMapEntry { .. } => FoldKind::Merge { predicate, transform: body },
        _ => FoldKind::Collect { predicate, transform: body },
    }
}
