//! What an API server must send so that every policy of a set is asked: the rules of the two webhook entries.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::PolicySet;
use super::versions::Versions;
use crate::kubernetes::kinds::{self, Kinds};
use crate::matching::{MatchConstraints, Names, Operations, ResourcePattern, Scope};
use crate::policy::Head;
use crate::review::Operation;

/// The rules of both entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookRules {
    /// Of what is sent to `/mutate`.
    pub mutate: Vec<WebhookRule>,
    /// Of what is sent to `/validate`.
    pub validate: Vec<WebhookRule>,
    /// What no rule can do for a policy, a sentence each.
    pub notes: Vec<String>,
}

/// A rule of a webhook (`RuleWithOperations` of admissionregistration.k8s.io/v1), and who needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRule {
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`
    pub operations: Operations,
    /// API groups; the core group is empty, `*` is all.
    pub groups: Vec<String>,
    /// The one version that is sent, or `*`: each as it is asked.
    pub version: String,
    /// `pods`, `pods/log`, `*/*`
    pub resources: Vec<String>,
    /// Where the objects live.
    pub scope: Scope,
    /// The policies that need it, by name.
    pub policies: Vec<String>,
}

/// As an item of a YAML list, on one line: `{operations: [CREATE], apiGroups: [""], apiVersions: ["*"], resources: [pods]}`.
impl fmt::Display for WebhookRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_word = |item: &str| !item.is_empty() && !item.contains('*');
        let list = |items: &[String]| {
            let items = items.iter().map(|item| if is_word(item) { item.clone() } else { format!("{item:?}") });
            items.collect::<Vec<_>>().join(", ")
        };
        let operations: Vec<&str> = self.operations.iter().map(Operation::as_str).collect();
        let (groups, versions) = (list(&self.groups), list(std::slice::from_ref(&self.version)));
        write!(formatter, "{{operations: [{}], apiGroups: [{groups}], ", operations.join(", "))?;
        write!(formatter, "apiVersions: [{versions}], resources: [{}]", list(&self.resources))?;
        if self.scope != Scope::Any {
            write!(formatter, ", scope: {}", self.scope.as_str())?;
        }
        formatter.write_str("}")
    }
}

/// What is never sent, whatever policies say: a cluster that cannot write it cannot recover, or nothing can be judged about
/// it. The chart's matchConditions leave it out too. Group, resource, subresource; None stands for all.
const FORBIDDEN: [(&str, Option<&str>, Option<&str>); 11] = [
    ("", Some("nodes"), None),
    ("", Some("events"), None),
    ("", Some("serviceaccounts"), Some("token")),
    ("events.k8s.io", Some("events"), None),
    ("coordination.k8s.io", Some("leases"), None),
    ("storage.k8s.io", Some("csinodes"), None),
    ("certificates.k8s.io", Some("certificatesigningrequests"), None),
    ("authentication.k8s.io", None, None),
    ("authorization.k8s.io", None, None),
    ("admissionregistration.k8s.io", Some("mutatingwebhookconfigurations"), None),
    ("admissionregistration.k8s.io", Some("validatingwebhookconfigurations"), None),
];

/// Whether all that a rule about `group` (`*` for all) and `pattern` names is never sent.
pub(super) fn is_forbidden(group: &str, pattern: &ResourcePattern) -> bool {
    FORBIDDEN.iter().any(|(of, resource, subresource)| {
        let forbidden = ResourcePattern {
            resource: resource.map(ToOwned::to_owned),
            subresource: subresource.map(ToOwned::to_owned),
        };
        (group == *of || (group == "*" && resource.is_some())) && forbidden.covers(pattern)
    })
}

/// The rules that a set needs. What excludes requests, and what selects by labels, names or namespaces, does not narrow them.
pub fn webhook_rules(set: &PolicySet) -> WebhookRules {
    let mut notes = BTreeSet::new();
    let mutators: Vec<&Head> = set.mutators().iter().map(|mutator| &mutator.head).collect();
    let validators: Vec<&Head> = set.validators().iter().map(|validator| &validator.head).collect();
    let mut of = |heads: &[&Head]| Needed::of(heads, set.kinds(), &mut notes).rules();
    let (mutate, validate) = (of(&mutators), of(&validators));
    WebhookRules { mutate, validate, notes: notes.into_iter().collect() }
}

/// A part of a policy's rules that stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// An API group, or `*`.
    pub group: String,
    /// The versions that the policy takes.
    pub versions: Names,
    /// What it is about.
    pub pattern: ResourcePattern,
    /// Where the objects live; of a built-in resource that is known anyway, and then `*`.
    pub scope: Scope,
    /// On which operations.
    pub operations: Operations,
}

/// What a policy matches, in parts. One without rules matches everything.
pub(super) fn parts(constraints: &MatchConstraints, kinds: &Kinds) -> Vec<Part> {
    if constraints.resource_rules.is_empty() {
        let (versions, pattern) = (Names::Any, ResourcePattern::new("*/*"));
        return vec![Part { group: "*".to_owned(), versions, pattern, scope: Scope::Any, operations: Operations::ALL }];
    }
    let mut parts = vec![];
    for rule in &constraints.resource_rules {
        for group in rule.groups.texts() {
            parts.extend(rule.resources.iter().map(|pattern| Part {
                group: group.to_owned(),
                versions: rule.versions.clone(),
                pattern: pattern.clone(),
                scope: told_by_kind(rule.scope, group, pattern, kinds),
                operations: rule.operations,
            }));
        }
    }
    parts
}

/// The scope as far as the resource leaves a choice.
fn told_by_kind(scope: Scope, group: &str, pattern: &ResourcePattern, kinds: &Kinds) -> Scope {
    let resource = pattern.resource.as_deref().unwrap_or_default();
    let lives = kinds.by_resource(group, resource).first().map(|kind| kind.scope);
    match (scope, lives) {
        (Scope::Namespaced, Some(kinds::Scope::Namespaced)) | (Scope::Cluster, Some(kinds::Scope::Cluster)) => {
            Scope::Any
        }
        _ => scope,
    }
}

/// Group, version, pattern, scope.
type Key = (String, String, ResourcePattern, Scope);

/// What resources of one rule have in common: group, version, scope, operations.
type Sameness = (String, String, Scope, Operations);

/// What is needed of each key, and by whom.
#[derive(Default)]
pub(super) struct Needed(BTreeMap<Key, (Operations, BTreeSet<String>)>);

impl Needed {
    fn of(heads: &[&Head], kinds: &Kinds, notes: &mut BTreeSet<String>) -> Self {
        let mut all: Vec<(&str, Part)> = vec![];
        for head in heads {
            let name = head.origin.policy.as_str();
            for part in parts(&head.constraints, kinds) {
                if is_forbidden(&part.group, &part.pattern) {
                    notes.insert(format!(
                        "policy `{name}` is never asked about {}: that is not sent to webhooks, so that a cluster can recover",
                        named(&part.group, &part.pattern)
                    ));
                } else {
                    all.push((name, part));
                }
            }
        }
        let versions = Versions::of(all.iter().map(|(name, part)| (*name, part)), kinds, notes);
        let mut needed = Self::default();
        for (name, part) in all {
            let version = versions.get(&part);
            needed.add(name, part, version);
        }
        needed.without_covered(kinds, notes)
    }

    pub(super) fn add(&mut self, policy: &str, part: Part, version: String) {
        let entry = self.0.entry((part.group, version, part.pattern, part.scope)).or_default();
        entry.0 = entry.0.or(part.operations);
        entry.1.insert(policy.to_owned());
    }

    /// What a wider key sends anyway is left to it: the API server takes the first rule that fits a request as it was made,
    /// so that no narrower one could change its version.
    fn without_covered(mut self, kinds: &Kinds, notes: &mut BTreeSet<String>) -> Self {
        let keys: Vec<Key> = self.0.keys().cloned().collect();
        for narrow in &keys {
            for wide in keys.iter().filter(|wide| *wide != narrow) {
                let (Some((operations, policies)), Some((sent, _))) = (self.0.get(narrow), self.0.get(wide)) else {
                    continue;
                };
                let covered = operations.and(*sent);
                if covered.is_empty() || !covers(wide, narrow, kinds) {
                    continue;
                }
                let (left, policies) = (operations.without(covered), policies.clone());
                if wide.1 == "*" && narrow.1 != "*" {
                    notes.extend(policies.iter().map(|policy| {
                        format!(
                            "policy `{policy}` is for version {} of {}, and because of the rule for {} each is sent in the \
                             version in which it is asked: others are evaluation errors of the policy",
                            narrow.1,
                            named(&narrow.0, &narrow.2),
                            named(&wide.0, &wide.2)
                        )
                    }));
                }
                if let Some(entry) = self.0.get_mut(narrow) {
                    entry.0 = left;
                }
                if let Some(entry) = self.0.get_mut(wide) {
                    entry.1.extend(policies);
                }
            }
        }
        self.0.retain(|_, (operations, _)| !operations.is_empty());
        self
    }

    /// As few rules as can be had without sending more.
    pub(super) fn rules(self) -> Vec<WebhookRule> {
        let mut by_group: BTreeMap<Sameness, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
        for ((group, version, pattern, scope), (operations, policies)) in self.0 {
            let entry = by_group.entry((group, version, scope, operations)).or_default();
            entry.0.insert(pattern.to_string());
            entry.1.extend(policies);
        }
        let mut rules: Vec<WebhookRule> = vec![];
        for ((group, version, scope, operations), (resources, policies)) in by_group {
            let (resources, policies) = (Vec::from_iter(resources), Vec::from_iter(policies));
            let same = rules.iter_mut().find(|rule| {
                (&rule.version, rule.scope, rule.operations, &rule.resources)
                    == (&version, scope, operations, &resources)
            });
            match same {
                Some(rule) => {
                    rule.groups.push(group);
                    rule.policies.extend(policies);
                    rule.policies.sort();
                    rule.policies.dedup();
                }
                None => {
                    rules.push(WebhookRule { operations, groups: vec![group], version, resources, scope, policies });
                }
            }
        }
        rules
    }
}

/// Whether what is sent for `wide` holds all that is needed for `narrow`.
fn covers(wide: &Key, narrow: &Key, kinds: &Kinds) -> bool {
    (wide.0 == "*" || wide.0 == narrow.0)
        && (wide.1 == "*" || wide.1 == narrow.1)
        && wide.2.covers(&narrow.2)
        && scope_covers(wide.3, (&narrow.0, &narrow.2, narrow.3), kinds)
}

/// Whether objects of this resource in this scope are all in the wider scope: some resources leave no choice.
pub(super) fn scope_covers(
    wide: Scope,
    (group, pattern, scope): (&str, &ResourcePattern, Scope),
    kinds: &Kinds,
) -> bool {
    wide.covers(scope) || told_by_kind(wide, group, pattern, kinds) == Scope::Any
}

/// `deployments of apps`, `pods/log`, `*/*`
pub(super) fn named(group: &str, pattern: &ResourcePattern) -> String {
    match (group, pattern.resource.as_deref()) {
        ("" | "*", _) => pattern.to_string(),
        (group, _) => format!("{pattern} of {group}"),
    }
}

#[cfg(test)]
mod tests;
