//! What roles and their bindings say (rbac.authorization.k8s.io/v1), for the modules that judge them.

use crate::json::{Node, Path};
use crate::matching::glob;
use crate::review::{Operation, Subject as Judged};
use crate::rule::{Resources, SettingsError};
use crate::twin;

/// Bindings, when they are made and changed.
pub(super) const BINDINGS: &[Resources] = &[Resources {
    groups: &["rbac.authorization.k8s.io"],
    resources: &["clusterrolebindings", "rolebindings"],
    operations: &[Operation::Create, Operation::Update],
}];

/// Roles, when they are made and changed.
pub(super) const ROLES: &[Resources] = &[Resources {
    groups: &["rbac.authorization.k8s.io"],
    resources: &["clusterroles", "roles"],
    operations: &[Operation::Create, Operation::Update],
}];

/// It writes into a role what it found in others.
const AGGREGATION_CONTROLLER: &str = "system:serviceaccount:kube-system:clusterrole-aggregation-controller";

/// Whether a role is to be judged: not one of those that are let pass by their names, nor what the controller of aggregated
/// roles writes.
pub(super) fn judges_role(judged: Judged<'_, '_>, allowed: &[String]) -> bool {
    let name = judged.review.object_name();
    judged.review.user.username != AGGREGATION_CONTROLLER && !allowed.iter().any(|pattern| glob::fits(pattern, name))
}

/// Shows every rule of a role, with its place.
pub(super) fn visit_rules<'a>(judged: Judged<'_, 'a>, mut see: impl FnMut(Node<'a>, &Path<'_>)) {
    let place = Path::root("rules");
    for (index, rule) in judged.object.items_of("rules").iter().enumerate() {
        see(*rule, &place.index(index));
    }
}

/// Somebody to whom a role is given.
#[derive(Clone, Copy, Debug)]
pub(super) struct BoundSubject<'a> {
    /// `User`, `Group` or `ServiceAccount`.
    pub(super) kind: &'a str,
    /// The name, whatever it is.
    pub(super) name: Node<'a>,
    /// Of a service account; the binding's own where it is left out.
    pub(super) namespace: &'a str,
}

impl<'a> BoundSubject<'a> {
    /// The name; empty if it is no string.
    pub(super) fn name(&self) -> &'a str {
        self.name.as_str().unwrap_or_default()
    }

    /// What it is, for messages.
    pub(super) fn what(&self) -> &'static str {
        match self.kind {
            "User" => "user",
            "Group" => "group",
            "ServiceAccount" => "service account",
            _ => "subject",
        }
    }

    /// The service account that it is: namespace and name. A user may be one in full as well
    /// (`system:serviceaccount:shop:default`).
    pub(super) fn service_account(&self) -> Option<(&'a str, &'a str)> {
        match self.kind {
            "ServiceAccount" => Some((self.namespace, self.name())),
            "User" => self.name().strip_prefix("system:serviceaccount:")?.split_once(':'),
            _ => None,
        }
    }
}

/// Kind and name of the role that is given; the kind is empty where it is not there.
pub(super) fn role_of(binding: Node<'_>) -> (&str, Node<'_>) {
    let role = binding.field("roleRef").unwrap_or_default();
    (role.str("kind").unwrap_or_default(), role.get("name").unwrap_or_default())
}

/// Whether one of the patterns fits the role's name.
pub(super) fn is_among(patterns: &[String], role: Node<'_>) -> bool {
    role.as_str().is_some_and(|role| patterns.iter().any(|pattern| glob::fits(pattern, role)))
}

/// Shows every subject, with the place of its name.
pub(super) fn visit<'a>(judged: Judged<'_, 'a>, mut see: impl FnMut(BoundSubject<'a>, &Path<'_>)) {
    let place = Path::root("subjects");
    for (index, subject) in judged.object.items_of("subjects").iter().enumerate() {
        let bound = BoundSubject {
            kind: subject.str("kind").unwrap_or_default(),
            name: subject.get("name").unwrap_or_default(),
            namespace: subject.str("namespace").filter(|name| !name.is_empty()).unwrap_or(judged.review.namespace),
        };
        see(bound, &place.index(index).key("name"));
    }
}

/// The namespace of the subject `s`, in CEL.
pub(super) const NAMESPACE: &str = "(s.?namespace.orValue('') != '' ? s.namespace : request.?namespace.orValue(''))";

/// [`is_among`] of the binding's role, in CEL.
pub(super) fn role_is_among(patterns: &[String]) -> String {
    twin::fits("#object.roleRef.name", patterns)
}

/// The subjects `s` of a binding about which CEL says that they are wrong, unless the binding is free.
pub(super) fn twin(is_free: &str, is_wrong: &str) -> String {
    format!(
        "({is_free} ? [] : #object.?subjects.orValue([]).transformList(i, s, {is_wrong}, \
         'subjects[' + string(i) + '].name\\n' + s.name))"
    )
}

/// [`judges_role`] in CEL.
pub(super) fn judges_role_in_cel(allowed: &[String]) -> String {
    format!(
        "request.userInfo.?username.orValue('') != '{AGGREGATION_CONTROLLER}' && ![{}].exists(n, {})",
        twin::OBJECT_NAME,
        twin::fits("n", allowed)
    )
}

/// What is wrong with patterns of roles: each that no role can be called.
pub(super) fn check_roles(field: &str, patterns: &[String], errors: &mut Vec<SettingsError>) {
    for (position, pattern) in patterns.iter().enumerate() {
        // A role's name is a segment of a path (k8s.io/apimachinery, path.ValidatePathSegmentName).
        if pattern.is_empty() || pattern.contains(['/', '%']) {
            errors.push(SettingsError {
                pointer: format!("/{field}/{position}"),
                message: format!(
                    "{pattern:?} fits no role: expected a name, with `*` for any text and `?` for one character"
                ),
            });
        }
    }
}
