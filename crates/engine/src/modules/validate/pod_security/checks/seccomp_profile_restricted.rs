//! `seccompProfile_restricted`: seccomp profiles must be specified, and only runtime default and localhost profiles are
//! allowed.

use super::seccomp_profile_baseline::{ID, profile, wrong_type};
use super::{Check, Forbidden, Level, PodFields, Revision, Values, containers, setters};

pub(super) const CHECK: Check = Check {
    id: "seccompProfile_restricted",
    level: Level::Restricted,
    // Pods for Windows cannot set profiles; they say what they are since 1.25.
    revisions: &[
        Revision { since: 19, replaces: &[ID], judge },
        Revision { since: 25, replaces: &[ID], judge: judge_since_25 },
    ],
};

fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    let mut values = Values::new();
    let of_pod = profile(pod.security);
    if let Some(Err(value)) = of_pod {
        values.insert(value);
    }
    let bad = pod.names(|container| match profile(container.security) {
        Some(Err(value)) => {
            values.insert(value);
            true
        }
        _ => false,
    });
    if let Some(who) = setters(matches!(of_pod, Some(Err(_))), &bad) {
        return Some(wrong_type(&who, &values));
    }
    if of_pod.is_some() {
        return None;
    }
    let silent = pod.names(|container| profile(container.security).is_none());
    (!silent.is_empty()).then(|| Forbidden {
        reason: "seccompProfile",
        detail: format!(
            "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
            containers(&silent)
        ),
    })
}

fn judge_since_25(pod: &PodFields<'_>) -> Option<Forbidden> {
    if pod.is_windows { None } else { judge(pod) }
}
