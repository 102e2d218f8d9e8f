//! Refuses the creation of objects in namespaces that are locked.
//!
//! # What it checks
//! CREATE of any namespaced object whose namespace fits one of the patterns. The Namespace itself can be created, and
//! objects that exist can be changed and deleted. Which kinds may not be created is said by the policy's own
//! `matchConstraints`; the default is all of them, without subresources such as `pods/eviction`.
//!
//! # Why
//! `default` collects what nobody wanted to put anywhere; a namespace that is being moved or wound up must not grow; one
//! that belongs to the platform is no place for workloads.
//!
//! # Settings
//! - `namespaces`: patterns of the locked namespaces: `default`, `legacy-*`. At least one.
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
//!   module: locked-namespaces
//!   settings:
//!     namespaces: [default]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt::{self, Exempt};
use crate::json::{Node, Path};
use crate::matching::glob;
use crate::modules::patterns;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which namespaces are locked, and for whom.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Patterns of the namespaces in which nothing may be created.
    namespaces: Vec<String>,
    /// Patterns of users who may create objects there.
    exempt_users: Vec<String>,
    /// Patterns of groups whose members may create objects there.
    exempt_groups: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { namespaces: vec![], exempt_users: exempt::control_plane(), exempt_groups: vec![] }
    }
}

/// See the page of `locked-namespaces`.
#[derive(Debug)]
pub struct LockedNamespaces {
    namespaces: Vec<String>,
    exempt: Exempt,
}

impl Module for LockedNamespaces {
    const ID: &'static str = "locked-namespaces";
    const GROUP: Group = Group::Access;
    const APPLIES: Applies =
        Applies::To(&[Resources { groups: &["*"], resources: &["*"], operations: &[Operation::Create] }]);
    const REPLACES: &'static [&'static str] = &["kyverno/disallow-default-namespace"];
    const PUBLIC: &'static [&'static str] = &["namespace"];
    const DOC: &'static str = include_str!("locked_namespaces.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        if settings.namespaces.is_empty() {
            return Err(vec![SettingsError {
                pointer: "/namespaces".to_owned(),
                message: "no namespace is locked: expected at least one pattern, such as \"default\"".to_owned(),
            }]);
        }
        let errors: Vec<_> = patterns::of_namespaces("/namespaces", &settings.namespaces).collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        let exempt = Exempt { users: settings.exempt_users, groups: settings.exempt_groups };
        Ok(Self { namespaces: settings.namespaces, exempt })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let is_wrong = format!(
            "request.operation == 'CREATE' && {0} != '' && !{1} && {2} && !{3}",
            twin::NAMESPACE,
            twin::IS_NAMESPACE,
            twin::fits(twin::NAMESPACE, &self.namespaces),
            self.exempt.in_cel()
        );
        let message = "nothing can be created in this namespace, which is locked";
        Ok(CelTwin::of(twin::one(&is_wrong, "metadata.namespace"), message).of_change())
    }
}

impl Validate for LockedNamespaces {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let review = subject.review;
        let is_locked = |name| self.namespaces.iter().any(|pattern| glob::fits(pattern, name));
        let is_inside =
            review.operation == Operation::Create && !review.namespace.is_empty() && !review.is_of_namespace();
        if !is_inside || !is_locked(review.namespace) || self.exempt.covers(&review.user) {
            return;
        }
        let namespace = Node::string(review.namespace);
        let shown = report.show("namespace", namespace);
        let message = format!("{} cannot be created in namespace {shown}, which is locked", review.kind.kind);
        report.finding(&Path::root("metadata").key("namespace"), namespace, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_lock_nothing() {
        let errors = LockedNamespaces::new(Settings::default()).unwrap_err();
        let message = "no namespace is locked: expected at least one pattern, such as \"default\"";
        assert_eq!(errors, [SettingsError { pointer: "/namespaces".to_owned(), message: message.to_owned() }]);
        let settings = Settings { namespaces: vec!["default".into(), "Legacy".into()], ..Settings::default() };
        let errors = LockedNamespaces::new(settings).unwrap_err();
        let message = "\"Legacy\" fits no namespace: expected lower-case letters, digits and `-`, with `*` for any text and `?` \
                       for one character";
        assert_eq!(errors, [SettingsError { pointer: "/namespaces/1".to_owned(), message: message.to_owned() }]);
    }
}
