//! Refuses bindings that give rights to everybody.
//!
//! # What it checks
//! The subjects of RoleBindings and ClusterRoleBindings: the user `system:anonymous` and the group
//! `system:unauthenticated`, which is everybody who reaches the API server without a word about who they are. With
//! `authenticated`, the group `system:authenticated` as well, and `system:serviceaccounts`, which every pod is in. A user of a
//! group's name, and a group of the user's, is refused too: it gives nothing, and is a mistake.
//!
//! A binding without subjects passes until it gets some. Roles of the list may be given to everybody; whoever may change
//! such a role gives rights to everybody, too.
//!
//! # Why
//! Clusters are found by scanners within minutes. A binding to `system:anonymous`, often left over from a quick test, is
//! all that they look for.
//!
//! # Settings
//! - `allowedRoles`: patterns of roles that may be given to them. By default `system:public-info-viewer`, which every
//!   cluster gives them: it shows the API server's health and version. kubeadm's join also needs
//!   `kubeadm:bootstrap-signer-clusterinfo`, which it makes before any policy is there.
//! - `authenticated`: whether rights for everybody who is known are refused as well; false by default. On some managed
//!   clusters anybody with an account at the provider is known.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: no-rights-for-everybody }
//! spec:
//!   module: anonymous-bindings
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::bindings::{self, BINDINGS, BoundSubject};
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// What everybody may be given.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Patterns of roles that may be given to everybody.
    allowed_roles: Vec<String>,
    /// Whether rights for everybody who is known are refused as well.
    authenticated: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allowed_roles: vec!["system:public-info-viewer".to_owned()], authenticated: false }
    }
}

/// See the page of `anonymous-bindings`.
#[derive(Debug)]
pub struct AnonymousBindings(Settings);

impl Module for AnonymousBindings {
    const ID: &'static str = "anonymous-bindings";
    const GROUP: Group = Group::Access;
    const APPLIES: Applies = Applies::To(BINDINGS);
    const REPLACES: &'static [&'static str] = &["gatekeeper-library/disallowanonymous"];
    const PUBLIC: &'static [&'static str] = &["name"];
    const DOC: &'static str = include_str!("anonymous_bindings.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        bindings::check_roles("allowedRoles", &settings.allowed_roles, &mut errors);
        if errors.is_empty() { Ok(Self(settings)) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let mut names = vec!["system:anonymous", "system:unauthenticated"];
        if self.0.authenticated {
            names.extend(["system:authenticated", "system:serviceaccounts"]);
        }
        let is_wrong = format!("s.kind in ['User', 'Group'] && s.name in {}", twin::lists(names));
        let findings = bindings::twin(&bindings::role_is_among(&self.0.allowed_roles), &is_wrong);
        Ok(CelTwin::of(findings, "this is everybody: the role cannot be given to it"))
    }
}

impl AnonymousBindings {
    fn is_everybody(&self, subject: &BoundSubject<'_>) -> bool {
        match (subject.kind, subject.name()) {
            ("User" | "Group", "system:anonymous" | "system:unauthenticated") => true,
            ("User" | "Group", "system:authenticated" | "system:serviceaccounts") => self.0.authenticated,
            _ => false,
        }
    }
}

impl Validate for AnonymousBindings {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let (_, role) = bindings::role_of(subject.object);
        if bindings::is_among(&self.0.allowed_roles, role) {
            return;
        }
        bindings::visit(subject, |bound, place| {
            if self.is_everybody(&bound) {
                let (who, role) = (report.show("name", bound.name), report.show("name", role));
                let message = format!("{} {who} is everybody: role {role} cannot be given to it", bound.what());
                report.finding(place, bound.name, message);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_patterns_that_fit_no_role() {
        let settings =
            Settings { allowed_roles: vec!["view".into(), "a/b".into(), String::new()], authenticated: false };
        let errors = AnonymousBindings::new(settings).unwrap_err();
        let errors: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.message.as_str())).collect();
        assert_eq!(
            errors,
            [
                (
                    "/allowedRoles/1",
                    "\"a/b\" fits no role: expected a name, with `*` for any text and `?` for one character"
                ),
                (
                    "/allowedRoles/2",
                    "\"\" fits no role: expected a name, with `*` for any text and `?` for one character"
                ),
            ]
        );
    }
}
