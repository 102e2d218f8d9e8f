//! Requires pull secrets, and refuses those that are not on a list.
//!
//! # What it checks
//! `imagePullSecrets` of pods and of the templates of workloads. Every name under `required` must be among them, and every
//! one of them must fit one under `allowed`, if there is such a list.
//!
//! Where a pod has none, the API server copies those of its ServiceAccount into it before policies see it, but not into
//! templates: there, `required` wants them written. Limit such a policy to pods by `matchConstraints`, or let
//! `add-image-pull-secret` fill them in, where ServiceAccounts carry them.
//!
//! # Why
//! A pod can only use registries that somebody pays for and watches with the right secret; with a wrong one it may pull
//! images that its namespace should not have.
//!
//! # Settings
//! - `required`: names of Secrets that every pod must have. By default none.
//! - `allowed`: Secrets that pods may have, as patterns of their names: `registry-*`. By default all. One of the two settings
//!   is needed.
//! - `images`: with it `required` is meant for pods alone that have an image which begins with one of these, in the notation
//!   of `allowed-registries`: `registry.example.com`. By default for all.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: image-pull-secrets }
//! spec:
//!   module: image-pull-secrets
//!   settings:
//!     required: [registry-credentials]
//!     images: [registry.example.com]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::accepted::accepted;
use crate::json::Node;
use crate::kubernetes::image::ImagePattern;
use crate::matching::glob;
use crate::modules::patterns;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which pull secrets pods must and may have.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Names of Secrets that must be there.
    required: Vec<String>,
    /// Patterns of the names of Secrets that may be there; all if there are none.
    allowed: Vec<String>,
    /// What images begin with for which the required Secrets must be there; all if there are none.
    images: Vec<String>,
}

/// See the page of `image-pull-secrets`.
#[derive(Debug)]
pub struct ImagePullSecrets {
    required: Vec<String>,
    allowed: Vec<String>,
    images: Vec<ImagePattern>,
    /// The end of messages.
    accepted: String,
}

impl Module for ImagePullSecrets {
    const ID: &'static str = "image-pull-secrets";
    const GROUP: Group = Group::Images;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &["name"];
    const DOC: &'static str = include_str!("image_pull_secrets.rs");
    type Settings = Settings;

    fn new(Settings { required, allowed, images }: Settings) -> Result<Self, Vec<SettingsError>> {
        let error = |pointer: String, message: String| SettingsError { pointer, message };
        let mut errors = vec![];
        errors.extend(patterns::of_secrets("/required", &required, false));
        errors.extend(patterns::of_secrets("/allowed", &allowed, true));
        if required.is_empty() && allowed.is_empty() {
            let message = "nothing is checked: name secrets under `required` or `allowed`".to_owned();
            errors.push(error(String::new(), message));
        }
        if required.is_empty() && !images.is_empty() {
            let message = "it is never looked at: name secrets under `required`, or take it away".to_owned();
            errors.push(error("/images".to_owned(), message));
        }
        for (position, name) in required.iter().enumerate() {
            if !allowed.is_empty() && !allowed.iter().any(|pattern| glob::fits(pattern, name)) {
                let message = format!("{name:?} is required and not allowed: add it to `allowed`");
                errors.push(error(format!("/required/{position}"), message));
            }
        }
        let images = patterns::of_images("/images", &images).map_err(|more| errors.extend(more)).unwrap_or_default();
        let accepted = accepted(&allowed);
        if errors.is_empty() { Ok(Self { required, allowed, images, accepted }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let present = "#spec.?imagePullSecrets.orValue([])";
        let mut twin = CelTwin::default();
        if !self.required.is_empty() {
            let covered = if self.images.is_empty() { "true".to_owned() } else { twin::covered("i", &self.images) };
            let is_meant = if self.images.is_empty() {
                "!(#pod == {})".to_owned()
            } else {
                format!("({}).size() > 0", twin::images(&covered))
            };
            let missing = format!(
                "({is_meant} ? {}.filter(n, !{present}.exists(s, s.?name.orValue('') == n))\
                 .map(n, 'imagePullSecrets\\n' + n) : [])",
                twin::lists(&self.required)
            );
            twin = twin.and(missing, format!("pull secrets are missing: add {}", self.required.join(", ")));
        }
        if !self.allowed.is_empty() {
            let others = format!(
                "{present}.filter(s, !{}).map(s, 'imagePullSecrets[' + s.?name.orValue('') + '].name')",
                twin::fits("s.?name.orValue('')", &self.allowed)
            );
            twin = twin.and(others, format!("these pull secrets are not allowed; {}", self.accepted));
        }
        Ok(twin)
    }
}

impl Validate for ImagePullSecrets {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        let present = pod.spec().items_of("imagePullSecrets");
        let is_meant = !self.required.is_empty() && patterns::mean_pod(&self.images, &pod);
        pod.with_spec_path(|spec| {
            let list = spec.key("imagePullSecrets");
            for name in self.required.iter().filter(|_| is_meant) {
                if present.iter().all(|secret| secret.str("name") != Some(name)) {
                    report.finding(&list, Node::string(name), format!("pull secret {name:?} is missing: add it"));
                }
            }
            for (index, secret) in present.iter().enumerate().filter(|_| !self.allowed.is_empty()) {
                let name = secret.get("name").unwrap_or_default();
                let fits = |name: &str| self.allowed.iter().any(|pattern| glob::fits(pattern, name));
                if !name.as_str().is_some_and(fits) {
                    let shown = report.show("name", name);
                    let message = format!("pull secret {shown} is not allowed; {}", self.accepted);
                    report.finding(&list.item(index, "name", *secret).key("name"), name, message);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_contradict_each_other() {
        let errors = |required: &[&str], allowed: &[&str], images: &[&str]| {
            let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
            let settings = Settings { required: texts(required), allowed: texts(allowed), images: texts(images) };
            let errors = ImagePullSecrets::new(settings).unwrap_err();
            errors.into_iter().map(|error| (error.pointer, error.message)).collect::<Vec<_>>()
        };
        let expected = |pointer: &str, message: &str| (pointer.to_owned(), message.to_owned());
        assert_eq!(
            errors(&[], &[], &["ghcr.io"]),
            [
                expected("", "nothing is checked: name secrets under `required` or `allowed`"),
                expected("/images", "it is never looked at: name secrets under `required`, or take it away")
            ]
        );
        assert_eq!(
            errors(&["a", "registry-a"], &["registry-*"], &[]),
            [expected("/required/0", "\"a\" is required and not allowed: add it to `allowed`")]
        );
        let name = "\"a*\" is no name of a Secret: expected lower-case letters, digits, `-` and `.`";
        assert_eq!(errors(&["a*"], &[], &[]), [expected("/required/0", name)]);
    }
}
