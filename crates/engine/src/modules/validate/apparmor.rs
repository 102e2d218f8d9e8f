//! Refuses AppArmor profiles that are not allowed.
//!
//! # What it checks
//! `appArmorProfile` in the security contexts of pods and of the templates of workloads, and of their init, regular and
//! ephemeral containers, and the annotations that set profiles before there were fields
//! (`container.apparmor.security.beta.kubernetes.io/NAME`), which the API server still copies into the fields. Every
//! profile that is written must be allowed, the pod's too where all containers have their own. Who writes none, or an empty
//! annotation, gets the container runtime's default on nodes with AppArmor.
//!
//! In pods for Windows (`spec.os.name: windows`) the API server refuses the fields by itself.
//!
//! # Why
//! The runtime's default profile keeps containers from mounting, from tracing processes and from writing to the parts of
//! `/proc` that steer the node. `Unconfined` takes it away. The Pod Security Standards forbid that from `baseline` on.
//!
//! # Settings
//! - `allowed`: the types of profiles that may be used, of `RuntimeDefault`, `Localhost` and `Unconfined`. By default
//!   `RuntimeDefault` and `Localhost`.
//! - `localhostProfiles`: profiles of the node that may be used, as patterns: `k8s-*`. By default any.
//! - `exemptImages`: containers that are let pass, by what their images begin with, in the notation of
//!   `allowed-registries`: `registry.example.com/platform`. By default none. What is set for the pod is let pass if all of
//!   its containers are.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: apparmor }
//! spec:
//!   module: apparmor
//!   settings:
//!     localhostProfiles: ["k8s-*"]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt_images::ExemptImages;
use super::profile_annotations::visit_annotations;
pub use super::profiles::ProfileType;
use super::profiles::Profiles;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{CelTwin, NoTwin};
use crate::verdict::Report;

/// Which profiles may be used.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Types of profiles.
    allowed: Vec<ProfileType>,
    /// Patterns of profiles of the node; any if there are none.
    localhost_profiles: Vec<String>,
    /// What the images of containers begin with that are let pass.
    exempt_images: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allowed: ProfileType::confined(), localhost_profiles: vec![], exempt_images: vec![] }
    }
}

/// See the page of `apparmor`.
#[derive(Debug)]
pub struct Apparmor {
    profiles: Profiles,
    exempt: ExemptImages,
}

const OF_CONTAINER: &str = "container.apparmor.security.beta.kubernetes.io/";

impl Module for Apparmor {
    const ID: &'static str = "apparmor";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] =
        &["gatekeeper-library/apparmor", "kyverno/restrict-apparmor-profiles", "pss/appArmorProfile"];
    const PUBLIC: &'static [&'static str] = &["type"];
    const DOC: &'static str = include_str!("apparmor.rs");
    type Settings = Settings;

    fn new(Settings { allowed, localhost_profiles, exempt_images }: Settings) -> Result<Self, Vec<SettingsError>> {
        let profiles = Profiles::new(allowed, localhost_profiles)?;
        Ok(Self { profiles, exempt: ExemptImages::new(&exempt_images)? })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let message = format!("this AppArmor profile is not allowed; {}", self.profiles.accepted());
        let judged = self.profiles.findings("appArmorProfile", &self.exempt);
        let annotations = self.profiles.annotations(None, OF_CONTAINER, true, &self.exempt);
        Ok(CelTwin::of(judged, &message).and(annotations, &message))
    }
}

impl Validate for Apparmor {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        self.exempt.visit_security(&pod, |context| {
            if let Some(profile) = context.node.field("appArmorProfile") {
                self.profiles.judge(&context.path.key("appArmorProfile"), profile, report);
            }
        });
        visit_annotations(&pod, &self.exempt, None, OF_CONTAINER, |path, profile| {
            let is_allowed = |profile: &str| profile.is_empty() || self.profiles.allow_annotation(profile);
            if !profile.as_str().is_some_and(is_allowed) {
                let message = format!("this AppArmor profile is not allowed; {}", self.profiles.accepted());
                report.finding(path, profile, message);
            }
        });
    }
}
