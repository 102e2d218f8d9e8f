//! Refuses images from registries, or parts of registries, that are not allowed, or are denied.
//!
//! # What it checks
//! The image of every init, regular and ephemeral container, and every image that is mounted as a volume, in pods and in
//! the templates of workloads. Names are completed as container runtimes do it: `nginx` is `docker.io/library/nginx`,
//! `someone/nginx` is `docker.io/someone/nginx`, and `index.docker.io` is `docker.io`. An image that no runtime could read
//! is refused; one that is absent or empty is left to the API server, which refuses it in a pod.
//!
//! # Why
//! An image runs with whatever its pod may do. A list of registries keeps misspelt names, abandoned accounts and images
//! that nobody scans out of the cluster.
//!
//! # Settings
//! - `allowed`: what images may begin with: a registry and as much of the path as it takes. Whole parts are
//!   compared: `ghcr.io/acme` allows `ghcr.io/acme/web` and not `ghcr.io/acme-evil/web`, and `registry.example.com` does
//!   not allow `registry.example.com:5000/web`. A `*` stands for exactly one part of the path or one label of the host:
//!   `*.dkr.ecr.*.amazonaws.com`, `ghcr.io/*/base`. Without it every image is allowed that is not denied.
//! - `denied`: what images may not begin with, whatever is allowed, in the same notation: `k8s.gcr.io`. At least one entry
//!   of `allowed` or `denied` is needed.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: our-registries }
//! spec:
//!   module: allowed-registries
//!   settings:
//!     allowed:
//!       - registry.example.com
//!       - ghcr.io/acme
//!       - docker.io/library
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{Node, Path};
use crate::kubernetes::image::{Image, ImageError, ImagePattern};
use crate::modules::patterns;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Where images may come from.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Registries, with as much of the path as images must begin with: `registry.example.com`, `ghcr.io/acme`.
    allowed: Vec<String>,
    /// The same of what images must not begin with.
    denied: Vec<String>,
}

/// See the page of `allowed-registries`.
#[derive(Debug)]
pub struct AllowedRegistries {
    /// Every one if there is none.
    allowed: Vec<ImagePattern>,
    denied: Vec<ImagePattern>,
    /// What is allowed as they were written, for messages.
    accepted: String,
}

impl Module for AllowedRegistries {
    const ID: &'static str = "allowed-registries";
    const GROUP: Group = Group::Images;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &[
        "gatekeeper-library/allowedrepos",
        "gatekeeper-library/allowedreposv2",
        "gatekeeper-library/disallowedrepos",
        "kyverno/allowed-image-repos",
        "kyverno/restrict-image-registries",
    ];
    const PUBLIC: &'static [&'static str] = &["image"];
    const DOC: &'static str = include_str!("allowed_registries.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        if settings.allowed.is_empty() && settings.denied.is_empty() {
            let message = "no registry is allowed: expected at least one, such as \"registry.example.com\"".to_owned();
            return Err(vec![SettingsError { pointer: "/allowed".to_owned(), message }]);
        }
        let allowed = patterns::of_images("/allowed", &settings.allowed);
        let denied = patterns::of_images("/denied", &settings.denied);
        match (allowed, denied) {
            (Ok(allowed), Ok(denied)) => Ok(Self { allowed, denied, accepted: settings.allowed.join(", ") }),
            (allowed, denied) => Err(allowed.err().into_iter().chain(denied.err()).flatten().collect()),
        }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let allowed = if self.allowed.is_empty() { twin::readable("i") } else { twin::covered("i", &self.allowed) };
        let is_wrong = format!("!({allowed} && !{})", twin::covered("i", &self.denied));
        let message = match self.accepted.as_str() {
            "" => "the image comes from a registry that is denied".to_owned(),
            accepted => format!("the image comes from no allowed registry; allowed: {accepted}"),
        };
        Ok(CelTwin::of(twin::images(&is_wrong), message)
            .differing("takes repositories of more than 255 bytes for readable"))
    }
}

impl AllowedRegistries {
    fn judge(&self, path: &Path<'_>, image: Node<'_>, report: &mut Report<'_>) {
        // Something else than a string is invalid as well.
        let problem = match image.as_str().map_or(Err(ImageError::Repository), Image::parse) {
            Ok(read) => match self.denied.iter().find(|pattern| pattern.covers(&read)) {
                Some(pattern) => format!("comes from {pattern}, which is denied"),
                None if self.allowed.is_empty() || self.allowed.iter().any(|pattern| pattern.covers(&read)) => return,
                None => format!("comes from no allowed registry; allowed: {}", self.accepted),
            },
            Err(error) => format!("comes from no registry: {error}"),
        };
        let message = format!("image {} {problem}", report.show("image", image));
        report.finding(path, image, message);
    }
}

impl Validate for AllowedRegistries {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        if let Some(pod) = subject.pod() {
            pod.visit_images(|path, image| self.judge(path, image, report));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(allowed: &[&str], denied: &[&str]) -> Vec<(String, String)> {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        let errors = AllowedRegistries::new(Settings { allowed: texts(allowed), denied: texts(denied) }).unwrap_err();
        errors.into_iter().map(|error| (error.pointer, error.message)).collect()
    }

    #[test]
    fn rejects_lists_that_say_nothing_or_nothing_readable() {
        let message = "no registry is allowed: expected at least one, such as \"registry.example.com\"";
        assert_eq!(errors(&[], &[]), [("/allowed".to_owned(), message.to_owned())]);
        let found = errors(&["ghcr.io", "nginx", "ghcr.io/a:1"], &["k8s.gcr.io", "nginx"]);
        let places: Vec<&str> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(places, ["/allowed/1", "/allowed/2", "/denied/1"]);
    }
}
