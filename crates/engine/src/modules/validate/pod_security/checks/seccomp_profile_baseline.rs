//! `seccompProfile_baseline`: if seccomp profiles are specified, only runtime default and localhost profiles are allowed.

use std::collections::BTreeSet;

use super::{Check, Forbidden, Level, Node, PodFields, Quoted, Revision, Values, plural, quoted, setters};

pub(super) const ID: &str = "seccompProfile_baseline";

pub(super) const CHECK: Check = Check {
    id: ID,
    level: Level::Baseline,
    // Annotations became fields with 1.19.
    revisions: &[Revision::since(0, judge_annotations), Revision::since(19, judge)],
};

const OF_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const OF_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";

fn judge_annotations(pod: &PodFields<'_>) -> Option<Forbidden> {
    let is_read = |key: &str| {
        let name = key.strip_prefix(OF_CONTAINER);
        key == OF_POD || name.is_some_and(|name| pod.containers.iter().any(|container| container.name == name))
    };
    let forbidden: BTreeSet<String> = pod
        .annotations
        .entries()
        .iter()
        .map(|(key, value)| (key, value.as_str().unwrap_or_default()))
        .filter(|(key, value)| is_read(key) && !is_allowed(value))
        .map(|(key, value)| format!("{key}={}", Quoted(value)))
        .collect();
    (!forbidden.is_empty()).then(|| {
        let what = plural("annotation", "annotations", forbidden.len());
        let forbidden: Vec<String> = forbidden.into_iter().collect();
        Forbidden { reason: "seccompProfile", detail: format!("forbidden {what} {}", forbidden.join(", ")) }
    })
}

fn is_allowed(profile: &str) -> bool {
    matches!(profile, "runtime/default" | "docker/default") || profile.starts_with("localhost/")
}

fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    let mut values = Values::new();
    let mut is_bad = |security| match profile(security) {
        Some(Err(value)) => {
            values.insert(value);
            true
        }
        _ => false,
    };
    let pod_is_bad = is_bad(pod.security);
    let bad = pod.names(|container| is_bad(container.security));
    let who = setters(pod_is_bad, &bad)?;
    Some(wrong_type(&who, &values))
}

pub(super) fn wrong_type(who: &str, values: &Values<'_>) -> Forbidden {
    let detail = format!("{who} must not set securityContext.seccompProfile.type to {}", quoted(values));
    Forbidden { reason: "seccompProfile", detail }
}

/// Whether a profile is set, and if it may not be, its type.
pub(super) fn profile(security: Node<'_>) -> Option<Result<(), &str>> {
    let kind = security.field("seccompProfile")?.str("type").unwrap_or_default();
    Some(if matches!(kind, "RuntimeDefault" | "Localhost") { Ok(()) } else { Err(kind) })
}
