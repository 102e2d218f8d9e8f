//! Refuses images that are not pinned by a digest.
//!
//! # What it checks
//! The image of every init, regular and ephemeral container, and every image that is mounted as a volume, in pods and in the
//! templates of workloads: each must end in a digest, `@sha256:` and 64 digits (or sha384, sha512). A tag before it may
//! stay; runtimes do not look at it. An image that no runtime could read is refused.
//!
//! An image that is absent or empty is left to the API server, which refuses it in a pod.
//!
//! # Why
//! A tag is whatever its registry says today. With a digest every replica, restart and rollback runs the very bytes that
//! were tested, and nobody who gets hold of the registry can exchange them.
//!
//! # Settings
//! - `exemptImages`: images that need no digest, by what they begin with, in the notation of `allowed-registries`:
//!   `registry.example.com/dev`. Names are completed first, so that `nginx` is `docker.io/library/nginx`, and whole parts
//!   are compared. By default none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: image-digests }
//! spec:
//!   module: image-digests
//!   settings:
//!     exemptImages: [registry.example.com/dev]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt_images::ExemptImages;
use crate::json::{Node, Path};
use crate::kubernetes::image::{Image, ImageError};
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which images need no digest.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// What images begin with that need no digest.
    exempt_images: Vec<String>,
}

/// See the page of `image-digests`.
#[derive(Debug)]
pub struct ImageDigests {
    exempt: ExemptImages,
}

impl Module for ImageDigests {
    const ID: &'static str = "image-digests";
    const GROUP: Group = Group::Images;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["gatekeeper-library/imagedigests", "kyverno/require-image-checksum"];
    const PUBLIC: &'static [&'static str] = &["image"];
    const DOC: &'static str = include_str!("image_digests.rs");
    type Settings = Settings;

    fn new(Settings { exempt_images }: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self { exempt: ExemptImages::new(&exempt_images)? })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let is_wrong = format!("!({} && i.contains('@')){}", twin::readable("i"), self.exempt.and_not_image("i"));
        Ok(CelTwin::of(twin::images(&is_wrong), "the image is not pinned: add its digest, \"@sha256:…\"")
            .differing("takes repositories of more than 255 bytes for readable"))
    }
}

impl ImageDigests {
    fn judge(&self, path: &Path<'_>, image: Node<'_>, report: &mut Report<'_>) {
        // Something else than a string is invalid as well.
        let problem = match image.as_str().map_or(Err(ImageError::Repository), Image::parse) {
            Ok(read) if read.digest().is_some() || self.exempt.covers_image(&read) => return,
            Ok(_) => "is not pinned: add its digest, \"@sha256:…\"".to_owned(),
            Err(error) => format!("cannot be pinned: {error}"),
        };
        let message = format!("image {} {problem}", report.show("image", image));
        report.finding(path, image, message);
    }
}

impl Validate for ImageDigests {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        if let Some(pod) = subject.pod() {
            pod.visit_images(|path, image| self.judge(path, image, report));
        }
    }
}
