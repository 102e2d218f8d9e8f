//! Lets only certain users change objects.
//!
//! # What it checks
//! CREATE, UPDATE and DELETE of what the policy matches: whoever is neither on the list of users nor in one of the groups is
//! refused. By default that is everything in the cluster, without subresources, so name the kinds, the namespaces or the
//! labels that you mean in the policy's `matchConstraints` and `namespaces`.
//!
//! It gives no rights: RBAC must allow the request as well. An update that only takes finalizers away from an object that is
//! being deleted passes, and so do the namespace controller and the garbage collector when they delete.
//!
//! # Why
//! RBAC knows kinds and namespaces, not labels: it cannot say that objects which a pipeline has made are changed by
//! that pipeline alone. And it only adds: nothing takes a right back from `cluster-admin`.
//!
//! # Settings
//! - `users`: patterns of users: `ann`, `system:serviceaccount:flux-system:*`.
//! - `groups`: patterns of groups. At least one user or group is needed.
//! - `exemptUsers`: patterns of users who may as well. By default those that Kubernetes' own parts act as
//!   (`system:serviceaccount:kube-system:*`, `system:node:*` and so on): without them nothing would work. A list of your own
//!   replaces the default.
//! - `exemptGroups`: patterns of groups whose members may.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: only-the-pipeline }
//! spec:
//!   module: allowed-users
//!   settings:
//!     users: ["system:serviceaccount:flux-system:*"]
//!     groups: [platform-admins]
//!   matchConstraints:
//!     objectSelector:
//!       matchLabels: { app.kubernetes.io/managed-by: flux }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt::{self, Exempt};
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Who may change what the policy matches.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Patterns of users who may.
    users: Vec<String>,
    /// Patterns of groups whose members may.
    groups: Vec<String>,
    /// Patterns of users who may as well.
    exempt_users: Vec<String>,
    /// Patterns of groups whose members may as well.
    exempt_groups: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { users: vec![], groups: vec![], exempt_users: exempt::control_plane(), exempt_groups: vec![] }
    }
}

/// See the page of `allowed-users`.
#[derive(Debug)]
pub struct AllowedUsers {
    allowed: Exempt,
    exempt: Exempt,
}

impl Module for AllowedUsers {
    const ID: &'static str = "allowed-users";
    const GROUP: Group = Group::Access;
    const APPLIES: Applies = Applies::To(&[Resources {
        groups: &["*"],
        resources: &["*"],
        operations: &[Operation::Create, Operation::Update, Operation::Delete],
    }]);
    const REPLACES: &'static [&'static str] = &["kyverno/block-updates-deletes"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("allowed_users.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let Settings { users, groups, exempt_users, exempt_groups } = settings;
        let mut errors = vec![];
        if users.is_empty() && groups.is_empty() {
            errors.push(SettingsError {
                pointer: String::new(),
                message: "nobody is allowed: name users or groups, such as {groups: [platform-admins]}".to_owned(),
            });
        }
        for (field, patterns) in [("users", &users), ("groups", &groups)] {
            for (position, pattern) in patterns.iter().enumerate() {
                let message = match pattern.as_str() {
                    "" => "nobody has the empty name".to_owned(),
                    all if all.bytes().all(|byte| byte == b'*') => {
                        format!("{all:?} allows everybody: the policy would refuse nothing")
                    }
                    _ => continue,
                };
                errors.push(SettingsError { pointer: format!("/{field}/{position}"), message });
            }
        }
        let (allowed, exempt) = (Exempt { users, groups }, Exempt { users: exempt_users, groups: exempt_groups });
        if errors.is_empty() { Ok(Self { allowed, exempt }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let cleaners = twin::lists(exempt::CLEANERS);
        let is_wrong = format!(
            "request.operation != 'CONNECT' && \
             !(request.operation == 'DELETE' && request.userInfo.?username.orValue('') in {cleaners}) && !{} && !{}",
            self.allowed.in_cel(),
            self.exempt.in_cel()
        );
        let message = "this is left to certain users and groups";
        Ok(CelTwin::of(twin::one(&is_wrong, ""), message).of_change())
    }
}

impl Validate for AllowedUsers {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let review = subject.review;
        let (user, operation) = (&review.user, review.operation);
        let cleans_up = operation == Operation::Delete && exempt::CLEANERS.contains(&user.username);
        let is_free = subject.is_stored() || cleans_up || operation == Operation::Connect;
        if is_free || self.allowed.covers(user) || self.exempt.covers(user) {
            return;
        }
        report.finding_of_request(format!("{operation} of {} is left to certain users and groups", review.kind.kind));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_lists_of_nobody_and_of_everybody() {
        let errors = AllowedUsers::new(Settings::default()).unwrap_err();
        let message = "nobody is allowed: name users or groups, such as {groups: [platform-admins]}";
        assert_eq!(errors, [SettingsError { pointer: String::new(), message: message.to_owned() }]);
        let settings =
            Settings { users: vec!["ann".into(), "*".into()], groups: vec![String::new()], ..Settings::default() };
        let errors = AllowedUsers::new(settings).unwrap_err();
        let errors: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.message.as_str())).collect();
        assert_eq!(
            errors,
            [
                ("/users/1", "\"*\" allows everybody: the policy would refuse nothing"),
                ("/groups/0", "nobody has the empty name")
            ]
        );
    }
}
