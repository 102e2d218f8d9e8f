//! Refuses containers that run in root's group, or in groups outside of given ranges.
//!
//! # What it checks
//! `runAsGroup` in the security contexts of pods and of the templates of workloads, and of their init, regular and ephemeral
//! containers, and the pod's `supplementalGroups`. A container's own value goes before the pod's. Every group that is
//! written must be allowed. Where neither the container nor the pod has a `runAsGroup`, the image decides, and mostly it
//! decides for 0: that is refused too, unless `required` is false.
//!
//! Groups that the image's own `/etc/group` adds cannot be seen; `supplementalGroupsPolicy: Strict` leaves them out. Pods
//! for Windows (`spec.os.name: windows`) pass: the API server does not let them set the fields. For `fsGroup` see
//! `fs-group`.
//!
//! # Why
//! Files of the node and of images that root's group may write are many. With groups of its own for each team, shared
//! volumes are open to those alone who should see them.
//!
//! # Settings
//! - `allowed`: groups that containers may run in: `"1000"`, or a range with both ends: `"1000-65535"`. By default every
//!   one but root's, `"1-2147483647"`.
//! - `required`: whether the group must be written, for the container or for the pod; true by default.
//! - `exemptImages`: containers that are let pass, by what their images begin with, in the notation of
//!   `allowed-registries`: `registry.example.com/platform`. By default none. The pod's own values are let pass if all of
//!   its containers are.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: run-as-group }
//! spec:
//!   module: run-as-group
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

/// In which groups containers may run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Ids of groups (`"1000"`) and ranges of them (`"1000-65535"`).
    allowed: Vec<String>,
    /// Whether the group must be written.
    required: bool,
    /// What the images of containers begin with that are let pass.
    exempt_images: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allowed: ids::all_but_root(), required: true, exempt_images: vec![] }
    }
}

/// See the page of `run-as-group`.
#[derive(Debug)]
pub struct RunAsGroup {
    allowed: Ids,
    required: bool,
    exempt: ExemptImages,
}

impl Module for RunAsGroup {
    const ID: &'static str = "run-as-group";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["gatekeeper-library/users"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("run_as_group.rs");
    type Settings = Settings;

    fn new(Settings { allowed, required, exempt_images }: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self { allowed: Ids::new(&allowed)?, required, exempt: ExemptImages::new(&exempt_images)? })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let exempt = self.exempt.and_no_context();
        let group = "c.it.?runAsGroup";
        let message = format!("this group is not allowed; {}", self.allowed.accepted());
        let of_field = twin::contexts(
            &format!("{group}.hasValue() && !{}{exempt}", self.allowed.hold_in_cel(&format!("{group}.orValue(0)"))),
            "runAsGroup",
            &format!("string({group}.orValue(0))"),
        );
        let supplemental = twin::nested(
            &format!("#contexts.filter(c, c.of == null{exempt})"),
            "c",
            &format!(
                "c.it.?supplementalGroups.orValue([]).filter(g, !{}).map(g, \
                 'securityContext.supplementalGroups\\n' + string(g))",
                self.allowed.hold_in_cel("g")
            ),
        );
        let mut twin = CelTwin::of(twin::unless_windows(&format!("{of_field} + {supplemental}")), message);
        if self.required {
            let absent = format!(
                "c.of != null && !{group}.hasValue() && !#spec.?securityContext.?runAsGroup.hasValue(){exempt}"
            );
            let message =
                format!("the image decides on the group: name one, here or for the pod; {}", self.allowed.accepted());
            twin = twin.and(twin::unless_windows(&twin::contexts(&absent, "runAsGroup", "''")), message);
        }
        Ok(twin)
    }
}

impl RunAsGroup {
    fn judge(&self, context: &Context<'_, '_>, of_pod: Node<'_>, report: &mut Report<'_>) {
        let forbidden = || format!("this group is not allowed; {}", self.allowed.accepted());
        match context.node.field("runAsGroup") {
            Some(group) if !self.allowed.hold(group) => {
                report.finding(&context.path.key("runAsGroup"), group, forbidden());
            }
            None if self.required && context.container.is_some() && of_pod.field("runAsGroup").is_none() => {
                let accepted = self.allowed.accepted();
                let message = format!("the image decides on the group: name one, here or for the pod; {accepted}");
                report.finding(&context.path.key("runAsGroup"), Node::NULL, message);
            }
            _ => {}
        }
        if context.container.is_none() {
            for group in context.node.items_of("supplementalGroups").iter().filter(|group| !self.allowed.hold(**group))
            {
                report.finding(&context.path.key("supplementalGroups"), *group, forbidden());
            }
        }
    }
}

impl Validate for RunAsGroup {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod().filter(|pod| !pod.is_windows()) else { return };
        let of_pod = pod.security();
        self.exempt.visit_security(&pod, |context| self.judge(context, of_pod, report));
    }
}
