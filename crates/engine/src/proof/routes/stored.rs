//! Requests that create or change the fields which a policy decides by, and that the policy does not match.

use super::policy::{Policy, rules_for, said, template};
use super::table::routes;
use super::{FieldPath, Gap, Severity, Sort};
use crate::kubernetes::kinds::Kinds;
use crate::review::Operation;

/// What is written of a gap once for all requests that have it in common.
type Sameness = (Severity, Sort, &'static str, Vec<FieldPath>);

/// The group, the request, the operation.
type Request = (String, String, Operation);

pub(super) const WRITES: [Operation; 2] = [Operation::Create, Operation::Update];

const SYSTEM: &str = "components of the cluster alone may do it, unless somebody gives the right to others";
const MUTATOR: &str = "the policy fills in what it sees; to keep it so is for a validating policy";
const LATE: &str = "pods are judged when they are made: what is stored here shows only then";
const SCALE: &str = "what is sent is a Scale, in which the module has nothing to judge";

pub(super) fn look(policy: &Policy<'_>, kinds: &Kinds, gaps: &mut Vec<Gap>) {
    let mut found: Vec<(Sameness, Vec<Request>)> = vec![];
    for governed in policy.governed(kinds, &WRITES) {
        let (group, resource) = (governed.group, governed.resource);
        let (fields, presence) = policy.fields(group, resource);
        let lives = governed.kind.map(|kind| kind.scope);
        for route in routes(group, resource, governed.kind) {
            let (creates, is_own) = (route.operation == Operation::Create, route.request == resource);
            if policy.sees(group, &route.request, route.operation, lives)
                || (policy.judges_changes() && creates && is_own)
                || (policy.judges_creation() && !(creates && is_own))
            {
                continue;
            }
            let hits = route.hits(&fields, &presence);
            if hits.is_empty() {
                continue;
            }
            let path = template(group, resource).filter(|path| !path.is_whole());
            let is_template = path.is_some_and(|path| hits.iter().all(|hit| hit.is_below(&path)));
            let (severity, why) = if route.is_systems {
                (Severity::Accepted, SYSTEM)
            } else if route.request.ends_with("/scale") && !policy.takes("/scale") {
                (Severity::Accepted, SCALE)
            } else if policy.named.mutates && !(creates && is_own) {
                (Severity::Accepted, MUTATOR)
            } else if is_template && policy.sees_new_pods() {
                (Severity::Late, LATE)
            } else {
                (Severity::Bypass, "")
            };
            let sort = if is_own { Sort::Operation } else { Sort::Subresource };
            let key = (severity, sort, why, hits);
            let request = (group.to_owned(), route.request, route.operation);
            match found.iter_mut().find(|(known, _)| *known == key) {
                Some((_, requests)) => requests.push(request),
                None => found.push((key, vec![request])),
            }
        }
    }
    for ((severity, sort, why, changes), requests) in found {
        let add = if why == SCALE || why == MUTATOR { vec![] } else { rules_for(&requests, kinds) };
        gaps.push(Gap {
            changes: changes.iter().map(ToString::to_string).collect(),
            why: why.to_owned(),
            add,
            ..policy.gap(severity, sort, said(&requests))
        });
    }
}
