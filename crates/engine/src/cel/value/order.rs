//! Order, as `<` has it (cel-go, common/types `Compare`).

use std::cmp::Ordering;

use super::Value;
use crate::cel::context::Context;
use crate::cel::error::{ErrorKind, Outcome};

/// The order of two values of one type, or of two numbers.
///
/// # Errors
/// `no such overload` for types without an order or different ones; an error for NaN.
pub fn compare<'a>(left: Value<'a>, right: Value<'a>, context: &Context<'_, 'a>) -> Outcome<'a, Ordering> {
    Ok(match (left, right) {
        (Value::Int(left), Value::Int(right)) => left.cmp(&right),
        (Value::Uint(left), Value::Uint(right)) => left.cmp(&right),
        (Value::Double(left), Value::Double(right)) => doubles(left, right, context)?,
        (Value::Int(int), Value::Uint(uint)) => u64::try_from(int).map_or(Ordering::Less, |int| int.cmp(&uint)),
        (Value::Uint(uint), Value::Int(int)) => u64::try_from(int).map_or(Ordering::Greater, |int| uint.cmp(&int)),
        (Value::Int(int), Value::Double(double)) => with_int(double, int, context)?.reverse(),
        (Value::Double(double), Value::Int(int)) => with_int(double, int, context)?,
        (Value::Uint(uint), Value::Double(double)) => with_uint(double, uint, context)?.reverse(),
        (Value::Double(double), Value::Uint(uint)) => with_uint(double, uint, context)?,
        (Value::Bool(left), Value::Bool(right)) => left.cmp(&right),
        (Value::String(left), Value::String(right)) => {
            context.step(left.len().min(right.len()) / 64)?;
            left.cmp(right)
        }
        (Value::Bytes(left), Value::Bytes(right)) => {
            context.step(left.len().min(right.len()) / 64)?;
            left.cmp(right)
        }
        (Value::Duration(left), Value::Duration(right)) => left.cmp(&right),
        (Value::Timestamp(left), Value::Timestamp(right)) => {
            (left.seconds, left.nanoseconds).cmp(&(right.seconds, right.nanoseconds))
        }
        _ => return context.no_such_overload(),
    })
}

fn doubles<'a>(left: f64, right: f64, context: &Context<'_, 'a>) -> Outcome<'a, Ordering> {
    match left.partial_cmp(&right) {
        Some(order) => Ok(order),
        None => context.raise(ErrorKind::Text("NaN values cannot be ordered")),
    }
}

#[expect(clippy::cast_precision_loss, reason = "as upstream")]
fn with_int<'a>(double: f64, int: i64, context: &Context<'_, 'a>) -> Outcome<'a, Ordering> {
    doubles(double, int as f64, context)
}

#[expect(clippy::cast_precision_loss, reason = "as upstream")]
fn with_uint<'a>(double: f64, uint: u64, context: &Context<'_, 'a>) -> Outcome<'a, Ordering> {
    doubles(double, uint as f64, context)
}
