//! `jsonpatch.escapeKey` (k8s.io/apiserver/pkg/cel/library/jsonpatch.go).

use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::function::{Library, Overload, Version, global};
use crate::cel::value::Value;

/// `jsonpatch.escapeKey`, for mutations alone.
pub(super) const LIBRARY: Library = Library { name: "jsonpatch", since: Version(0), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] =
    &[global("string_jsonpatch_escapeKey_string", "jsonpatch.escapeKey", &["string"], "string", escape_key)];

/// A key as a part of a JSON pointer: `~0` for `~`, `~1` for `/`.
fn escape_key<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(key)] = arguments else { return context.no_such_overload() };
    if !key.contains(['~', '/']) {
        return Ok(Value::String(key));
    }
    context.step(key.len() / 16)?;
    Ok(Value::String(context.text(&key.replace('~', "~0").replace('/', "~1"))?))
}
