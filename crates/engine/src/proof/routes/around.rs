//! What stands around the policies: the webhook configurations, namespaces, conditions, failure, versions, and the nodes.

use super::policy::Policy;
use super::stored::WRITES;
use super::{Gap, Severity, Sort};
use crate::cel::syntax::{ExprKind, ParseOptions, parse};
use crate::kubernetes::kinds::Kinds;
use crate::matching::selectors::Test;
use crate::matching::{LabelSelector, MatchPolicy, Names};
use crate::policy::FailurePolicy;
use crate::set::{Entries, PolicySet, unreached};

/// What an API server sends, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// What is held against the policies' own rules.
    pub entries: Entries,
    /// The entries, for mutating and for validating policies.
    pub webhooks: Vec<Webhook>,
}

/// What a webhook entry says besides its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// Namespaces whose objects are never sent.
    pub exempt: Vec<String>,
    /// Whether requests pass while no server answers.
    pub fails_open: bool,
    /// Its match conditions.
    pub conditions: Vec<Condition>,
}

/// A match condition of a webhook entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its name.
    pub name: String,
    /// CEL.
    pub expression: String,
    /// What it keeps away, in words, where it is one of the chart's.
    pub means: Option<&'static str>,
}

const LONGEST: usize = 100;

/// What concerns every policy.
pub(super) fn everywhere(policies: &[Policy<'_>], around: &Around, kinds: &Kinds) -> Vec<Gap> {
    let mut gaps = vec![];
    if policies.is_empty() {
        return gaps;
    }
    let mut add = |sort, route: String, why: &str, add: Option<&str>| {
        let (changes, add) = (vec![], add.map(ToOwned::to_owned).into_iter().collect());
        gaps.push(Gap { policy: None, severity: Severity::Accepted, sort, route, changes, why: why.to_owned(), add });
    };
    let is_used = |mutates: bool| policies.iter().any(|policy| policy.named.mutates == mutates);
    let webhooks = around.webhooks.iter().zip([true, false]).filter(|(_, mutates)| is_used(*mutates));
    // What both entries say is said once.
    let mut groups: Vec<(Webhook, Vec<&str>)> = vec![];
    for (webhook, _) in webhooks {
        let unnamed = Webhook { name: String::new(), ..webhook.clone() };
        match groups.iter_mut().find(|(known, _)| *known == unnamed) {
            Some((_, names)) => names.push(&webhook.name),
            None => groups.push((unnamed, vec![&webhook.name])),
        }
    }
    for (webhook, names) in groups {
        let name = names.join(" and ");
        if !webhook.exempt.is_empty() {
            let why = "the namespaceSelector exempts them: whoever may write there is not judged";
            add(Sort::Namespace, format!("{name}: everything in {}", webhook.exempt.join(", ")), why, None);
        }
        if webhook.fails_open {
            let why = "the failurePolicy is Ignore: while no replica answers, requests pass unchecked";
            let to_do = "set the chart's mode to closed, and let native policies stand in (admittance export vap)";
            add(Sort::Failure, format!("{name}: everything"), why, Some(to_do));
        }
        let known: Vec<&str> = webhook.conditions.iter().filter_map(|condition| condition.means).collect();
        if !known.is_empty() {
            let why = "matchConditions keep them away, so that a cluster can recover";
            add(Sort::Condition, format!("{name}: {}", known.join("; ")), why, None);
        }
        for condition in webhook.conditions.iter().filter(|condition| condition.means.is_none()) {
            let route = format!("{name}: whatever the matchCondition {} is false for", condition.name);
            add(Sort::Condition, route, &short(&condition.expression), None);
        }
    }
    if policies.iter().any(|policy| !policy.named.mutates && policy.sees_new_pods()) {
        let why = "a kubelet runs them from files on its node: to refuse the mirror pod does not stop them";
        add(Sort::Node, "static pods".to_owned(), why, Some("guard the nodes' files"));
    }
    let is_judged = policies.iter().any(|policy| !policy.governed(kinds, &WRITES).is_empty());
    if is_judged {
        let why = "what was stored before a policy was active is judged with its next change";
        add(Sort::Node, "objects that are there already".to_owned(), why, None);
    }
    gaps
}

/// What the webhook configurations do not send of what policies are for.
pub(super) fn unsent(set: &PolicySet, around: &Around) -> Vec<Gap> {
    let policies = Policy::all(set);
    let of = |name: &str| policies.iter().find(|policy| policy.named.name == name).map(|policy| policy.named.clone());
    let gap = |one: crate::set::Unreached| {
        let start = format!("policy `{}` is ", one.policy);
        let text = one.text.strip_prefix(&start).unwrap_or(&one.text);
        let (route, why) = text.split_once(": ").unwrap_or((text, ""));
        let (why, add) = match why.split_once("; ") {
            Some((why, add)) => (why, vec![add.strip_prefix("add ").unwrap_or(add).to_owned()]),
            None => (why, vec![]),
        };
        let forbidden = why.contains("are not sent to webhooks");
        Gap {
            policy: of(&one.policy),
            severity: if forbidden { Severity::Accepted } else { Severity::Bypass },
            sort: Sort::Webhook,
            route: route.to_owned(),
            changes: vec![],
            why: why.to_owned(),
            add,
        }
    };
    unreached(set, &around.entries).into_iter().map(gap).collect()
}

/// What one policy leaves out by what it says itself.
pub(super) fn look(policy: &Policy<'_>, kinds: &Kinds, gaps: &mut Vec<Gap>) {
    let mut accept = |sort, route: String, why: String| {
        gaps.push(Gap { why, ..policy.gap(Severity::Accepted, sort, route) });
    };
    for head in &policy.heads {
        let excluded = head.namespaces.excluded();
        if !excluded.is_empty() {
            let why = "the policy excludes them (namespaces.exclude)".to_owned();
            accept(Sort::Namespace, format!("everything in {}", excluded.join(", ")), why);
        }
        let constraints = [Some(&head.constraints), head.binding.as_ref()];
        for constraints in constraints.into_iter().flatten() {
            if !constraints.namespace_selector.is_empty() {
                let why = "whoever may change labels of a Namespace can take it out".to_owned();
                let selector = requirements(&constraints.namespace_selector);
                accept(Sort::Namespace, format!("namespaces without {selector}"), why);
            }
        }
        if head.failure_policy == FailurePolicy::Ignore {
            let why = "the policy's failurePolicy is Ignore".to_owned();
            accept(Sort::Failure, "whatever it cannot be evaluated for".to_owned(), why);
        }
    }
    for condition in &policy.reads.conditions {
        let why = short(condition);
        if mentions(condition, &["request", "userInfo"]) {
            accept(Sort::Condition, "users and groups for whom a matchCondition is false".to_owned(), why);
        } else if mentions(condition, &["object", "metadata", "labels"])
            || mentions(condition, &["object", "metadata", "annotations"])
        {
            accept(Sort::Condition, "objects whose labels or annotations make a matchCondition false".to_owned(), why);
        }
    }
    labels(policy, gaps);
    versions(policy, kinds, gaps);
}

/// Labels that their owners write decide whether an object is judged.
fn labels(policy: &Policy<'_>, gaps: &mut Vec<Gap>) {
    for head in &policy.heads {
        for constraints in [Some(&head.constraints), head.binding.as_ref()].into_iter().flatten() {
            let selector = &constraints.object_selector;
            if selector.is_empty() {
                continue;
            }
            let opts_out = |test: &Test| matches!(test, Test::NotIn(_) | Test::DoesNotExist);
            let is_way_out = selector.requirements().iter().any(|requirement| opts_out(&requirement.test));
            let (severity, add) = if is_way_out {
                let add = "select by namespace, or judge in the expressions who may set the label";
                (Severity::Bypass, vec![add.to_owned()])
            } else {
                (Severity::Accepted, vec![])
            };
            gaps.push(Gap {
                why: "whoever writes an object chooses its labels (objectSelector)".to_owned(),
                add,
                ..policy.gap(severity, Sort::Selection, format!("objects without {}", requirements(selector)))
            });
        }
    }
}

/// Versions of a kind that an exact match leaves out.
fn versions(policy: &Policy<'_>, kinds: &Kinds, gaps: &mut Vec<Gap>) {
    if policy.heads.iter().any(|head| head.constraints.match_policy == MatchPolicy::Equivalent) {
        return;
    }
    for governed in policy.governed(kinds, &WRITES) {
        let rules = policy.heads.iter().flat_map(|head| &head.constraints.resource_rules);
        let group = Names::Only(vec![governed.group.to_owned()]);
        let rules: Vec<_> = rules
            .filter(|rule| {
                rule.groups.cover(&group)
                    && rule
                        .resources
                        .iter()
                        .any(|pattern| pattern.resource.as_deref().is_none_or(|resource| resource == governed.resource))
            })
            .collect();
        let served = kinds.by_resource(governed.group, governed.resource).iter().filter(|kind| kind.is_default);
        let version = |version: &str| Names::Only(vec![version.to_owned()]);
        let missed: Vec<&str> = served
            .map(|kind| kind.version)
            .filter(|one| !rules.iter().any(|rule| rule.versions.cover(&version(one))))
            .collect();
        if !missed.is_empty() {
            gaps.push(Gap {
                why: "matchPolicy is Exact: what is asked for in another version is not judged".to_owned(),
                add: vec![format!("matchPolicy: Equivalent, or apiVersions: [{}] as well", missed.join(", "))],
                ..policy.gap(
                    Severity::Bypass,
                    Sort::Version,
                    format!("{} in version {}", governed.resource, missed.join(", ")),
                )
            });
        }
    }
}

fn requirements(selector: &LabelSelector) -> String {
    selector.requirements().iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Whether an expression selects these fields one after another, be it in oldObject.
fn mentions(expression: &str, fields: &[&str]) -> bool {
    let Ok(ast) = parse(expression, &ParseOptions::default()) else { return false };
    let Some((first, rest)) = fields.split_first() else { return false };
    let is_root = |name: &str| name == *first || (*first == "object" && name == "oldObject");
    ast.iter().any(|one| {
        let mut kind = Some(&one.kind);
        for field in rest.iter().rev() {
            kind = match kind {
                Some(ExprKind::Select { operand, field: own, .. }) if **own == **field => {
                    ast.get(*operand).map(|operand| &operand.kind)
                }
                Some(ExprKind::Call { function, args, .. }) if &**function == "_?._" => match args.as_slice() {
                    [operand, key] if ast.get(*key).is_some_and(|key| is_text(&key.kind, field)) => {
                        ast.get(*operand).map(|operand| &operand.kind)
                    }
                    _ => None,
                },
                _ => None,
            };
        }
        matches!(kind, Some(ExprKind::Ident(name)) if is_root(name.trim_start_matches('.')))
    })
}

fn is_text(kind: &ExprKind, text: &str) -> bool {
    matches!(kind, ExprKind::Literal(crate::cel::syntax::Literal::String(own)) if **own == *text)
}

/// On one line, and not too long.
fn short(expression: &str) -> String {
    let text = expression.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
