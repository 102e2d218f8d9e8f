//! Refuses bindings that make somebody administrator of everything.
//!
//! # What it checks
//! ClusterRoleBindings and RoleBindings whose `roleRef` is the ClusterRole `cluster-admin`, or another one of the list,
//! subject by subject. A RoleBinding gives all rights in its namespace only, secrets and roles among them; it is judged as
//! well, unless `roleBindings` is false.
//!
//! The group `system:masters` is let pass: its members are asked for no permission anyway, and every cluster has the
//! binding. A binding without subjects passes until it gets some.
//!
//! # Why
//! `cluster-admin` is the first thing that installation guides reach for, and the last that anybody takes away. A pod that
//! holds it is the cluster.
//!
//! # Settings
//! - `roles`: patterns of the ClusterRoles: `cluster-admin`, the default, `*-admin`. A list of your own replaces it.
//! - `allowedUsers`, `allowedGroups`: patterns of users and groups who may be given them. By default the group
//!   `system:masters`.
//! - `allowedServiceAccounts`: patterns of service accounts, each `NAMESPACE/NAME`: `flux-system/*`. By default none.
//! - `roleBindings`: whether RoleBindings are judged; true by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: few-administrators }
//! spec:
//!   module: cluster-admin-bindings
//!   settings:
//!     allowedGroups: [system:masters, platform-admins]
//!     allowedServiceAccounts: [flux-system/kustomize-controller]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::bindings::{self, BINDINGS, BoundSubject};
use crate::matching::glob;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which roles make an administrator, and who may be one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Patterns of the ClusterRoles that make an administrator.
    roles: Vec<String>,
    /// Patterns of users who may be given them.
    allowed_users: Vec<String>,
    /// Patterns of groups that may be given them.
    allowed_groups: Vec<String>,
    /// Patterns of service accounts that may be given them: `NAMESPACE/NAME`.
    allowed_service_accounts: Vec<String>,
    /// Whether RoleBindings are judged.
    role_bindings: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            roles: vec!["cluster-admin".to_owned()],
            allowed_users: vec![],
            allowed_groups: vec!["system:masters".to_owned()],
            allowed_service_accounts: vec![],
            role_bindings: true,
        }
    }
}

/// See the page of `cluster-admin-bindings`.
#[derive(Debug)]
pub struct ClusterAdminBindings {
    settings: Settings,
    /// Namespaces and names.
    service_accounts: Vec<(String, String)>,
}

impl Module for ClusterAdminBindings {
    const ID: &'static str = "cluster-admin-bindings";
    const GROUP: Group = Group::Access;
    const APPLIES: Applies = Applies::To(BINDINGS);
    const REPLACES: &'static [&'static str] = &["kyverno/restrict-binding-clusteradmin"];
    const PUBLIC: &'static [&'static str] = &["name"];
    const DOC: &'static str = include_str!("cluster_admin_bindings.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if settings.roles.is_empty() {
            errors.push(SettingsError {
                pointer: "/roles".to_owned(),
                message: "no role is named: expected at least one pattern, such as \"cluster-admin\"".to_owned(),
            });
        }
        bindings::check_roles("roles", &settings.roles, &mut errors);
        let mut service_accounts = vec![];
        for (position, text) in settings.allowed_service_accounts.iter().enumerate() {
            match text.split_once('/').filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty()) {
                Some((namespace, name)) if !name.contains('/') => {
                    service_accounts.push((namespace.to_owned(), name.to_owned()));
                }
                _ => errors.push(SettingsError {
                    pointer: format!("/allowedServiceAccounts/{position}"),
                    message: format!(
                        "{text:?} is no service account: expected NAMESPACE/NAME, such as \"flux-system/*\""
                    ),
                }),
            }
        }
        if errors.is_empty() { Ok(Self { settings, service_accounts }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let Settings { roles, allowed_users, allowed_groups, role_bindings, .. } = &self.settings;
        let accounts: Vec<String> = self
            .service_accounts
            .iter()
            .map(|(namespace, name)| format!("{} && {}", twin::fits("a[0]", &[namespace]), twin::fits("a[1]", &[name])))
            .collect();
        let accounts = if accounts.is_empty() { "false".to_owned() } else { format!("({})", accounts.join(" || ")) };
        let is_allowed = format!(
            "(s.kind == 'ServiceAccount' && [[{}, s.name]].exists(a, {accounts}) || \
             s.kind == 'User' && (s.name.matches('^system:serviceaccount:[^:]*:') && \
             [[s.name.split(':', 4)[2], s.name.split(':', 4)[3]]].exists(a, {accounts}) || {}) || \
             s.kind == 'Group' && {})",
            bindings::NAMESPACE,
            twin::fits("s.name", allowed_users),
            twin::fits("s.name", allowed_groups)
        );
        let is_free = format!(
            "!(#object.roleRef.kind == 'ClusterRole' && {}) || request.kind.kind == 'RoleBinding' && !{role_bindings}",
            bindings::role_is_among(roles)
        );
        let findings = bindings::twin(&format!("({is_free})"), &format!("!{is_allowed}"));
        Ok(CelTwin::of(findings, "this cluster role cannot be given to it; give it a role of its own"))
    }
}

impl ClusterAdminBindings {
    fn allows(&self, subject: &BoundSubject<'_>) -> bool {
        let fits = |patterns: &[String]| patterns.iter().any(|pattern| glob::fits(pattern, subject.name()));
        let is_account = |(namespace, name): (&str, &str)| {
            self.service_accounts.iter().any(|one| glob::fits(&one.0, namespace) && glob::fits(&one.1, name))
        };
        subject.service_account().is_some_and(is_account)
            || match subject.kind {
                "User" => fits(&self.settings.allowed_users),
                "Group" => fits(&self.settings.allowed_groups),
                _ => false,
            }
    }
}

impl Validate for ClusterAdminBindings {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let (kind, role) = bindings::role_of(subject.object);
        let is_meant = kind == "ClusterRole" && bindings::is_among(&self.settings.roles, role);
        if !is_meant || (subject.review.kind.kind == "RoleBinding" && !self.settings.role_bindings) {
            return;
        }
        bindings::visit(subject, |bound, place| {
            if !self.allows(&bound) {
                let (who, role) = (report.show("name", bound.name), report.show("name", role));
                let what = bound.what();
                let message = format!("{what} {who} cannot be given cluster role {role}; give it a role of its own");
                report.finding(place, bound.name, message);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_fit_nothing() {
        let accounts = ["flux-system/*", "builder", "a/b/c"].map(str::to_owned).to_vec();
        let settings = Settings { roles: vec![], allowed_service_accounts: accounts, ..Settings::default() };
        let errors = ClusterAdminBindings::new(settings).unwrap_err();
        let errors: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.message.as_str())).collect();
        assert_eq!(
            errors,
            [
                ("/roles", "no role is named: expected at least one pattern, such as \"cluster-admin\""),
                (
                    "/allowedServiceAccounts/1",
                    "\"builder\" is no service account: expected NAMESPACE/NAME, such as \"flux-system/*\""
                ),
                (
                    "/allowedServiceAccounts/2",
                    "\"a/b/c\" is no service account: expected NAMESPACE/NAME, such as \"flux-system/*\""
                ),
            ]
        );
    }
}
