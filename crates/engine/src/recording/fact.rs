//! What an evaluation looked up.

use std::borrow::Cow;

use serde::de::Error as _;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json::{self, Arena};
use crate::review::{Answer, Lookup};

/// What was known about a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact<'t> {
    /// What was found, JSON.
    Found(Cow<'t, str>),
    /// It did not exist.
    Missing,
    /// It could not be asked, and why.
    Failed(Cow<'t, str>),
}

impl Fact<'_> {
    /// The answer that it gives. Where nobody could be asked, nobody knows what would have been answered.
    pub fn answer<'a>(&self, arena: &'a Arena) -> Answer<'a> {
        match self {
            Self::Found(text) => match json::read(arena, arena.text(text)) {
                Ok(node) => Answer::Found(node.with_redacted(arena)),
                Err(_) => unknown(arena, "what was recorded cannot be read"),
            },
            Self::Missing => Answer::Missing,
            Self::Failed(_) => unknown(arena, "the cluster could not be asked when this was recorded"),
        }
    }
}

fn unknown<'a>(arena: &Arena, reason: &'static str) -> Answer<'a> {
    arena.mark_unknown();
    Answer::Unavailable(reason)
}

/// A lookup and what was known about it: `{"lookup": ..., "found": ...}`, `"missing": true` or `"failed": "why"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked<'t>(pub Lookup<'static>, pub Fact<'t>);

impl Serialize for Looked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("lookup", &self.0)?;
        match &self.1 {
            Fact::Found(text) => match serde_json::from_str::<&RawValue>(text) {
                Ok(text) => map.serialize_entry("found", text)?,
                Err(_) => map.serialize_entry("failed", "what was found cannot be read")?,
            },
            Fact::Missing => map.serialize_entry("missing", &true)?,
            Fact::Failed(reason) => map.serialize_entry("failed", reason)?,
        }
        map.end()
    }
}

impl<'de: 't, 't> Deserialize<'de> for Looked<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw<'t> {
            lookup: Lookup<'static>,
            #[serde(borrow)]
            found: Option<&'t RawValue>,
            #[serde(default)]
            missing: bool,
            #[serde(borrow)]
            failed: Option<Cow<'t, str>>,
        }
        let Raw { lookup, found, missing, failed } = Raw::deserialize(deserializer)?;
        let fact = match (found, missing, failed) {
            (Some(found), false, None) => Fact::Found(Cow::Borrowed(found.get())),
            (None, true, None) => Fact::Missing,
            (None, false, Some(reason)) => Fact::Failed(reason),
            _ => return Err(D::Error::custom("a lookup has one of found, missing and failed")),
        };
        Ok(Self(lookup, fact))
    }
}
