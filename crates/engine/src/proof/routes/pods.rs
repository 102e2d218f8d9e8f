//! Pods come into being in many ways: by themselves, of the templates of controllers, with containers in three lists.

use super::policy::{CARRIERS, NOT_IN_EPHEMERAL, Policy, rules_for, said, template};
use super::stored::WRITES;
use super::{FieldPath, Gap, Severity, Sort};
use crate::kubernetes::kinds::{Kinds, Scope as Lives};
use crate::review::Operation;

/// What init containers cannot have (core/validation, `validateInitContainers`: probes and hooks are for those with
/// `restartPolicy: Always`).
const NOT_IN_INIT: [&str; 4] = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"];

pub(super) fn look(policy: &Policy<'_>, all: &[Policy<'_>], kinds: &Kinds, gaps: &mut Vec<Gap>) {
    if policy.named.mutates {
        return;
    }
    let of_pods = of_pods(policy);
    if of_pods.is_empty() || policy.judges_changes() || policy.judges_creation() {
        return;
    }
    carriers((policy, all), &of_pods, kinds, gaps);
    if policy.module.is_none() {
        containers(policy, &of_pods, gaps);
    }
}

/// The fields of pods' specifications that it decides by, wherever the policy finds them.
fn of_pods(policy: &Policy<'_>) -> Vec<FieldPath> {
    let spec = FieldPath::parse("spec");
    let mut found: Vec<FieldPath> = vec![];
    for (group, resource, _) in CARRIERS {
        if !sees_some(policy, group, resource) {
            continue;
        }
        let Some(path) = template(group, resource) else { continue };
        let (fields, _) = policy.fields(group, resource);
        let below = fields.iter().filter(|field| !path.is_whole() || !is_template(field));
        found.extend(below.filter_map(|field| field.strip(&path)).filter(|field| field.is_below(&spec)));
    }
    found.sort();
    found.dedup();
    found
}

/// Whether it lies in a template: one that an expression reads for another kind does not stand in pods.
fn is_template(field: &FieldPath) -> bool {
    let carriers = CARRIERS.iter().filter(|(_, _, path)| !path.is_empty());
    carriers.map(|(_, _, path)| FieldPath::parse(path)).any(|path| field.is_below(&path))
}

fn sees_some(policy: &Policy<'_>, group: &str, resource: &str) -> bool {
    WRITES.iter().any(|operation| policy.sees(group, resource, *operation, Some(Lives::Namespaced)))
}

/// Another validator that is asked about a carrier and reads some of the same fields.
fn deputy<'p>(policy: &Policy<'_>, all: &'p [Policy<'_>], of_pods: &[FieldPath], carrier: &str) -> Option<&'p str> {
    let is_one = |other: &&Policy<'_>| {
        other.named.name != policy.named.name
            && !other.named.mutates
            && CARRIERS
                .iter()
                .filter(|(_, resource, _)| *resource == carrier)
                .any(|(group, resource, _)| sees_some(other, group, resource))
            && self::of_pods(other).iter().any(|field| of_pods.iter().any(|own| own.meets(field)))
    };
    all.iter().find(is_one).map(|other| other.named.name.as_str())
}

fn carriers((policy, all): (&Policy<'_>, &[Policy<'_>]), of_pods: &[FieldPath], kinds: &Kinds, gaps: &mut Vec<Gap>) {
    let sees_pods = policy.sees_new_pods();
    let unseen = CARRIERS.iter().filter(|(group, resource, _)| !sees_some(policy, group, resource));
    let requests: Vec<(String, String, Operation)> = unseen
        .flat_map(|(group, resource, _)| {
            let operations: &[Operation] = if *resource == "pods" { &[Operation::Create] } else { &WRITES };
            operations.iter().map(|operation| ((*group).to_owned(), (*resource).to_owned(), *operation))
        })
        .collect();
    if requests.is_empty() {
        return;
    }
    let changes = of_pods.iter().map(ToString::to_string).collect();
    // Policies may share the work: one for pods, one for what makes them.
    let deputies: Option<Vec<&str>> = if sees_pods {
        requests.iter().map(|(_, resource, _)| deputy(policy, all, of_pods, resource)).collect()
    } else {
        deputy(policy, all, of_pods, "pods").map(|name| vec![name])
    };
    if let Some(mut names) = deputies {
        names.sort_unstable();
        names.dedup();
        let why = format!("the same fields are read there by {}", names.join(", "));
        gaps.push(Gap { changes, why, ..policy.gap(Severity::Accepted, Sort::Template, said(&requests)) });
        return;
    }
    if sees_pods {
        let mut add = rules_for(&requests, kinds);
        if policy.module.is_none() {
            add.push(
                "and read the template there: object.spec.template, of CronJobs object.spec.jobTemplate.spec.template"
                    .to_owned(),
            );
        }
        let why = "a template is stored that no pod may be made of: whoever wrote it is told nothing".to_owned();
        gaps.push(Gap { changes, why, add, ..policy.gap(Severity::Late, Sort::Template, said(&requests)) });
        return;
    }
    let mut others: Vec<&str> =
        requests.iter().map(|(_, resource, _)| resource.as_str()).filter(|resource| *resource != "pods").collect();
    others.dedup();
    let mut why = "pods that somebody makes by hand are not judged".to_owned();
    if !others.is_empty() {
        why = format!("{why}, nor those of {}", others.join(", "));
    }
    let pods = [(String::new(), "pods".to_owned(), Operation::Create)];
    let mut add = rules_for(&pods, kinds);
    if policy.module.is_none() {
        add.push("and read the pod's own fields there: object.spec".to_owned());
    }
    gaps.push(Gap { changes, why, add, ..policy.gap(Severity::Bypass, Sort::Template, said(&pods)) });
}

/// Expressions that read one list of containers and not the others.
fn containers(policy: &Policy<'_>, of_pods: &[FieldPath], gaps: &mut Vec<Gap>) {
    let regular = FieldPath::parse("spec.containers[*]");
    let read: Vec<FieldPath> = of_pods.iter().filter_map(|field| field.strip(&regular)).collect();
    let named = FieldPath::parse("name");
    for (list, excluded, advice) in [
        ("initContainers", &NOT_IN_INIT[..], "object.spec.?initContainers.orValue([])"),
        ("ephemeralContainers", &NOT_IN_EPHEMERAL[..], "object.spec.?ephemeralContainers.orValue([])"),
    ] {
        let whole = FieldPath::parse(&format!("spec.{list}"));
        // Where the policy reads the list at all, its author has thought of it.
        if of_pods.iter().any(|field| field.is_below(&whole)) {
            continue;
        }
        let cannot = |field: &FieldPath| excluded.iter().any(|name| field.is_below(&FieldPath::parse(name)));
        let item = FieldPath::parse(&format!("spec.{list}[*]"));
        let changes: Vec<String> = read
            .iter()
            .filter(|field| !cannot(field) && !field.is_below(&named))
            .map(|field| item.join(field).to_string())
            .collect();
        if changes.is_empty() {
            continue;
        }
        let (route, why) = if list == "initContainers" {
            ("CREATE of pods", "init containers are containers, and the policy reads spec.containers alone")
        } else {
            ("UPDATE of pods/ephemeralcontainers", "debug containers run in the pod, and the policy does not read them")
        };
        let mut add = vec![format!("read {advice} as well")];
        if list == "ephemeralContainers"
            && !policy.sees("", "pods/ephemeralcontainers", Operation::Update, Some(Lives::Namespaced))
        {
            let request = [(String::new(), "pods/ephemeralcontainers".to_owned(), Operation::Update)];
            add.extend(rules_for(&request, &Kinds::built_in()));
        }
        gaps.push(Gap {
            changes,
            why: why.to_owned(),
            add,
            ..policy.gap(Severity::Bypass, Sort::Containers, route.to_owned())
        });
    }
}
