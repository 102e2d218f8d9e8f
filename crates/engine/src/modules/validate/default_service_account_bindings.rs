//! Refuses bindings that give rights to the default service account of a namespace.
//!
//! # What it checks
//! The subjects of RoleBindings and ClusterRoleBindings: service accounts named `default`, whatever their namespace, also
//! where they are written as users (`system:serviceaccount:shop:default`). A binding without subjects passes until it gets
//! some. Groups of service accounts (`system:serviceaccounts:shop`) are `anonymous-bindings`' matter.
//!
//! # Why
//! Every pod that names no service account runs as `default` and, unless told otherwise, carries its token. A right that
//! is given to `default` for the sake of one pod is given to all that are in the namespace now and to all that will be.
//!
//! # Settings
//! - `allowedRoles`: patterns of roles that may be given to them. By default none.
//! - `namespaces`: patterns of the namespaces whose default service accounts are meant. By default all.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: nothing-for-default }
//! spec:
//!   module: default-service-account-bindings
//!   settings:
//!     allowedRoles: ["psp:*"]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::bindings::{self, BINDINGS};
use crate::matching::glob;
use crate::modules::patterns;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// What default service accounts may be given.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Patterns of roles that may be given to them.
    allowed_roles: Vec<String>,
    /// Patterns of the namespaces that are meant; all if there are none.
    namespaces: Vec<String>,
}

/// See the page of `default-service-account-bindings`.
#[derive(Debug)]
pub struct DefaultServiceAccountBindings(Settings);

impl Module for DefaultServiceAccountBindings {
    const ID: &'static str = "default-service-account-bindings";
    const GROUP: Group = Group::Access;
    const APPLIES: Applies = Applies::To(BINDINGS);
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &["name"];
    const DOC: &'static str = include_str!("default_service_account_bindings.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        bindings::check_roles("allowedRoles", &settings.allowed_roles, &mut errors);
        errors.extend(patterns::of_namespaces("/namespaces", &settings.namespaces));
        if errors.is_empty() { Ok(Self(settings)) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let meant = |namespace: &str| match self.0.namespaces.as_slice() {
            [] => "true".to_owned(),
            namespaces => twin::fits(namespace, namespaces),
        };
        let is_wrong = format!(
            "s.kind == 'ServiceAccount' && s.name == 'default' && [{}].exists(n, {}) || s.kind == 'User' && \
             s.name.matches('^system:serviceaccount:[^:]*:default$') && [s.name.split(':')[2]].exists(n, {})",
            bindings::NAMESPACE,
            meant("n"),
            meant("n")
        );
        let findings = bindings::twin(&bindings::role_is_among(&self.0.allowed_roles), &is_wrong);
        Ok(CelTwin::of(findings, "it is every pod's that names no service account: the role cannot be given to it"))
    }
}

impl Validate for DefaultServiceAccountBindings {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let (_, role) = bindings::role_of(subject.object);
        if bindings::is_among(&self.0.allowed_roles, role) {
            return;
        }
        let is_meant = |namespace: &str| {
            self.0.namespaces.is_empty() || self.0.namespaces.iter().any(|pattern| glob::fits(pattern, namespace))
        };
        bindings::visit(subject, |bound, place| {
            if let Some((namespace, "default")) = bound.service_account()
                && is_meant(namespace)
            {
                let (who, role) = (report.show("name", bound.name), report.show("name", role));
                let message =
                    format!("{who} is every pod's that names no service account: role {role} cannot be given to it");
                report.finding(place, bound.name, message);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_patterns_that_fit_nothing() {
        let settings = Settings { allowed_roles: vec!["a/b".into()], namespaces: vec!["Shop".into()] };
        let errors = DefaultServiceAccountBindings::new(settings).unwrap_err();
        let places: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(places, ["/allowedRoles/0", "/namespaces/0"]);
    }
}
