//! The settings: `PodSecurityConfiguration` of pod-security.admission.config.k8s.io, in this program's spelling.

use schemars::JsonSchema;
use serde::Deserialize;

use super::level::{Level, Modes, Standard, Version};
use crate::rule::SettingsError;

/// What it replaces elsewhere.
pub(super) const REPLACES: &[&str] = &[
    "gatekeeper-library/allow-privilege-escalation",
    "gatekeeper-library/host-namespaces",
    "gatekeeper-library/privileged-containers",
    "gatekeeper-library/proc-mount",
    "kubernetes/PodSecurity",
    "kyverno/disallow-capabilities",
    "kyverno/disallow-capabilities-strict",
    "kyverno/disallow-host-namespaces",
    "kyverno/disallow-host-path",
    "kyverno/disallow-host-process",
    "kyverno/disallow-privilege-escalation",
    "kyverno/disallow-privileged-containers",
    "kyverno/disallow-proc-mount",
    "kyverno/disallow-selinux",
    "kyverno/podsecurity-subrule-baseline",
    "kyverno/restricted-latest",
    "kyverno/require-run-as-non-root-user",
    "kyverno/require-run-as-nonroot",
    "kyverno/restrict-apparmor-profiles",
    "kyverno/restrict-seccomp",
    "kyverno/restrict-seccomp-strict",
    "kyverno/restrict-sysctls",
    "kyverno/restrict-volume-types",
    "pss/baseline",
    "pss/restricted",
];

/// Fields whose values messages show: names of containers, volumes and sysctls, host ports, capabilities, the types of
/// profiles, `/proc` mounts, hosts of probes, a Namespace's labels. The annotations are the fields of profiles in the old
/// form.
pub(super) const PUBLIC: &[&str] = &[
    "name",
    "hostPort",
    "add",
    "type",
    "procMount",
    "host",
    "labels",
    "container.apparmor.security.beta.kubernetes.io/*",
    "seccomp.security.alpha.kubernetes.io/pod",
    "container.seccomp.security.alpha.kubernetes.io/*",
];

/// What pods are held to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The level that pods must meet.
    enforce: Level,
    /// The Kubernetes version of that level: `v1.30`, or `latest`.
    enforce_version: String,
    /// The level whose violations go into the audit log.
    audit: Level,
    /// The Kubernetes version of that level: `v1.30`, or `latest`.
    audit_version: String,
    /// The level whose violations users are warned about.
    warn: Level,
    /// The Kubernetes version of that level: `v1.30`, or `latest`.
    warn_version: String,
    /// Whether the labels `pod-security.kubernetes.io/…` of a Namespace replace levels and versions there.
    pub(super) namespace_labels: bool,
    /// What is never judged.
    pub(super) exemptions: Exemptions,
}

/// What is never judged.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct Exemptions {
    /// Users whose requests are let pass.
    pub(super) usernames: Vec<String>,
    /// Runtime classes whose pods are let pass.
    pub(super) runtime_classes: Vec<String>,
    /// Namespaces in which pods are let pass.
    pub(super) namespaces: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let latest = || "latest".to_owned();
        Self {
            enforce: Level::default(),
            enforce_version: latest(),
            audit: Level::default(),
            audit_version: latest(),
            warn: Level::default(),
            warn_version: latest(),
            namespace_labels: false,
            exemptions: Exemptions::default(),
        }
    }
}

impl Settings {
    /// What holds by these settings.
    ///
    /// # Errors
    /// Each version that is none.
    pub(super) fn modes(&self) -> Result<Modes, Vec<SettingsError>> {
        let mut errors = vec![];
        let mut standard = |name: &str, level, text: &str| {
            let version = Version::parse(text).unwrap_or_else(|_| {
                let message = format!("{text:?} is no version: expected \"latest\", or one such as \"v1.30\"");
                errors.push(SettingsError { pointer: format!("/{name}Version"), message });
                Version::Latest
            });
            Standard { level, version }
        };
        let modes = Modes {
            enforce: standard("enforce", self.enforce, &self.enforce_version),
            audit: standard("audit", self.audit, &self.audit_version),
            warn: standard("warn", self.warn, &self.warn_version),
        };
        if errors.is_empty() { Ok(modes) } else { Err(errors) }
    }
}
