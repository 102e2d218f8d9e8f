//! When `test` finds what it looks for: the library's `lazyNode.equal`.

use super::{Stop, crash, is_placed_null};
use crate::json::node::{Node, View};

/// Whether a value of the object is the one of the operation. Scalars are compared as they are written, so that a whole
/// number equals a double of the same digits; null, where an operation brought it, equals what is empty.
pub(super) fn equal(found: Node<'_>, expected: Node<'_>) -> Result<bool, Stop> {
    let (is_null, expects_null) = (is_placed_null(found), is_placed_null(expected));
    match (found.view(), expected.view()) {
        (View::Null, View::Null) if is_null && expects_null => Ok(true),
        (View::Null, View::Map(map)) if is_null => Ok(map.is_empty()),
        (View::Map(map), View::Null) if expects_null => Ok(map.is_empty()),
        (View::List(items), View::Null) if expects_null => Ok(items.is_empty()),
        (View::Map(left), View::Map(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (key, left) in left.entries() {
                let Some(right) = right.get(key) else { return Ok(false) };
                match (left.is_null(), right.is_null()) {
                    (true, true) => {}
                    (false, false) if equal(*left, right)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        (View::List(left), View::List(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(right) {
                if left.is_null() || right.is_null() {
                    return crash("test of a list that holds null");
                }
                if !equal(*left, *right)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (View::Bool(left), View::Bool(right)) => Ok(left == right),
        (View::String(left), View::String(right)) => Ok(left == right),
        (left, right) => Ok(digits(left).is_some_and(|left| digits(right) == Some(left))),
    }
}

/// A number as Go writes it; doubles of the size of whole numbers without an exponent.
#[expect(clippy::cast_precision_loss, reason = "the API server reads whole numbers from 2^63 as doubles")]
fn digits(number: View<'_>) -> Option<String> {
    match number {
        View::Int(number) => Some(number.to_string()),
        View::UInt(number) => Some((number as f64).to_string()),
        View::Float(number) => Some(number.to_string()),
        _ => None,
    }
}
