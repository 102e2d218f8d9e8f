//! Entries of `metadata.labels` or `metadata.annotations` that a module adds.

use std::collections::BTreeMap;

use super::open;
use crate::json::{Node, edit};
use crate::review::Subject;
use crate::rule::{PathPattern, SettingsError};
use crate::verdict::PolicyError;

/// Keys and values for one map of an object's metadata.
#[derive(Debug)]
pub(super) struct Entries {
    /// `labels` or `annotations`, both of the metadata and of the settings.
    field: &'static str,
    values: BTreeMap<String, String>,
    overwrite: bool,
}

impl Entries {
    /// Checked entries: at least one, each with a key and a value that the API server accepts.
    ///
    /// # Errors
    /// Every entry that it would refuse.
    pub(super) fn new(
        field: &'static str,
        values: BTreeMap<String, String>,
        overwrite: bool,
        is_key: fn(&str) -> bool,
        is_value: fn(&str) -> bool,
    ) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if values.is_empty() {
            errors.push(SettingsError {
                pointer: format!("/{field}"),
                message: format!("there is nothing to add: name at least one of the {field}, with its value"),
            });
        }
        for (key, value) in &values {
            let pointer = format!("/{field}/{}", key.replace('~', "~0").replace('/', "~1"));
            if !is_key(key) {
                let message = format!("{key:?} can be no key: expected one such as \"team\" or \"example.com/team\"");
                errors.push(SettingsError { pointer, message });
            } else if !is_value(value) {
                let message = format!(
                    "{value:?} can be no label's value: expected at most 63 letters, digits, `-`, `_` and `.`, the first and the \
                     last a letter or digit"
                );
                errors.push(SettingsError { pointer, message });
            }
        }
        if errors.is_empty() { Ok(Self { field, values, overwrite }) } else { Err(errors) }
    }

    /// The object with the entries that it lacks, and the others if they are to be overwritten.
    pub(super) fn add<'a>(&self, subject: &Subject<'_, 'a>) -> Result<Node<'a>, PolicyError> {
        if !open::is_open(subject) {
            return Ok(subject.object);
        }
        let arena = subject.arena();
        let present = subject.object.at(&["metadata", self.field]).unwrap_or_default();
        let missing = self.values.iter().filter(|(key, value)| match present.field(key) {
            Some(found) => self.overwrite && open::is_replaceable(found) && found.as_str() != Some(value),
            None => true,
        });
        let root = missing.into_iter().try_fold(subject.object, |root, (key, value)| {
            edit::set(arena, root, &["metadata", self.field, key], Node::string(arena.text(value)))
        })?;
        Ok(root)
    }

    /// The places that it may write.
    pub(super) fn writes(&self) -> Vec<PathPattern> {
        self.values.keys().map(|key| PathPattern(format!("metadata.{}[{key}]", self.field))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::names::{is_label_key, is_label_value};

    #[test]
    fn rejects_entries_that_the_api_server_would_refuse() {
        let entries = |pairs: &[(&str, &str)]| {
            let entries = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            Entries::new("labels", entries, false, is_label_key, is_label_value)
        };
        let errors = entries(&[("a/b/c", "x"), ("example.com/team", "a b"), ("ok", "")]).unwrap_err();
        let places: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(places, ["/labels/a~1b~1c", "/labels/example.com~1team"]);
        assert_eq!(
            errors.first().unwrap().message,
            "\"a/b/c\" can be no key: expected one such as \"team\" or \"example.com/team\""
        );
        assert_eq!(
            errors.last().unwrap().message,
            "\"a b\" can be no label's value: expected at most 63 letters, digits, `-`, `_` and `.`, the first and the last a \
             letter or digit"
        );
        assert_eq!(
            entries(&[]).unwrap_err().first().unwrap().message,
            "there is nothing to add: name at least one of the labels, with its value"
        );
    }
}
