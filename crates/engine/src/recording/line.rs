//! The line.

use std::borrow::Cow;
use std::fmt;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::fact::Looked;
use super::outcome::Outcome;
use crate::json::{Arena, Node};
use crate::pipeline::Route;
use crate::review::{Envelope, EnvelopeError, GroupVersionKind, GroupVersionResource, Lazy, Review};

/// The version of the form. Readers take lines of this version alone.
const SCHEMA_VERSION: u32 = 1;

/// A review with all that belongs to it. The review and what was looked up are redacted: see [`crate::redaction`].
#[derive(Clone, Copy, Debug)]
pub struct Line<'l> {
    /// When it was answered, RFC 3339.
    pub time: &'l str,
    /// Where it came in.
    pub route: Route,
    /// The digest of the policies that judged it.
    pub set: &'l str,
    /// Whether there was a cluster to ask.
    pub cluster: bool,
    /// The request.
    pub review: &'l Review<'l>,
    /// What the policies looked up.
    pub lookups: &'l [Looked<'l>],
    /// What was answered; None where it did not come of policies and request alone (time, load).
    pub answer: Option<&'l Outcome>,
}

impl Line<'_> {
    /// The line, with its end.
    pub fn print(&self) -> Vec<u8> {
        // Keys are strings, and what cannot be read was not recorded: printing does not fail.
        let mut text = serde_json::to_vec(self).unwrap_or_default();
        text.push(b'\n');
        text
    }
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schemaVersion", &SCHEMA_VERSION)?;
        map.serialize_entry("time", self.time)?;
        map.serialize_entry("route", if self.route == Route::Mutate { "mutate" } else { "validate" })?;
        map.serialize_entry("set", self.set)?;
        map.serialize_entry("cluster", &self.cluster)?;
        map.serialize_entry("review", &AdmissionReview(self.review))?;
        map.serialize_entry("lookups", self.lookups)?;
        map.serialize_entry("answer", &self.answer)?;
        map.end()
    }
}

/// A review as the API server sends it.
struct AdmissionReview<'r>(&'r Review<'r>);

impl Serialize for AdmissionReview<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("apiVersion", "admission.k8s.io/v1")?;
        map.serialize_entry("kind", "AdmissionReview")?;
        map.serialize_entry("request", &Request(self.0))?;
        map.end()
    }
}

struct Request<'r>(&'r Review<'r>);

impl Serialize for Request<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(review) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("uid", review.uid)?;
        map.serialize_entry("kind", &kind(review.kind))?;
        map.serialize_entry("resource", &resource(review.resource))?;
        entry(&mut map, "subResource", review.subresource)?;
        map.serialize_entry("requestKind", &kind(review.request_kind))?;
        map.serialize_entry("requestResource", &resource(review.request_resource))?;
        entry(&mut map, "name", review.name)?;
        entry(&mut map, "namespace", review.namespace)?;
        map.serialize_entry("operation", review.operation.as_str())?;
        let user = review.user;
        map.serialize_entry(
            "userInfo",
            &User { username: user.username, uid: user.uid, groups: user.groups, extra: user.extra },
        )?;
        for (key, part) in [("object", &review.object), ("oldObject", &review.old_object), ("options", &review.options)]
        {
            if let Some(Ok(node)) = part.as_ref().map(Lazy::node) {
                map.serialize_entry(key, &node)?;
            }
        }
        map.serialize_entry("dryRun", &review.dry_run)?;
        map.end()
    }
}

fn entry<M: SerializeMap>(map: &mut M, key: &'static str, text: &str) -> Result<(), M::Error> {
    if text.is_empty() { Ok(()) } else { map.serialize_entry(key, text) }
}

#[derive(Serialize)]
struct User<'r> {
    #[serde(skip_serializing_if = "str::is_empty")]
    username: &'r str,
    #[serde(skip_serializing_if = "str::is_empty")]
    uid: &'r str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    groups: &'r [&'r str],
    #[serde(skip_serializing_if = "is_null")]
    extra: Node<'r>,
}

#[derive(Serialize)]
struct Named<'r> {
    group: &'r str,
    version: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'r str>,
}

fn kind(of: GroupVersionKind<'_>) -> Named<'_> {
    Named { group: of.group, version: of.version, kind: Some(of.kind), resource: None }
}

fn resource(of: GroupVersionResource<'_>) -> Named<'_> {
    Named { group: of.group, version: of.version, kind: None, resource: Some(of.resource) }
}

/// A line that was read. Its parts are those of [`Line`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorded<'t> {
    schema_version: u32,
    /// When it was answered.
    #[serde(borrow)]
    pub time: Cow<'t, str>,
    #[serde(borrow)]
    route: Cow<'t, str>,
    /// The digest of the policies.
    #[serde(borrow)]
    pub set: Cow<'t, str>,
    /// Whether there was a cluster to ask.
    pub cluster: bool,
    #[serde(borrow)]
    review: &'t RawValue,
    /// What was looked up.
    #[serde(borrow)]
    pub lookups: Vec<Looked<'t>>,
    /// What was answered; None where it did not come of policies and request alone.
    pub answer: Option<Outcome>,
}

/// Why a line is none. Shows nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineError {
    /// It is no JSON of this form.
    Form,
    /// It was written by another version.
    Version(u32),
}

impl fmt::Display for LineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => formatter.write_str("not a line of a recording"),
            Self::Version(found) => {
                write!(formatter, "recorded in form {found}, this version reads form {SCHEMA_VERSION}")
            }
        }
    }
}

impl std::error::Error for LineError {}

impl<'t> Recorded<'t> {
    /// Reads a line.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(line: &'t str) -> Result<Self, LineError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Versioned {
            schema_version: u32,
        }
        match serde_json::from_str::<Self>(line) {
            Ok(recorded) if recorded.schema_version != SCHEMA_VERSION => {
                Err(LineError::Version(recorded.schema_version))
            }
            Ok(recorded) => Ok(recorded),
            Err(_) => match serde_json::from_str::<Versioned>(line) {
                Ok(found) if found.schema_version != SCHEMA_VERSION => Err(LineError::Version(found.schema_version)),
                _ => Err(LineError::Form),
            },
        }
    }

    /// Where it came in.
    pub fn route(&self) -> Route {
        if self.route == "mutate" { Route::Mutate } else { Route::Validate }
    }

    /// The request, with its markers.
    ///
    /// # Errors
    /// When it is no request.
    pub fn review<'a>(&self, arena: &'a Arena) -> Result<Review<'a>, EnvelopeError>
    where
        't: 'a,
    {
        review(arena, self.review.get())
    }
}

/// The request of an AdmissionReview that may hold markers.
///
/// # Errors
/// When it is no request.
pub fn review<'a>(arena: &'a Arena, text: &'a str) -> Result<Review<'a>, EnvelopeError> {
    let (envelope, outcome) = Envelope::read(arena, text.as_bytes());
    outcome?;
    let mut review = envelope.into_review(arena)?;
    for part in [&mut review.object, &mut review.old_object, &mut review.options].into_iter().flatten() {
        // What cannot be read is left to the policy that reads it, as in the server.
        if let Ok(node) = part.node() {
            *part = Lazy::of(arena, node.with_redacted(arena));
        }
    }
    Ok(review)
}

fn is_null(node: &Node<'_>) -> bool {
    node.is_null()
}
