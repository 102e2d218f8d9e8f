//! The decoder of AdmissionReview: what was read before an error stays, above all the uid.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{GroupVersionKind, GroupVersionResource, Lazy, Operation, Review, Target, User};
use crate::json::{self, Arena, ReadError};

/// What is known of a request, also after its text turned out broken. Every field may be missing.
#[derive(Default)]
pub struct Envelope<'a> {
    api_version: Option<&'a str>,
    kind_of_review: Option<&'a str>,
    has_request: bool,
    uid: Option<&'a str>,
    kind: GroupVersionKind<'a>,
    resource: GroupVersionResource<'a>,
    subresource: &'a str,
    request_kind: Option<GroupVersionKind<'a>>,
    request_resource: Option<GroupVersionResource<'a>>,
    name: &'a str,
    namespace: &'a str,
    operation: &'a str,
    user: User<'a>,
    dry_run: bool,
    object: Option<Lazy<'a>>,
    old_object: Option<Lazy<'a>>,
    options: Option<Lazy<'a>>,
}

/// Why an envelope is no request that can be judged. Holds nothing of the request's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvelopeError {
    /// The body is not JSON, or a field has the wrong type.
    Unreadable(ReadError),
    /// The body is not UTF-8; the place is the number of valid bytes before.
    NotUtf8(usize),
    /// Another version of the API, or another kind.
    NotAReview,
    /// There is no `request`.
    NoRequest,
    /// The request has no uid.
    NoUid,
    /// The operation is none of the four.
    UnknownOperation,
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(formatter, "the AdmissionReview cannot be read: {error}"),
            Self::NotUtf8(valid) => write!(formatter, "the AdmissionReview is not UTF-8 after {valid} bytes"),
            Self::NotAReview => formatter.write_str("expected apiVersion admission.k8s.io/v1 and kind AdmissionReview"),
            Self::NoRequest => formatter.write_str("the AdmissionReview has no request"),
            Self::NoUid => formatter.write_str("the AdmissionReview's request has no uid"),
            Self::UnknownOperation => {
                formatter.write_str("the request's operation is none of CREATE, UPDATE, DELETE, CONNECT")
            }
        }
    }
}

impl std::error::Error for EnvelopeError {}

impl<'a> Envelope<'a> {
    /// Reads as much of `body` as can be read. The result says whether that was all of it; the envelope holds what came
    /// before the error. Objects stay text.
    pub fn read(arena: &'a Arena, body: &'a [u8]) -> (Self, Result<(), EnvelopeError>) {
        Self::read_for(arena, body, &|_| false)
    }

    /// As [`Envelope::read`], but objects of requests that somebody `is_concerned` with become trees at once: the API server
    /// sends everything that decides this before them, and passing over their text first, to read it later, would cost
    /// half as much again. An object that cannot be read is left to whoever reads it.
    pub fn read_for(
        arena: &'a Arena,
        body: &'a [u8],
        is_concerned: &dyn Fn(&Target<'a>) -> bool,
    ) -> (Self, Result<(), EnvelopeError>) {
        let (envelope, outcome, has_trees) = Self::decode(arena, body, is_concerned);
        if outcome.is_err() && has_trees {
            let (envelope, outcome, _) = Self::decode(arena, body, &|_| false);
            return (envelope, outcome);
        }
        (envelope, outcome)
    }

    fn decode(
        arena: &'a Arena,
        body: &'a [u8],
        is_concerned: &dyn Fn(&Target<'a>) -> bool,
    ) -> (Self, Result<(), EnvelopeError>, bool) {
        let mut envelope = Self::default();
        let (text, mut outcome) = match std::str::from_utf8(body) {
            Ok(text) => (text, Ok(())),
            Err(error) => {
                let valid = body.get(..error.valid_up_to()).unwrap_or_default();
                (std::str::from_utf8(valid).unwrap_or_default(), Err(EnvelopeError::NotUtf8(valid.len())))
            }
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let mut fields = ReviewFields(RequestFields { request: &mut envelope, is_concerned, has_trees: false });
        let read = Into { arena, target: &mut fields }.deserialize(&mut deserializer).and_then(|()| deserializer.end());
        let has_trees = fields.0.has_trees;
        if let Err(error) = read {
            outcome = outcome.and(Err(EnvelopeError::Unreadable(json::read::classify(&error))));
        }
        (envelope, outcome, has_trees)
    }

    fn target(&self) -> Option<Target<'a>> {
        Some(Target {
            resource: self.resource,
            request_resource: self.request_resource.unwrap_or(self.resource),
            subresource: self.subresource,
            operation: Operation::parse(self.operation)?,
        })
    }

    /// The uid, if the text got that far and it is not empty.
    pub fn uid(&self) -> Option<&'a str> {
        self.uid.filter(|uid| !uid.is_empty())
    }

    /// The request, checked.
    ///
    /// # Errors
    /// What makes it no request of admission.k8s.io/v1.
    pub fn into_review(self, arena: &'a Arena) -> Result<Review<'a>, EnvelopeError> {
        if self.api_version != Some("admission.k8s.io/v1") || self.kind_of_review != Some("AdmissionReview") {
            return Err(EnvelopeError::NotAReview);
        }
        if !self.has_request {
            return Err(EnvelopeError::NoRequest);
        }
        let uid = self.uid().ok_or(EnvelopeError::NoUid)?;
        Ok(Review {
            arena,
            uid,
            kind: self.kind,
            resource: self.resource,
            subresource: self.subresource,
            request_kind: self.request_kind.unwrap_or(self.kind),
            request_resource: self.request_resource.unwrap_or(self.resource),
            name: self.name,
            namespace: self.namespace,
            operation: Operation::parse(self.operation).ok_or(EnvelopeError::UnknownOperation)?,
            user: self.user,
            dry_run: self.dry_run,
            object: self.object,
            old_object: self.old_object,
            options: self.options,
        })
    }
}

impl fmt::Debug for Envelope<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Envelope(uid {:?}, {} {})", self.uid, self.operation, self.kind.kind)
    }
}

/// Something that is filled field by field from a JSON object; unknown fields are passed over, null leaves it as it was.
trait Fill<'a> {
    fn fill<A: MapAccess<'a>>(&mut self, key: &str, arena: &'a Arena, access: &mut A) -> Result<(), A::Error>;
}

struct Into<'t, 'a, T> {
    arena: &'a Arena,
    target: &'t mut T,
}

impl<'a, T: Fill<'a>> DeserializeSeed<'a> for Into<'_, 'a, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a, T: Fill<'a>> Visitor<'a> for Into<'_, 'a, T> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'a>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(key) = access.next_key_seed(Text(self.arena))? {
            self.target.fill(key, self.arena, &mut access)?;
        }
        Ok(())
    }
}

/// A string, or null for the empty one.
struct Text<'a>(&'a Arena);

impl<'a> DeserializeSeed<'a> for Text<'a> {
    type Value = &'a str;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<&'a str, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Text<'a> {
    type Value = &'a str;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_unit<E>(self) -> Result<&'a str, E> {
        Ok("")
    }

    fn visit_borrowed_str<E>(self, value: &'a str) -> Result<&'a str, E> {
        Ok(value)
    }

    fn visit_str<E>(self, value: &str) -> Result<&'a str, E> {
        Ok(self.0.text(value))
    }
}

/// A list of strings, or null for none.
struct Texts<'a>(&'a Arena);

impl<'a> DeserializeSeed<'a> for Texts<'a> {
    type Value = &'a [&'a str];

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Texts<'a> {
    type Value = &'a [&'a str];

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of strings")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(&[])
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = access.next_element_seed(Text(self.0))? {
            texts.push(text);
        }
        Ok(self.0.texts(&texts))
    }
}

fn skip<'a, A: MapAccess<'a>>(access: &mut A) -> Result<(), A::Error> {
    access.next_value::<serde::de::IgnoredAny>().map(|_| ())
}

/// A part that is read when somebody needs it.
fn lazy<'a, A: MapAccess<'a>>(arena: &'a Arena, access: &mut A) -> Result<Option<Lazy<'a>>, A::Error> {
    let text = access.next_value::<&'a RawValue>()?.get();
    Ok((text != "null").then(|| Lazy::new(arena, text)))
}

struct ReviewFields<'e, 'a>(RequestFields<'e, 'a>);

impl<'a> Fill<'a> for ReviewFields<'_, 'a> {
    fn fill<A: MapAccess<'a>>(&mut self, key: &str, arena: &'a Arena, access: &mut A) -> Result<(), A::Error> {
        match key {
            "apiVersion" => self.0.request.api_version = Some(access.next_value_seed(Text(arena))?),
            "kind" => self.0.request.kind_of_review = Some(access.next_value_seed(Text(arena))?),
            "request" => access.next_value_seed(Into { arena, target: &mut self.0 })?,
            _ => skip(access)?,
        }
        Ok(())
    }
}

struct RequestFields<'e, 'a> {
    request: &'e mut Envelope<'a>,
    is_concerned: &'e dyn Fn(&Target<'a>) -> bool,
    /// Whether an object became a tree.
    has_trees: bool,
}

impl<'a> RequestFields<'_, 'a> {
    /// An object: a tree at once if somebody will read it.
    fn object<A: MapAccess<'a>>(&mut self, arena: &'a Arena, access: &mut A) -> Result<Option<Lazy<'a>>, A::Error> {
        if !self.request.target().is_some_and(|target| (self.is_concerned)(&target)) {
            return lazy(arena, access);
        }
        self.has_trees = true;
        let node = access.next_value_seed(json::read::Tree(arena))?;
        Ok((!node.is_null()).then(|| Lazy::of(arena, node)))
    }
}

impl<'a> Fill<'a> for RequestFields<'_, 'a> {
    fn fill<A: MapAccess<'a>>(&mut self, key: &str, arena: &'a Arena, access: &mut A) -> Result<(), A::Error> {
        self.request.has_request = true;
        let request = &mut *self.request;
        match key {
            "uid" => request.uid = Some(access.next_value_seed(Text(arena))?),
            "kind" => access.next_value_seed(Into { arena, target: &mut request.kind })?,
            "resource" => access.next_value_seed(Into { arena, target: &mut request.resource })?,
            "subResource" => request.subresource = access.next_value_seed(Text(arena))?,
            "requestKind" => {
                let target = request.request_kind.get_or_insert_default();
                access.next_value_seed(Into { arena, target })?;
            }
            "requestResource" => {
                let target = request.request_resource.get_or_insert_default();
                access.next_value_seed(Into { arena, target })?;
            }
            "name" => request.name = access.next_value_seed(Text(arena))?,
            "namespace" => request.namespace = access.next_value_seed(Text(arena))?,
            "operation" => request.operation = access.next_value_seed(Text(arena))?,
            "userInfo" => access.next_value_seed(Into { arena, target: &mut request.user })?,
            "object" => self.request.object = self.object(arena, access)?,
            "oldObject" => self.request.old_object = self.object(arena, access)?,
            "dryRun" => request.dry_run = access.next_value::<Option<bool>>()?.unwrap_or_default(),
            "options" => request.options = lazy(arena, access)?,
            _ => skip(access)?,
        }
        Ok(())
    }
}

impl<'a> Fill<'a> for GroupVersionKind<'a> {
    fn fill<A: MapAccess<'a>>(&mut self, key: &str, arena: &'a Arena, access: &mut A) -> Result<(), A::Error> {
        match key {
            "group" => self.group = access.next_value_seed(Text(arena))?,
            "version" => self.version = access.next_value_seed(Text(arena))?,
            "kind" => self.kind = access.next_value_seed(Text(arena))?,
            _ => skip(access)?,
        }
        Ok(())
    }
}

impl<'a> Fill<'a> for GroupVersionResource<'a> {
    fn fill<A: MapAccess<'a>>(&mut self, key: &str, arena: &'a Arena, access: &mut A) -> Result<(), A::Error> {
        match key {
            "group" => self.group = access.next_value_seed(Text(arena))?,
            "version" => self.version = access.next_value_seed(Text(arena))?,
            "resource" => self.resource = access.next_value_seed(Text(arena))?,
            _ => skip(access)?,
        }
        Ok(())
    }
}

impl<'a> Fill<'a> for User<'a> {
    fn fill<A: MapAccess<'a>>(&mut self, key: &str, arena: &'a Arena, access: &mut A) -> Result<(), A::Error> {
        match key {
            "username" => self.username = access.next_value_seed(Text(arena))?,
            "uid" => self.uid = access.next_value_seed(Text(arena))?,
            "groups" => self.groups = access.next_value_seed(Texts(arena))?,
            "extra" => self.extra = access.next_value_seed(json::read::Tree(arena))?,
            _ => skip(access)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
