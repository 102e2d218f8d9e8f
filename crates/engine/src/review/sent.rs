//! The request that the API server would send for an object: what `check` and tests judge where there is no API server.

use std::fmt;

use super::{GroupVersionKind, GroupVersionResource, Lazy, Operation, Review, User};
use crate::json::{Arena, Node, edit};
use crate::kubernetes::defaults::Defaults;
use crate::kubernetes::kinds::{Kind, Kinds, Scope, Subresource};

/// The label that the API server gives every Namespace.
pub const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// An object as somebody wrote it.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// `v1`, `apps/v1`
    pub api_version: &'a str,
    /// `Pod`
    pub kind: &'a str,
    /// The whole object.
    pub object: Node<'a>,
}

impl<'a> Written<'a> {
    /// The object of this tree, which says itself what it is.
    pub fn of(object: Node<'a>) -> Self {
        let text = |key| object.str(key).unwrap_or_default();
        Self { api_version: text("apiVersion"), kind: text("kind"), object }
    }

    /// Group, version and kind.
    pub fn kind(&self) -> GroupVersionKind<'a> {
        let (group, version) = self.api_version.split_once('/').unwrap_or(("", self.api_version));
        GroupVersionKind { group, version, kind: self.kind }
    }

    /// A string of its metadata; empty where there is none.
    pub fn metadata(&self, key: &str) -> &'a str {
        self.object.get("metadata").and_then(|metadata| metadata.str(key)).unwrap_or_default()
    }
}

/// What is asked of the API server, as far as the object does not say it.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// What is done with the object.
    pub operation: Operation,
    /// Who does it.
    pub user: User<'a>,
    /// Where an object goes that names no namespace. Empty: an object of a kind that is not built in is cluster-scoped.
    pub namespace: &'a str,
    /// The name in the request; empty for the object's own.
    pub name: &'a str,
    /// The resource; None for the one of the object's kind.
    pub resource: Option<GroupVersionResource<'a>>,
    /// The subresource; empty for the one that the kind belongs to (`Eviction`), if it does.
    pub subresource: &'a str,
    /// CreateOptions, UpdateOptions or DeleteOptions.
    pub options: Option<Node<'a>>,
    /// Whether nothing will be stored.
    pub dry_run: bool,
}

impl<'a> Asked<'a> {
    /// This operation by this user, on objects that go to this namespace unless they name another one.
    pub fn new(operation: Operation, user: User<'a>, namespace: &'a str) -> Self {
        Self { operation, user, namespace, name: "", resource: None, subresource: "", options: None, dry_run: false }
    }
}

/// A user as a review shows it. As behind every API server, users are in `system:authenticated` (the anonymous one in
/// `system:unauthenticated`), and service accounts in their two groups.
pub fn user<'a>(arena: &'a Arena, username: &'a str, groups: impl IntoIterator<Item = &'a str>) -> User<'a> {
    let mut groups: Vec<&str> = groups.into_iter().collect();
    let mut join = |group: &'a str| {
        if !groups.contains(&group) {
            groups.push(group);
        }
    };
    if let Some((namespace, _)) = username.strip_prefix("system:serviceaccount:").and_then(|name| name.split_once(':'))
    {
        join("system:serviceaccounts");
        join(arena.format(format_args!("system:serviceaccounts:{namespace}")));
    }
    join(if username == "system:anonymous" { "system:unauthenticated" } else { "system:authenticated" });
    User { username, groups: arena.texts(&groups), ..User::default() }
}

/// Why no request can be made of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRequest {
    /// There is neither an object nor a stored one.
    Nothing,
    /// CONNECT with an object of this kind, which is no connection's options.
    NoConnection(String),
}

impl fmt::Display for NoRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => formatter.write_str("there is no object to make a request of"),
            Self::NoConnection(kind) => write!(
                formatter,
                "nobody connects with a {kind}: a CONNECT takes PodExecOptions, PodAttachOptions, PodPortForwardOptions, PodProxyOptions, \
                 ServiceProxyOptions or NodeProxyOptions"
            ),
        }
    }
}

impl std::error::Error for NoRequest {}

/// Where a request about an object goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aim<'a> {
    /// The resource.
    pub resource: GroupVersionResource<'a>,
    /// `exec` for PodExecOptions; empty for objects of their own.
    pub subresource: &'a str,
    /// Whether it is in a namespace.
    pub is_namespaced: bool,
}

impl<'a> Aim<'a> {
    /// Where a request about an object of this kind goes. A kind that is not built in is taken for a namespaced custom
    /// resource whose name is made of the kind's as kubectl makes it. None for a CONNECT with something other than a
    /// connection's options.
    pub fn of(kinds: &Kinds, written: &Written<'_>, operation: Operation, arena: &'a Arena) -> Option<Self> {
        let GroupVersionKind { group, version, kind } = written.kind();
        if operation != Operation::Connect
            && let Some(row) = kinds.kind(group, version, kind)
        {
            return Some(of_row(row, ""));
        }
        let carries = |part: &Subresource| part.kind == Some((written.api_version, written.kind));
        let mut parts =
            kinds.rows().iter().filter_map(|row| Some((row, row.subresources.iter().find(|part| carries(part))?)));
        match (parts.next(), parts.next()) {
            // `Scale` belongs to many resources: which one is meant, only a request can say.
            (Some((row, part)), None) => Some(of_row(row, part.name)),
            _ if operation == Operation::Connect => None,
            _ => {
                let resource = GroupVersionResource {
                    group: arena.text(group),
                    version: arena.text(version),
                    resource: arena.text(&plural(kind)),
                };
                Some(Self { resource, subresource: "", is_namespaced: true })
            }
        }
    }

    /// The same where the request names another resource or subresource.
    fn asked(self, kinds: &Kinds, asked: &Asked<'a>) -> Self {
        let mut aim = self;
        if let Some(resource) = asked.resource {
            let row = kinds.resource(resource.group, resource.version, resource.resource);
            aim =
                Self { resource, subresource: "", is_namespaced: row.is_none_or(|row| row.scope == Scope::Namespaced) };
        }
        if !asked.subresource.is_empty() {
            aim.subresource = asked.subresource;
        }
        let is_built_in = !kinds.by_resource(aim.resource.group, aim.resource.resource).is_empty();
        if !is_built_in && asked.namespace.is_empty() {
            aim.is_namespaced = false;
        }
        aim
    }
}

fn of_row(row: &Kind, subresource: &'static str) -> Aim<'static> {
    Aim {
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

/// The request about these objects: the new one and the stored one, either of which may be missing. Without `defaults` they
/// are sent as they stand.
///
/// # Errors
/// When no request can be made of them.
pub fn request<'a>(
    arena: &'a Arena,
    (kinds, defaults): (&Kinds, Option<&Defaults>),
    asked: &Asked<'a>,
    (object, old): (Option<Written<'a>>, Option<Written<'a>>),
) -> Result<Review<'a>, NoRequest> {
    let judged = object.or(old).ok_or(NoRequest::Nothing)?;
    let Some(aim) = Aim::of(kinds, &judged, asked.operation, arena) else {
        return Err(NoRequest::NoConnection(judged.kind.to_owned()));
    };
    let aim = aim.asked(kinds, asked);
    let kind = judged.kind();
    let name = if asked.name.is_empty() { judged.metadata("name") } else { asked.name };
    let namespace = match judged.metadata("namespace") {
        // A request about a Namespace is made in that namespace.
        _ if kind.group.is_empty() && kind.kind == "Namespace" => name,
        _ if !aim.is_namespaced => "",
        "" => asked.namespace,
        namespace => namespace,
    };
    let send = |written: Written<'a>| Lazy::of(arena, as_sent(arena, defaults, &written, &aim, asked));
    Ok(Review {
        arena,
        // No answer is sent that would have to carry it.
        uid: "",
        kind,
        resource: aim.resource,
        subresource: aim.subresource,
        request_kind: kind,
        request_resource: aim.resource,
        name,
        namespace,
        operation: asked.operation,
        user: asked.user,
        dry_run: asked.dry_run,
        object: object.map(send),
        old_object: old.map(send),
        options: asked.options.map(|options| Lazy::of(arena, options)),
    })
}

/// The object as webhooks see it: with its kind, its namespace and the API server's defaults.
fn as_sent<'a>(
    arena: &'a Arena,
    defaults: Option<&Defaults>,
    written: &Written<'a>,
    aim: &Aim<'_>,
    asked: &Asked<'a>,
) -> Node<'a> {
    let mut object = written.object;
    let Some(defaults) = defaults else { return object };
    // An edit is refused where `metadata` is no map: then the policies judge the object as it is.
    let mut fill = |path: &[&str], value: &'a str| {
        object = edit::set_default(arena, object, path, Node::string(value)).unwrap_or(object);
    };
    fill(&["apiVersion"], written.api_version);
    fill(&["kind"], written.kind);
    let kind = written.kind();
    if aim.is_namespaced && asked.operation != Operation::Connect && !asked.namespace.is_empty() {
        fill(&["metadata", "namespace"], asked.namespace);
    }
    if kind.group.is_empty() && kind.kind == "Namespace" {
        fill(&["metadata", "labels", NAME_LABEL], written.metadata("name"));
    }
    defaults.apply(arena, kind.group, kind.version, kind.kind, object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    fn aimed(api_version: &str, kind: &str, operation: Operation) -> Option<(String, bool)> {
        let arena = Arena::with_limit(1 << 20);
        let written = Written { api_version, kind, object: Node::NULL };
        let aim = Aim::of(&Kinds::built_in(), &written, operation, &arena)?;
        let GroupVersionResource { group, version, resource } = aim.resource;
        Some((format!("{group}/{version}/{resource}/{}", aim.subresource), aim.is_namespaced))
    }

    #[test]
    fn knows_the_resources_of_built_in_kinds_and_guesses_others() {
        let create = |api_version, kind| aimed(api_version, kind, Operation::Create).unwrap();
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
        let connect = |kind| aimed("v1", kind, Operation::Connect);
        assert_eq!(connect("PodExecOptions"), Some(("/v1/pods/exec".into(), true)));
        assert_eq!(connect("NodeProxyOptions"), Some(("/v1/nodes/proxy".into(), false)));
        assert_eq!(connect("Pod"), None);
    }

    #[test]
    fn puts_users_into_the_groups_that_every_api_server_puts_them_in() {
        let arena = Arena::with_limit(1 << 20);
        let groups =
            |name: &'static str, groups: &[&'static str]| user(&arena, name, groups.iter().copied()).groups.join(" ");
        assert_eq!(groups("ann", &["dev", "system:authenticated"]), "dev system:authenticated");
        assert_eq!(groups("system:anonymous", &[]), "system:unauthenticated");
        assert_eq!(
            groups("system:serviceaccount:ci:bot", &[]),
            "system:serviceaccounts system:serviceaccounts:ci system:authenticated"
        );
    }

    fn sent(object: &str, change: impl FnOnce(&mut Asked<'_>)) -> String {
        let arena = Arena::with_limit(1 << 20);
        let written = Written::of(read(&arena, object).unwrap());
        let mut asked = Asked::new(Operation::Create, User::default(), "shop");
        change(&mut asked);
        let review =
            request(&arena, (&Kinds::built_in(), Some(&Defaults::built_in())), &asked, (Some(written), None)).unwrap();
        let object = serde_json::to_string(&review.object().unwrap().unwrap()).unwrap();
        format!("{} {}/{}: {object}", review.resource_path(), review.namespace, review.name)
    }

    #[test]
    fn sends_an_object_to_where_the_request_says() {
        let widget = r#"{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a"}}"#;
        assert_eq!(
            sent(widget, |_| {}),
            r#"widgets shop/a: {"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a","namespace":"shop"}}"#
        );
        assert_eq!(sent(widget, |asked| asked.namespace = ""), format!("widgets /a: {widget}"));
        let scale = r#"{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"a","namespace":"b"}}"#;
        let deployments = GroupVersionResource { group: "apps", version: "v1", resource: "deployments" };
        let of_deployments = sent(scale, |asked| {
            asked.resource = Some(deployments);
            asked.subresource = "scale";
        });
        assert_eq!(of_deployments, format!("deployments/scale b/a: {scale}"));
    }
}
