//! Merging an apply configuration into an object, as MutatingAdmissionPolicy does it: k8s.io/apiserver,
//! pkg/admission/plugin/policy/mutating/patch/smd.go, on sigs.k8s.io/structured-merge-diff v6, package typed.
//!
//! Both are held against the type of the object first (`validate`), then what the configuration says is put into the
//! object (`merge`). Nothing is taken away by leaving it out: fields are set, items are added or merged with the
//! item of the same key. What is one value (an atomic list or map) cannot be set at all, because whoever sets it would
//! take away what others have put there.

mod go_value;
mod key;
mod merge;
mod validate;

use std::fmt;

use self::validate::Violation;
use super::schema::Schema;
use crate::json::{Arena, Node, edit};

/// How deep object and configuration may be. What was read from text is less deep.
const DEEPEST: u32 = 256;

/// How many faults are listed.
const MOST_LISTED: usize = 20;

/// Why a configuration was not applied. Printed in upstream's words. Of the object it holds names and kinds, of the
/// configuration values as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplyError {
    /// The configuration does not fit the type.
    Configuration(Vec<Violation>),
    /// It sets lists or maps that are one value: their places.
    Atomic(Vec<String>),
    /// The object does not fit the type.
    Object(Vec<Violation>),
}

impl fmt::Display for ApplyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(violations) => {
                formatter.write_str("failed to convert patch object to typed object: ")?;
                list(violations, formatter)
            }
            Self::Atomic(places) => write!(
                formatter,
                "invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {}",
                places.join(", ")
            ),
            Self::Object(violations) => {
                formatter.write_str("failed to convert original object to typed object: ")?;
                list(violations, formatter)
            }
        }
    }
}

impl std::error::Error for ApplyError {}

fn list(violations: &[Violation], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let [one] = violations {
        return write!(formatter, "{one}");
    }
    formatter.write_str("errors:")?;
    violations.iter().try_for_each(|one| write!(formatter, "\n  {one}"))
}

/// The object with what the configuration sets. `kind` and `apiVersion` of the configuration do not count. What it does not
/// touch is shared with `object`; a configuration that changes nothing returns `object` itself.
///
/// # Errors
/// Where one of the two does not fit the type, or the configuration sets what is one value.
pub fn apply<'a>(
    arena: &'a Arena,
    schema: &Schema,
    object: Node<'a>,
    configuration: Node<'a>,
) -> Result<Node<'a>, ApplyError> {
    let configuration = edit::remove(arena, configuration, &["kind"]);
    let configuration = edit::remove(arena, configuration, &["apiVersion"]);
    let violations = validate::configuration(schema, configuration);
    if !violations.is_empty() {
        return Err(ApplyError::Configuration(violations));
    }
    let atomic = validate::atomic_places(schema, configuration);
    if !atomic.is_empty() {
        return Err(ApplyError::Atomic(atomic));
    }
    let violations = validate::object(schema, object);
    if !violations.is_empty() {
        return Err(ApplyError::Object(violations));
    }
    Ok(merge::merge(arena, schema, object, configuration))
}

#[cfg(test)]
mod tests;
