//! What the RBAC authorizer of an API server answers by the roles that a case has in its cluster.

use admittance_engine::review::{Access, AccessTarget};
use serde_json::Value;

/// Whether one of the bindings among these objects gives the access.
pub(crate) fn allows(objects: &[Value], access: &Access<'_>) -> bool {
    let namespace = match &access.target {
        AccessTarget::Resource { namespace, .. } => namespace.as_ref(),
        AccessTarget::Path(_) => "",
    };
    let of_kind = |kind: &'static str| objects.iter().filter(move |object| object["kind"] == kind);
    let everywhere = of_kind("ClusterRoleBinding");
    let there = of_kind("RoleBinding").filter(|binding| binding["metadata"]["namespace"] == namespace);
    access.groups.iter().any(|group| group == "system:masters")
        || everywhere
            .chain(there)
            .filter(|binding| list(&binding["subjects"]).any(|subject| is_subject(subject, access)))
            .flat_map(|binding| {
                let role = &binding["roleRef"];
                objects.iter().filter(move |object| {
                    object["kind"] == role["kind"]
                        && object["metadata"]["name"] == role["name"]
                        && (role["kind"] == "ClusterRole" || object["metadata"]["namespace"] == namespace)
                })
            })
            .any(|role| list(&role["rules"]).any(|rule| gives(rule, access)))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn is_subject(subject: &Value, access: &Access<'_>) -> bool {
    let (name, namespace) = (subject["name"].as_str().unwrap(), subject["namespace"].as_str());
    match subject["kind"].as_str() {
        Some("User") => access.user == name,
        Some("Group") => access.groups.iter().any(|group| group == name),
        Some("ServiceAccount") => access.user == format!("system:serviceaccount:{}:{name}", namespace.unwrap()),
        other => panic!("no subject is a {other:?}"),
    }
}

fn gives(rule: &Value, access: &Access<'_>) -> bool {
    let holds = |field: &str, wanted: &str| list(&rule[field]).any(|one| one == wanted || one == "*");
    holds("verbs", &access.verb)
        && match &access.target {
            AccessTarget::Path(path) => holds("nonResourceURLs", path),
            AccessTarget::Resource { group, resource, subresource, name, .. } => {
                let whole =
                    if subresource.is_empty() { resource.to_string() } else { format!("{resource}/{subresource}") };
                let is_named = rule["resourceNames"].is_null() || holds("resourceNames", name);
                holds("apiGroups", group) && holds("resources", &whole) && is_named
            }
        }
}
