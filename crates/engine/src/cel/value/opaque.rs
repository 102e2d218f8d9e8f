//! Values of the Kubernetes libraries, as plain data: what they mean and what can be done with them stands with the
//! functions.

use std::fmt;
use std::net::IpAddr;

use super::quantity::Quantity;

/// A value that only functions look into. Adding a kind: a variant here, its operations in `cel/kubernetes`.
#[derive(Clone, Copy)]
pub enum Opaque<'a> {
    /// `kubernetes.Quantity`
    Quantity(&'a Quantity<'a>),
    /// `net.IP`
    Ip(&'a IpAddr),
    /// `net.CIDR`
    Cidr(&'a Cidr),
    /// `kubernetes.URL`
    Url(&'a Url<'a>),
    /// `kubernetes.Semver`
    Semver(&'a Semver<'a>),
    /// `kubernetes.NamedFormat`, by its name
    Format(&'a &'static str),
    /// `kubernetes.authorization.*`
    Authorizer(&'a Authorizer<'a>),
    /// An error in the place of this value. Upstream takes the Go value out of an optional that it follows a name or a branch
    /// to, and cannot make a value of these again: the optional has a value then, and whoever asks for it gets an error
    /// (cel-go, interpreter/attributes.go `applyQualifiers`). Only optionals, lists and maps hold it.
    Lost(&'a Opaque<'a>),
    /// What a declared name stands for that has no value, by that name: whoever reads it gets an error (cel-go,
    /// interpreter/attributes.go `resolutionError`).
    Unbound(&'a &'static str),
}

/// A network (Go's netip.Prefix).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// The address as it was written, not masked.
    pub address: IpAddr,
    /// How many bits of it count.
    pub bits: u8,
}

/// A URL (Go's net/url), in the parts that the functions return.
#[derive(Clone, Copy, Debug)]
pub struct Url<'a> {
    /// The text that it was read from.
    pub text: &'a str,
    /// `getScheme`
    pub scheme: &'a str,
    /// `getHost`
    pub host: &'a str,
    /// `getEscapedPath`
    pub escaped_path: &'a str,
    /// Behind the question mark, undecoded.
    pub raw_query: &'a str,
}

/// A semantic version (github.com/blang/semver/v4).
#[derive(Clone, Copy, Debug)]
pub struct Semver<'a> {
    /// `major()`
    pub major: u64,
    /// `minor()`
    pub minor: u64,
    /// `patch()`
    pub patch: u64,
    /// What stands behind `-`, or nothing.
    pub pre: &'a str,
    /// What stands behind `+`, or nothing.
    pub build: &'a str,
}

/// A question to the authorizer on its way (k8s.io/apiserver/pkg/cel/library/authz.go).
#[derive(Clone, Copy)]
pub enum Authorizer<'a> {
    /// `authorizer`, `authorizer.serviceAccount(namespace, name)`
    Authorizer {
        /// Who is asked about: None for the user of the request, else namespace and name of a service account.
        service_account: Option<(&'a str, &'a str)>,
    },
    /// `.path(p)`
    Path {
        /// See `Authorizer`.
        service_account: Option<(&'a str, &'a str)>,
        /// The path.
        path: &'a str,
    },
    /// `.group(g)`
    Group {
        /// See `Authorizer`.
        service_account: Option<(&'a str, &'a str)>,
        /// The group.
        group: &'a str,
    },
    /// `.resource(r)` and what was added to it
    Resource(Resource<'a>),
    /// The outcome of `.check(verb)`
    Decision(Decision<'a>),
}

/// A resource that the authorizer is asked about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resource<'a> {
    /// See [`Authorizer::Authorizer`].
    pub service_account: Option<(&'a str, &'a str)>,
    /// The API group.
    pub group: &'a str,
    /// The resource.
    pub resource: &'a str,
    /// The subresource.
    pub subresource: &'a str,
    /// The namespace.
    pub namespace: &'a str,
    /// The object's name.
    pub name: &'a str,
    /// A field selector.
    pub field_selector: Option<&'a str>,
    /// A label selector.
    pub label_selector: Option<&'a str>,
}

/// What an authorizer said.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    /// `allowed()`
    pub allowed: bool,
    /// `reason()`
    pub reason: &'a str,
    /// `error()`; `errored()` is whether there is one
    pub error: Option<&'a str>,
}

impl Opaque<'_> {
    /// The name of its type.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Url(_) => "kubernetes.URL",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Format(_) => "kubernetes.NamedFormat",
            Self::Authorizer(authorizer) => match authorizer {
                Authorizer::Authorizer { .. } => "kubernetes.authorization.Authorizer",
                Authorizer::Path { .. } => "kubernetes.authorization.PathCheck",
                Authorizer::Group { .. } => "kubernetes.authorization.GroupCheck",
                Authorizer::Resource(_) => "kubernetes.authorization.ResourceCheck",
                Authorizer::Decision(_) => "kubernetes.authorization.Decision",
            },
            Self::Lost(value) => value.type_name(),
            Self::Unbound(_) => "error",
        }
    }

    /// The function that makes such a value of a text; None where none does.
    pub const fn function(self) -> Option<&'static str> {
        match self {
            Self::Quantity(_) => Some("quantity"),
            Self::Ip(_) => Some("ip"),
            Self::Cidr(_) => Some("cidr"),
            Self::Url(_) => Some("url"),
            Self::Semver(_) => Some("semver"),
            Self::Format(_) | Self::Authorizer(_) | Self::Lost(_) | Self::Unbound(_) => None,
        }
    }
}

impl fmt::Debug for Opaque<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.type_name())
    }
}
