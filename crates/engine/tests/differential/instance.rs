//! Whether a value is what the checker said that it would be.

use admittance_engine::cel::check::Checked;
use admittance_engine::cel::types::Type;
use admittance_engine::cel::value::Value;

/// How many elements of a list or a map are looked at, and how deep.
const FEW: usize = 50;
const DEEPEST: usize = 20;

/// Whether nothing in the expression is of a type that is known at run time only. Where something is, types that come of it
/// hold by good will alone, as upstream: `[1] + object.names` is a list of int.
pub(crate) fn is_static(checked: &Checked) -> bool {
    ids(checked).all(|ty| !is_loose(ty, 0))
}

fn ids(checked: &Checked) -> impl Iterator<Item = &Type> {
    let mut found = vec![checked.result_type()];
    checked.ast().iter().for_each(|expr| expr.kind.for_each_part(|part| found.push(checked.type_of(part))));
    found.into_iter()
}

fn is_loose(ty: &Type, depth: usize) -> bool {
    let inner = |inner: &Type| depth >= DEEPEST || is_loose(inner, depth + 1);
    match ty {
        Type::Dyn | Type::Any | Type::Parameter(_) | Type::Error => true,
        Type::List(element) => inner(element),
        Type::Map(key, value) => inner(key) || inner(value),
        Type::Optional(value) => inner(value),
        _ => false,
    }
}

/// Whether it is.
pub(crate) fn is_instance(value: Value<'_>, ty: &Type) -> bool {
    is(value, ty, 0)
}

fn is(value: Value<'_>, ty: &Type, depth: usize) -> bool {
    if depth > DEEPEST {
        return true;
    }
    let inner = |value, ty| is(value, ty, depth + 1);
    match (ty, value) {
        // Null goes with some types.
        (Type::Dyn | Type::Any | Type::Parameter(_) | Type::Error, _)
        | (
            Type::Wrapper(_) | Type::Duration | Type::Timestamp | Type::Struct(_) | Type::Opaque(_) | Type::Optional(_),
            Value::Null,
        )
        | (Type::Optional(_), Value::Optional(None))
        | (Type::Type(_), Value::Type(_)) => true,
        (Type::Wrapper(wrapped), value) => inner(value, wrapped),
        (Type::List(element), Value::List(list)) => list.iter().take(FEW).all(|value| inner(value, element)),
        (Type::Map(key, value), Value::Map(map)) => {
            map.iter().take(FEW).all(|(one, other)| inner(one, key) && inner(other, value))
        }
        (Type::Optional(of), Value::Optional(Some(value))) => inner(*value, of),
        // The API server's own structs are maps at run time.
        (Type::Struct(name), Value::Map(_)) => name.starts_with("kubernetes."),
        (Type::Struct(name), Value::Struct(made)) => made.name == &**name,
        (ty, value) => ty.to_string() == value.type_name(),
    }
}
