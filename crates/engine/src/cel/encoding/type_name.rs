//! Types of variables as text.

use crate::cel::types::Type;

/// How deep a type may be nested.
const DEPTH: usize = 32;

/// The type that is written so: `int`, `list(string)`, `map(string, dyn)`, `timestamp`, `optional(int)`, `wrapper(int)`. None
/// for what is no type, and for types that variables cannot be declared with.
pub fn parse_type(text: &str) -> Option<Type> {
    parse(text, 0)
}

fn parse(text: &str, depth: usize) -> Option<Type> {
    if depth > DEPTH {
        return None;
    }
    let text = text.trim();
    let Some((name, inner)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) else {
        return simple(text);
    };
    let arguments: Option<Vec<Type>> = split(inner).into_iter().map(|argument| parse(argument, depth + 1)).collect();
    match (name, arguments?.as_slice()) {
        ("list", [element]) => Some(Type::list(element.clone())),
        ("map", [key, value]) => Some(Type::map(key.clone(), value.clone())),
        ("optional" | "optional_type", [value]) => Some(Type::optional(value.clone())),
        ("wrapper", [wrapped @ (Type::Bool | Type::Int | Type::Uint | Type::Double | Type::String | Type::Bytes)]) => {
            Some(Type::Wrapper(wrapped.clone().into()))
        }
        _ => None,
    }
}

fn simple(name: &str) -> Option<Type> {
    Some(match name {
        "dyn" => Type::Dyn,
        "any" => Type::Any,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "null" | "null_type" => Type::Null,
        "timestamp" | "google.protobuf.Timestamp" => Type::Timestamp,
        "duration" | "google.protobuf.Duration" => Type::Duration,
        "type" => Type::of_type(Type::Dyn),
        _ => return None,
    })
}

/// At the commas outside of brackets.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(|char| {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        char == ',' && depth == 0
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::parse_type;

    #[test]
    fn reads_types_that_print_as_they_should() {
        for (text, printed) in [
            ("int", "int"),
            (" list( int )", "list(int)"),
            ("map(string,list(map(int, dyn)))", "map(string, list(map(int, dyn)))"),
            ("optional(timestamp)", "optional_type(google.protobuf.Timestamp)"),
            ("optional_type(wrapper(int))", "optional_type(wrapper(int))"),
            ("null", "null_type"),
            ("any", "google.protobuf.Any"),
            ("type", "type(dyn)"),
        ] {
            assert_eq!(parse_type(text).unwrap().to_string(), printed);
        }
    }

    #[test]
    fn refuses_what_is_no_type_of_a_variable() {
        for text in [
            "",
            "nope",
            "list",
            "list()",
            "list(int",
            "map(string,)",
            "map(string)",
            "wrapper(dyn)",
            "wrapper(list(int))",
            "kubernetes.Quantity",
            "list(int))",
        ] {
            assert_eq!(parse_type(text), None, "{text}");
        }
        assert_eq!(parse_type(&"list(".repeat(100_000)), None);
        assert_eq!(parse_type(&format!("{}int{}", "list(".repeat(100), ")".repeat(100))), None);
    }
}
