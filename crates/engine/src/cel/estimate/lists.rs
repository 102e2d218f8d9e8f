//! Estimates that cel-go's libraries of lists and sets bring along (cel-go `ext/lists.go`, `ext/sets.go`).

use super::{Call, Estimate, LIST, Operand, Range, TRAVERSAL};
use crate::cel::syntax::Literal;

pub(super) fn estimate(call: &Call<'_>) -> Option<Estimate> {
    let args = call.args.as_slice();
    match (call.overload, &call.target, args) {
        ("list_sets_contains_list" | "list_sets_intersects_list", None, [one, other]) => {
            Some(compared(one, other, 1.0))
        }
        ("list_sets_equivalent_list", None, [one, other]) => Some(compared(one, other, 2.0)),
        ("list_slice", Some(list), [start, end]) => {
            let end = whole_number(end, list.size_or_unknown().max);
            // Upstream's difference wraps.
            Some(made(1.0, Range::exactly(end.wrapping_sub(whole_number(start, 0)))))
        }
        ("lists_range", None, [count]) => Some(made(1.0, Range::exactly(whole_number(count, u64::MAX)))),
        ("list_reverse" | "list_flatten", Some(list), []) => Some(made(1.0, list.size_or_unknown())),
        ("list_flatten_int", Some(list), [depth]) => {
            #[expect(clippy::cast_precision_loss, reason = "as upstream")]
            let depth = whole_number(depth, u64::MAX) as f64;
            Some(made(depth, list.size_or_unknown()))
        }
        ("list_distinct", Some(list), []) => Some(made(2.0, squared(list))),
        (id, Some(list), []) if id.starts_with("list_") && id.ends_with("_sort") => Some(sorted(id, list)),
        (id, Some(_), [keys]) if id.starts_with("list_") && id.ends_with("_sortByAssociatedKeys") => {
            Some(sorted(id, keys))
        }
        _ => None,
    }
}

fn compared(one: &Operand<'_>, other: &Operand<'_>, factor: f64) -> Estimate {
    let pairs = one.size_or_unknown().times(other.size_or_unknown());
    Estimate::of(pairs.scaled(factor).plus(Range::exactly(1)))
}

fn sorted(id: &str, list: &Operand<'_>) -> Estimate {
    let of_texts = id.starts_with("list_string_") || id.starts_with("list_bytes_");
    made(if of_texts { 2.0 + TRAVERSAL } else { 2.0 }, squared(list))
}

fn squared(list: &Operand<'_>) -> Range {
    let size = list.size_or_unknown();
    size.times(size)
}

/// The call and a new list of that size.
fn made(factor: f64, size: Range) -> Estimate {
    Estimate::sized(size.scaled(factor).plus(Range::exactly(1 + LIST)), size)
}

/// An integer that is written out.
fn whole_number(operand: &Operand<'_>, otherwise: u64) -> u64 {
    match operand.literal {
        Some(Literal::Int(value)) => u64::try_from(*value).unwrap_or_default(),
        _ => otherwise,
    }
}
