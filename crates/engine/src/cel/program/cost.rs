//! What a call costs (cel-go, interpreter/runtimecost.go; k8s.io/apiserver, pkg/cel/library/cost.go `CallCost`).
//!
//! An argument that failed counts as a value of size 1.

use crate::cel::context::Context;
use crate::cel::error::{ErrorKind, Outcome};
use crate::cel::value::{List, Map, Opaque, Value};

/// What evaluating a name, or a step into a value, costs.
pub(super) const SELECT: u64 = 1;
/// What making a list costs.
pub(super) const LIST: u64 = 10;
/// What making a map costs.
pub(super) const MAP: u64 = 30;
/// What making a struct costs.
pub(super) const STRUCT: u64 = 40;

/// How the cost of a call is found from its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charge {
    /// That much.
    Flat(u64),
    /// A tenth of the first argument.
    First,
    /// A fifth of the first argument.
    FirstTwice,
    /// A fifth of the result.
    ResultTwice,
    /// The size of the second argument.
    Second,
    /// A tenth of the smaller argument.
    Smaller,
    /// A tenth of both arguments together.
    Both,
    /// Text by pattern.
    Pattern,
    /// Text by text.
    Contains,
    /// Everything that the first argument holds.
    Traversal,
    /// A selector of fields or labels.
    Selector,
    /// Networks that hold addresses; whether the address is a text.
    ContainsIp(bool),
    /// Networks that hold networks; whether the second one is a text.
    ContainsCidr(bool),
    /// A named format.
    Validate,
    /// The product of both arguments, so often.
    Product(u64),
    /// A new list with the elements of the result.
    NewList,
    /// A new list, and the first argument so often as the second one says.
    Flatten,
    /// A new list, and each element of this argument compared with each.
    SelfCompare(usize),
}

/// The charge of a function. `id` is the overload that the checker decided for, or nothing where it left several.
pub(super) fn charge(function: &str, id: &str, arguments: usize) -> Charge {
    // By overload, before all others: trackers of cel-go's libraries (ext/sets.go, ext/lists.go).
    match id {
        "list_sets_contains_list" | "list_sets_intersects_list" => return Charge::Product(1),
        "list_sets_equivalent_list" => return Charge::Product(2),
        "list_slice" | "lists_range" | "list_reverse" => return Charge::NewList,
        "list_flatten" | "list_flatten_int" => return Charge::Flatten,
        "list_distinct" => return Charge::SelfCompare(0),
        _ if id.ends_with("_sort") => return Charge::SelfCompare(0),
        _ if id.ends_with("_sortByAssociatedKeys") => return Charge::SelfCompare(1),
        _ => {}
    }
    // By name: k8s.io/apiserver.
    match function {
        "check" => return Charge::Flat(350_000),
        "fieldSelector" | "labelSelector" if arguments >= 2 => return Charge::Selector,
        "isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf" => return Charge::Traversal,
        "url"
        | "lowerAscii"
        | "upperAscii"
        | "substring"
        | "trim"
        | "jsonpatch.escapeKey"
        | "cidr"
        | "isIP"
        | "isCIDR"
        | "quantity"
        | "isQuantity"
        | "semver"
        | "isSemver"
            if arguments >= 1 =>
        {
            return Charge::First;
        }
        "ip" if arguments >= 1 && id != "cidr_ip" => return Charge::First,
        "replace" | "split" | "ip.isCanonical" if arguments >= 1 => return Charge::FirstTwice,
        "join" if arguments >= 1 => return Charge::ResultTwice,
        "find" | "findAll" if arguments >= 2 => return Charge::Pattern,
        "containsIP" if arguments >= 2 => return Charge::ContainsIp(id == "cidr_contains_ip_string"),
        "containsCIDR" if arguments >= 2 => return Charge::ContainsCidr(id == "cidr_contains_cidr_string"),
        "validate" if arguments >= 2 => return Charge::Validate,
        _ => {}
    }
    // By overload: cel-go.
    match id {
        "starts_with_string" | "ends_with_string" | "string_to_bytes" | "bytes_to_string" | "strings_quote"
        | "string_format" => Charge::First,
        "in_list" => Charge::Second,
        "less_string"
        | "greater_string"
        | "less_equals_string"
        | "greater_equals_string"
        | "less_bytes"
        | "greater_bytes"
        | "less_equals_bytes"
        | "greater_equals_bytes" => Charge::Smaller,
        "add_string" | "add_bytes" => Charge::Both,
        "matches_string" => Charge::Pattern,
        "contains_string" => Charge::Contains,
        _ => Charge::Flat(1),
    }
}

/// The cost of a call with these arguments.
pub(super) fn cost<'a>(
    charge: Charge,
    arguments: &[Outcome<'a>],
    result: &Outcome<'a>,
    context: &Context<'_, 'a>,
) -> Outcome<'a, u64> {
    let size = |position: usize| arguments.get(position).map_or(1, size);
    Ok(match charge {
        Charge::Flat(cost) => cost,
        Charge::First => tenth(size(0)),
        Charge::FirstTwice => fifth(size(0)),
        Charge::ResultTwice => fifth(self::size(result)),
        Charge::Second => size(1),
        Charge::Smaller => tenth(size(0).min(size(1))),
        Charge::Both => tenth(size(0).saturating_add(size(1))),
        Charge::Pattern => pattern(size(0), size(1)),
        Charge::Contains => tenth(size(0)).saturating_mul(tenth(size(1))),
        Charge::Traversal => match arguments.first() {
            Some(Ok(value)) => traversal(*value, context)?,
            _ => 1,
        },
        Charge::Selector => {
            let length = size(1);
            10 + tenth(length) + length.div_ceil(2).saturating_mul(50)
        }
        Charge::ContainsIp(is_text) => tenth(size(0).saturating_mul(2)) + if is_text { tenth(size(1)) } else { 0 },
        Charge::ContainsCidr(is_text) => {
            let network = size(0);
            tenth(network.saturating_mul(2)) + tenth(network) + 1 + if is_text { tenth(size(1)) } else { 0 }
        }
        Charge::Validate => match arguments.first() {
            Some(Ok(Value::Opaque(Opaque::Format(name)))) => pattern(size(1), format_size(name)),
            _ => 1,
        },
        Charge::Product(factor) => size(0).saturating_mul(size(1)).saturating_mul(factor).saturating_add(1),
        Charge::NewList => LIST + 1 + self::size(result),
        Charge::Flatten => flatten(arguments, context)?,
        Charge::SelfCompare(position) => self_compare(arguments.get(position), context)?,
    })
}

/// As Go's conversions have it, a negative depth makes it cheaper.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as upstream")]
fn flatten<'a>(arguments: &[Outcome<'a>], context: &Context<'_, 'a>) -> Outcome<'a, u64> {
    let depth = match arguments.get(1) {
        None => 1.0,
        Some(Ok(Value::Int(depth))) => *depth as f64,
        Some(_) => return context.raise(ErrorKind::Internal("interface conversion: ref.Val is not types.Int")),
    };
    let elements = arguments.first().map_or(1, size) as f64 * depth;
    let cost = match elements {
        0.0..18_446_744_073_709_551_616.0 => elements as u64,
        // What the processors of API servers make of what does not fit.
        18_446_744_073_709_551_616.0.. => 1 << 63,
        _ => elements as i64 as u64,
    };
    Ok(cost.wrapping_add(LIST + 1))
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as upstream")]
fn self_compare<'a>(argument: Option<&Outcome<'a>>, context: &Context<'_, 'a>) -> Outcome<'a, u64> {
    let Some(Ok(Value::List(list))) = argument else {
        return context.raise(ErrorKind::Internal("interface conversion: the value is not traits.Lister"));
    };
    let factor = match list.get(0, context)? {
        Some(Value::String(_) | Value::Bytes(_)) => 2.1,
        _ => 2.0,
    };
    let size = list.len() as u64;
    Ok(((size.saturating_mul(size)) as f64 * factor) as u64 + LIST + 1)
}

/// The cost of `==` and `!=`.
pub(super) fn equality(left: &Outcome<'_>, right: &Outcome<'_>, is_equal: bool) -> u64 {
    match (left, right) {
        (Ok(Value::String(left)), Ok(Value::String(right))) if left.len().min(right.len()) <= 10 => {
            u64::from(!left.is_empty() && !right.is_empty())
        }
        (Ok(Value::Opaque(_)), _) if is_equal => 1,
        _ => tenth(size(left).min(size(right))),
    }
}

/// The size of an outcome: how long, how many; 1 for what has no size.
pub(super) fn size(outcome: &Outcome<'_>) -> u64 {
    let Ok(mut value) = *outcome else { return 1 };
    loop {
        return match value {
            Value::String(text) => characters(text),
            Value::Bytes(bytes) => bytes.len() as u64,
            Value::List(list) => list.len() as u64,
            Value::Map(map) => map.len() as u64,
            Value::Opaque(Opaque::Ip(ip)) => {
                if ip.is_ipv4() {
                    4
                } else {
                    16
                }
            }
            Value::Opaque(Opaque::Cidr(network)) => u64::from(network.bits).div_ceil(8),
            Value::Optional(Some(inner)) => {
                value = *inner;
                continue;
            }
            _ => 1,
        };
    }
}

/// Code points.
fn characters(text: &str) -> u64 {
    if text.len() < 2 { text.len() as u64 } else { text.chars().count() as u64 }
}

/// As upstream computes it: with doubles.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as upstream")]
fn tenth(size: u64) -> u64 {
    (size as f64 * 0.1).ceil() as u64
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as upstream")]
fn fifth(size: u64) -> u64 {
    (size as f64 * 2.0 * 0.1).ceil() as u64
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as upstream")]
fn pattern(text: u64, pattern: u64) -> u64 {
    let text = ((1.0 + text as f64) * 0.1).ceil() as u64;
    text.saturating_mul((pattern as f64 * 0.25).ceil() as u64)
}

/// The pattern sizes that upstream takes for its formats (k8s.io/apiserver, pkg/cel/library/format.go).
fn format_size(name: &str) -> u64 {
    const SIZES: [(&str, u64); 13] = [
        ("dns1123Label", 30),
        ("dns1123Subdomain", 60),
        ("dns1035Label", 30),
        ("qualifiedName", 60),
        ("dns1123LabelPrefix", 30),
        ("dns1123SubdomainPrefix", 60),
        ("dns1035LabelPrefix", 30),
        ("labelValue", 40),
        ("uri", 1103),
        ("uuid", 70),
        ("byte", 84),
        ("date", 71),
        ("datetime", 71),
    ];
    SIZES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or(30, |(_, size)| *size)
}

/// The cost of walking over all that a value holds: floors, where everything else is rounded up.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as upstream")]
fn traversal<'a>(value: Value<'a>, context: &Context<'_, 'a>) -> Outcome<'a, u64> {
    match value {
        Value::String(text) => Ok((text.len() as f64 * 0.1) as u64),
        Value::Bytes(bytes) => Ok((bytes.len() as f64 * 0.1) as u64),
        Value::List(list) => context.nested(|| traverse_list(list, context)),
        Value::Map(map) => context.nested(|| traverse_map(map, context)),
        _ => Ok(1),
    }
}

fn traverse_list<'a>(list: List<'a>, context: &Context<'_, 'a>) -> Outcome<'a, u64> {
    let mut cost = 0_u64;
    for element in list.iter() {
        context.step(1)?;
        cost = cost.saturating_add(traversal(element, context)?);
    }
    Ok(cost)
}

fn traverse_map<'a>(map: Map<'a>, context: &Context<'_, 'a>) -> Outcome<'a, u64> {
    let mut cost = 0_u64;
    for (key, value) in map.iter() {
        context.step(1)?;
        cost = cost.saturating_add(traversal(key, context)?).saturating_add(traversal(value, context)?);
    }
    Ok(cost)
}
