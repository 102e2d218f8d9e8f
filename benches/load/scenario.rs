//! What is compared in one interleaved run: servers, each in a process of its own, that are all sent the same review.

use std::path::PathBuf;

use crate::{
    expected::Expected,
    figures::{self, growth, ratio},
    reviews::Review,
};

/// hyper's own server: what the product's connection code is held against.
pub(crate) const HYPER: &str = "H: hyper and rustls alone";
/// Where objects are judged, and where they are changed.
pub(crate) const VALIDATE: &str = "/validate?timeout=5s";
pub(crate) const MUTATE: &str = "/mutate?timeout=5s";

/// Servers side by side.
pub(crate) struct Scenario {
    /// A group of rows: see `figures`.
    pub(crate) group: &'static str,
    pub(crate) name: String,
    pub(crate) review: Review,
    pub(crate) servers: Vec<Server>,
}

/// One of them, before it runs.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) path: &'static str,
    pub(crate) expected: Expected,
    /// What is known of it beforehand, as measures with unit and value: limits, how many policies it has.
    pub(crate) facts: Vec<(&'static str, &'static str, f64)>,
}

/// What is run.
pub(crate) enum Kind {
    /// This program: `null`, `parse` or `hyper`.
    Floor(&'static str),
    /// `admittance serve -p POLICIES`; how many policies it then says that it has.
    Product { policies: PathBuf, loaded: Option<usize> },
}

impl Server {
    /// N, P or H.
    pub(crate) fn floor(kind: &'static str) -> Self {
        let name = match kind {
            "null" => figures::NULL,
            "parse" => figures::PARSE,
            _ => HYPER,
        };
        // The floors allow everything.
        Self {
            name: name.to_owned(),
            kind: Kind::Floor(kind),
            path: VALIDATE,
            expected: Expected::Allowed,
            facts: Vec::new(),
        }
    }

    /// The product, which is to allow what it is sent.
    pub(crate) fn product(name: impl Into<String>, policies: impl Into<PathBuf>, loaded: usize) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Product { policies: policies.into(), loaded: Some(loaded) },
            path: VALIDATE,
            expected: Expected::Allowed,
            facts: Vec::new(),
        }
    }

    pub(crate) fn on(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    pub(crate) fn expects(self, expected: Expected) -> Self {
        Self { expected, ..self }
    }

    /// The most that its (A - N) / (P - N) may be.
    pub(crate) fn limit(mut self, limit: f64) -> Self {
        self.facts.push((ratio::LIMIT, "", limit));
        self
    }

    /// How many policies it has, how many of them match, and, of the one with the most, what it may cost beside the one
    /// with the fewest.
    pub(crate) fn loaded(mut self, policies: f64, matching: f64, limit: Option<f64>) -> Self {
        self.facts.push((growth::POLICIES, "", policies));
        self.facts.push((growth::MATCHING, "", matching));
        self.facts.extend(limit.map(|limit| (growth::LIMIT, "", limit)));
        self
    }
}
