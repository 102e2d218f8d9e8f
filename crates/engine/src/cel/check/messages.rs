//! What is said about problems: cel-go's facts (`checker/errors.go`), and what to do.

use super::super::environment::Environment;
use crate::cel::types::Type;
use crate::near_name;

pub(super) fn undeclared_name(name: &str, environment: &Environment, locals: &[&str]) -> String {
    let functions = environment.function_names();
    if functions.into_iter().any(|function| function == name) {
        return format!("undeclared reference to '{name}': it is a function, call it as `{name}(…)`");
    }
    let known = environment.variable_names().chain(locals.iter().copied());
    let near = near_name::nearest(name, known.filter(|known| known.starts_with(|first: char| first.is_alphabetic())));
    format!("undeclared reference to '{name}'{}", meant(near))
}

pub(super) fn undeclared_function(name: &str, qualified: Option<&str>, environment: &Environment) -> String {
    let full = qualified.unwrap_or(name);
    for name in [full, name] {
        if let Some(version) = environment.later_version(name) {
            return format!("undeclared reference to '{name}': `{name}` needs Kubernetes {version}");
        }
    }
    let near = near_name::nearest(full, environment.function_names())
        .or_else(|| near_name::nearest(name, environment.function_names()));
    format!("undeclared reference to '{name}'{}", meant(near))
}

pub(super) fn undeclared_type(name: &str) -> String {
    match name {
        "Object" | "JSONPatch" => format!("undeclared reference to '{name}': it can be made in mutations alone"),
        _ if name.starts_with("Object.") => undeclared_type("Object").replacen("Object", name, 1),
        _ => format!("undeclared reference to '{name}'"),
    }
}

pub(super) fn undefined_field(field: &str, ty: &str, names: &[&str]) -> String {
    format!("undefined field '{field}' of '{ty}'{}", near_name::hint(field, names.iter().copied()))
}

pub(super) fn no_field_selection(ty: &Type) -> String {
    format!("type '{ty}' does not support field selection")
}

pub(super) fn mismatch(expected: &Type, found: &Type) -> String {
    format!("expected type '{expected}' but found '{found}'")
}

pub(super) fn field_mismatch(field: &str, expected: &Type, found: &Type) -> String {
    format!("expected type of field '{field}' is '{expected}' but provided type is '{found}'")
}

pub(super) fn no_overload(function: &str, target: Option<&Type>, args: &[Type], more: &str) -> String {
    let args: Vec<String> = args.iter().map(Type::to_string).collect();
    let target = target.map(|target| format!("{target}.")).unwrap_or_default();
    format!("found no matching overload for '{function}' applied to '{target}({})'{more}", args.join(", "))
}

pub(super) fn not_a_range(ty: &Type) -> String {
    format!("expression of type '{ty}' cannot be range of a comprehension (must be list, map, or dynamic)")
}

pub(super) fn no_type_value(name: &str) -> String {
    let instead = match name {
        "timestamp" => ", write `google.protobuf.Timestamp`",
        "duration" => ", write `google.protobuf.Duration`",
        _ => "",
    };
    format!("reference to undefined type '{name}': a type cannot be kept in a variable, only be named{instead}")
}

fn meant(near: Option<&str>) -> String {
    near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default()
}
