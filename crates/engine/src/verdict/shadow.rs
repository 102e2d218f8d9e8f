//! What mutators in shadow mode would have changed, in words: places, never values.

use super::verdict::Verdict;
use crate::json::diff;
use crate::json::patch::Operation;
use crate::kubernetes::list_keys;

impl Verdict<'_> {
    /// A line for each change that was computed and not made: `POLICY: add /metadata/labels/team`.
    pub fn shadow_changes(&self) -> Vec<String> {
        let shadow = self.edits.iter().filter(|edit| edit.shadow);
        shadow
            .flat_map(|edit| {
                let operations = diff::diff(edit.before, edit.after, list_keys::of);
                let line = |operation: Operation<'_>| {
                    format!("{}: {} {}", edit.origin.policy, verb(&operation), operation.path())
                };
                operations.into_iter().map(line).collect::<Vec<_>>()
            })
            .collect()
    }
}

const fn verb(operation: &Operation<'_>) -> &'static str {
    match operation {
        Operation::Add { .. } => "add",
        Operation::Remove { .. } => "remove",
        Operation::Replace { .. } => "replace",
        Operation::Move { .. } => "move",
        Operation::Copy { .. } => "copy",
        Operation::Test { .. } => "test",
    }
}
