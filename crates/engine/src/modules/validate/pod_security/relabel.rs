//! The pods that a Namespace's new label would not let in (k8s.io/pod-security-admission, admission.go,
//! `EvaluatePodsInNamespace`).

use std::collections::{BTreeMap, BTreeSet};

use super::PodSecurity;
use super::check::PodFields;
use super::level::Standard;
use super::table::reasons;
use crate::json::{Arena, List, Node};
use crate::review::{Answer, Lookup};
use crate::verdict::{Action, Report};

/// How many pods are looked at; upstream's number.
const MOST: usize = 3_000;

/// Pods with the same violations.
struct Alike<'a> {
    /// The first of their names.
    name: &'a str,
    count: usize,
}

/// Warns of pods in the namespace that `enforce` would refuse; their controllers will find it out when the pods are gone.
pub(super) fn judge_pods(
    module: &PodSecurity,
    namespace: &str,
    enforce: Standard,
    arena: &Arena,
    report: &mut Report<'_>,
) {
    let lookup = Lookup::Pods(namespace.into());
    let list = match report.answer(&lookup, arena) {
        Answer::Found(list) => list,
        Answer::Unknown => return report.need(lookup.into_owned()),
        Answer::Missing | Answer::Unavailable(_) => {
            let warning = "failed to list pods while checking new PodSecurity enforce level";
            return report.finding_of_object(Action::Warn, warning.to_owned());
        }
    };
    let pods = prioritized(module, list.items_of("items"));
    let unlisted = list.at(&["metadata", "remainingItemCount"]).and_then(Node::as_i64).unwrap_or_default();
    let total = pods.len() + usize::try_from(unlisted).unwrap_or_default();
    let deadline = report.bounds().deadline;
    let (mut checked, mut found) = (0, BTreeMap::<String, Alike<'_>>::new());
    for pod in pods.into_iter().take(MOST) {
        checked += 1;
        let part = |key| pod.get(key).unwrap_or_default();
        let metadata = part("metadata");
        let fields = PodFields::of(arena, metadata, part("spec"));
        let forbidden = module.table.judge(enforce, &fields);
        if !forbidden.is_empty() {
            let name = metadata.str("name").unwrap_or_default();
            let alike = found.entry(reasons(&forbidden)).or_insert(Alike { name, count: 0 });
            alike.count += 1;
            alike.name = alike.name.min(name);
        }
        if deadline.is_over() {
            break;
        }
    }
    let mut warn = |warning| report.finding_of_object(Action::Warn, warning);
    if checked < total {
        warn(format!(
            "new PodSecurity enforce level only checked against the first {checked} of {total} existing pods"
        ));
    }
    if !found.is_empty() {
        warn(format!(
            "existing pods in namespace {namespace:?} violate the new PodSecurity enforce level \"{enforce}\""
        ));
    }
    let mut lines: Vec<String> = found.iter().map(|(reasons, alike)| line(reasons, alike)).collect();
    lines.sort();
    lines.into_iter().for_each(warn);
}

fn line(reasons: &str, Alike { name, count }: &Alike<'_>) -> String {
    match count {
        1 => format!("{name}: {reasons}"),
        2 => format!("{name} (and 1 other pod): {reasons}"),
        _ => format!("{name} (and {} other pods): {reasons}", count - 1),
    }
}

/// The pods that no exempt runtime class runs: first one of each controller, then the others.
fn prioritized<'a>(module: &PodSecurity, pods: List<'a>) -> Vec<Node<'a>> {
    let mut controllers = BTreeSet::new();
    let judged = pods.iter().copied().filter(|pod| !module.exempts_runtime_class(pod.get("spec").unwrap_or_default()));
    let (mut first, others): (Vec<_>, Vec<_>) = judged.partition(|pod| {
        let owners = pod.get("metadata").map_or(&[][..], |metadata| metadata.items_of("ownerReferences"));
        let controller = owners.iter().find(|owner| owner.get("controller").and_then(Node::as_bool) == Some(true));
        controller.is_none_or(|owner| controllers.insert(owner.str("uid").unwrap_or_default()))
    });
    first.extend(others);
    first
}
