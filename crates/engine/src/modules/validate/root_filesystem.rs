//! Refuses containers that can write to their root filesystem.
//!
//! # What it checks
//! `securityContext.readOnlyRootFilesystem` of init, regular and ephemeral containers, in pods and in the templates of
//! workloads. It must be true; absent or null means false to Kubernetes.
//!
//! Pods for Windows (`spec.os.name: windows`) pass: the API server does not let them set the field.
//!
//! # Why
//! An intruder who cannot write to the image's files cannot replace programs, leave tools behind or hide in the
//! configuration. What has to be written goes to volumes, an `emptyDir` for instance, where it can be seen and limited.
//!
//! # Settings
//! - `exemptImages`: containers that are let pass, by what their images begin with, in the notation of
//!   `allowed-registries`: `docker.io/library/postgres`. By default none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: read-only-root-filesystem }
//! spec:
//!   module: root-filesystem
//!   settings:
//!     exemptImages: [registry.example.com/legacy]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt_images::ExemptImages;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which containers are let pass.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// What the images of containers begin with that may write to their root filesystem.
    exempt_images: Vec<String>,
}

/// See the page of `root-filesystem`.
#[derive(Debug)]
pub struct RootFilesystem {
    exempt: ExemptImages,
}

impl Module for RootFilesystem {
    const ID: &'static str = "root-filesystem";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] =
        &["gatekeeper-library/read-only-root-filesystem", "kyverno/require-ro-rootfs"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("root_filesystem.rs");
    type Settings = Settings;

    fn new(Settings { exempt_images }: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self { exempt: ExemptImages::new(&exempt_images)? })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let field = "c.it.?securityContext.?readOnlyRootFilesystem";
        let is_wrong = format!("!{field}.orValue(false){}", self.exempt.and_not("c.it"));
        let value = format!("({field}.hasValue() ? 'false' : '')");
        let findings = twin::containers_with(&is_wrong, "securityContext.readOnlyRootFilesystem", &value);
        let message = "the root filesystem can be written: set it to true, and mount volumes for what is written";
        Ok(CelTwin::of(twin::unless_windows(&findings), message))
    }
}

impl Validate for RootFilesystem {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod().filter(|pod| !pod.is_windows()) else { return };
        self.exempt.visit_containers(&pod, |container| {
            let found = container.node.at(&["securityContext", "readOnlyRootFilesystem"]).unwrap_or_default();
            if found.as_bool() != Some(true) {
                let security = container.path.key("securityContext");
                let message =
                    "the root filesystem can be written: set it to true, and mount volumes for what is written";
                report.finding(&security.key("readOnlyRootFilesystem"), found, message);
            }
        });
    }
}
