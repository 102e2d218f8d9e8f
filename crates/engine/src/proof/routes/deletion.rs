//! Policies about deletions: other ways for an object to go.

use super::policy::{Policy, rules_for};
use super::stored::WRITES;
use super::table::routes;
use super::{Gap, Severity, Sort};
use crate::kubernetes::kinds::{Kinds, Scope as Lives};
use crate::matching::NameSource;
use crate::review::Operation;

pub(super) fn look(policy: &Policy<'_>, kinds: &Kinds, gaps: &mut Vec<Gap>) {
    let delete = Operation::Delete;
    let governed = policy.governed(kinds, &[delete]);
    if governed.is_empty() {
        return;
    }
    let named = Some(Lives::Namespaced);
    let eviction = "pods/eviction";
    if policy.sees("", "pods", delete, named) && !policy.sees("", eviction, Operation::Create, named) {
        // Where pods are only among all there is, draining nodes is hardly meant.
        let severity = if policy.names("pods") { Severity::Bypass } else { Severity::Accepted };
        let request = [(String::new(), eviction.to_owned(), Operation::Create)];
        gaps.push(Gap {
            why: "an eviction deletes the pod without a DELETE: drains of nodes go that way".to_owned(),
            add: rules_for(&request, kinds),
            ..policy.gap(severity, Sort::Deletion, format!("CREATE of {eviction}"))
        });
    }
    let in_namespaces = |lives| lives == Some(Lives::Namespaced);
    if governed.iter().any(|one| in_namespaces(one.kind.map(|kind| kind.scope)))
        && !policy.sees("", "namespaces", delete, Some(Lives::Cluster))
    {
        gaps.push(Gap {
            why:
                "it takes in all that is in the namespace: what the policy refuses then keeps the namespace Terminating"
                    .to_owned(),
            add: rules_for(&[(String::new(), "namespaces".to_owned(), delete)], kinds),
            ..policy.gap(Severity::Late, Sort::Deletion, "DELETE of namespaces".to_owned())
        });
    }
    let by_name = |head: &&crate::policy::Head| {
        head.constraints.names == NameSource::Request
            && head.constraints.resource_rules.iter().any(|rule| rule.operations.has(delete) && !rule.names.is_empty())
    };
    if policy.heads.iter().any(by_name) {
        gaps.push(Gap {
            why: "the request for a whole collection has no name, so that a rule with resourceNames does not match it"
                .to_owned(),
            add: vec!["take resourceNames away and compare oldObject.metadata.name in a matchCondition".to_owned()],
            ..policy.gap(Severity::Bypass, Sort::Deletion, "DELETE of collections (kubectl delete --all)".to_owned())
        });
    }
    marks(policy, kinds, gaps);
}

/// What a policy on deletions goes by can be taken away before.
fn marks(policy: &Policy<'_>, kinds: &Kinds, gaps: &mut Vec<Gap>) {
    let sees_writes = WRITES.iter().any(|operation| policy.may_see(*operation));
    if sees_writes {
        return;
    }
    let mut changes: Vec<String> = vec![];
    for governed in policy.governed(kinds, &[Operation::Delete]) {
        let (fields, presence) = policy.fields(governed.group, governed.resource);
        for route in routes(governed.group, governed.resource, governed.kind) {
            if route.operation == Operation::Update && !route.is_systems {
                changes.extend(route.hits(&fields, &presence).iter().map(ToString::to_string));
            }
        }
    }
    changes.sort();
    changes.dedup();
    if !changes.is_empty() {
        gaps.push(Gap {
            changes,
            why: "whoever may change what the policy goes by can do so before the deletion".to_owned(),
            ..policy.gap(Severity::Accepted, Sort::Deletion, "UPDATE before the DELETE".to_owned())
        });
    }
}
