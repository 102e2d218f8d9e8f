//! Refuses roles with verbs that lead to more rights.
//!
//! # What it checks
//! The rules of Roles and ClusterRoles, for verbs that have a meaning of their own:
//!
//! | verb | with | lets one |
//! |---|---|---|
//! | `escalate` | roles, clusterroles | write roles with rights that one has not |
//! | `bind` | roles, clusterroles | give roles with rights that one has not |
//! | `impersonate`, `impersonate:*` | users, groups, serviceaccounts, userextras, uids, nodes | act as somebody else |
//! | `approve`, `sign`, `attest` | signers | have certificates issued, as any user |
//!
//! A verb counts where the rule's `apiGroups` and `resources` take in one of these, by name or by wildcard; the verb `*`
//! counts as all of them. `bind` and `impersonate` that are confined to names by `resourceNames` count as well, unless
//! `named` is true.
//!
//! The controller that fills in aggregated ClusterRoles always passes: the roles that it takes rules from were judged.
//!
//! # Why
//! RBAC lets nobody give away more than they have. These verbs are its exceptions: who holds one holds everything, and a
//! list of bindings does not show it.
//!
//! # Settings
//! - `verbs`: the verbs: `escalate`, `bind` and `impersonate` by default, and `approve`, `sign`, `attest`.
//! - `named`: whether `bind` and `impersonate` are allowed for the names in `resourceNames`; false by default.
//! - `allowedRoles`: patterns of roles that may have them. By default none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: no-way-up }
//! spec:
//!   module: privileged-verbs
//!   settings:
//!     verbs: [escalate, bind, impersonate, approve, sign]
//!     named: true
//! ```

mod verb;

use schemars::JsonSchema;
use serde::Deserialize;

pub use self::verb::Verb;
use super::bindings::{self, ROLES};
use crate::json::{Node, Path};
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which verbs are refused.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The verbs.
    verbs: Vec<Verb>,
    /// Whether `bind` and `impersonate` are allowed for the names in `resourceNames`.
    named: bool,
    /// Patterns of roles that may have them.
    allowed_roles: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { verbs: vec![Verb::Escalate, Verb::Bind, Verb::Impersonate], named: false, allowed_roles: vec![] }
    }
}

/// See the page of `privileged-verbs`.
#[derive(Debug)]
pub struct PrivilegedVerbs(Settings);

impl Module for PrivilegedVerbs {
    const ID: &'static str = "privileged-verbs";
    const GROUP: Group = Group::Access;
    const APPLIES: Applies = Applies::To(ROLES);
    const REPLACES: &'static [&'static str] = &["kyverno/restrict-escalation-verbs-roles"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("privileged_verbs.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if settings.verbs.is_empty() {
            errors.push(SettingsError {
                pointer: "/verbs".to_owned(),
                message: "no verb is refused: expected at least one, such as \"escalate\"".to_owned(),
            });
        }
        bindings::check_roles("allowedRoles", &settings.allowed_roles, &mut errors);
        if errors.is_empty() { Ok(Self(settings)) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let refused: Vec<String> = self.0.verbs.iter().map(|verb| verb.in_cel(self.0.named)).collect();
        let verbs = format!(
            "r.?verbs.orValue([]).transformList(j, x, {}, 'rules[' + string(i) + '].verbs[' + string(j) + ']\\n' + x)",
            refused.join(" || ")
        );
        let is_judged = bindings::judges_role_in_cel(&self.0.allowed_roles);
        let rules = twin::nested_at("#object.?rules.orValue([])", ("i", "r"), &verbs);
        Ok(CelTwin::of(
            format!("({is_judged} ? {rules} : [])"),
            "this verb leads to rights beyond the role's; leave it out",
        ))
    }
}

impl PrivilegedVerbs {
    fn judge(&self, rule: Node<'_>, place: &Path<'_>, report: &mut Report<'_>) {
        let is_named = self.0.named && !rule.items_of("resourceNames").is_empty();
        let list = place.key("verbs");
        for (index, found) in rule.items_of("verbs").iter().enumerate() {
            let Some(text) = found.as_str() else { continue };
            let mut refused = self.0.verbs.iter().filter(|verb| {
                let is_let = is_named && matches!(verb, Verb::Bind | Verb::Impersonate);
                verb.is_in(text) && !is_let && verb.concerns(rule)
            });
            let Some(first) = refused.next() else { continue };
            let names = refused.fold(first.as_str().to_owned(), |names, verb| names + ", " + verb.as_str());
            report.finding(
                &list.index(index),
                *found,
                format!("{names} leads to rights beyond the role's; leave it out"),
            );
        }
    }
}

impl Validate for PrivilegedVerbs {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        if bindings::judges_role(subject, &self.0.allowed_roles) {
            bindings::visit_rules(subject, |rule, place| self.judge(rule, place, report));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_refuse_nothing() {
        let settings = Settings { verbs: vec![], named: false, allowed_roles: vec!["a/b".into()] };
        let errors = PrivilegedVerbs::new(settings).unwrap_err();
        let places: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(places, ["/verbs", "/allowedRoles/0"]);
        assert_eq!(errors.first().unwrap().message, "no verb is refused: expected at least one, such as \"escalate\"");
    }
}
