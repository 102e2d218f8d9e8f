//! Removes annotations from objects.
//!
//! # What it does
//! Takes the annotations away whose keys fit one of the patterns. On CREATE that is all of them, whoever has written them,
//! earlier policies among them. On UPDATE, which acts only on kinds that the policy's `matchConstraints` name, it is those
//! that the request brings: an annotation that the stored object has stays, with whatever value.
//!
//! By default it acts on pods when they are created, and never on mirror pods. Annotations of templates are left alone:
//! pods lose theirs when they are made. Whoever applies a manifest with such an annotation to another kind again and again
//! sees a difference each time: `required-annotations` and CEL policies can refuse it instead.
//!
//! # Why
//! Annotations turn features of controllers on: raw snippets of proxy configuration, profiles, exceptions from scans.
//! Those that nobody should use can be taken out without breaking the manifests that carry them.
//!
//! # Settings
//! - `annotations`: keys of the annotations, or patterns of keys with `*` for any text and `?` for one character:
//!   `example.com/debug`, `nginx.ingress.kubernetes.io/*-snippet`. At least one.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: no-unconfined-profiles }
//! spec:
//!   module: remove-annotations
//!   settings:
//!     annotations: ["container.apparmor.security.beta.kubernetes.io/*"]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::open;
use crate::json::{Node, edit};
use crate::kubernetes::names::is_annotation_key;
use crate::matching::glob;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, Resources, SettingsError};
use crate::verdict::{PolicyError, Report};

/// Which annotations are removed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Keys of the annotations, or patterns of keys.
    annotations: Vec<String>,
}

/// See the page of `remove-annotations`.
#[derive(Debug)]
pub struct RemoveAnnotations(Vec<String>);

/// What the API server and kubectl need to find again.
const NEEDED: [&str; 2] = ["kubectl.kubernetes.io/last-applied-configuration", "kubernetes.io/config.mirror"];

impl Module for RemoveAnnotations {
    const ID: &'static str = "remove-annotations";
    const GROUP: Group = Group::Metadata;
    const APPLIES: Applies =
        Applies::To(&[Resources { groups: &[""], resources: &["pods"], operations: &[Operation::Create] }]);
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("remove_annotations.rs");
    type Settings = Settings;

    fn new(Settings { annotations }: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if annotations.is_empty() {
            errors.push(SettingsError {
                pointer: "/annotations".to_owned(),
                message: "there is nothing to remove: name at least one key or pattern".to_owned(),
            });
        }
        for (position, pattern) in annotations.iter().enumerate() {
            let message = if !is_annotation_key(&pattern.replace(['*', '?'], "x")) {
                format!(
                    "{pattern:?} fits no annotation's key: expected one such as \"debug\" or \"example.com/debug\", with `*` for any \
                     text and `?` for one character"
                )
            } else if let Some(needed) = NEEDED.iter().find(|needed| glob::fits(pattern, needed)) {
                format!("{pattern:?} fits {needed:?}, which Kubernetes itself needs: expected a narrower pattern")
            } else {
                continue;
            };
            errors.push(SettingsError { pointer: format!("/annotations/{position}"), message });
        }
        if errors.is_empty() { Ok(Self(annotations)) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        self.0.iter().map(|pattern| PathPattern(format!("metadata.annotations[{pattern}]"))).collect()
    }
}

impl Mutate for RemoveAnnotations {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        if !open::is_open(&subject) {
            return Ok(subject.object);
        }
        let present = subject.object.at(&["metadata", "annotations"]).unwrap_or_default();
        let stored = subject.old_object.and_then(|old| old.at(&["metadata", "annotations"])).unwrap_or_default();
        let is_removed = |key: &str| stored.get(key).is_none() && self.0.iter().any(|pattern| glob::fits(pattern, key));
        let removed = present.entries().iter().map(|(key, _)| *key).filter(|key| is_removed(key));
        let arena = subject.arena();
        Ok(removed.fold(subject.object, |root, key| edit::remove(arena, root, &["metadata", "annotations", key])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_patterns_that_fit_nothing_or_too_much() {
        let annotations = ["example.com/*", "a b", "*", "kubectl.kubernetes.io/*"].map(str::to_owned).to_vec();
        let errors = RemoveAnnotations::new(Settings { annotations }).unwrap_err();
        let errors: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.message.as_str())).collect();
        let needed = "\"kubectl.kubernetes.io/last-applied-configuration\", which Kubernetes itself needs: expected a narrower pattern";
        assert_eq!(
            errors,
            [
                (
                    "/annotations/1",
                    "\"a b\" fits no annotation's key: expected one such as \"debug\" or \"example.com/debug\", with `*` for any \
                     text and `?` for one character"
                ),
                ("/annotations/2", format!("\"*\" fits {needed}").as_str()),
                ("/annotations/3", format!("\"kubectl.kubernetes.io/*\" fits {needed}").as_str()),
            ]
        );
        let none = RemoveAnnotations::new(Settings::default()).unwrap_err();
        assert_eq!(none.first().unwrap().message, "there is nothing to remove: name at least one key or pattern");
    }
}
