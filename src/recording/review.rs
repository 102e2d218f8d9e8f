//! From a review that was answered to its line: redacted first, then judged once more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use admittance_engine::deadline::Deadline;
use admittance_engine::json::{self, Arena};
use admittance_engine::pipeline::{self, Budget, Detail, Route, Run};
use admittance_engine::recording::fact::Looked;
use admittance_engine::recording::{Fact, Line, Outcome};
use admittance_engine::redaction::Redaction;
use admittance_engine::review::{Answer, Envelope, Lookup, Lookups, Review};
use admittance_engine::set::PolicySet;
use jiff::Timestamp;

use super::recorder::Given;
use crate::cluster::{self, Asked};
use crate::source::Active;

/// How long the thread judges one review: as long as the API server would wait.
const LONGEST: Duration = Duration::from_secs(10);

/// A review that was answered.
pub(super) struct Taken {
    pub(super) time: Timestamp,
    pub(super) route: Route,
    pub(super) body: Vec<u8>,
    pub(super) active: Arc<Active>,
    pub(super) has_cluster: bool,
    /// What the cluster was asked.
    pub(super) facts: cluster::Facts,
    pub(super) given: Given,
}

/// Its line. None if an object of it cannot be read: then what would have to be redacted cannot be found.
pub(super) fn line<'a>(arena: &'a Arena, taken: &'a Taken, redaction: &Redaction) -> Option<Vec<u8>> {
    let (envelope, read) = Envelope::read(arena, &taken.body);
    read.ok()?;
    let review = redaction.review(&envelope.into_review(arena).ok()?).ok()?;
    let known = Known { taken, redaction };
    let lookups: Vec<Looked<'static>> = taken.facts.iter().map(|(lookup, fact)| known.looked(lookup, fact)).collect();
    let answer = known.judge(&taken.active.set, &review);
    let line = Line {
        time: &taken.time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        route: taken.route,
        set: taken.active.set.digest(),
        cluster: taken.has_cluster,
        review: &review,
        lookups: &lookups,
        answer: answer.as_ref(),
    };
    Some(line.print())
}

/// What was known the first time, redacted.
struct Known<'t> {
    taken: &'t Taken,
    redaction: &'t Redaction,
}

impl Known<'_> {
    /// What comes of the redacted review. Where that is in doubt only what was answered is known; where it is something else,
    /// time or load had a part in the answer.
    fn judge<'a>(&self, set: &'a PolicySet, review: &Review<'a>) -> Option<Outcome> {
        let Taken { route, given, .. } = self.taken;
        let run = Run {
            route: *route,
            deadline: Deadline::at(Instant::now() + LONGEST),
            budget: Budget::default(),
            lookups: self,
            detail: Detail::Findings,
            timed: false,
            judges_drift: false,
        };
        let verdict = pipeline::admit(set, review, &run).ok()?;
        let outcome = Outcome::of(review, &verdict, *route);
        if outcome.in_doubt.is_empty() {
            return ((outcome.allowed, outcome.code) == (given.allowed, given.code)).then_some(outcome);
        }
        Some(Outcome { allowed: given.allowed, code: given.code, ..outcome })
    }

    fn looked(&self, lookup: &Lookup<'static>, fact: &cluster::Fact) -> Looked<'static> {
        let fact = match fact {
            cluster::Fact::Missing => Fact::Missing,
            cluster::Fact::Failed(reason) => Fact::Failed((*reason).into()),
            cluster::Fact::Found(text) => self.redacted(lookup, text).map_or(
                // Whatever it is: it is not written as it came.
                Fact::Failed("the cluster's answer cannot be read".into()),
                |text| Fact::Found(text.into()),
            ),
        };
        Looked(lookup.clone(), fact)
    }

    /// In memory of its own: a list of thousands must not fill the review's.
    fn redacted(&self, lookup: &Lookup<'static>, text: &str) -> Option<String> {
        let arena = Arena::with_limit(Budget::REVIEW);
        let found = Answer::Found(json::read(&arena, text).ok()?);
        let Answer::Found(redacted) = self.redaction.answer(&arena, lookup, found) else { return None };
        serde_json::to_string(&redacted).ok()
    }

    fn answered<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        let Taken { active, facts, has_cluster, .. } = self.taken;
        if !has_cluster {
            return Asked::new(None, &active.set, &active.parameters).answer(lookup, arena);
        }
        match facts.iter().find(|(asked, _)| *asked == lookup).map(|(_, fact)| fact) {
            Some(cluster::Fact::Found(text)) => match json::read(arena, arena.text(text)) {
                Ok(node) => Answer::Found(node),
                Err(_) => Answer::Unavailable("the cluster's answer cannot be read"),
            },
            Some(cluster::Fact::Missing) => Answer::Missing,
            Some(cluster::Fact::Failed(reason)) => Answer::Unavailable(reason),
            None => {
                arena.mark_unknown();
                Answer::Unavailable("it was not asked the first time")
            }
        }
    }
}

impl Lookups for Known<'_> {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        self.redaction.answer(arena, lookup, self.answered(lookup, arena))
    }
}
