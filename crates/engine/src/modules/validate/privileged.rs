//! Refuses privileged containers.
//!
//! # What it checks
//! `securityContext.privileged` of init, regular and ephemeral containers, in pods and in the templates of workloads. It
//! must be absent, null or false.
//!
//! # Why
//! A privileged container has every capability, all devices of the node and none of the walls around it: whoever is in it
//! is root on the node. The Pod Security Standards forbid it from `baseline` on.
//!
//! # Settings
//! - `exemptImages`: containers that may be privileged, by what their images begin with, in the notation of
//!   `allowed-registries`: `registry.example.com/platform/cni`. Names are completed first, so that `nginx` is
//!   `docker.io/library/nginx`, and whole parts are compared. By default none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: no-privileged-containers }
//! spec:
//!   module: privileged
//!   settings:
//!     exemptImages: [registry.example.com/platform/cni]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt_images::ExemptImages;
use crate::json::Node;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which containers may be privileged.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// What the images of containers begin with that may be privileged.
    exempt_images: Vec<String>,
}

/// See the page of `privileged`.
#[derive(Debug)]
pub struct Privileged {
    exempt: ExemptImages,
}

impl Module for Privileged {
    const ID: &'static str = "privileged";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] =
        &["gatekeeper-library/privileged-containers", "kyverno/disallow-privileged-containers", "pss/privileged"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("privileged.rs");
    type Settings = Settings;

    fn new(Settings { exempt_images }: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self { exempt: ExemptImages::new(&exempt_images)? })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let is_wrong = "c.it.?securityContext.?privileged.orValue(false)".to_owned() + &self.exempt.and_not("c.it");
        Ok(CelTwin::of(twin::containers(&is_wrong, "securityContext.privileged"), message(Node::bool(true))))
    }
}

impl Validate for Privileged {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        self.exempt.visit_containers(&pod, |container| {
            let privileged = container.node.at(&["securityContext", "privileged"]);
            // Something else than a boolean is no reason to let it pass.
            if let Some(found) = privileged.filter(|found| found.as_bool() != Some(false)) {
                let security = container.path.key("securityContext");
                report.finding(&security.key("privileged"), found, message(found));
            }
        });
    }
}

fn message(found: Node<'_>) -> &'static str {
    match found.as_bool() {
        Some(_) => "privileged containers are not allowed: take the field away, or set it to false",
        None => "it must be a boolean, and false",
    }
}
