//! What a JSON Schema says, asked without a value at hand: the kinds it accepts, the names it knows, and how to put it
//! into words.

use std::collections::BTreeSet;

use serde_json::Value;

use super::tree::Kind;
use crate::near_name;

/// References that are followed without a step into the value: `$ref` to `$ref` in a circle ends here.
const HOPS: usize = 16;

/// The schema that `$ref` points to, if there is one.
pub(super) fn resolve<'a>(root: &'a Value, schema: &Value) -> Option<&'a Value> {
    root.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
}

/// Whether the schema takes values of this kind at all; ranges and names apart.
pub(super) fn accepts_kind(root: &Value, schema: &Value, kind: &Kind) -> bool {
    accepts(root, schema, kind, HOPS)
}

fn accepts(root: &Value, schema: &Value, kind: &Kind, hops: usize) -> bool {
    if hops == 0 {
        return true;
    }
    let typed = match schema.get("type") {
        Some(Value::String(name)) => has_type(name, kind),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(|name| has_type(name, kind)),
        _ => true,
    };
    let literal = |value: &Value| match kind {
        Kind::Null => value.is_null(),
        Kind::Bool(_) => value.is_boolean(),
        Kind::Int(_) | Kind::UInt(_) | Kind::Float(_) => value.is_number(),
        Kind::String(_) => value.is_string(),
        Kind::List(_) => value.is_array(),
        Kind::Map(_) => value.is_object(),
    };
    typed
        && schema.get("const").is_none_or(literal)
        && alternatives(schema, "enum").is_none_or(|values| values.iter().any(literal))
        && resolve(root, schema).is_none_or(|target| accepts(root, target, kind, hops - 1))
        && ["oneOf", "anyOf"].into_iter().all(|name| {
            alternatives(schema, name).is_none_or(|all| all.iter().any(|one| accepts(root, one, kind, hops - 1)))
        })
}

fn has_type(name: &str, kind: &Kind) -> bool {
    match kind {
        Kind::Null => name == "null",
        Kind::Bool(_) => name == "boolean",
        Kind::Int(_) | Kind::UInt(_) => name == "integer" || name == "number",
        Kind::Float(_) => name == "number",
        Kind::String(_) => name == "string",
        Kind::List(_) => name == "array",
        Kind::Map(_) => name == "object",
    }
}

fn alternatives<'a>(schema: &'a Value, name: &str) -> Option<&'a [Value]> {
    schema.get(name).and_then(Value::as_array).map(Vec::as_slice)
}

/// All values that the schema accepts, if they are listed one by one.
pub(super) fn literals<'a>(root: &'a Value, schema: &'a Value) -> Option<Vec<&'a Value>> {
    listed(root, schema, HOPS)
}

fn listed<'a>(root: &'a Value, schema: &'a Value, hops: usize) -> Option<Vec<&'a Value>> {
    let hops = hops.checked_sub(1)?;
    if let Some(value) = schema.get("const") {
        return Some(vec![value]);
    }
    if let Some(values) = alternatives(schema, "enum") {
        return Some(values.iter().collect());
    }
    if schema.get("type").and_then(Value::as_str) == Some("null") {
        return Some(vec![&Value::Null]);
    }
    if let Some(target) = resolve(root, schema) {
        return listed(root, target, hops);
    }
    let all = alternatives(schema, "oneOf").or_else(|| alternatives(schema, "anyOf"))?;
    let parts: Option<Vec<Vec<&Value>>> = all.iter().map(|one| listed(root, one, hops)).collect();
    parts.map(|parts| parts.concat())
}

/// How messages name values. Null is never named: it is the absence of a value.
pub(super) fn literal_names(values: &[&Value]) -> Vec<String> {
    let name = |value: &&Value| value.as_str().map_or(value.to_string(), str::to_owned);
    values.iter().filter(|value| !value.is_null()).map(name).collect()
}

/// The least and the greatest integer, from `minimum`, `maximum` and the format.
pub(super) fn bounds(schema: &Value) -> (Option<i128>, Option<i128>) {
    let (low, high): (Option<i128>, Option<i128>) = match schema.get("format").and_then(Value::as_str) {
        Some("int8") => (Some(i8::MIN.into()), Some(i8::MAX.into())),
        Some("int16") => (Some(i16::MIN.into()), Some(i16::MAX.into())),
        Some("int32") => (Some(i32::MIN.into()), Some(i32::MAX.into())),
        Some("int64" | "int") => (Some(i64::MIN.into()), Some(i64::MAX.into())),
        Some("uint8") => (Some(0), Some(u8::MAX.into())),
        Some("uint16") => (Some(0), Some(u16::MAX.into())),
        Some("uint32") => (Some(0), Some(u32::MAX.into())),
        Some("uint64" | "uint") => (Some(0), Some(u64::MAX.into())),
        _ => (None, None),
    };
    let bound = |name: &str| schema.get(name).and_then(whole);
    let low = [low, bound("minimum"), bound("exclusiveMinimum").map(|bound| bound + 1)].into_iter().flatten().max();
    let high = [high, bound("maximum"), bound("exclusiveMaximum").map(|bound| bound - 1)].into_iter().flatten().min();
    (low, high)
}

/// schemars writes some bounds as floats.
fn whole(value: &Value) -> Option<i128> {
    if let Some(value) = value.as_i64() {
        return Some(value.into());
    }
    if let Some(value) = value.as_u64() {
        return Some(value.into());
    }
    value.as_f64().filter(|value| value.fract() == 0.0)?.to_string().parse().ok()
}

/// Questions that follow references.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) root: &'a Value,
}

impl<'a> Words<'a> {
    /// What the schema accepts, with an article: `a list of strings`.
    pub(super) fn one(self, schema: &Value) -> String {
        self.phrase(schema, false, HOPS)
    }

    fn phrase(self, schema: &Value, many: bool, hops: usize) -> String {
        let any = if many { "values" } else { "a value" };
        let Some(hops) = hops.checked_sub(1) else { return any.to_owned() };
        if let Some(target) = resolve(self.root, schema) {
            return self.phrase(target, many, hops);
        }
        if let Some(values) = literals(self.root, schema) {
            let names = literal_names(&values);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            return near_name::one_of(&names);
        }
        for name in ["oneOf", "anyOf"] {
            if let Some(all) = alternatives(schema, name) {
                let parts: BTreeSet<String> = all
                    .iter()
                    .filter(|one| one.get("type").and_then(Value::as_str) != Some("null"))
                    .map(|one| self.phrase(one, many, hops))
                    .collect();
                return parts.into_iter().collect::<Vec<_>>().join(" or ");
            }
        }
        let names: Vec<&str> = match schema.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => return any.to_owned(),
        };
        let parts: Vec<String> = names
            .iter()
            .filter(|name| **name != "null" || names.len() == 1)
            .map(|name| self.type_phrase(schema, name, many, hops))
            .collect();
        parts.join(" or ")
    }

    fn type_phrase(self, schema: &Value, name: &str, many: bool, hops: usize) -> String {
        let inner =
            |inner: &str| schema.get(inner).filter(|inner| inner.is_object()).map(|i| self.phrase(i, true, hops));
        match (name, many) {
            ("string", false) => "a string".to_owned(),
            ("string", true) => "strings".to_owned(),
            ("boolean", false) => "true or false".to_owned(),
            ("boolean", true) => "booleans".to_owned(),
            ("number", false) => "a number".to_owned(),
            ("number", true) => "numbers".to_owned(),
            ("integer", true) => "integers".to_owned(),
            ("integer", false) => match bounds(schema) {
                (Some(low), Some(high)) => format!("an integer from {low} to {high}"),
                (Some(low), None) => format!("an integer from {low}"),
                (None, Some(high)) => format!("an integer up to {high}"),
                (None, None) => "an integer".to_owned(),
            },
            ("array", _) => {
                let list = if many { "lists" } else { "a list" };
                inner("items").map_or(list.to_owned(), |items| format!("{list} of {items}"))
            }
            ("object", _) => {
                let map = if many { "maps" } else { "a map" };
                inner("additionalProperties").map_or(map.to_owned(), |values| format!("{map} of {values}"))
            }
            _ => "null".to_owned(),
        }
    }

    /// All fields that any part of the schema names.
    pub(super) fn names(self, schema: &'a Value) -> BTreeSet<&'a str> {
        let mut names = BTreeSet::new();
        self.gather(schema, &mut names, HOPS);
        names
    }

    fn gather(self, schema: &'a Value, names: &mut BTreeSet<&'a str>, hops: usize) {
        let Some(hops) = hops.checked_sub(1) else { return };
        names.extend(properties(schema).map(|(name, _)| name));
        if let Some(target) = resolve(self.root, schema) {
            self.gather(target, names, hops);
        }
        for part in ["allOf", "oneOf", "anyOf"].into_iter().filter_map(|name| alternatives(schema, name)).flatten() {
            self.gather(part, names, hops);
        }
    }

    /// serde's internal and adjacent tags: a required field that is a constant in each alternative, and the constants.
    pub(super) fn constant_field(self, all: &[&'a Value]) -> Option<(&'a str, Vec<&'a str>)> {
        let (first, _) = all.split_first()?;
        properties(self.target(first)).find_map(|(name, _)| {
            let constant = |one: &&'a Value| {
                let one = self.target(one);
                let (_, field) = properties(one).find(|(field, _)| *field == name)?;
                required(one).any(|field| field == name).then(|| field.get("const")?.as_str())?
            };
            let constants: Option<Vec<&str>> = all.iter().map(constant).collect();
            Some((name, constants?))
        })
    }

    /// serde's external tags: the only field of each alternative, required.
    pub(super) fn only_fields(self, all: &[&'a Value]) -> Option<Vec<&'a str>> {
        let only = |one: &&'a Value| {
            let one = self.target(one);
            let mut fields = properties(one);
            let (name, _) = fields.next()?;
            let closed = one.get("additionalProperties") == Some(&Value::Bool(false));
            (closed && fields.next().is_none() && required(one).eq([name])).then_some(name)
        };
        all.iter().map(only).collect::<Option<Vec<_>>>().filter(|names| !names.is_empty())
    }

    fn target(self, schema: &'a Value) -> &'a Value {
        resolve(self.root, schema).unwrap_or(schema)
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, field)| (name.as_str(), field))
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
