//! Refuses new objects in the namespace `default`.
//!
//! # What it checks
//! CREATE of any namespaced object in the namespace `default`, which is also where an object lands that names none. What
//! is there already can be changed and deleted. Events and access reviews pass: events about nodes and other
//! cluster-scoped objects stand in `default`, and a review is never stored. Which kinds are judged can be narrowed by the
//! policy's own `matchConstraints`.
//!
//! `locked-namespaces` does the same for namespaces of your choice.
//!
//! # Why
//! `default` collects what was applied without a thought: it belongs to nobody, has no quota and no NetworkPolicies, and
//! everything in it shares one service account.
//!
//! # Settings
//! - `exemptUsers`: patterns of users who may create all the same. By default those that Kubernetes' own parts act as
//!   (`system:serviceaccount:kube-system:*`, `system:node:*` and so on): what is there already keeps its pods,
//!   EndpointSlices and certificates. A list of your own replaces the default.
//! - `exemptGroups`: patterns of groups whose members may.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: nothing-in-default }
//! spec:
//!   module: default-namespace
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt::{self, Exempt};
use crate::json::{Node, Path};
use crate::review::{Operation, Review, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Who may create objects in the default namespace.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Patterns of users who may create objects there.
    exempt_users: Vec<String>,
    /// Patterns of groups whose members may create objects there.
    exempt_groups: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { exempt_users: exempt::control_plane(), exempt_groups: vec![] }
    }
}

/// See the page of `default-namespace`.
#[derive(Debug)]
pub struct DefaultNamespace(Exempt);

impl Module for DefaultNamespace {
    const ID: &'static str = "default-namespace";
    const GROUP: Group = Group::Metadata;
    const APPLIES: Applies =
        Applies::To(&[Resources { groups: &["*"], resources: &["*"], operations: &[Operation::Create] }]);
    const REPLACES: &'static [&'static str] = &["kyverno/disallow-default-namespace"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("default_namespace.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self(Exempt { users: settings.exempt_users, groups: settings.exempt_groups }))
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let is_passing = "(request.kind.group in ['', 'events.k8s.io'] && request.kind.kind == 'Event' || \
                          request.kind.group == 'authorization.k8s.io' && request.kind.kind == 'LocalSubjectAccessReview')";
        let is_wrong = format!(
            "request.operation == 'CREATE' && {} == 'default' && !{} && !{is_passing} && !{}",
            twin::NAMESPACE,
            twin::IS_NAMESPACE,
            self.0.in_cel()
        );
        let message = "nothing can be created in namespace \"default\"; name another namespace";
        Ok(CelTwin::of(twin::one(&is_wrong, "metadata.namespace"), message).of_change())
    }
}

/// What stands in `default` by nobody's choice, or nowhere.
fn is_passing(review: &Review<'_>) -> bool {
    matches!(
        (review.kind.group, review.kind.kind),
        ("" | "events.k8s.io", "Event") | ("authorization.k8s.io", "LocalSubjectAccessReview")
    )
}

impl Validate for DefaultNamespace {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let review = subject.review;
        let is_inside =
            review.operation == Operation::Create && review.namespace == "default" && !review.is_of_namespace();
        if !is_inside || is_passing(review) || self.0.covers(&review.user) {
            return;
        }
        let message =
            format!("{} cannot be created in namespace \"default\"; name another namespace", review.kind.kind);
        report.finding(&Path::root("metadata").key("namespace"), Node::string("default"), message);
    }
}
