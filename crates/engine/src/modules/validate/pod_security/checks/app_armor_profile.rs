//! `appArmorProfile`: on supported hosts the profile `runtime/default` is applied; overriding or disabling it should be
//! prevented, or overrides restricted to an allowed set of profiles.

use super::{Check, Forbidden, Level, Node, PodFields, Quoted, Revision, Values, plural, quoted, setters};

pub(super) const CHECK: Check =
    Check { id: "appArmorProfile", level: Level::Baseline, revisions: &[Revision::since(0, judge)] };

/// The annotations that set the profile of a container before there were fields.
const ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";

fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    let mut values = Values::new();
    let pod_is_bad = bad_type(pod.security).map(|value| values.insert(value)).is_some();
    let bad = pod.names(|container| bad_type(container.security).map(|value| values.insert(value)).is_some());
    let mut annotations: Vec<String> = pod
        .annotations
        .entries()
        .iter()
        .filter(|(key, value)| key.starts_with(ANNOTATION) && !is_allowed(value.as_str().unwrap_or_default()))
        .map(|(key, value)| format!("{key}={}", Quoted(value.as_str().unwrap_or_default())))
        .collect();
    let mut who = setters(pod_is_bad, &bad).unwrap_or_default();
    if !annotations.is_empty() {
        annotations.sort();
        who.push_str(if who.is_empty() { "" } else { " and " });
        who.push_str(plural("annotation", "annotations", annotations.len()));
    }
    let values: Vec<&str> = values.into_iter().chain(annotations.iter().map(String::as_str)).collect();
    (!values.is_empty()).then(|| Forbidden {
        reason: plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values.len()),
        detail: format!("{who} must not set AppArmor profile type to {}", quoted(&values)),
    })
}

fn bad_type(security: Node<'_>) -> Option<&str> {
    let profile = security.field("appArmorProfile")?;
    Some(profile.str("type").unwrap_or_default()).filter(|value| !matches!(*value, "RuntimeDefault" | "Localhost"))
}

fn is_allowed(profile: &str) -> bool {
    profile.is_empty() || profile == "runtime/default" || profile.starts_with("localhost/")
}
