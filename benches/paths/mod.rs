//! Whole requests, from the bytes of the body to the bytes of the answer, as the server goes through them: what instructions are
//! counted of, and what is timed. Every one is checked to end as it must before it is measured.

mod build;
mod stages;

use std::fs;
use std::path::Path as FilePath;

use admittance_engine::deadline::Deadline;
use admittance_engine::json::{Arena, Node};
use admittance_engine::pipeline::{Budget, Detail, Route, Run, admit};
use admittance_engine::response;
use admittance_engine::review::{Answer, Envelope, Lookup, Lookups, Target};
use admittance_engine::set::PolicySet;
use serde_json::Value;

use crate::Failure;

pub(crate) use stages::Stages;

/// A request and the policies that judge it.
pub(crate) struct Path {
    pub(crate) name: &'static str,
    set: PolicySet,
    body: String,
    route: Route,
    detail: Detail,
}

/// What must become of a request.
struct Expected {
    allowed: bool,
    /// How many policies match.
    matched: usize,
    patched: bool,
}

impl Path {
    /// All of them.
    pub(crate) fn all() -> Result<Vec<Self>, Failure> {
        let (pass, fail) = (file("benches/review-pass.json")?, file("benches/review-fail.json")?);
        let modules = || build::set(&[file("benches/rules.modules.yaml")?]);
        let vaps = || build::set(&[file("benches/rules.vap.yaml")?]);
        let hardened = || build::pack("manifests/policies/hardened/hardened.yaml");
        let path = |name, (set, body, route): (PolicySet, &str, Route)| Self {
            name,
            set,
            body: body.to_owned(),
            route,
            detail: Detail::Findings,
        };
        let large = build::large_config_map(&pass)?;
        let all = vec![
            path("no_match", (modules()?, &build::lease(&pass)?, Route::Validate)),
            path("modules", (modules()?, &pass, Route::Validate)),
            path("vaps", (vaps()?, &pass, Route::Validate)),
            path("hardened_mutate", (hardened()?, &build::plain(&pass)?, Route::Mutate)),
            path("hardened_validate", (hardened()?, &pass, Route::Validate)),
            path("modules_deny", (modules()?, &fail, Route::Validate)),
            path("vaps_deny", (vaps()?, &fail, Route::Validate)),
            path("modules_update", (modules()?, &build::update(&pass)?, Route::Validate)),
            path("large_config_map", (build::set(&[build::LABELLED.to_owned()])?, &large, Route::Validate)),
            Self { detail: Detail::Trace, ..path("vaps_explained", (vaps()?, &pass, Route::Validate)) },
        ];
        for path in &all {
            path.check(&expected(path.name)?)?;
        }
        Ok(all)
    }

    /// The bytes of the answer.
    pub(crate) fn answer(&self, arena: &mut Arena) -> Result<Vec<u8>, Failure> {
        let bytes = self.judge(arena)?.0;
        arena.reset();
        Ok(bytes)
    }

    fn judge(&self, arena: &Arena) -> Result<(Vec<u8>, usize), Failure> {
        let concerns = |target: &Target<'_>| self.set.concerns(target, self.route == Route::Mutate);
        let (envelope, read) = Envelope::read_for(arena, self.body.as_bytes(), &concerns);
        read?;
        let review = envelope.into_review(arena)?;
        let verdict = admit(&self.set, &review, &self.run()).map_err(|needs| format!("{}: {needs:?}", self.name))?;
        let written = response::provenance(&verdict);
        Ok((response::answer_with(&review, &verdict, self.route, (&written, None)), verdict.matched))
    }

    fn run(&self) -> Run<'_> {
        Run {
            route: self.route,
            deadline: Deadline::never(),
            budget: Budget::default(),
            lookups: &Cluster,
            detail: self.detail,
            timed: false,
            judges_drift: false,
        }
    }

    /// Whether it ends as it must: a path that has become another one would be measured on.
    fn check(&self, expected: &Expected) -> Result<(), Failure> {
        let arena = Arena::with_limit(Budget::REVIEW);
        let (bytes, matched) = self.judge(&arena)?;
        let answer: Value = serde_json::from_slice(&bytes)?;
        let allowed = answer.pointer("/response/allowed").and_then(Value::as_bool);
        let patched = answer.pointer("/response/patch").is_some();
        if (allowed, matched, patched) == (Some(expected.allowed), expected.matched, expected.patched) {
            return Ok(());
        }
        Err(format!("{}: {matched} policies match, and the answer is {answer}", self.name).into())
    }
}

fn expected(name: &str) -> Result<Expected, Failure> {
    let (allowed, matched, patched) = match name {
        "no_match" => (true, 0, false),
        "modules" | "vaps" | "modules_update" | "vaps_explained" => (true, 14, false),
        "hardened_mutate" => (true, 1, true),
        "hardened_validate" => (true, 2, false),
        "modules_deny" | "vaps_deny" => (false, 14, false),
        "large_config_map" => (true, 1, false),
        other => return Err(format!("nothing is expected of {other}").into()),
    };
    Ok(Expected { allowed, matched, patched })
}

/// The text of a file of the repository.
fn file(path: &str) -> Result<String, Failure> {
    let root = FilePath::new(env!("CARGO_MANIFEST_DIR"));
    let root = if root.ends_with("crates/engine") { root.join("../..") } else { root.to_owned() };
    fs::read_to_string(root.join(path)).map_err(|error| format!("cannot read {path}: {error}").into())
}

/// A cluster with the Namespace of the request alone.
pub(crate) struct Cluster;

impl Lookups for Cluster {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        let labels = || arena.map(&[("team", Node::string("payments")), ("example.com/stage", Node::string("prod"))]);
        match lookup {
            Lookup::Namespace(_) => Answer::Found(arena.map(&[("metadata", arena.map(&[("labels", labels())]))])),
            _ => Answer::Unavailable("there is nothing else"),
        }
    }
}
