//! `kind: PolicyTest`: requests, and what the policies must make of them.

mod check;
mod raw;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use crate::cel::regex::Regex;
use crate::document::{Place, Spanned};
use crate::review::Operation;

pub(in crate::unit) use self::raw::RawSpec;
pub(super) use self::read::decode;

/// A document of kind PolicyTest.
#[derive(Clone, Debug)]
pub struct PolicyTest {
    /// Its name.
    pub name: String,
    /// Where that stands.
    pub place: Place,
    /// The policies that it tests, each with its place; None for those of its unit.
    pub policies: Option<Vec<(String, Place)>>,
    /// Its cases, in order; their names are unique.
    pub cases: Vec<Case>,
}

/// A request, and what must become of it.
#[derive(Clone)]
pub struct Case {
    /// What is special about it.
    pub name: String,
    /// Where that stands.
    pub place: Place,
    /// Where all of it stands.
    pub whole: Place,
    /// The object as a user writes it.
    pub object: Option<Spanned>,
    /// The object as it is stored.
    pub old_object: Option<Spanned>,
    /// What is done.
    pub operation: Operation,
    /// The resource, where it is not the one of the object's kind.
    pub resource: Option<ResourceName>,
    /// The subresource; empty for none.
    pub subresource: String,
    /// The name in the request; empty for the object's.
    pub request_name: String,
    /// CreateOptions and their like.
    pub options: Option<Spanned>,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// Where an object goes that names no namespace.
    pub namespace: String,
    /// The Namespace as the cluster has it.
    pub namespace_object: Option<Spanned>,
    /// Who asks.
    pub user: UserInfo,
    /// Objects that policies take for parameters.
    pub params: Vec<Spanned>,
    /// What the authorizer answers; None: it cannot be asked.
    pub authorizer: Option<Authorizer>,
    /// What must become of it.
    pub expect: Expect,
}

/// A resource as a case names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceName {
    /// Of the group and version of the object.
    Plural(String),
    /// All of it.
    Whole {
        /// `apps`
        group: String,
        /// `v1`
        version: String,
        /// `deployments`
        resource: String,
    },
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserInfo {
    /// The name.
    pub username: String,
    /// The UID, or nothing.
    pub uid: String,
    /// Groups besides those that everybody is in.
    pub groups: Vec<String>,
    /// What else the authenticator said.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl Default for UserInfo {
    fn default() -> Self {
        Self { username: "admittance-test".to_owned(), uid: String::new(), groups: vec![], extra: BTreeMap::new() }
    }
}

/// What the authorizer answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorizer {
    /// Everything is allowed.
    Allow,
    /// Nothing is.
    Deny,
    /// It fails.
    Error,
    /// This is allowed, and nothing else.
    Only(Vec<Allowed>),
}

/// What is allowed; what is None stands for anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// To whom.
    pub user: Option<String>,
    /// To do what.
    pub verb: Option<String>,
    /// The API group.
    pub group: Option<String>,
    /// The resource.
    pub resource: Option<String>,
    /// The subresource.
    pub subresource: Option<String>,
    /// The namespace.
    pub namespace: Option<String>,
    /// The object's name.
    pub name: Option<String>,
    /// The path of what is no resource.
    pub path: Option<String>,
}

/// What must become of a request; what is None is not looked at, but for errors.
#[derive(Clone, Default)]
pub struct Expect {
    /// Where its key stands, also where nothing does under it.
    pub key: Option<Place>,
    /// Where it stands, if there is anything.
    pub place: Option<Place>,
    /// Where each of its fields stands.
    pub places: BTreeMap<&'static str, Place>,
    /// Whether it is allowed.
    pub allowed: Option<bool>,
    /// The code of a denial.
    pub code: Option<u16>,
    /// The message of a denial.
    pub message: Option<Pattern>,
    /// The object after mutation.
    pub object: Option<Spanned>,
    /// What mutation changes, as RFC 6902.
    pub patch: Option<Spanned>,
    /// All warnings, in order.
    pub warnings: Option<Vec<Pattern>>,
    /// Audit annotations that must be there.
    pub audit_annotations: Option<BTreeMap<String, Pattern>>,
    /// All evaluation errors, in order; None: there must be none.
    pub errors: Option<Vec<Pattern>>,
    /// The policies that find something or cannot be evaluated, all of them.
    pub policies: Option<Vec<String>>,
}

impl Expect {
    /// Whether nothing is expected at all: such a case can only fail.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

/// A part of a text, or a `/pattern/` in Go's syntax that a part of it matches.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    regex: Option<Regex>,
}

impl Pattern {
    /// What stands between slashes is a pattern, everything else a part of the text.
    ///
    /// # Errors
    /// What is wrong with the pattern, in Go's words; or that it fits everything.
    pub fn new(text: &str) -> Result<Self, String> {
        let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        if text.is_empty() || inner == Some("") {
            return Err("an empty text is a part of every text".to_owned());
        }
        let regex = inner.map(Regex::new).transpose()?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// Whether the text is as expected.
    pub fn fits(&self, text: &str) -> bool {
        self.regex.as_ref().map_or_else(|| text.contains(&self.text), |regex| regex.is_match(text))
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl PolicyTest {
    /// Carries all places elsewhere: from a file inside a ConfigMap to the file around it.
    pub(super) fn move_places(&mut self, to: &mut dyn FnMut(&mut Place)) {
        to(&mut self.place);
        self.policies.iter_mut().flatten().for_each(|(_, place)| to(place));
        for case in &mut self.cases {
            to(&mut case.place);
            to(&mut case.whole);
            let Expect { key, place, places, .. } = &mut case.expect;
            key.iter_mut().chain(place).chain(places.values_mut()).for_each(&mut *to);
        }
    }
}

/// Its Debug shows no content.
impl fmt::Debug for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Case({:?})", self.name)
    }
}

impl fmt::Debug for Expect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Expect({:?})", self.places.keys())
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(formatter)
    }
}
