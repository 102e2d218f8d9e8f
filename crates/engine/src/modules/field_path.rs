//! Places in objects as settings name them: `spec.containers[*].image`, `metadata.annotations[example.com/owner]`.

use std::fmt;

/// A place, or many of them. Steps from the root; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldPath(pub(super) Vec<Step>);

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A key of a map.
    Key(String),
    /// Every item of a list, or every value of a map.
    Each,
}

/// What is accepted, for messages.
const EXPECTED: &str = "expected fields with dots between them, [*] for every item, and other keys in brackets: \"spec.ports[*].nodePort\", \
     \"metadata.annotations[example.com/owner]\"";

impl FieldPath {
    /// Reads a path.
    ///
    /// # Errors
    /// A text that is none, as a message.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        steps(text).map(Self).ok_or_else(|| format!("{text:?} is no path of a field: {EXPECTED}"))
    }

    /// Whether it starts with these keys, or is the start of them.
    pub(super) fn meets(&self, keys: &[&str]) -> bool {
        self.0.iter().zip(keys).all(|(step, key)| match step {
            Step::Key(own) => own == key,
            Step::Each => true,
        })
    }
}

/// As it is written in settings.
impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(position, step)| match step {
            Step::Each => formatter.write_str("[*]"),
            Step::Key(key) if key.contains(['.', '/']) => write!(formatter, "[{key}]"),
            Step::Key(key) if position == 0 => formatter.write_str(key),
            Step::Key(key) => write!(formatter, ".{key}"),
        })
    }
}

fn steps(text: &str) -> Option<Vec<Step>> {
    let (mut steps, mut rest) = (vec![], text);
    loop {
        if let Some(after) = rest.strip_prefix('[') {
            let (inner, after) = after.split_once(']')?;
            steps.push(match inner {
                "" => return None,
                "*" => Step::Each,
                key => Step::Key(key.to_owned()),
            });
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, after) = rest.split_at_checked(end)?;
            let is_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$');
            if key.is_empty() || !key.bytes().all(is_key) {
                return None;
            }
            steps.push(Step::Key(key.to_owned()));
            rest = after;
        }
        match rest.strip_prefix('.') {
            // What follows a dot is a key without brackets.
            Some(after) if after.starts_with('[') || after.is_empty() => return None,
            Some(after) => rest = after,
            None if rest.is_empty() => return Some(steps),
            None if rest.starts_with('[') => {}
            None => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_keys_items_and_keys_in_brackets() {
        let key = |key: &str| Step::Key(key.to_owned());
        let read = |text| FieldPath::parse(text).unwrap().0;
        assert_eq!(read("spec"), [key("spec")]);
        assert_eq!(read("spec.ports[*].nodePort"), [key("spec"), key("ports"), Step::Each, key("nodePort")]);
        assert_eq!(
            read("metadata.annotations[example.com/owner]"),
            [key("metadata"), key("annotations"), key("example.com/owner")]
        );
        assert_eq!(read("a[*][*]"), [key("a"), Step::Each, Step::Each]);
    }

    #[test]
    fn rejects_what_is_no_path() {
        for text in ["", ".", "a.", ".a", "a..b", "a[", "a[]", "a[*", "a]b", "a[*]b", "a.[*]", "a b", "/spec/a", "a/b"]
        {
            let message = FieldPath::parse(text).unwrap_err();
            assert_eq!(message, format!("{text:?} is no path of a field: {EXPECTED}"));
        }
    }

    #[test]
    fn meets_keys_above_and_below() {
        let meets = |text: &str| FieldPath::parse(text).unwrap().meets(&["metadata", "generation"]);
        assert!(meets("metadata") && meets("metadata[*]") && meets("metadata.generation.x"));
        assert!(!meets("metadata.labels") && !meets("spec"));
    }
}
