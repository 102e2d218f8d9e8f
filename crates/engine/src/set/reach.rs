//! Whether an API server sends what policies are for: its webhook entries held against the set.
//!
//! Conditions (`matchConditions`) are not read: they may keep anything away, and those of the chart keep away what no policy is
//! asked about.

use super::PolicySet;
use super::webhook_rules::{Needed, Part, WebhookRule, is_forbidden, named, parts, scope_covers};
use crate::kubernetes::kinds::{Kinds, Scope as Lives};
use crate::matching::selectors::{Requirement, Test};
use crate::matching::{LabelSelector, MatchConstraints, MatchPolicy, Names, Operations, RawMatchConstraints, Scope};
use crate::policy::Head;
use crate::review::Operation;

/// What one entry of a webhook configuration sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    name: String,
    sends: MatchConstraints,
}

/// The two entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entries {
    /// Of what is sent to `/mutate`.
    pub mutate: Entry,
    /// Of what is sent to `/validate`.
    pub validate: Entry,
}

/// A policy that is not asked about all that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// Its name.
    pub policy: String,
    /// Whether it is asked about nothing at all.
    pub is_whole: bool,
    /// What is not sent, and what to do, for people.
    pub text: String,
}

/// The label of every Namespace with its name.
pub(super) const NAME: &str = "kubernetes.io/metadata.name";

impl Entry {
    /// The entry of this name, with the fields of a webhook: `rules` stand in `resourceRules`.
    pub fn new(name: &str, webhook: &RawMatchConstraints) -> Self {
        Self { name: name.to_owned(), sends: MatchConstraints::as_written(webhook) }
    }

    pub(super) fn constraints(&self) -> &MatchConstraints {
        &self.sends
    }
}

/// The policies that are never asked, or not about everything, by name.
pub fn unreached(set: &PolicySet, entries: &Entries) -> Vec<Unreached> {
    let mutators = set.mutators().iter().filter_map(|mutator| held(&mutator.head, &entries.mutate, set.kinds()));
    let validators =
        set.validators().iter().filter_map(|validator| held(&validator.head, &entries.validate, set.kinds()));
    let mut found: Vec<Unreached> = mutators.chain(validators).collect();
    found.sort_by(|left, right| (&left.policy, !left.is_whole).cmp(&(&right.policy, !right.is_whole)));
    found.dedup_by(|left, right| left.policy == right.policy && left.text == right.text);
    found
}

/// One policy against one entry.
fn held(head: &Head, entry: &Entry, kinds: &Kinds) -> Option<Unreached> {
    let policy = head.origin.policy.clone();
    let whole = |why: String| {
        let text = format!("policy `{policy}` is never asked: {why}");
        Some(Unreached { policy: policy.clone(), is_whole: true, text })
    };
    let (never, parts): (Vec<Part>, Vec<Part>) =
        parts(&head.constraints, kinds).into_iter().partition(|part| is_forbidden(&part.group, &part.pattern));
    if parts.is_empty() {
        let names: Vec<String> = never.iter().map(|part| named(&part.group, &part.pattern)).collect();
        return whole(format!("{} are not sent to webhooks, so that a cluster can recover", names.join(", ")));
    }
    let missing: Vec<Part> = parts.iter().filter_map(|part| missing(part, entry, kinds)).collect();
    if !missing.is_empty() {
        let is_whole = !parts.iter().any(|part| meets(part, entry, kinds));
        let (named, rules) = (said(&missing), to_add(&policy, missing).join(", "));
        let why = format!("{} has no rule for {named}; add {rules}", entry.name);
        if is_whole {
            return whole(why);
        }
        let text = format!("policy `{policy}` is not asked about everything: {why}");
        return Some(Unreached { policy, is_whole, text });
    }
    let lives_in_namespaces = |part: &Part| lives(part, kinds) == Some(Lives::Namespaced);
    match namespaces(head, entry) {
        Sent::All => {}
        Sent::None(why) if parts.iter().all(lives_in_namespaces) => return whole(why),
        Sent::None(why) | Sent::Some(why) => {
            let text = format!("policy `{policy}` is not asked about everything: {why}");
            return Some(Unreached { policy, is_whole: false, text });
        }
    }
    let by_label = unshared(&entry.sends.object_selector, &[&head.constraints.object_selector]);
    (!by_label.is_empty()).then(|| {
        let text = format!(
            "policy `{policy}` is not asked about everything: {} sends only objects with {}; take its objectSelector away",
            entry.name,
            by_label.join(",")
        );
        Unreached { policy, is_whole: false, text }
    })
}

fn lives(part: &Part, kinds: &Kinds) -> Option<Lives> {
    if part.scope == Scope::Namespaced {
        return Some(Lives::Namespaced);
    }
    kinds.by_resource(&part.group, part.pattern.resource.as_deref()?).first().map(|kind| kind.scope)
}

/// What of a part no rule sends for certain.
fn missing(part: &Part, entry: &Entry, kinds: &Kinds) -> Option<Part> {
    let mut left = part.operations;
    for rule in &entry.sends.resource_rules {
        let covers = rule.groups.cover(&Names::Only(vec![part.group.clone()])) || rule.groups == Names::Any;
        let covers = covers
            && rule.resources.iter().any(|pattern| pattern.covers(&part.pattern))
            && scope_covers(rule.scope, (&part.group, &part.pattern, part.scope), kinds)
            && (entry.sends.match_policy == MatchPolicy::Equivalent || rule.versions.meet(&part.versions));
        if covers {
            left = left.without(rule.operations);
        }
    }
    (!left.is_empty()).then(|| Part { operations: left, ..part.clone() })
}

/// Whether a rule may send something of a part.
fn meets(part: &Part, entry: &Entry, kinds: &Kinds) -> bool {
    let group = if part.group == "*" { Names::Any } else { Names::Only(vec![part.group.clone()]) };
    entry.sends.resource_rules.iter().any(|rule| {
        rule.groups.meet(&group)
            && rule.resources.iter().any(|pattern| pattern.meets(&part.pattern))
            && !rule.operations.and(part.operations).is_empty()
            && (rule.scope.meets(part.scope) && !contradicts(rule.scope, part, kinds))
            && (entry.sends.match_policy == MatchPolicy::Equivalent || rule.versions.meet(&part.versions))
    })
}

/// Whether the resource is known to live elsewhere.
fn contradicts(scope: Scope, part: &Part, kinds: &Kinds) -> bool {
    matches!(
        (scope, lives(part, kinds)),
        (Scope::Cluster, Some(Lives::Namespaced)) | (Scope::Namespaced, Some(Lives::Cluster))
    )
}

/// `CREATE and UPDATE of pods, DELETE of namespaces`
fn said(parts: &[Part]) -> String {
    let mut by_operations: Vec<(Operations, Vec<String>)> = vec![];
    for part in parts {
        let name = named(&part.group, &part.pattern);
        match by_operations.iter_mut().find(|(operations, _)| *operations == part.operations) {
            Some((_, names)) => names.push(name),
            None => by_operations.push((part.operations, vec![name])),
        }
    }
    let texts = by_operations.into_iter().map(|(operations, names)| {
        let operations: Vec<&str> = operations.iter().map(Operation::as_str).collect();
        format!("{} of {}", operations.join(" and "), names.join(", "))
    });
    texts.collect::<Vec<_>>().join(", and for ")
}

/// The rules that would send it, as YAML takes them in a list.
fn to_add(policy: &str, parts: Vec<Part>) -> Vec<String> {
    let mut needed = Needed::default();
    for part in parts {
        let version = match &part.versions {
            Names::Only(versions) if versions.len() == 1 => versions.concat(),
            _ => "*".to_owned(),
        };
        needed.add(policy, part, version);
    }
    needed.rules().iter().map(WebhookRule::to_string).collect()
}

/// Which of the namespaces that a policy is for are sent.
enum Sent {
    All,
    Some(String),
    None(String),
}

fn namespaces(head: &Head, entry: &Entry) -> Sent {
    let own: Vec<&LabelSelector> = [Some(&head.constraints), head.binding.as_ref()]
        .into_iter()
        .flatten()
        .map(|constraints| &constraints.namespace_selector)
        .collect();
    let asked_for = asked_for(head, &own);
    let is_name = |requirement: &&Requirement| requirement.key == NAME;
    let by_name: Vec<&Requirement> = entry.sends.namespace_selector.requirements().iter().filter(is_name).collect();
    let sends = |name: &str| by_name.iter().all(|requirement| fits(&requirement.test, name));
    if let Some(names) = &asked_for {
        let kept_away: Vec<&str> = names.iter().map(String::as_str).filter(|name| !sends(name)).collect();
        if !kept_away.is_empty() {
            let why = format!(
                "{} sends nothing of {}; take it out of the exempt namespaces, or out of the policy",
                entry.name,
                kept_away.join(", ")
            );
            return if kept_away.len() == names.len() { Sent::None(why) } else { Sent::Some(why) };
        }
    }
    let mut others = unshared(&entry.sends.namespace_selector, &own);
    // What is exempt by name is so on purpose, and whoever names namespaces has been answered.
    others.retain(|text| !text.starts_with(&format!("{NAME} notin ")));
    if asked_for.is_some() {
        others.retain(|text| !text.starts_with(NAME));
    }
    if others.is_empty() {
        return Sent::All;
    }
    Sent::Some(format!(
        "{} sends only what is in namespaces with {}; take that out of its namespaceSelector",
        entry.name,
        others.join(",")
    ))
}

/// The namespaces that a policy names, if it names them one by one.
fn asked_for(head: &Head, selectors: &[&LabelSelector]) -> Option<Vec<String>> {
    let included = head.namespaces.included();
    if !included.is_empty() && !included.iter().any(|pattern| pattern.contains(['*', '?'])) {
        return Some(included.to_vec());
    }
    selectors.iter().flat_map(|selector| selector.requirements()).find_map(|requirement| match &requirement.test {
        Test::In(names) if requirement.key == NAME => Some(names.clone()),
        _ => None,
    })
}

pub(super) fn fits(test: &Test, name: &str) -> bool {
    match test {
        Test::In(names) => names.iter().any(|known| known == name),
        Test::NotIn(names) => !names.iter().any(|known| known == name),
        Test::Exists => true,
        Test::DoesNotExist => false,
    }
}

/// The requirements of an entry's selector that the policy does not have too.
fn unshared(selector: &LabelSelector, own: &[&LabelSelector]) -> Vec<String> {
    let is_shared =
        |requirement: &&Requirement| own.iter().any(|selector| selector.requirements().contains(*requirement));
    selector.requirements().iter().filter(|it| !is_shared(it)).map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
