//! Refuses images that are whatever is newest when they are pulled.
//!
//! # What it checks
//! The image of every init, regular and ephemeral container, and every image that is mounted as a volume, in pods and in
//! the templates of workloads. An image passes if it has a digest, whatever its tag, or a tag other than `latest`. No tag
//! means `latest`, also behind the port of a registry (`registry.example.com:5000/app`).
//!
//! An image that is absent or empty is left to the API server, which refuses it in a pod.
//!
//! # Why
//! Two replicas of one Deployment may run different code under such a tag, a restart may bring in a version that nobody
//! rolled out, and there is nothing to roll back to.
//!
//! # Settings
//! - `movingTags`: further tags that move, as patterns: `main`, `nightly-*`. By default none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: no-moving-tags }
//! spec:
//!   module: latest-tag
//!   settings:
//!     movingTags: [main, edge, "nightly-*"]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{Node, Path};
use crate::kubernetes::image::{Image, ImageError};
use crate::matching::glob;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which tags move.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Patterns of tags that move, besides `latest`.
    moving_tags: Vec<String>,
}

/// See the page of `latest-tag`.
#[derive(Debug)]
pub struct LatestTag {
    moving_tags: Vec<String>,
    /// The tags that are refused, for messages.
    refused: String,
}

impl Module for LatestTag {
    const ID: &'static str = "latest-tag";
    const GROUP: Group = Group::Images;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["gatekeeper-library/disallowedtags", "kyverno/disallow-latest-tag"];
    const PUBLIC: &'static [&'static str] = &["image"];
    const DOC: &'static str = include_str!("latest_tag.rs");
    type Settings = Settings;

    fn new(Settings { moving_tags }: Settings) -> Result<Self, Vec<SettingsError>> {
        let is_pattern = |tag: &str| {
            !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-*?".contains(&byte))
        };
        let misspelt = moving_tags.iter().enumerate().filter(|(_, tag)| !is_pattern(tag));
        let errors: Vec<SettingsError> = misspelt
            .map(|(position, tag)| SettingsError {
                pointer: format!("/movingTags/{position}"),
                message: format!(
                    "{tag:?} fits no tag: expected letters, digits, `_`, `.` and `-`, with `*` for any text"
                ),
            })
            .collect();
        let refused = moving_tags.iter().fold("\"latest\"".to_owned(), |text, tag| format!("{text}, {tag:?}"));
        if errors.is_empty() { Ok(Self { moving_tags, refused }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let moving: Vec<String> = std::iter::once("latest".to_owned())
            .chain(self.moving_tags.iter().map(|tag| twin::expression_of(tag).replace(".*", "[^/:]*")))
            .collect();
        let findings = twin::images(&format!("!{}", twin::pinned("i", &moving)));
        let message = format!("the image is not pinned: name a tag other than {}, or a digest", self.refused);
        Ok(CelTwin::of(findings, message).differing("takes repositories of more than 255 bytes for readable"))
    }
}

impl LatestTag {
    fn judge(&self, path: &Path<'_>, image: Node<'_>, report: &mut Report<'_>) {
        // Something else than a string is invalid as well.
        let problem = match image.as_str().map_or(Err(ImageError::Repository), Image::parse) {
            Ok(read) if read.is_latest() || self.moves(&read) => {
                format!("is not pinned: name a tag other than {}, or a digest", self.refused)
            }
            Ok(_) => return,
            Err(error) => format!("cannot be pinned: {error}"),
        };
        let message = format!("image {} {problem}", report.show("image", image));
        report.finding(path, image, message);
    }

    fn moves(&self, image: &Image<'_>) -> bool {
        let is_moving = |tag| self.moving_tags.iter().any(|pattern| glob::fits(pattern, tag));
        image.digest().is_none() && image.tag().is_some_and(is_moving)
    }
}

impl Validate for LatestTag {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        if let Some(pod) = subject.pod() {
            pod.visit_images(|path, image| self.judge(path, image, report));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_patterns_that_fit_no_tag() {
        let errors = LatestTag::new(Settings { moving_tags: vec!["main".into(), "a/b".into(), String::new()] });
        let places: Vec<String> = errors.unwrap_err().into_iter().map(|error| error.pointer).collect();
        assert_eq!(places, ["/movingTags/1", "/movingTags/2"]);
    }
}
