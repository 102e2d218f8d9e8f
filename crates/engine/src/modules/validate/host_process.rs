//! Refuses Windows containers that run as processes of their node.
//!
//! # What it checks
//! `securityContext.windowsOptions.hostProcess` of pods and of the templates of workloads, and of their init, regular and
//! ephemeral containers. It must be absent, null or false wherever it stands.
//!
//! # Why
//! A HostProcess container is no container: it runs on the node, among the node's files and in its network, as a user of
//! the node. The Pod Security Standards forbid it from `baseline` on.
//!
//! # Settings
//! - `exemptImages`: containers that are let pass, by what their images begin with, in the notation of
//!   `allowed-registries`: `registry.example.com/platform/kube-proxy`. By default none. What is set for the pod is let pass
//!   if all of its containers are.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: no-host-processes }
//! spec:
//!   module: host-process
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
    /// What the images of containers begin with that may run as processes of the node.
    exempt_images: Vec<String>,
}

/// See the page of `host-process`.
#[derive(Debug)]
pub struct HostProcess {
    exempt: ExemptImages,
}

impl Module for HostProcess {
    const ID: &'static str = "host-process";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] =
        &["gatekeeper-library/host-process", "kyverno/disallow-host-process", "pss/windowsHostProcess"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("host_process.rs");
    type Settings = Settings;

    fn new(Settings { exempt_images }: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self { exempt: ExemptImages::new(&exempt_images)? })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let is_wrong = "c.it.?windowsOptions.?hostProcess.orValue(false)".to_owned() + &self.exempt.and_no_context();
        let findings = twin::contexts(&is_wrong, "windowsOptions.hostProcess", "''");
        let message = "processes of the node are not allowed: take the field away, or set it to false";
        Ok(CelTwin::of(findings, message))
    }
}

impl Validate for HostProcess {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        self.exempt.visit_security(&pod, |context| {
            let found = context.node.at(&["windowsOptions", "hostProcess"]);
            // Something else than a boolean is no reason to let it pass.
            if let Some(found) = found.filter(|found| found.as_bool() != Some(false)) {
                let options = context.path.key("windowsOptions");
                let message = "processes of the node are not allowed: take the field away, or set it to false";
                report.finding(&options.key("hostProcess"), found, message);
            }
        });
    }
}
