//! What is computed when a program is made.

use super::{Lowering, Lowers};
use crate::cel::constant::{Constant, ConstantMap};
use crate::cel::context::{Context, Meter, NoHost};
use crate::cel::function::Overload;
use crate::cel::program::cost::{self, Charge};
use crate::cel::program::tree::{Known, Node};
use crate::cel::syntax::ExprId;
use crate::cel::value::{Opaque, Semver, Value};
use crate::deadline::Deadline;
use crate::json::Arena;

/// Conversions, which upstream computes when the program is made (cel-go, overloads.IsTypeConversionFunction).
const CONVERSIONS: [&str; 10] =
    ["bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"];

/// Functions whose outcome is known from their arguments. Upstream computes them at each evaluation, and so they cost.
const KNOWN: [&str; 4] = ["quantity", "ip", "cidr", "semver"];

/// More than any constant of an expression needs.
const BYTES: usize = 4 << 20;

/// Whether upstream computes it when the program is made.
pub(super) fn is_conversion(function: &str) -> bool {
    CONVERSIONS.contains(&function)
}

/// Whether its outcome is worth keeping.
pub(super) fn is_known(function: &str) -> bool {
    KNOWN.contains(&function)
}

/// The outcome of a function for constants, as `keep` holds it; None where it cannot.
fn compute<T>(
    overload: &Overload,
    arguments: &[&Constant],
    keep: impl FnOnce(Value<'_>) -> Option<T>,
) -> Result<Option<T>, String> {
    let arena = Arena::with_limit(BYTES);
    let meter = Meter::new(u64::MAX, BYTES, Deadline::never());
    let context = Context::new(&arena, &meter, &NoHost);
    let arguments: Vec<Value<'_>> = arguments.iter().map(|argument| argument.value()).collect();
    match (overload.call)(&context, &arguments) {
        Ok(value) => Ok(keep(value)),
        Err(error) => Err(error.to_string()),
    }
}

/// The outcome of one of these functions for constants; None where it fails, or nothing can hold it.
pub(super) fn known(overload: &Overload, arguments: &[&Constant]) -> Option<Known> {
    compute(overload, arguments, |value| match value {
        Value::Opaque(Opaque::Quantity(quantity)) => {
            Some(Known::Quantity { amount: quantity.amount.get(), format: quantity.format, text: quantity.text.into() })
        }
        value => constant(value).map(Known::Constant),
    })
    .ok()
    .flatten()
}

/// What a function costs with arguments that are constant.
pub(super) fn charge_of_constants(charge: Charge, arguments: &[Node]) -> Charge {
    let arena = Arena::with_limit(BYTES);
    let meter = Meter::new(u64::MAX, BYTES, Deadline::never());
    let context = Context::new(&arena, &meter, &NoHost);
    let values: Option<Vec<_>> = arguments.iter().map(|node| node.constant().map(|c| Ok(c.value()))).collect();
    match values.map(|values| cost::cost(charge, &values, &Ok(Value::Null), &context)) {
        Some(Ok(cost)) => Charge::Flat(cost),
        _ => charge,
    }
}

/// A value as a constant; None for what no constant can hold.
fn constant(value: Value<'_>) -> Option<Constant> {
    Some(match value {
        Value::Null => Constant::Null,
        Value::Bool(value) => Constant::Bool(value),
        Value::Int(value) => Constant::Int(value),
        Value::Uint(value) => Constant::Uint(value),
        Value::Double(value) => Constant::Double(value),
        Value::String(value) => Constant::String(value.into()),
        Value::Bytes(value) => Constant::Bytes(value.into()),
        Value::Duration(value) => Constant::Duration(value),
        Value::Timestamp(value) => Constant::Timestamp(value),
        // Nested as deeply as the literal that it comes from.
        Value::List(list) => Constant::List(list.iter().map(constant).collect::<Option<Vec<_>>>()?.into()),
        Value::Map(map) => {
            let entries = map.iter().map(|(key, value)| Some((constant(key)?, constant(value)?)));
            Constant::Map(Box::new(ConstantMap::new(entries.collect::<Option<Vec<_>>>()?)))
        }
        Value::Type(named) => Constant::Type(Box::new(named.clone())),
        Value::Opaque(opaque) => opaque_constant(opaque)?,
        Value::Optional(_) | Value::Struct(_) => return None,
    })
}

/// Quantities are none: each evaluation has its own, because sums and comparisons may change them.
fn opaque_constant(opaque: Opaque<'_>) -> Option<Constant> {
    Some(match opaque {
        Opaque::Ip(ip) => Constant::Ip(Box::new(*ip)),
        Opaque::Cidr(network) => Constant::Cidr(Box::new(*network)),
        Opaque::Semver(Semver { major, minor, patch, pre: "", build: "" }) => {
            Constant::Semver(Box::new(Semver { major: *major, minor: *minor, patch: *patch, pre: "", build: "" }))
        }
        _ => return None,
    })
}

impl Lowering<'_> {
    /// A conversion of a constant: its value, or why the program cannot be made. Of several candidates it is the first one
    /// that takes the constant.
    pub(super) fn converted(
        &self,
        id: ExprId,
        overloads: &[&'static Overload],
        argument: &Constant,
    ) -> Lowers<Option<Constant>> {
        let converted = match overloads {
            [overload] => compute(overload, &[argument], constant),
            _ => match overloads.iter().find(|overload| takes(overload, argument)) {
                Some(overload) => compute(overload, &[argument], constant),
                None => {
                    let (function, of) =
                        (overloads.first().map_or("", |first| first.function), argument.value().type_name());
                    Err(format!("no such overload: {function}({of})"))
                }
            },
        };
        converted.map_err(|message| self.problem(id, message))
    }
}

/// Whether the parameter of a conversion is of the constant's type: conversions take no lists and maps but as dyn.
fn takes(overload: &Overload, argument: &Constant) -> bool {
    let name = argument.value().type_name();
    overload.parameters.iter().all(|parameter| match *parameter {
        "timestamp" => name == "google.protobuf.Timestamp",
        "duration" => name == "google.protobuf.Duration",
        parameter => parameter == name || parameter.len() == 1 || parameter == "dyn",
    })
}
