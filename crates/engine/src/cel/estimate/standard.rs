//! Estimates of the standard functions (cel-go `checker/cost.go`, `functionCost`).

use super::sizes::Sizes;
use super::{Call, Estimate, PATTERN, Range, TRAVERSAL};

/// What the call costs with its arguments.
pub(super) fn estimate(call: &Call<'_>, sizes: &mut Sizes<'_>) -> Estimate {
    let around = call.cost_of_args();
    let args = call.args.as_slice();
    match (call.overload, &call.target, args) {
        ("string_format", Some(target), _) => Estimate::of(target.size_or_unknown().scaled(TRAVERSAL).plus(around)),
        ("string_to_bytes", _, [text]) => {
            let size = text.size_or_unknown();
            // Upstream's product wraps.
            let result = Range { min: size.min, max: size.max.wrapping_mul(4) };
            Estimate::sized(size.scaled(TRAVERSAL).plus(around), result)
        }
        ("bytes_to_string", _, [bytes]) => {
            let size = bytes.size_or_unknown();
            Estimate::sized(size.scaled(TRAVERSAL).plus(around), Range { min: size.min / 4, max: size.max })
        }
        ("strings_quote", _, [text]) => {
            let size = text.size_or_unknown();
            let result = Range { min: size.min.wrapping_add(2), max: size.max.wrapping_mul(2).wrapping_add(2) };
            Estimate::sized(size.scaled(TRAVERSAL).plus(around), result)
        }
        ("starts_with_string" | "ends_with_string", _, [part]) => {
            Estimate::of(part.size_or_unknown().scaled(TRAVERSAL).plus(around))
        }
        ("in_list", _, [_, list]) => Estimate::of(list.size_or_unknown().scaled(1.0).plus(around)),
        ("matches_string", Some(text), [pattern]) => {
            let text = text.size_or_unknown().plus(Range::exactly(1)).scaled(TRAVERSAL);
            Estimate::of(text.times(pattern.size_or_unknown().scaled(PATTERN)).plus(around))
        }
        ("contains_string", Some(text), [part]) => {
            let (text, part) = (text.size_or_unknown().scaled(TRAVERSAL), part.size_or_unknown().scaled(TRAVERSAL));
            Estimate::of(text.times(part).plus(around))
        }
        // The first operand is evaluated in any case.
        ("logical_and" | "logical_or", _, [first, ..]) => Estimate::of(Range { min: first.cost.min, max: around.max }),
        ("conditional", _, [condition, one, other]) => {
            let entries = sizes.entries_of_either(one.id, other.id);
            sizes.set_entries(call.id, entries);
            let size = one.size_or_unknown().or(other.size_or_unknown());
            Estimate::sized(condition.cost.plus(one.cost.or(other.cost)), size)
        }
        ("add_string" | "add_bytes" | "add_list", _, [left, right]) => {
            let size = left.size_or_unknown().plus(right.size_or_unknown());
            let entries = sizes.entries_of_either(left.id, right.id);
            sizes.set_entries(call.id, entries);
            let cost = if call.overload == "add_list" { Range::exactly(1) } else { size.scaled(TRAVERSAL) };
            Estimate::sized(cost.plus(around), size)
        }
        (
            "less_string"
            | "greater_string"
            | "less_equals_string"
            | "greater_equals_string"
            | "less_bytes"
            | "greater_bytes"
            | "less_equals_bytes"
            | "greater_equals_bytes"
            | "equals"
            | "not_equals",
            _,
            [left, right],
        ) => {
            let max = left.size_or_unknown().max.min(right.size_or_unknown().max);
            Estimate::of(Range { min: max.min(1), max }.scaled(TRAVERSAL).plus(around))
        }
        _ => Estimate::of(Range::exactly(1).plus(around)),
    }
}
