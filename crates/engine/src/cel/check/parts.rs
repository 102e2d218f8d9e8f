//! The parts of a checked expression that count.

use super::{Checked, Reference};
use crate::cel::syntax::{ExprId, ExprKind};

/// The expressions directly in this one, in order of the text, without those that are only a part of a name.
pub(in crate::cel) fn parts(checked: &Checked, id: ExprId) -> Vec<ExprId> {
    let Some(expression) = checked.ast().get(id) else {
        return Vec::new();
    };
    match &expression.kind {
        ExprKind::Literal(_) | ExprKind::Ident(_) => Vec::new(),
        ExprKind::Select { operand, .. } => match checked.reference(id) {
            Reference::Declared(_) | Reference::TypeName(_) => Vec::new(),
            _ => vec![*operand],
        },
        ExprKind::Call { target, args, .. } => {
            target.filter(|_| is_member_call(checked.reference(id))).into_iter().chain(args.iter().copied()).collect()
        }
        ExprKind::List { elements, .. } => elements.clone(),
        ExprKind::Map(entries) => entries.iter().flat_map(|entry| [entry.key, entry.value]).collect(),
        ExprKind::Struct { fields, .. } => fields.iter().map(|field| field.value).collect(),
        ExprKind::Comprehension(fold) => {
            vec![fold.range, fold.init, fold.condition, fold.step, fold.result]
        }
    }
}

/// Whether the target of a call is evaluated, and not a part of the function's name.
pub(in crate::cel) fn is_member_call(reference: &Reference) -> bool {
    !matches!(reference, Reference::Overloads(overloads) if overloads.iter().all(|overload| !overload.is_member))
}
