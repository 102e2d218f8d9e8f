//! One AdmissionReview request, decoded once (admission.k8s.io/v1, `AdmissionRequest`).

mod envelope;
mod lookups;
mod release;
pub mod sent;
mod subject;

use std::cell::OnceCell;
use std::fmt;

pub use envelope::{Envelope, EnvelopeError};
pub use lookups::{Access, AccessTarget, Answer, KindName, Lookup, Lookups, NoLookups, ObjectName};
pub use release::only_releases;
pub use subject::Subject;

use crate::json::{self, Arena, Node, ReadError};

/// What is asked of the API server (`AdmissionRequest.operation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// A new object.
    Create,
    /// A change of an object, by update, patch or apply.
    Update,
    /// A deletion; judged on oldObject.
    Delete,
    /// A connection to a subresource such as `pods/exec`; the object is the connection's options.
    Connect,
}

impl Operation {
    /// All of them, in the order of the API's documentation.
    pub const ALL: [Self; 4] = [Self::Create, Self::Update, Self::Delete, Self::Connect];

    /// As the API spells it: `CREATE`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }

    /// The operation of that name, which the API spells in capitals.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == name)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Group, version and kind of an object; the group of core kinds is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GroupVersionKind<'a> {
    /// `apps`
    pub group: &'a str,
    /// `v1`
    pub version: &'a str,
    /// `Deployment`
    pub kind: &'a str,
}

/// Group, version and resource (the plural name in the URL); the group of core resources is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GroupVersionResource<'a> {
    /// `apps`
    pub group: &'a str,
    /// `v1`
    pub version: &'a str,
    /// `deployments`
    pub resource: &'a str,
}

/// What resource rules look at: known before the object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// [`Review::resource`]
    pub resource: GroupVersionResource<'a>,
    /// [`Review::request_resource`]
    pub request_resource: GroupVersionResource<'a>,
    /// [`Review::subresource`]
    pub subresource: &'a str,
    /// [`Review::operation`]
    pub operation: Operation,
}

/// Who asks (authentication.k8s.io/v1 `UserInfo`).
#[derive(Clone, Copy, Default)]
pub struct User<'a> {
    /// The name that uniquely identifies this user among all active users.
    pub username: &'a str,
    /// A unique value over time, which a later user of the same name does not have.
    pub uid: &'a str,
    /// The groups this user is in.
    pub groups: &'a [&'a str],
    /// What else the authenticator said: a map of lists of strings, or null.
    pub extra: Node<'a>,
}

impl fmt::Debug for User<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "User({})", self.username)
    }
}

/// A part of a review that becomes a tree when somebody reads it first. Its Debug shows its size only.
#[derive(Clone)]
pub struct Lazy<'a> {
    arena: &'a Arena,
    text: &'a str,
    tree: OnceCell<Result<Node<'a>, ReadError>>,
}

impl<'a> Lazy<'a> {
    /// What `text` says, read when it is needed.
    pub fn new(arena: &'a Arena, text: &'a str) -> Self {
        Self { arena, text, tree: OnceCell::new() }
    }

    /// A tree that is there already.
    pub fn of(arena: &'a Arena, node: Node<'a>) -> Self {
        Self { arena, text: "", tree: OnceCell::from(Ok(node)) }
    }

    /// The tree.
    ///
    /// # Errors
    /// When the text cannot be read; the same error each time.
    pub fn node(&self) -> Result<Node<'a>, ReadError> {
        self.tree.get_or_init(|| json::read(self.arena, self.text)).clone()
    }
}

impl fmt::Debug for Lazy<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.text.len())
    }
}

/// One request for admission. Strings that the request lacks are empty, as in Kubernetes' own types.
#[derive(Clone, Debug)]
pub struct Review<'a> {
    /// Where its trees live.
    pub arena: &'a Arena,
    /// Identifies this request; the answer must carry it.
    pub uid: &'a str,
    /// What is sent: the version that the webhook's rule names, into which the API server may have converted.
    pub kind: GroupVersionKind<'a>,
    /// The resource of [`Review::kind`].
    pub resource: GroupVersionResource<'a>,
    /// `status`, `ephemeralcontainers`; empty for the object itself.
    pub subresource: &'a str,
    /// What the user asked for before conversion.
    pub request_kind: GroupVersionKind<'a>,
    /// The resource of the user's own request.
    pub request_resource: GroupVersionResource<'a>,
    /// The name in the request; empty with generateName and in deletecollection. See [`Review::object_name`].
    pub name: &'a str,
    /// The namespace of the request; empty for cluster-scoped objects, the object's own name for a Namespace.
    pub namespace: &'a str,
    /// What is asked for.
    pub operation: Operation,
    /// Who asks.
    pub user: User<'a>,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// The new object; for CONNECT the connection's options.
    pub object: Option<Lazy<'a>>,
    /// The stored object, for UPDATE and DELETE.
    pub old_object: Option<Lazy<'a>>,
    /// CreateOptions, UpdateOptions, PatchOptions or DeleteOptions.
    pub options: Option<Lazy<'a>>,
}

impl<'a> Review<'a> {
    /// What resource rules look at.
    pub fn target(&self) -> Target<'a> {
        Target {
            resource: self.resource,
            request_resource: self.request_resource,
            subresource: self.subresource,
            operation: self.operation,
        }
    }

    /// The new object's tree; None where there is none (DELETE) or it is null.
    ///
    /// # Errors
    /// When the object cannot be read.
    pub fn object(&self) -> Result<Option<Node<'a>>, ReadError> {
        tree(self.object.as_ref())
    }

    /// The stored object's tree; None where there is none (CREATE) or it is null.
    ///
    /// # Errors
    /// When the object cannot be read.
    pub fn old_object(&self) -> Result<Option<Node<'a>>, ReadError> {
        tree(self.old_object.as_ref())
    }

    /// What is judged: the new object, and for DELETE the stored one.
    ///
    /// # Errors
    /// When the object cannot be read.
    pub fn judged(&self) -> Result<Node<'a>, ReadError> {
        let object = if self.operation == Operation::Delete { self.old_object()? } else { self.object()? };
        Ok(object.unwrap_or_default())
    }

    /// The name to show and to match: the request's, else the object's (deletecollection has none in the request), else
    /// its generateName.
    pub fn object_name(&self) -> &'a str {
        if !self.name.is_empty() {
            return self.name;
        }
        let metadata = self.judged().ok().and_then(|object| object.get("metadata")).unwrap_or_default();
        metadata
            .str("name")
            .filter(|name| !name.is_empty())
            .or_else(|| metadata.str("generateName"))
            .unwrap_or_default()
    }

    /// Whether it is about a Namespace itself, not about something in one.
    pub fn is_of_namespace(&self) -> bool {
        self.kind.group.is_empty() && self.kind.kind == "Namespace"
    }

    /// `pods`, `pods/ephemeralcontainers`.
    pub fn resource_path(&self) -> String {
        if self.subresource.is_empty() {
            self.resource.resource.to_owned()
        } else {
            format!("{}/{}", self.resource.resource, self.subresource)
        }
    }
}

fn tree<'a>(lazy: Option<&Lazy<'a>>) -> Result<Option<Node<'a>>, ReadError> {
    let node = lazy.map(Lazy::node).transpose()?;
    Ok(node.filter(|node| !node.is_null()))
}
