//! Refuses containers that run as root, or as a user outside of given ranges.
//!
//! # What it checks
//! `runAsUser` and `runAsNonRoot` in the security contexts of pods and of the templates of workloads, and of their init,
//! regular and ephemeral containers. A container's own value goes before the pod's.
//!
//! - Every `runAsUser` that is written must be allowed, the pod's too where all containers have their own: an ephemeral
//!   container that comes later would take it.
//! - Where neither the container nor the pod has one, the image decides. If every user but root is allowed, as by default,
//!   `runAsNonRoot: true` is enough: the kubelet then refuses an image that runs as root. If fewer are allowed, the user
//!   must be written.
//!
//! With a `runAsUser` other than 0 `runAsNonRoot` need not be set, as Gatekeeper has it; the Pod Security Standards want it
//! even then. They let root pass where the pod has a user namespace of its own (`hostUsers: false`); this policy does not.
//! In pods for Windows (`spec.os.name: windows`), whose users have no ids, `runAsNonRoot` alone is judged.
//!
//! # Why
//! Root in a container is root on the node but for the walls between them: one hole in the kernel or the runtime, or one
//! file of the node that is mounted, and it has no more to overcome.
//!
//! # Settings
//! - `allowed`: users who may run containers: `"1000"`, or a range with both ends: `"1000-65535"`. By default every one but
//!   root, `"1-2147483647"`.
//! - `exemptImages`: containers that are let pass, by what their images begin with, in the notation of
//!   `allowed-registries`: `registry.example.com/platform`. By default none. The pod's own values are let pass if all of
//!   its containers are.
//! - `required`: whether one of the two fields must be written, for the container or for the pod; true by default. Set it to
//!   false for templates whose pods are filled in by `set-security-context`: then what is written is judged alone.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: run-as-user }
//! spec:
//!   module: run-as-user
//!   settings:
//!     allowed: ["1000-65535"]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt_images::ExemptImages;
use super::ids::{self, Ids};
use crate::json::Node;
use crate::kubernetes::security::Context;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Who may run containers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Ids of users (`"1000"`) and ranges of them (`"1000-65535"`).
    allowed: Vec<String>,
    /// What the images of containers begin with that are let pass.
    exempt_images: Vec<String>,
    /// Whether a user, or `runAsNonRoot`, must be written.
    required: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allowed: ids::all_but_root(), exempt_images: vec![], required: true }
    }
}

/// See the page of `run-as-user`.
#[derive(Debug)]
pub struct RunAsUser {
    allowed: Ids,
    exempt: ExemptImages,
    required: bool,
}

impl Module for RunAsUser {
    const ID: &'static str = "run-as-user";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &[
        "gatekeeper-library/users",
        "kyverno/require-run-as-non-root-user",
        "kyverno/require-run-as-nonroot",
        "pss/runAsNonRoot",
        "pss/runAsUser",
    ];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("run_as_user.rs");
    type Settings = Settings;

    fn new(Settings { allowed, exempt_images, required }: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self { allowed: Ids::new(&allowed)?, exempt: ExemptImages::new(&exempt_images)?, required })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let exempt = self.exempt.and_no_context();
        let user = "c.it.?runAsUser";
        let is_wrong =
            format!("{user}.hasValue() && !{}{exempt}", self.allowed.hold_in_cel(&format!("{user}.orValue(0)")));
        let message = format!("this user is not allowed; {}", self.allowed.accepted());
        let value = format!("string({user}.orValue(0))");
        let mut twin = CelTwin::of(twin::contexts(&is_wrong, "runAsUser", &value), message);
        let of_pod = "#spec.?securityContext";
        let (own, inherited) = ("c.it.?runAsNonRoot", format!("{of_pod}.?runAsNonRoot"));
        let none = format!("c.of != null && !{user}.hasValue() && !{of_pod}.?runAsUser.hasValue(){exempt}");
        let is_asked =
            if self.required { String::new() } else { format!(" && ({own}.hasValue() || {inherited}.hasValue())") };
        let must_be_named = !self.allowed.hold_all_from(1);
        if must_be_named {
            let message =
                format!("the image decides who runs: name a user, here or for the pod; {}", self.allowed.accepted());
            let findings = twin::contexts(&format!("{none}{is_asked}"), "runAsUser", "''");
            twin = twin.and(twin::unless_windows(&findings), message);
        }
        if !self.allowed.hold(Node::int(0)) {
            let findings = twin::contexts(
                &format!("{none}{is_asked} && !{own}.or({inherited}).orValue(false)"),
                "runAsNonRoot",
                &format!("({own}.hasValue() ? 'false' : '')"),
            );
            let findings = if must_be_named { format!("({} ? {findings} : [])", twin::IS_WINDOWS) } else { findings };
            twin = twin.and(findings, "the image may run as root: set it to true, here or for the pod");
        }
        Ok(twin)
    }
}

impl RunAsUser {
    fn judge(&self, context: &Context<'_, '_>, of_pod: Node<'_>, is_windows: bool, report: &mut Report<'_>) {
        let user = context.node.field("runAsUser");
        if let Some(user) = user {
            if !self.allowed.hold(user) {
                let message = format!("this user is not allowed; {}", self.allowed.accepted());
                report.finding(&context.path.key("runAsUser"), user, message);
            }
            return;
        }
        if context.container.is_none() || of_pod.field("runAsUser").is_some() {
            return;
        }
        let own = context.node.field("runAsNonRoot");
        let non_root = own.or_else(|| of_pod.field("runAsNonRoot"));
        if non_root.is_none() && !self.required {
            return;
        }
        if !is_windows && !self.allowed.hold_all_from(1) {
            let message =
                format!("the image decides who runs: name a user, here or for the pod; {}", self.allowed.accepted());
            report.finding(&context.path.key("runAsUser"), Node::NULL, message);
            return;
        }
        if non_root.and_then(Node::as_bool) != Some(true) && !self.allowed.hold(Node::int(0)) {
            let message = "the image may run as root: set it to true, here or for the pod";
            report.finding(&context.path.key("runAsNonRoot"), own.unwrap_or_default(), message);
        }
    }
}

impl Validate for RunAsUser {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        let (of_pod, is_windows) = (pod.security(), pod.is_windows());
        self.exempt.visit_security(&pod, |context| self.judge(context, of_pod, is_windows, report));
    }
}
