//! What the value of a mutation's expression does to an object (k8s.io/apiserver,
//! pkg/admission/plugin/policy/mutating/patch and pkg/cel/mutation).
//!
//! An apply configuration is an `Object{…}`: [`apply_configuration`] makes a tree of it and merges it into the object. A JSON
//! patch is a list of `JSONPatch{…}`: [`json_patch`] makes operations of it. Values become JSON in two different ways
//! upstream, with different faults; both are imitated: `native` and `json`.

mod json;
mod names;
mod native;

use std::fmt;

use crate::cel::value::{Struct, Value};
use crate::json::server_patch::{self, Step};
use crate::json::{Arena, Node};
use crate::kubernetes::apply;
use crate::kubernetes::schema::{Schema, Schemas};

/// How deep a value may be nested: as deep as an object may be.
const DEEPEST: u32 = 200;

/// How many values one mutation may bring. Lists that were doubled often are long and take no memory until they are
/// written down.
const MOST_VALUES: usize = 1 << 20;

/// Why a mutation failed, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutationError {
    /// What is wrong.
    pub text: String,
    /// Whether upstream answers it with code 500 whatever the failure policy says.
    pub is_internal: bool,
}

impl MutationError {
    /// One that the failure policy decides about.
    pub const fn of(text: String) -> Self {
        Self { text, is_internal: false }
    }
}

impl fmt::Display for MutationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl std::error::Error for MutationError {}

/// The schema by which an object of a built-in kind is merged. Where nothing is known of its group and version either (a
/// custom resource whose definition is not at hand), that which is deduced: fields are merged, lists replaced.
///
/// # Errors
/// For a kind that is none of those in a group and version that the API server serves itself.
pub fn schema_of(schemas: &Schemas, object: Node<'_>) -> Result<Schema, MutationError> {
    let (api_version, kind) = (object.str("apiVersion").unwrap_or_default(), object.str("kind").unwrap_or_default());
    match schemas.of(api_version, kind) {
        Some(schema) => Ok(schema),
        None if !schemas.serves(api_version) => Ok(schemas.deduced()),
        None => {
            let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
            Err(MutationError::of(format!(
                "error applying patch: failed to convert patch object to typed object: no corresponding type for \
                 {group}/{version}, Kind={kind}"
            )))
        }
    }
}

/// The object after merging the value of an `applyConfiguration`'s expression into it. What does not change is shared.
///
/// # Errors
/// Where the value is no apply configuration that fits the object's schema, or sets what is one value (atomic), and where
/// there is no schema.
pub fn apply_configuration<'a>(
    arena: &'a Arena,
    schema: Result<&Schema, &MutationError>,
    object: Node<'a>,
    value: Value<'a>,
) -> Result<Node<'a>, MutationError> {
    let Value::Struct(configuration) = value else {
        let kind = value.type_name();
        return Err(MutationError::of(format!("unsupported return type from ApplyConfiguration expression: {kind}")));
    };
    // Before the schema, as upstream.
    names::check(configuration)?;
    let schema = schema.map_err(Clone::clone)?;
    let mut native = native::Native::new(arena);
    let tree = native.configuration(configuration)?;
    let merged = apply::apply(arena, schema, object, tree);
    let merged = merged.map_err(|error| MutationError::of(format!("error applying patch: {error}")))?;
    Ok(native.finish(merged))
}

/// The object after the operations that a `jsonPatch`'s expression gave; the very `object` if a test failed.
///
/// # Errors
/// Where a value cannot be written as JSON, an operation cannot be done, or the result is no object any more.
pub fn json_patch<'a>(arena: &'a Arena, object: Node<'a>, value: Value<'a>) -> Result<Node<'a>, MutationError> {
    let Value::List(operations) = value else {
        let text = "type mismatch: JSONPatchType.expression should evaluate to array";
        return Err(MutationError::of(text.to_owned()));
    };
    let mut json = json::Json::new(arena);
    let mut steps = vec![];
    for operation in operations.iter() {
        let Value::Struct(operation) = operation else {
            return Err(MutationError::of(format!(
                "type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch, got element of {}",
                operation.type_name()
            )));
        };
        json.count(1)?;
        steps.push(step(&mut json, operation)?);
    }
    let patched = server_patch::apply(arena, object, &steps);
    let patched = patched.map_err(|error| MutationError::of(format!("JSON Patch: {error}")))?;
    if patched.str("kind").is_none_or(str::is_empty) {
        let why = if patched.as_list().is_some() { NO_LIST } else { "Object 'Kind' is missing" };
        return Err(MutationError { text: format!("Internal error occurred: {why}"), is_internal: true });
    }
    Ok(patched)
}

/// What Go's decoder says of a list in an object's place.
const NO_LIST: &str = "couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct \
    { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }";

fn step<'a>(json: &mut json::Json<'a>, operation: &Struct<'a>) -> Result<Step<'a>, MutationError> {
    let mut step = Step { op: "", path: "", from: "", value: None };
    for (name, value) in operation.fields {
        match (*name, *value) {
            ("op", Value::String(text)) => step.op = text,
            ("path", Value::String(text)) => step.path = text,
            ("from", Value::String(text)) => step.from = text,
            ("value", value) => {
                if let Value::Struct(object) = value {
                    names::check(object)?;
                }
                step.value = Some(json.value(value)?);
            }
            (name, value) => {
                let kind = value.type_name();
                return Err(MutationError::of(format!("unexpected type {kind} for JSONPatchType '{name}' field")));
            }
        }
    }
    Ok(step)
}

#[cfg(test)]
mod tests;
