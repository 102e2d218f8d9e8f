//! The request that the API server would send for a manifest.

use admittance_engine::json::Arena;
use admittance_engine::kubernetes::kinds::{Kind, Kinds, Scope, Subresource};
use admittance_engine::review::{GroupVersionKind, GroupVersionResource, Operation, User};

use super::objects::Manifest;

/// What the command line says about all requests. AdmissionReviews speak for themselves.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What is done with the objects.
    pub operation: Operation,
    /// Who does it.
    pub user: String,
    /// The user's groups.
    pub groups: Vec<String>,
    /// Where objects go that name no namespace.
    pub namespace: String,
}

impl Asked {
    /// The user as a review shows it. As behind every API server, users are in `system:authenticated` (the anonymous one in
    /// `system:unauthenticated`), and service accounts in their two groups.
    pub fn user<'a>(&'a self, arena: &'a Arena) -> User<'a> {
        let mut groups: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        let mut join = |group: &'a str| {
            if !groups.contains(&group) {
                groups.push(group);
            }
        };
        if let Some((namespace, _)) =
            self.user.strip_prefix("system:serviceaccount:").and_then(|name| name.split_once(':'))
        {
            join("system:serviceaccounts");
            join(arena.format(format_args!("system:serviceaccounts:{namespace}")));
        }
        join(if self.user == "system:anonymous" { "system:unauthenticated" } else { "system:authenticated" });
        User { username: &self.user, groups: arena.texts(&groups), ..User::default() }
    }
}

/// Where a request about a manifest goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The resource.
    pub resource: GroupVersionResource<'a>,
    /// `exec` for PodExecOptions; empty for objects of their own.
    pub subresource: &'a str,
    /// Whether it is in a namespace.
    pub is_namespaced: bool,
}

/// Group, version and kind of a manifest.
pub fn kind_of<'a>(manifest: &Manifest<'a>) -> GroupVersionKind<'a> {
    GroupVersionKind { group: manifest.group(), version: manifest.version(), kind: manifest.kind }
}

/// Where a request about this manifest goes. A kind that is not built in is taken for a namespaced custom resource whose
/// name is made of the kind's as kubectl makes it. None for a CONNECT with something other than a connection's options.
pub fn target<'a>(
    kinds: &Kinds,
    manifest: &Manifest<'a>,
    operation: Operation,
    arena: &'a Arena,
) -> Option<Target<'a>> {
    let kind = kind_of(manifest);
    if operation != Operation::Connect
        && let Some(row) = kinds.kind(kind.group, kind.version, kind.kind)
    {
        return Some(of_row(row, ""));
    }
    let carries = |part: &Subresource| part.kind == Some((manifest.api_version, manifest.kind));
    let mut parts =
        kinds.rows().iter().filter_map(|row| Some((row, row.subresources.iter().find(|part| carries(part))?)));
    match (parts.next(), parts.next()) {
        // `Scale` belongs to many resources: which one is meant, only a request can say.
        (Some((row, part)), None) => Some(of_row(row, part.name)),
        _ if operation == Operation::Connect => None,
        _ => {
            let resource = GroupVersionResource {
                group: kind.group,
                version: kind.version,
                resource: arena.text(&plural(kind.kind)),
            };
            Some(Target { resource, subresource: "", is_namespaced: true })
        }
    }
}

fn of_row(row: &Kind, subresource: &'static str) -> Target<'static> {
    Target {
        resource: GroupVersionResource { group: row.group, version: row.version, resource: row.resource },
        subresource,
        is_namespaced: row.scope == Scope::Namespaced,
    }
}

/// The resource of a kind, guessed as `meta.UnsafeGuessKindToResource` of apimachinery does for kubectl.
fn plural(kind: &str) -> String {
    let singular = kind.to_lowercase();
    if singular.ends_with("endpoints") {
        return singular;
    }
    match singular.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if singular.ends_with('s') => format!("{singular}es"),
        None => format!("{singular}s"),
    }
}

#[cfg(test)]
mod tests {
    use admittance_engine::document::SourceFile;

    use super::*;
    use crate::manifests::inputs::documents;
    use crate::manifests::objects::objects;

    fn targeted(api_version: &str, kind: &str, operation: Operation) -> Option<(String, bool)> {
        let file = SourceFile::new("f", format!("{{apiVersion: {api_version}, kind: {kind}}}"));
        let parsed = documents(&file);
        let (manifests, _) = objects(&file, &parsed.documents);
        let arena = Arena::with_limit(1 << 20);
        let target = target(&Kinds::built_in(), &manifests[0], operation, &arena)?;
        let GroupVersionResource { group, version, resource } = target.resource;
        Some((format!("{group}/{version}/{resource}/{}", target.subresource), target.is_namespaced))
    }

    #[test]
    fn knows_the_resources_of_built_in_kinds_and_guesses_others() {
        let create = |api_version, kind| targeted(api_version, kind, Operation::Create).unwrap();
        assert_eq!(create("v1", "Pod"), ("/v1/pods/".into(), true));
        assert_eq!(create("v1", "Namespace"), ("/v1/namespaces/".into(), false));
        assert_eq!(
            create("networking.k8s.io/v1", "NetworkPolicy"),
            ("networking.k8s.io/v1/networkpolicies/".into(), true)
        );
        assert_eq!(create("policy/v1", "Eviction"), ("/v1/pods/eviction".into(), true));
        assert_eq!(create("example.com/v1", "Gateway"), ("example.com/v1/gatewaies/".into(), true));
        assert_eq!(create("example.com/v1", "Redis"), ("example.com/v1/redises/".into(), true));
        assert_eq!(create("example.com/v1", "Widget"), ("example.com/v1/widgets/".into(), true));
        assert_eq!(create("example.com/v1", "MyEndpoints"), ("example.com/v1/myendpoints/".into(), true));
    }

    #[test]
    fn connects_with_options_alone() {
        let connect = |kind| targeted("v1", kind, Operation::Connect);
        assert_eq!(connect("PodExecOptions"), Some(("/v1/pods/exec".into(), true)));
        assert_eq!(connect("NodeProxyOptions"), Some(("/v1/nodes/proxy".into(), false)));
        assert_eq!(connect("Pod"), None);
    }

    #[test]
    fn puts_users_into_the_groups_that_every_api_server_puts_them_in() {
        let arena = Arena::with_limit(1 << 20);
        let groups = |user: &str, groups: &[&str]| {
            let groups = groups.iter().map(ToString::to_string).collect();
            let asked = Asked { operation: Operation::Create, user: user.into(), groups, namespace: String::new() };
            asked.user(&arena).groups.join(" ")
        };
        assert_eq!(groups("ann", &["dev", "system:authenticated"]), "dev system:authenticated");
        assert_eq!(groups("system:anonymous", &[]), "system:unauthenticated");
        assert_eq!(
            groups("system:serviceaccount:ci:bot", &[]),
            "system:serviceaccounts system:serviceaccounts:ci system:authenticated"
        );
    }
}
