//! Refuses containers whose processes can gain more privileges than they start with.
//!
//! # What it checks
//! `securityContext.allowPrivilegeEscalation` of init, regular and ephemeral containers, in pods and in the templates of
//! workloads. It must be false. Absent or null means true to Kubernetes, so it is refused as well.
//!
//! Pods for Windows (`spec.os.name: windows`) pass: the API server does not let them set the field.
//!
//! # Why
//! Set-user-ID programs and file capabilities make root of anybody who finds one in the image. With the field at false the
//! kernel ignores both (`no_new_privs`). The Pod Security Standards ask for it in `restricted`.
//!
//! # Settings
//! - `exemptImages`: containers that are let pass, by what their images begin with, in the notation of
//!   `allowed-registries`: `registry.example.com/platform`. By default none.
//! - `required`: whether the field must be written; true by default. Set it to false for templates whose pods are filled in
//!   by `set-security-context`: then what is written is judged alone.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: no-privilege-escalation }
//! spec:
//!   module: privilege-escalation
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt_images::ExemptImages;
use crate::json::Node;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which containers are let pass.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// What the images of containers begin with that are let pass.
    exempt_images: Vec<String>,
    /// Whether the field must be written.
    required: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { exempt_images: vec![], required: true }
    }
}

/// See the page of `privilege-escalation`.
#[derive(Debug)]
pub struct PrivilegeEscalation {
    exempt: ExemptImages,
    required: bool,
}

impl Module for PrivilegeEscalation {
    const ID: &'static str = "privilege-escalation";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &[
        "gatekeeper-library/allow-privilege-escalation",
        "kyverno/disallow-privilege-escalation",
        "pss/allowPrivilegeEscalation",
    ];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("privilege_escalation.rs");
    type Settings = Settings;

    fn new(Settings { exempt_images, required }: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self { exempt: ExemptImages::new(&exempt_images)?, required })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let field = "c.it.?securityContext.?allowPrivilegeEscalation";
        let is_wrong = format!("{field}.orValue({}){}", self.required, self.exempt.and_not("c.it"));
        let value = format!("({field}.hasValue() ? 'true' : '')");
        let findings = twin::containers_with(&is_wrong, "securityContext.allowPrivilegeEscalation", &value);
        Ok(CelTwin::of(twin::unless_windows(&findings), message(Node::bool(true))))
    }
}

impl Validate for PrivilegeEscalation {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod().filter(|pod| !pod.is_windows()) else { return };
        self.exempt.visit_containers(&pod, |container| {
            let found = container.node.at(&["securityContext", "allowPrivilegeEscalation"]).unwrap_or_default();
            if found.as_bool() != Some(false) && (self.required || !found.is_null()) {
                let security = container.path.key("securityContext");
                report.finding(&security.key("allowPrivilegeEscalation"), found, message(found));
            }
        });
    }
}

fn message(found: Node<'_>) -> &'static str {
    if found.is_null() {
        "privilege escalation is allowed where nothing is said: set it to false"
    } else {
        "privilege escalation is not allowed: set it to false"
    }
}
