//! Users whom a policy about who may do what lets pass.

use crate::matching::glob;
use crate::review::User;
use crate::twin;

/// The users that Kubernetes' own controllers, schedulers and kubelets act as. Without them a Deployment could not roll
/// out, a node could not finish the deletion of a pod, and a Namespace could not be emptied. Whoever can act as one of
/// them governs the cluster already.
const CONTROL_PLANE: [&str; 5] = [
    "system:apiserver",
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "system:node:*",
    "system:serviceaccount:kube-system:*",
];

/// Without these two no Namespace and no dependent object would ever go.
pub(super) const CLEANERS: [&str; 2] = [
    "system:serviceaccount:kube-system:namespace-controller",
    "system:serviceaccount:kube-system:generic-garbage-collector",
];

/// The default of the settings named `exemptUsers`.
pub(super) fn control_plane() -> Vec<String> {
    CONTROL_PLANE.map(str::to_owned).to_vec()
}

/// Patterns of users, and groups.
#[derive(Debug, Default)]
pub(super) struct Exempt {
    pub(super) users: Vec<String>,
    pub(super) groups: Vec<String>,
}

impl Exempt {
    /// Whether who asks is let pass, in CEL.
    pub(super) fn in_cel(&self) -> String {
        let user = twin::fits("request.userInfo.?username.orValue('')", &self.users);
        if self.groups.is_empty() {
            return user;
        }
        let group = twin::fits("g", &self.groups);
        format!("({user} || request.userInfo.?groups.orValue([]).exists(g, {group}))")
    }

    /// Whether this user is let pass.
    pub(super) fn covers(&self, user: &User<'_>) -> bool {
        self.users.iter().any(|pattern| glob::fits(pattern, user.username))
            || self.groups.iter().any(|pattern| user.groups.iter().any(|group| glob::fits(pattern, group)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_users_by_name_or_by_group() {
        let exempt = Exempt { users: control_plane(), groups: vec!["ops-*".into()] };
        let user = |username, groups| User { username, groups, ..User::default() };
        assert!(exempt.covers(&user("system:serviceaccount:kube-system:replicaset-controller", &[])));
        assert!(exempt.covers(&user("system:node:worker-1", &["system:nodes"])));
        assert!(exempt.covers(&user("ann", &["dev", "ops-eu"])));
        assert!(!exempt.covers(&user("system:serviceaccount:shop:replicaset-controller", &["dev"])));
        assert!(!exempt.covers(&user("system:apiserver2", &[])) && !exempt.covers(&user("", &[])));
    }
}
