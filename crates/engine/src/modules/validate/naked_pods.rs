//! Refuses pods that no controller made.
//!
//! # What it checks
//! CREATE of a pod that has no owner with `controller: true` in `metadata.ownerReferences`. An owner without it does not
//! replace the pod and does not count.
//!
//! Mirror pods pass if a kubelet creates them: they stand for static pods, whose files are on the node. The annotation
//! `kubernetes.io/config.mirror` alone does not let anybody else pass.
//!
//! Owners are taken at their word. A pod that names an owner which does not exist is let in, and the garbage collector
//! deletes it soon after.
//!
//! # Why
//! A pod without a controller is gone when its node is drained or fails, and nothing brings it back. It also keeps a drain
//! from finishing until somebody says `--force`.
//!
//! # Settings
//! - `exemptUsers`: patterns of users who may create such pods: `system:serviceaccount:ci:runner`. By default none.
//! - `exemptGroups`: patterns of groups whose members may.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: naked-pods }
//! spec:
//!   module: naked-pods
//!   settings:
//!     exemptUsers: ["system:serviceaccount:ci:*"]
//!     exemptGroups: [on-call]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt::Exempt;
use crate::json::{Node, Path};
use crate::kubernetes::owner::{is_controlled, is_mirror_pod};
use crate::matching::glob;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Who may create such pods.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Patterns of users.
    exempt_users: Vec<String>,
    /// Patterns of groups.
    exempt_groups: Vec<String>,
}

/// See the page of `naked-pods`.
#[derive(Debug)]
pub struct NakedPods(Exempt);

impl Module for NakedPods {
    const ID: &'static str = "naked-pods";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies =
        Applies::To(&[Resources { groups: &[""], resources: &["pods"], operations: &[Operation::Create] }]);
    const REPLACES: &'static [&'static str] = &["kyverno/prevent-bare-pods"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("naked_pods.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self(Exempt { users: settings.exempt_users, groups: settings.exempt_groups }))
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let is_mirror = format!(
            "#object.?metadata.?annotations[?'kubernetes.io/config.mirror'].hasValue() && {}",
            twin::fits("request.userInfo.?username.orValue('')", &[KUBELETS])
        );
        let is_wrong = format!(
            "request.kind.group == '' && request.kind.kind == 'Pod' && request.?subResource.orValue('') == '' && \
             !{} && !({is_mirror}) && !{}",
            twin::IS_CONTROLLED,
            self.0.in_cel()
        );
        let message =
            "no controller made the pod, so that nothing replaces it: use a Deployment, a StatefulSet or a Job";
        let mut twin = CelTwin::of(twin::one(&is_wrong, "metadata.ownerReferences"), message);
        twin = twin.differing("takes other owners of a pod, none of which is a controller, for the same as before");
        Ok(twin)
    }
}

/// Whom kubelets act as; only they can make the pod that stands for a file of theirs.
const KUBELETS: &str = "system:node:*";

impl Validate for NakedPods {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let review = subject.review;
        let is_pod = review.kind.group.is_empty() && review.kind.kind == "Pod" && review.subresource.is_empty();
        let is_mirror = || is_mirror_pod(subject.object) && glob::fits(KUBELETS, review.user.username);
        if !is_pod || is_controlled(subject.object) || is_mirror() || self.0.covers(&review.user) {
            return;
        }
        let owners = subject.object.at(&["metadata", "ownerReferences"]).unwrap_or(Node::NULL);
        let message =
            "no controller made the pod, so that nothing replaces it: use a Deployment, a StatefulSet or a Job";
        report.finding(&Path::root("metadata").key("ownerReferences"), owners, message);
    }
}
