//! Estimates of Kubernetes' functions, and of those of cel-go that Kubernetes costs itself (k8s.io/apiserver
//! `pkg/cel/library/cost.go`, `EstimateCallCost`). It goes by the function's name alone, whosever the overload is.

use super::range::divide;
use super::{Call, Estimate, LIST, Operand, PATTERN, Range, STRUCT, TRAVERSAL};
use crate::cel::syntax::Literal;
use crate::cel::types::Type;

/// What asking the authorizer costs: two checks fit into an expression.
const AUTHORIZATION: u64 = 350_000;

/// The size of the longest pattern of a name's format, and of a format's name (`pkg/cel/limits.go`).
const NAME_PATTERN: f64 = 128.0;
const FORMAT: u64 = 64;

/// An IP address in bytes.
const ADDRESS: Range = Range { min: 4, max: 16 };

/// What the call costs without its arguments.
pub(super) fn estimate(call: &Call<'_>) -> Option<Estimate> {
    let args = call.args.as_slice();
    match (call.function, &call.target, args) {
        ("check", ..) => Some(fixed(AUTHORIZATION)),
        ("fieldSelector" | "labelSelector", _, [selector]) => Some(Estimate::of(selector_cost(size(selector)))),
        ("isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf", Some(target), _) => Some(walked(target)),
        ("url" | "jsonpatch.escapeKey", _, [text])
        | ("lowerAscii" | "upperAscii" | "substring" | "trim", Some(text), _) => {
            Some(Estimate::sized(size(text).scaled(TRAVERSAL), size(text)))
        }
        ("replace", Some(text), [old, new, ..]) => Some(replaced(size(text), size(old), size(new))),
        ("split", Some(text), args) => Some(split(size(text), args)),
        ("join", Some(list), args) => Some(joined(list, args)),
        ("find" | "findAll", Some(text), [pattern, ..]) => {
            let walk = size(text).plus(Range::exactly(1)).scaled(TRAVERSAL);
            let cost = walk.times(size(pattern).scaled(PATTERN));
            Some(Estimate::sized(cost, Range { min: 0, max: size(text).max }))
        }
        ("ip", ..) if call.overload == "cidr_ip" => Some(fixed(1)),
        ("cidr" | "isIP" | "isCIDR" | "ip" | "quantity" | "isQuantity" | "semver" | "isSemver", _, [text, ..]) => {
            Some(Estimate::of(size(text).scaled(TRAVERSAL)))
        }
        ("ip.isCanonical", _, [text, ..]) => Some(Estimate::of(size(text).scaled(2.0 * TRAVERSAL))),
        ("containsIP", _, [other, ..]) => {
            let compared = ADDRESS.plus(ADDRESS).scaled(TRAVERSAL);
            Some(Estimate::of(compared.plus(read(call, "cidr_contains_ip_string", other))))
        }
        ("containsCIDR", _, [other, ..]) => {
            let compared = ADDRESS.plus(ADDRESS).scaled(TRAVERSAL);
            let masked = ADDRESS.scaled(TRAVERSAL).plus(Range::exactly(1));
            Some(Estimate::of(compared.plus(masked).plus(read(call, "cidr_contains_cidr_string", other))))
        }
        ("validate", _, [text, ..]) => Some(Estimate::of(size(text).scaled(TRAVERSAL).scaled(NAME_PATTERN * PATTERN))),
        ("_==_", _, [left, right]) => equality(left, right),
        (name, ..) if is_cheap(name) => Some(fixed(1)),
        _ => None,
    }
}

/// Builders and accessors.
fn is_cheap(function: &str) -> bool {
    matches!(
        function,
        "serviceAccount"
            | "path"
            | "group"
            | "resource"
            | "subresource"
            | "namespace"
            | "name"
            | "allowed"
            | "reason"
            | "error"
            | "errored"
            | "masked"
            | "prefixLength"
            | "family"
            | "isUnspecified"
            | "isLoopback"
            | "isLinkLocalMulticast"
            | "isLinkLocalUnicast"
            | "isGlobalUnicast"
            | "format.named"
            | "sign"
            | "asInteger"
            | "isInteger"
            | "asApproximateFloat"
            | "isGreaterThan"
            | "isLessThan"
            | "compareTo"
            | "add"
            | "sub"
            | "major"
            | "minor"
            | "patch"
            | "getScheme"
            | "getHostname"
            | "getHost"
            | "getPort"
            | "getEscapedPath"
            | "getQuery"
    )
}

const fn fixed(cost: u64) -> Estimate {
    Estimate::of(Range::exactly(cost))
}

fn size(operand: &Operand<'_>) -> Range {
    operand.size_or_unknown()
}

/// What a list's elements are, as upstream sees it: the first parameter of a type, whatever the type.
fn element<'t>(list: &Operand<'t>) -> Option<&'t Type> {
    match list.ty {
        Type::List(inner) | Type::Optional(inner) | Type::Type(inner) | Type::Map(inner, _) => Some(inner),
        _ => None,
    }
}

fn is_text(ty: &Type) -> bool {
    match ty {
        Type::String | Type::Bytes => true,
        Type::Wrapper(inner) => is_text(inner),
        _ => false,
    }
}

/// Walking once over a list with all its texts, or over a text.
fn walked(target: &Operand<'_>) -> Estimate {
    Estimate::of(match element(target) {
        None => size(target).scaled(TRAVERSAL),
        // Nothing is known about the elements' sizes.
        Some(ty) if is_text(ty) => size(target).times(Range::exactly(1).plus(Range::UNKNOWN.scaled(TRAVERSAL))),
        Some(_) => size(target),
    })
}

/// A selector is read into requirements, of which two characters are the shortest.
fn selector_cost(size: Range) -> Range {
    #[expect(clippy::cast_precision_loss, reason = "50")]
    let requirement = (LIST + STRUCT) as f64;
    Range::exactly(LIST).plus(size.scaled(TRAVERSAL)).plus(size.scaled(0.5).scaled(requirement))
}

fn replaced(text: Range, old: Range, new: Range) -> Estimate {
    // The longest result: the shortest parts become the longest.
    let (most, kept_at_most) = if old.min == 0 {
        (text.max.saturating_add(1), text.max)
    } else if new.max <= old.min {
        (0, text.max)
    } else {
        (divide(text.max, old.min), 0)
    };
    // The shortest result: the longest parts become the shortest.
    let (least, kept_at_least) = if old.max == 0 {
        (text.min.saturating_add(1), text.min)
    } else if old.max <= new.min {
        (0, text.min)
    } else {
        (divide(text.min, old.max), 0)
    };
    let count = Range { min: least, max: most };
    let kept = Range { min: kept_at_least, max: kept_at_most };
    Estimate::sized(text.scaled(2.0 * TRAVERSAL), count.times(new).plus(kept))
}

fn split(text: Range, args: &[Operand<'_>]) -> Estimate {
    let max = match args {
        [_, Operand { literal: Some(Literal::Int(limit)), .. }, ..] => limit.cast_unsigned(),
        _ => text.max,
    };
    Estimate::sized(text.scaled(2.0 * TRAVERSAL), Range { min: 0, max })
}

fn joined(list: &Operand<'_>, args: &[Operand<'_>]) -> Estimate {
    let count = size(list);
    let texts = element(list).map_or(Range::default(), |_| count.times(Range::UNKNOWN));
    let separators = Range { min: count.min.saturating_sub(1), max: count.max.saturating_sub(1) };
    let between = args.first().map_or(Range::default(), |separator| size(separator).times(separators));
    let size = texts.plus(between);
    Estimate::sized(size.scaled(TRAVERSAL), size)
}

/// Reading the text that another overload takes as an address.
fn read(call: &Call<'_>, overload: &str, text: &Operand<'_>) -> Range {
    if call.overload == overload { size(text).scaled(TRAVERSAL) } else { Range::default() }
}

fn equality(left: &Operand<'_>, right: &Operand<'_>) -> Option<Estimate> {
    let (Type::Opaque(name), Type::Opaque(other)) = (left.ty, right.ty) else { return None };
    if name != other {
        return None;
    }
    let most = match *name {
        "net.IP" | "net.CIDR" | "kubernetes.Quantity" | "kubernetes.Semver" => return Some(fixed(1)),
        name if name.starts_with("kubernetes.authorization.") => return Some(fixed(1)),
        "kubernetes.NamedFormat" => FORMAT,
        // Upstream looks twice at the right side.
        "kubernetes.URL" => right.size.map_or(1, |size| size.max),
        _ => return None,
    };
    Some(Estimate::of(Range { min: 1, max: most }.scaled(TRAVERSAL)))
}
