//! What a policy may ask beyond the request itself.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::json::{Arena, Node};

/// One question to the cluster, or to what stands for it offline. Printed in recordings: `{"namespace": "shop"}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Lookup<'k> {
    /// The Namespace of this name.
    Namespace(Cow<'k, str>),
    /// Whether somebody may do something. What is found is the `status` of a SubjectAccessReview.
    Access(Box<Access<'k>>),
    /// Whether objects of this kind live in namespaces: what is found is `Namespaced` or `Cluster`, and what is missing is
    /// a kind that the cluster does not serve.
    Scope(KindName<'k>),
    /// The object of this kind and name.
    Object(ObjectName<'k>),
    /// All objects of this kind: in the namespace, or everywhere where that is empty. What is found is a list, in order of
    /// namespace and name.
    Objects(ObjectName<'k>),
    /// The pods of this namespace: what is found is a `PodList` with as many as anybody is asked for, of each what the Pod
    /// Security Standards look at; `metadata.remainingItemCount` says how many more there are.
    Pods(Cow<'k, str>),
}

/// A kind as `paramKind` names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KindName<'k> {
    /// `v1`, `rules.example.com/v1`
    pub api_version: Cow<'k, str>,
    /// `ConfigMap`
    pub kind: Cow<'k, str>,
}

/// An object, or some of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectName<'k> {
    /// Its kind.
    pub kind: KindName<'k>,
    /// Its namespace; empty for objects outside of namespaces.
    pub namespace: Cow<'k, str>,
    /// Its name; empty for all.
    pub name: Cow<'k, str>,
}

impl KindName<'_> {
    /// What defines custom resources. Such an object is called `RESOURCE.GROUP`.
    pub const CUSTOM_RESOURCE_DEFINITION: KindName<'static> = KindName {
        api_version: Cow::Borrowed("apiextensions.k8s.io/v1"),
        kind: Cow::Borrowed("CustomResourceDefinition"),
    };

    fn into_owned(self) -> KindName<'static> {
        KindName { api_version: Cow::Owned(self.api_version.into_owned()), kind: Cow::Owned(self.kind.into_owned()) }
    }
}

impl ObjectName<'_> {
    fn into_owned(self) -> ObjectName<'static> {
        ObjectName {
            kind: self.kind.into_owned(),
            namespace: Cow::Owned(self.namespace.into_owned()),
            name: Cow::Owned(self.name.into_owned()),
        }
    }
}

/// A question to the API server's authorizer: the `spec` of a SubjectAccessReview (authorization.k8s.io/v1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Access<'k> {
    /// Who: the user's name.
    pub user: Cow<'k, str>,
    /// The user's UID, or nothing.
    pub uid: Cow<'k, str>,
    /// The user's groups.
    pub groups: Vec<Cow<'k, str>>,
    /// What else an authenticator knows of the user.
    pub extra: Vec<(Cow<'k, str>, Vec<Cow<'k, str>>)>,
    /// Does what.
    pub verb: Cow<'k, str>,
    /// With what.
    pub target: AccessTarget<'k>,
}

/// What access is asked to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum AccessTarget<'k> {
    /// A path that is no resource.
    Path(Cow<'k, str>),
    /// A resource; what is empty was not said.
    Resource {
        /// The API group.
        group: Cow<'k, str>,
        /// The resource.
        resource: Cow<'k, str>,
        /// The subresource.
        subresource: Cow<'k, str>,
        /// The namespace.
        namespace: Cow<'k, str>,
        /// The object's name.
        name: Cow<'k, str>,
        /// A field selector.
        field_selector: Option<Cow<'k, str>>,
        /// A label selector.
        label_selector: Option<Cow<'k, str>>,
    },
}

impl Access<'_> {
    /// Stands for all questions to the authorizer, where a policy declares what it may ask.
    pub const ANY: Access<'static> = Access {
        user: Cow::Borrowed(""),
        uid: Cow::Borrowed(""),
        groups: vec![],
        extra: vec![],
        verb: Cow::Borrowed(""),
        target: AccessTarget::Path(Cow::Borrowed("")),
    };

    fn into_owned(self) -> Access<'static> {
        let keep = |text: Cow<'_, str>| -> Cow<'static, str> { Cow::Owned(text.into_owned()) };
        let keep_all = |texts: Vec<Cow<'_, str>>| texts.into_iter().map(keep).collect();
        let target = match self.target {
            AccessTarget::Path(path) => AccessTarget::Path(keep(path)),
            AccessTarget::Resource {
                group,
                resource,
                subresource,
                namespace,
                name,
                field_selector,
                label_selector,
            } => AccessTarget::Resource {
                group: keep(group),
                resource: keep(resource),
                subresource: keep(subresource),
                namespace: keep(namespace),
                name: keep(name),
                field_selector: field_selector.map(keep),
                label_selector: label_selector.map(keep),
            },
        };
        Access {
            user: keep(self.user),
            uid: keep(self.uid),
            groups: keep_all(self.groups),
            extra: self.extra.into_iter().map(|(key, values)| (keep(key), keep_all(values))).collect(),
            verb: keep(self.verb),
            target,
        }
    }
}

impl Lookup<'_> {
    /// Whether a policy that declares this may ask `asked`: a name or namespace that is empty stands for all, and one question
    /// to the authorizer for every other.
    pub fn covers(&self, asked: &Lookup<'_>) -> bool {
        let fits = |declared: &str, asked: &str| declared.is_empty() || declared == asked;
        match (self, asked) {
            (Self::Namespace(declared), Lookup::Namespace(asked)) | (Self::Pods(declared), Lookup::Pods(asked)) => {
                fits(declared, asked)
            }
            (Self::Access(_), Lookup::Access(_)) => true,
            (Self::Scope(declared), Lookup::Scope(asked)) => declared == asked,
            (Self::Object(declared), Lookup::Object(asked)) | (Self::Objects(declared), Lookup::Objects(asked)) => {
                declared.kind == asked.kind
                    && fits(&declared.namespace, &asked.namespace)
                    && fits(&declared.name, &asked.name)
            }
            _ => false,
        }
    }

    /// The same question, for keeping.
    pub fn into_owned(self) -> Lookup<'static> {
        match self {
            Self::Namespace(name) => Lookup::Namespace(Cow::Owned(name.into_owned())),
            Self::Access(access) => Lookup::Access(Box::new(access.into_owned())),
            Self::Scope(kind) => Lookup::Scope(kind.into_owned()),
            Self::Object(object) => Lookup::Object(object.into_owned()),
            Self::Objects(objects) => Lookup::Objects(objects.into_owned()),
            Self::Pods(namespace) => Lookup::Pods(Cow::Owned(namespace.into_owned())),
        }
    }
}

impl fmt::Display for Lookup<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace(name) => write!(formatter, "namespace `{name}`"),
            Self::Scope(kind) => write!(formatter, "the kind {} of {}", kind.kind, kind.api_version),
            Self::Object(object) => write!(formatter, "{} `{}`", object.kind.kind, object.name),
            Self::Objects(objects) => write!(formatter, "the objects of kind {}", objects.kind.kind),
            Self::Pods(namespace) => write!(formatter, "the pods of namespace `{namespace}`"),
            Self::Access(access) => {
                let Access { user, verb, target, .. } = access.as_ref();
                match target {
                    AccessTarget::Path(path) => write!(formatter, "whether `{user}` may {verb} {path}"),
                    AccessTarget::Resource { resource, .. } => {
                        write!(formatter, "whether `{user}` may {verb} {resource}")
                    }
                }
            }
        }
    }
}

/// What is known about a [`Lookup`].
#[derive(Debug)]
pub enum Answer<'a> {
    /// The object.
    Found(Node<'a>),
    /// It does not exist.
    Missing,
    /// Nobody has asked yet: evaluation ends with `Needs`, and whoever can ask does, then calls again.
    Unknown,
    /// It cannot be asked, and why: an evaluation error, never an empty answer.
    Unavailable(&'static str),
}

/// A source of answers: the server's caches, a recording, files, a test. Asking must not block.
pub trait Lookups {
    /// What is known now.
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a>;
}

/// Where there is no cluster to ask.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLookups;

impl Lookups for NoLookups {
    fn answer<'a>(&self, _: &Lookup<'_>, _: &'a Arena) -> Answer<'a> {
        Answer::Unavailable("there is no cluster to ask")
    }
}
