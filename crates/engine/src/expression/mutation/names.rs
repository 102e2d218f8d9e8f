//! Whether the types of an object literal are named after the fields that hold them: `Object.spec` under `spec`
//! (pkg/cel/mutation/dynamic, `CheckTypeNamesMatchFieldPathNames`).

use super::{DEEPEST, MutationError};
use crate::cel::value::{List, Map, Struct, Value};

/// How many mismatches are listed.
const MOST_LISTED: usize = 20;

pub(super) fn check(root: &Struct<'_>) -> Result<(), MutationError> {
    let mut check = Check { wrong: vec![], left: super::MOST_VALUES };
    check.fields(root, root.name, 0);
    if check.wrong.is_empty() {
        Ok(())
    } else {
        Err(MutationError::of(format!("type mismatch: {}", check.wrong.join("\n"))))
    }
}

struct Check {
    wrong: Vec<String>,
    /// Values that may still be looked at; whoever makes a tree of them refuses more.
    left: usize,
}

impl Check {
    fn value(&mut self, value: Value<'_>, path: &str, depth: u32) {
        let Some(left) = self.left.checked_sub(1).filter(|_| depth < DEEPEST) else { return };
        self.left = left;
        if let Value::Struct(object) = value {
            if object.name != path && self.wrong.len() < MOST_LISTED {
                let name = object.name;
                self.wrong.push(format!(
                    "unexpected type name {name:?}, expected {path:?}, which matches field name path from root Object type"
                ));
            }
            return self.fields(object, path, depth);
        }
        // Upstream looks into what its own literals and macros made. Not into lists of the object, nor into sums.
        match held(value) {
            Value::List(list @ (List::Values(_) | List::Constants(_))) => {
                list.iter().for_each(|item| self.value(item, path, depth + 1));
            }
            Value::Map(map @ (Map::Values(_) | Map::Constants(_))) => {
                map.iter().for_each(|(_, item)| self.value(item, path, depth + 1));
            }
            _ => {}
        }
    }

    fn fields(&mut self, object: &Struct<'_>, path: &str, depth: u32) {
        for (name, value) in object.fields {
            self.value(*value, &format!("{path}.{name}"), depth + 1);
        }
    }
}

/// What an optional holds.
pub(super) fn held(value: Value<'_>) -> Value<'_> {
    let mut value = value;
    // Each is made by an evaluation, which is bounded.
    while let Value::Optional(Some(inner)) = value {
        value = *inner;
    }
    value
}
