//! What a policy may ask beyond the request itself.

use std::borrow::Cow;
use std::fmt;

use crate::json::{Arena, Node};

/// One question to the cluster, or to what stands for it offline.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lookup<'k> {
    /// The Namespace of this name.
    Namespace(Cow<'k, str>),
}

impl Lookup<'_> {
    /// The same question, for keeping.
    pub fn into_owned(self) -> Lookup<'static> {
        match self {
            Self::Namespace(name) => Lookup::Namespace(Cow::Owned(name.into_owned())),
        }
    }
}

impl fmt::Display for Lookup<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace(name) => write!(formatter, "namespace `{name}`"),
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
