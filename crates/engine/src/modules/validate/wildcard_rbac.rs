//! Refuses roles that give rights by wildcard.
//!
//! # What it checks
//! The rules of Roles and ClusterRoles: `*` among `verbs`, `apiGroups`, `resources` (also `*/scale`, which is that
//! subresource of everything) and `nonResourceURLs` (also `/*`; a path such as `/healthz/*` passes).
//!
//! A ClusterRole with an `aggregationRule` is judged like every other; a selector in it without any requirement
//! takes in all roles and is a wildcard. Its `rules` are filled in by Kubernetes' own controller from roles that were judged
//! by themselves, so that controller always passes.
//!
//! # Why
//! A wildcard gives rights to what will be installed next year as well: new verbs, new kinds, the secrets of a group that
//! nobody thought of. Whoever needs ten kinds can name ten kinds.
//!
//! # Settings
//! - `fields`: where wildcards are refused: `verbs`, `apiGroups`, `resources`, `nonResourceURLs`. By default everywhere.
//! - `allowedRoles`: patterns of roles that may have wildcards: `*-operator`. By default none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: no-wildcards }
//! spec:
//!   module: wildcard-rbac
//!   settings:
//!     allowedRoles: ["crossplane*"]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::bindings::{self, ROLES};
use crate::json::{Node, Path};
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Where wildcards are refused.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Fields of rules in which wildcards are refused.
    fields: Vec<RuleField>,
    /// Patterns of roles that may have wildcards.
    allowed_roles: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let fields = vec![RuleField::Verbs, RuleField::ApiGroups, RuleField::Resources, RuleField::NonResourceUrls];
        Self { fields, allowed_roles: vec![] }
    }
}

/// A field of a rule (rbac/v1 PolicyRule).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RuleField {
    /// What may be done.
    Verbs,
    /// With the kinds of which groups.
    ApiGroups,
    /// With which kinds.
    Resources,
    /// With which paths that are no resources.
    #[serde(rename = "nonResourceURLs")]
    NonResourceUrls,
}

impl RuleField {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Verbs => "verbs",
            Self::ApiGroups => "apiGroups",
            Self::Resources => "resources",
            Self::NonResourceUrls => "nonResourceURLs",
        }
    }

    /// Whether the text stands for everything (k8s.io/kubernetes, pkg/apis/rbac/v1, evaluation helpers).
    fn is_wildcard(self, text: &str) -> bool {
        match self {
            Self::Verbs | Self::ApiGroups => text == "*",
            Self::Resources => text == "*" || text.starts_with("*/"),
            // All stars at the end are one to the authorizer.
            Self::NonResourceUrls => text.ends_with('*') && matches!(text.trim_end_matches('*'), "" | "/"),
        }
    }
}

/// See the page of `wildcard-rbac`.
#[derive(Debug)]
pub struct WildcardRbac(Settings);

impl Module for WildcardRbac {
    const ID: &'static str = "wildcard-rbac";
    const GROUP: Group = Group::Access;
    const APPLIES: Applies = Applies::To(ROLES);
    const REPLACES: &'static [&'static str] =
        &["kyverno/restrict-wildcard-resources", "kyverno/restrict-wildcard-verbs"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("wildcard_rbac.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if settings.fields.is_empty() {
            errors.push(SettingsError {
                pointer: "/fields".to_owned(),
                message: "no field is judged: expected at least one, such as \"verbs\"".to_owned(),
            });
        }
        bindings::check_roles("allowedRoles", &settings.allowed_roles, &mut errors);
        if errors.is_empty() { Ok(Self(settings)) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let fields: Vec<String> = self
            .0
            .fields
            .iter()
            .map(|field| {
                let name = field.as_str();
                let is_wildcard = match field {
                    RuleField::Verbs | RuleField::ApiGroups => "x == '*'",
                    RuleField::Resources => "(x == '*' || x.startsWith('*/'))",
                    RuleField::NonResourceUrls => r"x.matches('^/?\\*+$')",
                };
                format!(
                    "r.?{name}.orValue([]).transformList(j, x, {is_wildcard}, \
                     'rules[' + string(i) + '].{name}[' + string(j) + ']\\n' + x)"
                )
            })
            .collect();
        let is_judged = bindings::judges_role_in_cel(&self.0.allowed_roles);
        let rules = twin::nested_at("#object.?rules.orValue([])", ("i", "r"), &fields.join(" + "));
        let selectors = "#object.?aggregationRule.?clusterRoleSelectors.orValue([]).transformList(i, s, \
                         s.?matchLabels.orValue({}).size() == 0 && s.?matchExpressions.orValue([]).size() == 0, \
                         'aggregationRule.clusterRoleSelectors[' + string(i) + ']')";
        Ok(CelTwin::of(format!("({is_judged} ? {rules} : [])"), "a wildcard gives more than anybody knows; name each")
            .and(format!("({is_judged} ? {selectors} : [])"), "the selector takes in every role; select by a label"))
    }
}

/// Whether the selector (meta/v1 LabelSelector) asks for nothing.
fn selects_all(selector: Node<'_>) -> bool {
    selector.entries_of("matchLabels").is_empty() && selector.items_of("matchExpressions").is_empty()
}

impl WildcardRbac {
    fn judge(&self, rule: Node<'_>, place: &Path<'_>, report: &mut Report<'_>) {
        for field in &self.0.fields {
            let list = place.key(field.as_str());
            for (index, item) in rule.items_of(field.as_str()).iter().enumerate() {
                if item.as_str().is_some_and(|text| field.is_wildcard(text)) {
                    report.finding(&list.index(index), *item, "a wildcard gives more than anybody knows; name each");
                }
            }
        }
    }
}

impl Validate for WildcardRbac {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        if !bindings::judges_role(subject, &self.0.allowed_roles) {
            return;
        }
        bindings::visit_rules(subject, |rule, place| self.judge(rule, place, report));
        let aggregation = subject.object.field("aggregationRule").unwrap_or_default();
        let place = Path::root("aggregationRule");
        let list = place.key("clusterRoleSelectors");
        for (index, selector) in aggregation.items_of("clusterRoleSelectors").iter().enumerate() {
            if selects_all(*selector) {
                let message = "the selector takes in every role; select by a label";
                report.finding(&list.index(index), *selector, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_stands_for_everything() {
        let is = |field: RuleField, text| field.is_wildcard(text);
        assert!(
            is(RuleField::Verbs, "*") && is(RuleField::Resources, "*/scale") && is(RuleField::NonResourceUrls, "/*")
        );
        assert!(is(RuleField::NonResourceUrls, "**") && !is(RuleField::NonResourceUrls, "/"));
        assert!(!is(RuleField::Resources, "pods/*") && !is(RuleField::NonResourceUrls, "/healthz/*"));
    }

    #[test]
    fn rejects_settings_that_judge_nothing() {
        let settings = Settings { fields: vec![], allowed_roles: vec!["a/b".into()] };
        let errors = WildcardRbac::new(settings).unwrap_err();
        let places: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(places, ["/fields", "/allowedRoles/0"]);
        assert_eq!(errors.first().unwrap().message, "no field is judged: expected at least one, such as \"verbs\"");
    }
}
