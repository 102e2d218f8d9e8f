//! Formats of texts (k8s.io/apiserver/pkg/cel/library/format.go).

use super::formats::{named, of_name};
use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::function::{Call, Library, Overload, Version, global, member};
use crate::cel::value::{List, Opaque, Value};

/// `format.named`, `format.dns1123Label()` and the like, `validate`
pub(super) const LIBRARY: Library = Library { name: "format", since: Version(31), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    member(
        "format-validate",
        "validate",
        &["kubernetes.NamedFormat", "string"],
        "optional_type(list(string))",
        validate,
    ),
    global("format-named", "format.named", &["string"], "optional_type(kubernetes.NamedFormat)", by_name),
    constant("format.dns1123Label", |context, _| format(context, "dns1123Label")),
    constant("format.dns1123Subdomain", |context, _| format(context, "dns1123Subdomain")),
    constant("format.dns1035Label", |context, _| format(context, "dns1035Label")),
    constant("format.qualifiedName", |context, _| format(context, "qualifiedName")),
    constant("format.dns1123LabelPrefix", |context, _| format(context, "dns1123LabelPrefix")),
    constant("format.dns1123SubdomainPrefix", |context, _| format(context, "dns1123SubdomainPrefix")),
    constant("format.dns1035LabelPrefix", |context, _| format(context, "dns1035LabelPrefix")),
    constant("format.labelValue", |context, _| format(context, "labelValue")),
    constant("format.uri", |context, _| format(context, "uri")),
    constant("format.uuid", |context, _| format(context, "uuid")),
    constant("format.byte", |context, _| format(context, "byte")),
    constant("format.date", |context, _| format(context, "date")),
    constant("format.datetime", |context, _| format(context, "datetime")),
];

const fn constant(name: &'static str, call: Call) -> Overload {
    global(name, name, &[], "kubernetes.NamedFormat", call)
}

fn format<'a>(context: &Context<'_, 'a>, key: &str) -> Outcome<'a> {
    match named(key) {
        Some(format) => Ok(Value::Opaque(Opaque::Format(&format.name))),
        None => context.no_such_overload(),
    }
}

fn by_name<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(key)] = arguments else { return context.no_such_overload() };
    match named(key) {
        Some(format) => context.some(Value::Opaque(Opaque::Format(&format.name))),
        None => Ok(Value::Optional(None)),
    }
}

/// None where the text has the format, else all that is wrong with it.
fn validate<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::Opaque(Opaque::Format(name)), Value::String(text)] = arguments else {
        return context.no_such_overload();
    };
    context.step(text.len() / 8)?;
    let Some(format) = of_name(name) else { return context.no_such_overload() };
    let mut problems = vec![];
    for problem in (format.problems)(text) {
        problems.push(Value::String(context.text(&problem)?));
    }
    if problems.is_empty() {
        return Ok(Value::Optional(None));
    }
    context.some(Value::List(List::of(&problems, context)?))
}
