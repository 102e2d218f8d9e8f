//! Refuses containers that see all of /proc.
//!
//! # What it checks
//! `securityContext.procMount` of init, regular and ephemeral containers, in pods and in the templates of workloads. It must
//! be absent, null or `Default`.
//!
//! The API server itself allows `Unmasked` only with `hostUsers: false`. The Pod Security Standards let such pods pass in
//! `baseline`; this policy does not, unless their images are exempt.
//!
//! # Why
//! Runtimes hide the parts of `/proc` that tell about the node or steer it. `Unmasked` shows them to the container.
//!
//! # Settings
//! - `exemptImages`: containers that are let pass, by what their images begin with, in the notation of
//!   `allowed-registries`: `registry.example.com/ci/builder`. By default none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: proc-mount }
//! spec:
//!   module: proc-mount
//!   settings:
//!     exemptImages: [registry.example.com/ci/builder]
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
    /// What the images of containers begin with that may see all of /proc.
    exempt_images: Vec<String>,
}

/// See the page of `proc-mount`.
#[derive(Debug)]
pub struct ProcMount {
    exempt: ExemptImages,
}

impl Module for ProcMount {
    const ID: &'static str = "proc-mount";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] =
        &["gatekeeper-library/proc-mount", "kyverno/disallow-proc-mount", "pss/procMount", "pss/procMount_restricted"];
    const PUBLIC: &'static [&'static str] = &["procMount"];
    const DOC: &'static str = include_str!("proc_mount.rs");
    type Settings = Settings;

    fn new(Settings { exempt_images }: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self { exempt: ExemptImages::new(&exempt_images)? })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let field = "c.it.?securityContext.?procMount.orValue('Default')";
        let is_wrong = format!("{field} != 'Default'{}", self.exempt.and_not("c.it"));
        let findings = twin::containers_with(&is_wrong, "securityContext.procMount", field);
        Ok(CelTwin::of(findings, "it is not allowed: take the field away, or set it to \"Default\""))
    }
}

impl Validate for ProcMount {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        self.exempt.visit_containers(&pod, |container| {
            let found = container.node.at(&["securityContext", "procMount"]);
            if let Some(found) = found.filter(|found| found.as_str() != Some("Default")) {
                let shown = report.show("procMount", found);
                let message = format!("{shown} is not allowed: take the field away, or set it to \"Default\"");
                report.finding(&container.path.key("securityContext").key("procMount"), found, message);
            }
        });
    }
}
