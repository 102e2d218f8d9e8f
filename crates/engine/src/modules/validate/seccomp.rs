//! Refuses containers without a seccomp profile, or with one that is not allowed.
//!
//! # What it checks
//! `seccompProfile` in the security contexts of pods and of the templates of workloads, and of their init, regular and
//! ephemeral containers. A container's own profile goes before the pod's.
//!
//! - Every profile that is written must be allowed, the pod's too where all containers have their own.
//! - A container for which neither itself nor the pod has one runs unconfined, and is refused unless `required` is false.
//! - The annotations that set profiles before there were fields (`seccomp.security.alpha.kubernetes.io/pod`,
//!   `container.seccomp.security.alpha.kubernetes.io/NAME`) must name an allowed profile. They mean nothing to Kubernetes
//!   since 1.27, and do not stand for a profile that is required.
//!
//! A kubelet with `seccompDefault` gives its default to pods that say nothing; set `required: false` there. Pods for
//! Windows (`spec.os.name: windows`) pass: the API server does not let them set the field.
//!
//! # Why
//! Without a profile a container may make every system call, among them the rarely used ones in which the holes of the
//! kernel are found. The Pod Security Standards ask in `restricted` for what is the default here.
//!
//! # Settings
//! - `allowed`: the types of profiles that may be used, of `RuntimeDefault`, `Localhost` and `Unconfined`. By default
//!   `RuntimeDefault` and `Localhost`.
//! - `localhostProfiles`: profiles of the node that may be used, as patterns: `profiles/*`. By default any.
//! - `required`: whether there must be a profile; true by default, unless `Unconfined` is allowed.
//! - `exemptImages`: containers that are let pass, by what their images begin with, in the notation of
//!   `allowed-registries`: `registry.example.com/platform`. By default none. What is set for the pod is let pass if all of
//!   its containers are.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: seccomp }
//! spec:
//!   module: seccomp
//!   settings:
//!     localhostProfiles: ["operator/*"]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt_images::ExemptImages;
use super::profile_annotations::visit_annotations;
pub use super::profiles::ProfileType;
use super::profiles::Profiles;
use crate::json::Node;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which profiles may be used.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Types of profiles.
    allowed: Vec<ProfileType>,
    /// Patterns of profiles of the node; any if there are none.
    localhost_profiles: Vec<String>,
    /// Whether there must be a profile; by default, unless `Unconfined` is allowed.
    required: Option<bool>,
    /// What the images of containers begin with that are let pass.
    exempt_images: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allowed: ProfileType::confined(), localhost_profiles: vec![], required: None, exempt_images: vec![] }
    }
}

/// See the page of `seccomp`.
#[derive(Debug)]
pub struct Seccomp {
    profiles: Profiles,
    required: bool,
    exempt: ExemptImages,
}

const OF_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const OF_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";

impl Module for Seccomp {
    const ID: &'static str = "seccomp";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &[
        "gatekeeper-library/seccomp",
        "gatekeeper-library/seccompv2",
        "kyverno/restrict-seccomp",
        "kyverno/restrict-seccomp-strict",
        "pss/seccompProfile_baseline",
        "pss/seccompProfile_restricted",
    ];
    const PUBLIC: &'static [&'static str] = &["type"];
    const DOC: &'static str = include_str!("seccomp.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let Settings { allowed, localhost_profiles, required, exempt_images } = settings;
        let profiles = Profiles::new(allowed, localhost_profiles)?;
        let exempt = ExemptImages::new(&exempt_images)?;
        if required == Some(true) && profiles.allow_none() {
            let message = "whoever may be unconfined needs no profile: take away Unconfined or this".to_owned();
            return Err(vec![SettingsError { pointer: "/required".to_owned(), message }]);
        }
        let required = required.unwrap_or(!profiles.allow_none());
        Ok(Self { profiles, required, exempt })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let (exempt, judged) = (self.exempt.and_no_context(), self.profiles.findings("seccompProfile", &self.exempt));
        let mut twin = CelTwin::of(
            twin::unless_windows(&judged),
            format!("this seccomp profile is not allowed; {}", self.profiles.accepted()),
        );
        if self.required {
            let absent = format!(
                "c.of != null && !c.it.?seccompProfile.hasValue() && \
                 !#spec.?securityContext.?seccompProfile.hasValue(){exempt}"
            );
            let message =
                format!("there is no seccomp profile: set one, here or for the pod; {}", self.profiles.accepted());
            twin = twin.and(twin::unless_windows(&twin::contexts(&absent, "seccompProfile", "''")), message);
        }
        let annotations = self.profiles.annotations(Some(OF_POD), OF_CONTAINER, false, &self.exempt);
        let message = format!(
            "this seccomp profile is not allowed, and the annotation is obsolete; {}",
            self.profiles.accepted()
        );
        Ok(twin.and(twin::unless_windows(&annotations), message))
    }
}

impl Validate for Seccomp {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod().filter(|pod| !pod.is_windows()) else { return };
        let of_pod = pod.security().field("seccompProfile");
        self.exempt.visit_security(&pod, |context| {
            let path = context.path.key("seccompProfile");
            match context.node.field("seccompProfile") {
                Some(profile) => self.profiles.judge(&path, profile, report),
                None if self.required && context.container.is_some() && of_pod.is_none() => {
                    let accepted = self.profiles.accepted();
                    let message = format!("there is no seccomp profile: set one, here or for the pod; {accepted}");
                    report.finding(&path, Node::NULL, message);
                }
                None => {}
            }
        });
        visit_annotations(&pod, &self.exempt, Some(OF_POD), OF_CONTAINER, |path, profile| {
            if !profile.as_str().is_some_and(|profile| self.profiles.allow_annotation(profile)) {
                let accepted = self.profiles.accepted();
                let message =
                    format!("this seccomp profile is not allowed, and the annotation is obsolete; {accepted}");
                report.finding(path, profile, message);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_a_requirement_that_asks_for_nothing() {
        let allowed = vec![ProfileType::RuntimeDefault, ProfileType::Unconfined];
        let settings = Settings { allowed, required: Some(true), ..Settings::default() };
        let message = "whoever may be unconfined needs no profile: take away Unconfined or this".to_owned();
        assert_eq!(Seccomp::new(settings).unwrap_err(), [SettingsError { pointer: "/required".to_owned(), message }]);
    }
}
