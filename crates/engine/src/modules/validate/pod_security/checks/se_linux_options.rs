//! `seLinuxOptions`: setting the SELinux type is restricted, and setting a custom SELinux user or role option is forbidden.

use super::{Check, Forbidden, Level, Node, PodFields, Revision, Values, plural, quoted, setters};

pub(super) const CHECK: Check = Check {
    id: "seLinuxOptions",
    level: Level::Baseline,
    revisions: &[
        Revision::since(0, |pod| judge(pod, &["", "container_t", "container_init_t", "container_kvm_t"])),
        Revision::since(31, |pod| {
            judge(pod, &["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"])
        }),
    ],
};

fn judge(pod: &PodFields<'_>, allowed: &[&str]) -> Option<Forbidden> {
    let (mut types, mut sets_user, mut sets_role) = (Values::new(), false, false);
    let mut is_bad = |security| {
        let Some(options) = Node::field(security, "seLinuxOptions") else { return false };
        let kind = options.str("type").unwrap_or_default();
        let bad_type = !allowed.contains(&kind);
        if bad_type {
            types.insert(kind);
        }
        let is_set = |field: &str| options.str(field).is_some_and(|value| !value.is_empty());
        let (user, role) = (is_set("user"), is_set("role"));
        (sets_user, sets_role) = (sets_user || user, sets_role || role);
        bad_type || user || role
    };
    let pod_is_bad = is_bad(pod.security);
    let bad = pod.names(|container| is_bad(container.security));
    let who = setters(pod_is_bad, &bad)?;
    let mut what = vec![];
    if !types.is_empty() {
        what.push(format!("{} {}", plural("type", "types", types.len()), quoted(&types)));
    }
    if sets_user {
        what.push("user may not be set".to_owned());
    }
    if sets_role {
        what.push("role may not be set".to_owned());
    }
    let detail = format!("{who} set forbidden securityContext.seLinuxOptions: {}", what.join("; "));
    Some(Forbidden { reason: "seLinuxOptions", detail })
}
