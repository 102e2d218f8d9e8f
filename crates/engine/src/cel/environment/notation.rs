//! The notation of types in the tables of functions: `list(A)`, `map(string, dyn)`, `timestamp`, `kubernetes.Quantity`.

use crate::cel::types::Type;

/// Reads a type. None where the notation is broken: a mistake in a table, which a test of the tables finds.
pub(super) fn read(text: &'static str) -> Option<Type> {
    let (ty, rest) = read_type(text)?;
    rest.is_empty().then_some(ty)
}

/// The type at the beginning, and what follows it. Tables nest types a few levels deep.
fn read_type(text: &'static str) -> Option<(Type, &'static str)> {
    let end = text.find(['(', ')', ',']).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    match (name, rest.strip_prefix('(')) {
        ("map", Some(inner)) => {
            let (key, inner) = read_type(inner)?;
            let (value, inner) = read_type(inner.strip_prefix(',')?.trim_start())?;
            Some((Type::map(key, value), inner.strip_prefix(')')?))
        }
        (_, Some(inner)) => {
            let (inner, rest) = read_type(inner)?;
            let ty = match name {
                "list" => Type::list(inner),
                "optional_type" => Type::optional(inner),
                "type" => Type::of_type(inner),
                "wrapper" => Type::Wrapper(inner.into()),
                _ => return None,
            };
            Some((ty, rest.strip_prefix(')')?))
        }
        (_, None) => Some((simple(name)?, rest)),
    }
}

fn simple(name: &'static str) -> Option<Type> {
    Some(match name {
        "dyn" => Type::Dyn,
        "null_type" => Type::Null,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "duration" | "google.protobuf.Duration" => Type::Duration,
        "timestamp" | "google.protobuf.Timestamp" => Type::Timestamp,
        "google.protobuf.Any" => Type::Any,
        "" | "list" | "map" | "optional_type" | "type" | "wrapper" => return None,
        _ => match name.as_bytes() {
            [letter @ b'A'..=b'Z'] => Type::Parameter(u32::from(letter - b'A')),
            _ => Type::Opaque(name),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_types_print() {
        for text in
            ["dyn", "list(A)", "map(string, list(dyn))", "optional_type(B)", "type(A)", "wrapper(int)", "net.IP"]
        {
            assert_eq!(read(text).map(|ty| ty.to_string()).as_deref(), Some(text));
        }
        assert_eq!(read("timestamp"), Some(Type::Timestamp));
        assert_eq!(read("duration"), Some(Type::Duration));
        assert_eq!(read("list(V)"), Some(Type::list(Type::Parameter(21))));
    }

    #[test]
    fn rejects_broken_notation() {
        for text in ["", "list", "list(", "list()", "map(A)", "map(A, B", "set(A)", "int)", "list(int)x"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
