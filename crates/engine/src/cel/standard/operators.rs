//! The operators of logic, equality and access (cel-go, common/stdlib/standard.go). The evaluator calls what is lazy itself;
//! the bodies here take arguments that have been evaluated.

use std::sync::LazyLock;

use crate::cel::context::Context;
use crate::cel::error::{ErrorKind, Outcome};
use crate::cel::function::{Library, Overload, Version, global, member};
use crate::cel::types::Type;
use crate::cel::value::{self, Equality, List, Map, Opaque, Value, whole_int};

/// Logic, equality, indices, `in`, `size`, `type`, `dyn`.
pub(super) const LIBRARY: Library = Library { name: "operators", since: Version(0), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    global("conditional", "_?_:_", &["bool", "A", "A"], "A", conditional),
    global("logical_and", "_&&_", &["bool", "bool"], "bool", and),
    global("logical_or", "_||_", &["bool", "bool"], "bool", or),
    global("logical_not", "!_", &["bool"], "bool", not),
    global("not_strictly_false", "@not_strictly_false", &["bool"], "bool", not_strictly_false),
    global("equals", "_==_", &["A", "A"], "bool", equals),
    global("not_equals", "_!=_", &["A", "A"], "bool", not_equals),
    global("index_list", "_[_]", &["list(A)", "int"], "A", index),
    global("index_map", "_[_]", &["map(A, B)", "A"], "B", index),
    global("in_list", "@in", &["A", "list(A)"], "bool", is_in),
    global("in_map", "@in", &["A", "map(A, B)"], "bool", is_in),
    global("size_bytes", "size", &["bytes"], "int", size),
    member("bytes_size", "size", &["bytes"], "int", size),
    global("size_list", "size", &["list(A)"], "int", size),
    member("list_size", "size", &["list(A)"], "int", size),
    global("size_map", "size", &["map(A, B)"], "int", size),
    member("map_size", "size", &["map(A, B)"], "int", size),
    global("size_string", "size", &["string"], "int", size),
    member("string_size", "size", &["string"], "int", size),
    global("type", "type", &["A"], "type(A)", type_of),
    global("to_dyn", "dyn", &["A"], "dyn", identity),
];

fn conditional<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match *arguments {
        [Value::Bool(true), value, _] | [Value::Bool(false), _, value] => Ok(value),
        _ => context.no_such_overload(),
    }
}

fn and<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match *arguments {
        [Value::Bool(false), _] | [_, Value::Bool(false)] => Ok(Value::Bool(false)),
        [Value::Bool(true), Value::Bool(true)] => Ok(Value::Bool(true)),
        _ => context.no_such_overload(),
    }
}

fn or<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match *arguments {
        [Value::Bool(true), _] | [_, Value::Bool(true)] => Ok(Value::Bool(true)),
        [Value::Bool(false), Value::Bool(false)] => Ok(Value::Bool(false)),
        _ => context.no_such_overload(),
    }
}

fn not<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Bool(value)] = arguments else { return context.no_such_overload() };
    Ok(Value::Bool(!value))
}

/// The condition of the loops behind `all` and `exists`: errors and what is no bool go on.
#[expect(clippy::unnecessary_wraps, reason = "the form of all functions")]
fn not_strictly_false<'a>(_: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Bool(!matches!(arguments, [Value::Bool(false)])))
}

fn equals<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[left, right] = arguments else { return context.no_such_overload() };
    match value::equal(left, right, context)? {
        Equality::Equal => Ok(Value::Bool(true)),
        Equality::Different => Ok(Value::Bool(false)),
        Equality::NoSuchOverload => context.no_such_overload(),
    }
}

/// What cannot be compared is different.
fn not_equals<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[left, right] = arguments else { return context.no_such_overload() };
    Ok(Value::Bool(value::equal(left, right, context)? != Equality::Equal))
}

/// `container[key]`
fn index<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match *arguments {
        [Value::List(list), key] => {
            let index = list_index(key, context)?;
            match element(list, index, context)? {
                Some(value) => Ok(value),
                None => context.raise(ErrorKind::IndexOutOfBounds(index)),
            }
        }
        [Value::Map(map), key] => match map.get(key) {
            Some(value) => Ok(value),
            None => context.raise(ErrorKind::NoSuchKey(key)),
        },
        _ => context.no_such_overload(),
    }
}

/// The element at an index, which may be negative or too large.
pub(super) fn element<'a>(list: List<'a>, index: i64, context: &Context<'_, 'a>) -> Outcome<'a, Option<Value<'a>>> {
    match usize::try_from(index) {
        Ok(index) => list.get(index, context),
        Err(_) => Ok(None),
    }
}

/// The index that a value is: a number without a fraction (common/types/list.go `IndexOrError`).
pub(super) fn list_index<'a>(key: Value<'a>, context: &Context<'_, 'a>) -> Outcome<'a, i64> {
    let index = match key {
        Value::Int(index) => Some(index),
        Value::Uint(index) => i64::try_from(index).ok(),
        Value::Double(index) => whole_int(index),
        other => return context.raise_text(format_args!("unsupported index type '{}' in list", other.type_name())),
    };
    match index {
        Some(index) => Ok(index),
        None => context.raise(ErrorKind::Text("unsupported index value in list")),
    }
}

/// `value in container`
fn is_in<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    match *arguments {
        [value, Value::List(list)] => Ok(Value::Bool(value::contains(list, value, context)?)),
        // Go cannot hash them; a map of an object is asked for strings alone.
        [Value::Bytes(_), Value::Map(Map::Values(_) | Map::Constants(_))] => {
            context.raise(ErrorKind::Text("internal error: runtime error: hash of unhashable type types.Bytes"))
        }
        [key, Value::Map(map)] => Ok(Value::Bool(map.get(key).is_some())),
        _ => context.no_such_overload(),
    }
}

/// Characters of a text, bytes, elements or keys.
fn size<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let size = match *arguments {
        [Value::String(text)] => {
            context.step(text.len() / 64)?;
            text.chars().count()
        }
        [Value::Bytes(bytes)] => bytes.len(),
        [Value::List(list)] => list.len(),
        [Value::Map(map)] => map.len(),
        _ => return context.no_such_overload(),
    };
    Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

/// `type(value)`
fn type_of<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    static LIST: LazyLock<Type> = LazyLock::new(|| Type::list(Type::Dyn));
    static MAP: LazyLock<Type> = LazyLock::new(|| Type::map(Type::Dyn, Type::Dyn));
    static OPTIONAL: LazyLock<Type> = LazyLock::new(|| Type::optional(Type::Dyn));
    static TYPE: LazyLock<Type> = LazyLock::new(|| Type::of_type(Type::Dyn));
    let &[value] = arguments else { return context.no_such_overload() };
    Ok(Value::Type(match value {
        Value::Null => &Type::Null,
        Value::Bool(_) => &Type::Bool,
        Value::Int(_) => &Type::Int,
        Value::Uint(_) => &Type::Uint,
        Value::Double(_) => &Type::Double,
        Value::String(_) => &Type::String,
        Value::Bytes(_) => &Type::Bytes,
        Value::Duration(_) => &Type::Duration,
        Value::Timestamp(_) => &Type::Timestamp,
        Value::List(List::Nodes(_) | List::Values(_) | List::Constants(_) | List::Sum(_)) => &LIST,
        Value::Map(Map::Node(_) | Map::Values(_) | Map::Constants(_)) => &MAP,
        Value::Type(_) => &TYPE,
        Value::Optional(_) => &OPTIONAL,
        Value::Struct(value) => match value.name {
            "Object" => &Type::Opaque("Object"),
            "JSONPatch" => &Type::Opaque("JSONPatch"),
            // A type with a name of the program's own cannot live where values live.
            _ => return context.no_such_overload(),
        },
        Value::Opaque(value) => opaque_type(value),
    }))
}

fn opaque_type(value: Opaque<'_>) -> &'static Type {
    const TYPES: &[Type] = &[
        Type::Opaque("kubernetes.Quantity"),
        Type::Opaque("net.IP"),
        Type::Opaque("net.CIDR"),
        Type::Opaque("kubernetes.URL"),
        Type::Opaque("kubernetes.Semver"),
        Type::Opaque("kubernetes.NamedFormat"),
        Type::Opaque("kubernetes.authorization.Authorizer"),
        Type::Opaque("kubernetes.authorization.PathCheck"),
        Type::Opaque("kubernetes.authorization.GroupCheck"),
        Type::Opaque("kubernetes.authorization.ResourceCheck"),
        Type::Opaque("kubernetes.authorization.Decision"),
    ];
    let name = value.type_name();
    TYPES.iter().find(|known| matches!(known, Type::Opaque(known) if *known == name)).unwrap_or(&Type::Dyn)
}

/// `dyn`
fn identity<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[value] = arguments else { return context.no_such_overload() };
    Ok(value)
}
