//! What one module costs, and what reading costs.

use std::hint::black_box;
use std::time::{Duration, Instant};

use admittance_engine::document::{Decoder, Limits, SourceFile, parse};
use admittance_engine::json::{Arena, Node};
use admittance_engine::modules::{Built, ModuleEntry};
use admittance_engine::review::{Answer, Envelope, Lookup, Lookups, Review};
use admittance_engine::rule::Rule;
use admittance_engine::verdict::Report;
use serde_json::Value;

use crate::{Failure, settings};

/// How long a batch is, and how many there are: short ones, some of which a busy machine leaves alone.
const BATCH: Duration = Duration::from_micros(200);
const BATCHES: usize = 40;

/// Nanoseconds.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    /// Where there is nothing to say and nothing to change.
    pub(crate) silent: f64,
    /// Where the object is changed.
    pub(crate) changes: Option<f64>,
}

impl Measured {
    pub(crate) const NONE: Self = Self { silent: f64::INFINITY, changes: None };

    pub(crate) fn least(self, other: Self) -> Self {
        let changes = [self.changes, other.changes].into_iter().flatten().reduce(f64::min);
        Self { silent: self.silent.min(other.silent), changes }
    }
}

/// A module with settings.
pub(crate) struct Subject {
    built: Built,
    public: &'static [&'static str],
    changes: bool,
}

impl Subject {
    /// The module with the first settings under which it has nothing to say about the pod; one that changes objects with those
    /// under which it changes the pod, if there are any, else where it leaves it as it is. None where there are no such settings.
    pub(crate) fn of(module: &ModuleEntry, body: &str) -> Result<Option<Self>, Failure> {
        let found = Self::with(module, body, module.mutates)?;
        if found.is_none() && module.mutates { Self::with(module, body, false) } else { Ok(found) }
    }

    fn with(module: &ModuleEntry, body: &str, wants_changes: bool) -> Result<Option<Self>, Failure> {
        for settings in settings::of(module)? {
            let Some(built) = build(module, &settings) else { continue };
            let arena = Arena::with_limit(1 << 24);
            let review = review(&arena, body)?;
            let object = review.judged()?;
            let (after, is_silent) = once(&built, module.public, &review, object);
            let changes = !after.is_same(object);
            if is_silent && changes == wants_changes {
                return Ok(Some(Self { built, public: module.public, changes }));
            }
        }
        Ok(None)
    }

    pub(crate) fn measure(&self, body: &str) -> Result<Measured, Failure> {
        let mut arena = Arena::with_limit(1 << 30);
        let silent = best(|count| self.batch(&mut arena, body, self.changes, count))?;
        let changes = self.changes.then(|| best(|count| self.batch(&mut arena, body, false, count))).transpose()?;
        Ok(Measured { silent, changes })
    }

    /// How long it takes to run so many times: on the pod, or on what the module has made of it.
    fn batch(&self, arena: &mut Arena, body: &str, again: bool, count: u32) -> Result<Duration, Failure> {
        arena.reset();
        let review = review(arena, body)?;
        let sent = review.judged()?;
        let object = if again { once(&self.built, self.public, &review, sent).0 } else { sent };
        let begin = Instant::now();
        for _ in 0..count {
            black_box(once(&self.built, self.public, &review, black_box(object)).1);
        }
        Ok(begin.elapsed())
    }
}

/// Nanoseconds of reading the body into a tree that everybody knows.
pub(crate) fn reading(body: &str) -> Result<f64, Failure> {
    best(|count| {
        let begin = Instant::now();
        for _ in 0..count {
            black_box(serde_json::from_slice::<Value>(black_box(body.as_bytes()))?);
        }
        Ok(begin.elapsed())
    })
}

/// Nanoseconds of reading the body into the engine's.
pub(crate) fn own_reading(body: &str) -> Result<f64, Failure> {
    let mut arena = Arena::with_limit(1 << 24);
    best(|count| {
        let begin = Instant::now();
        for _ in 0..count {
            arena.reset();
            black_box(review(&arena, black_box(body))?.judged()?);
        }
        Ok(begin.elapsed())
    })
}

/// Nanoseconds of one call, in the best of many batches; a batch takes how many calls it makes.
pub(crate) fn best(mut batch: impl FnMut(u32) -> Result<Duration, Failure>) -> Result<f64, Failure> {
    let mut count = 16_u32;
    while batch(count)? < BATCH / 2 && count < 1 << 20 {
        count *= 2;
    }
    let mut best = f64::INFINITY;
    for _ in 0..BATCHES {
        best = best.min(batch(count)?.as_secs_f64() * 1e9 / f64::from(count));
    }
    Ok(best)
}

/// The review of a body, whose object is not read yet.
pub(crate) fn review<'a>(arena: &'a Arena, body: &'a str) -> Result<Review<'a>, Failure> {
    let (envelope, read) = Envelope::read(arena, body.as_bytes());
    read?;
    Ok(envelope.into_review(arena)?)
}

/// The module of these settings, if it can be told so.
fn build(module: &ModuleEntry, settings: &Value) -> Option<Built> {
    let file = SourceFile::new("settings", settings.to_string());
    let documents = parse(&file, &Limits::default()).documents;
    let decoder = Decoder::new(&file);
    let node = documents.first().filter(|_| !settings.is_null());
    (module.build)(&decoder, 0..0, node)
}

/// The root that the module leaves, and whether it said nothing.
fn once<'a>(
    built: &'a Built,
    public: &'static [&'static str],
    review: &Review<'a>,
    object: Node<'a>,
) -> (Node<'a>, bool) {
    let subject = admittance_engine::review::Subject { object, old_object: None, review };
    let mut report = Report::new(public, &Bench);
    match &built.rule {
        Rule::Validate(rule) => {
            rule.validate(subject, &mut report);
            (object, report.is_empty())
        }
        Rule::Mutate(rule) => match rule.mutate(subject, &mut report) {
            Ok(after) => (after, report.is_empty()),
            Err(_) => (object, false),
        },
    }
}

/// A cluster with the Namespace of the request alone.
pub(crate) struct Bench;

impl Lookups for Bench {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        let labels = || arena.map(&[("team", Node::string("payments")), ("example.com/stage", Node::string("prod"))]);
        match lookup {
            Lookup::Namespace(_) => Answer::Found(arena.map(&[("metadata", arena.map(&[("labels", labels())]))])),
            _ => Answer::Unavailable("there is nothing else"),
        }
    }
}
