//! Equality, as `==` and `in` have it (cel-go, common/types; k8s.io/apiserver/pkg/cel).

use super::{List, Map, Opaque, Struct, Value};
use crate::cel::context::Context;
use crate::cel::error::Outcome;

/// The outcome of a comparison: some types of Kubernetes refuse to be compared with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equality {
    /// `true`
    Equal,
    /// `false`
    Different,
    /// `no such overload`: an error for `==`; for `!=`, `in` and inside of lists and maps upstream asks only whether the
    /// outcome is true, or is false.
    NoSuchOverload,
}

impl From<bool> for Equality {
    fn from(equal: bool) -> Self {
        if equal { Self::Equal } else { Self::Different }
    }
}

/// Whether two values are equal. Numbers are compared across types.
///
/// # Errors
/// Limits alone: depth, time.
#[expect(clippy::float_cmp, reason = "as the specification")]
pub fn equal<'a>(left: Value<'a>, right: Value<'a>, context: &Context<'_, 'a>) -> Outcome<'a, Equality> {
    Ok(match (left, right) {
        (Value::String(left), Value::String(right)) => {
            context.step(left.len() / 64)?;
            (left == right).into()
        }
        (Value::Bool(left), Value::Bool(right)) => (left == right).into(),
        (Value::Int(left), Value::Int(right)) => (left == right).into(),
        (Value::Uint(left), Value::Uint(right)) => (left == right).into(),
        (Value::Double(left), Value::Double(right)) => (left == right).into(),
        (Value::Int(int), Value::Uint(uint)) | (Value::Uint(uint), Value::Int(int)) => {
            u64::try_from(int).is_ok_and(|int| int == uint).into()
        }
        (Value::Int(int), Value::Double(double)) | (Value::Double(double), Value::Int(int)) => {
            same_as_int(double, int).into()
        }
        (Value::Uint(uint), Value::Double(double)) | (Value::Double(double), Value::Uint(uint)) => {
            same_as_uint(double, uint).into()
        }
        (Value::Null, other) | (other, Value::Null) => matches!(other, Value::Null).into(),
        (Value::Bytes(left), Value::Bytes(right)) => {
            context.step(left.len() / 64)?;
            (left == right).into()
        }
        (Value::Duration(left), Value::Duration(right)) => (left == right).into(),
        (Value::Timestamp(left), Value::Timestamp(right)) => {
            ((left.seconds, left.nanoseconds) == (right.seconds, right.nanoseconds)).into()
        }
        (Value::List(left), Value::List(right)) => context.nested(|| lists(left, right, context))?,
        (Value::Map(left), Value::Map(right)) => context.nested(|| maps(left, right, context))?,
        (Value::Type(_), Value::Type(_)) => (left.named_type() == right.named_type()).into(),
        (Value::Optional(left), Value::Optional(right)) => match (left, right) {
            // Here upstream asks the value itself, which `==` does not where one side is null.
            (Some(Value::Opaque(_)), Some(Value::Null)) => Equality::NoSuchOverload,
            (Some(left), Some(right)) => context.nested(|| equal(*left, *right, context))?,
            (left, right) => (left.is_none() && right.is_none()).into(),
        },
        (Value::Struct(left), Value::Struct(right)) => context.nested(|| structs(left, right, context))?,
        (Value::Opaque(left), other) => opaque(left, other),
        _ => Equality::Different,
    })
}

/// Whether a list holds the value: what cannot be compared is not equal.
pub fn contains<'a>(list: List<'a>, value: Value<'a>, context: &Context<'_, 'a>) -> Outcome<'a, bool> {
    for element in list.iter() {
        context.step(1)?;
        if equal(value, element, context)? == Equality::Equal {
            return Ok(true);
        }
    }
    Ok(false)
}

/// As upstream: with the double nearest to the int.
#[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "as upstream")]
fn same_as_int(double: f64, int: i64) -> bool {
    double == int as f64
}

#[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "as upstream")]
fn same_as_uint(double: f64, uint: u64) -> bool {
    double == uint as f64
}

fn lists<'a>(left: List<'a>, right: List<'a>, context: &Context<'_, 'a>) -> Outcome<'a, Equality> {
    if left.len() != right.len() {
        return Ok(Equality::Different);
    }
    // Only the sum of two lists remembers that elements could not be compared; another list takes them for equal.
    let remembers = matches!(left, List::Sum(_));
    let mut outcome = Equality::Equal;
    for (left, right) in left.iter().zip(right.iter()) {
        context.step(1)?;
        match equal(left, right, context)? {
            Equality::Different => return Ok(Equality::Different),
            Equality::NoSuchOverload if remembers => outcome = Equality::NoSuchOverload,
            _ => {}
        }
    }
    Ok(outcome)
}

fn maps<'a>(left: Map<'a>, right: Map<'a>, context: &Context<'_, 'a>) -> Outcome<'a, Equality> {
    if left.len() != right.len() {
        return Ok(Equality::Different);
    }
    for (key, value) in left.iter() {
        context.step(2)?;
        let Some(other) = right.get(key) else { return Ok(Equality::Different) };
        if equal(value, other, context)? == Equality::Different {
            return Ok(Equality::Different);
        }
    }
    Ok(Equality::Equal)
}

fn structs<'a>(left: &Struct<'a>, right: &Struct<'a>, context: &Context<'_, 'a>) -> Outcome<'a, Equality> {
    if left.name != right.name || left.fields.len() != right.fields.len() {
        return Ok(Equality::Different);
    }
    for (name, value) in left.fields {
        context.step(2)?;
        let Some((_, other)) = right.fields.iter().find(|field| field.0 == *name) else {
            return Ok(Equality::Different);
        };
        if equal(*value, *other, context)? != Equality::Equal {
            return Ok(Equality::Different);
        }
    }
    Ok(Equality::Equal)
}

fn opaque(left: Opaque<'_>, right: Value<'_>) -> Equality {
    let Value::Opaque(right) = right else { return Equality::NoSuchOverload };
    match (left, right) {
        // A sum is a pointer upstream, and a quantity is equal to no pointer.
        (Opaque::Quantity(_), Opaque::Quantity(right)) if right.is_pointer => Equality::NoSuchOverload,
        (Opaque::Quantity(left), Opaque::Quantity(right)) => left.order(right).is_eq().into(),
        (Opaque::Ip(left), Opaque::Ip(right)) => (left == right).into(),
        (Opaque::Cidr(left), Opaque::Cidr(right)) => (left == right).into(),
        (Opaque::Url(left), Opaque::Url(right)) => (left.text == right.text).into(),
        (Opaque::Semver(left), Opaque::Semver(right)) => ((left.major, left.minor, left.patch, left.pre)
            == (right.major, right.minor, right.patch, right.pre))
            .into(),
        (Opaque::Format(left), Opaque::Format(right)) => (left == right).into(),
        _ => Equality::NoSuchOverload,
    }
}
