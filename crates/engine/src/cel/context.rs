//! What an evaluation has around it: memory, bounds, and somebody to ask.

use std::cell::Cell;
use std::fmt;

use super::error::{Error, ErrorKind, Limit, Outcome};
use super::value::{Decision, Resource, Value};
use super::watch::Watch;
use crate::deadline::Deadline;
use crate::json::Arena;

/// Handed to every function. New values are made through it, so that the bounds hold wherever they are made.
pub struct Context<'e, 'a> {
    arena: &'a Arena,
    meter: &'e Meter,
    host: &'e dyn Host,
    watch: Option<&'e dyn Watch<'a>>,
}

/// The bounds of one evaluation and what is used up of them. Evaluations that share a budget share a meter.
#[derive(Debug)]
pub struct Meter {
    /// Cost units that are left.
    cost: Cell<u64>,
    /// Bytes for new values that are left.
    bytes: Cell<usize>,
    /// Steps until the clock is looked at again.
    steps: Cell<u32>,
    /// Looks at the clock that are left: with a step of a nanosecond or more this ends every evaluation, also where there is
    /// no deadline.
    looks: Cell<u32>,
    /// How deep evaluation may still go.
    depth: Cell<u32>,
    deadline: Deadline,
}

/// How many steps pass between two looks at the clock: some 10 µs.
const STEPS: u32 = 4096;

/// How many looks at the clock there are: 500 million steps, some seconds.
const LOOKS: u32 = 120_000;

/// How deep variables, nested values, equality and printing may go, together.
const DEPTH: u32 = 1000;

/// Who answers what an expression asks beyond its variables.
pub trait Host {
    /// Whether a user may do something; None: it has to be asked first, evaluation ends here.
    fn authorize<'a>(&self, question: &Question<'_>, arena: &'a Arena) -> Option<Decision<'a>>;
}

/// What `check(verb)` asks.
#[derive(Clone, Copy, Debug)]
pub enum Question<'q> {
    /// A path that is no resource.
    Path {
        /// None for the user of the request, else namespace and name of a service account.
        service_account: Option<(&'q str, &'q str)>,
        /// The path.
        path: &'q str,
        /// The verb.
        verb: &'q str,
    },
    /// A resource.
    Resource {
        /// Which.
        resource: Resource<'q>,
        /// The verb.
        verb: &'q str,
    },
}

/// Where there is nobody to ask: every check is an error of the decision.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHost;

impl Host for NoHost {
    fn authorize<'a>(&self, _: &Question<'_>, _: &'a Arena) -> Option<Decision<'a>> {
        Some(Decision { allowed: false, reason: "", error: Some("undecided: there is no authorizer to ask") })
    }
}

impl Meter {
    /// Bounds: cost units (the API server allows 1,000,000 for one expression), bytes of new values, the end of the time.
    pub fn new(cost: u64, bytes: usize, deadline: Deadline) -> Self {
        Self {
            cost: cost.into(),
            bytes: bytes.into(),
            steps: STEPS.into(),
            looks: deadline.looks().unwrap_or(LOOKS).into(),
            depth: DEPTH.into(),
            deadline,
        }
    }

    /// Cost units that are left.
    pub fn cost_left(&self) -> u64 {
        self.cost.get()
    }
}

impl<'e, 'a> Context<'e, 'a> {
    /// Surroundings with these bounds.
    pub fn new(arena: &'a Arena, meter: &'e Meter, host: &'e dyn Host) -> Self {
        Self { arena, meter, host, watch: None }
    }

    /// The same, watched: whoever evaluates an expression shows what it came to.
    #[must_use]
    pub fn watched(mut self, watch: Option<&'e dyn Watch<'a>>) -> Self {
        self.watch = watch;
        self
    }

    /// Who watches.
    pub fn watch(&self) -> Option<&'e dyn Watch<'a>> {
        self.watch
    }

    /// Where new values live. Use the makers below: they keep to the bounds.
    pub const fn arena(&self) -> &'a Arena {
        self.arena
    }

    /// Who can be asked.
    pub fn host(&self) -> &'e dyn Host {
        self.host
    }

    /// An error of this kind.
    #[cold]
    pub fn raise<T>(&self, kind: ErrorKind<'a>) -> Outcome<'a, T> {
        Err(self.error(kind))
    }

    /// An error with this text.
    #[cold]
    pub fn raise_text<T>(&self, text: fmt::Arguments<'_>) -> Outcome<'a, T> {
        self.raise(ErrorKind::Text(self.arena.format(text)))
    }

    /// `no such overload`
    #[cold]
    pub fn no_such_overload<T>(&self) -> Outcome<'a, T> {
        self.raise(ErrorKind::NoSuchOverload)
    }

    #[cold]
    fn error(&self, kind: ErrorKind<'a>) -> &'a Error<'a> {
        self.arena.keep(Error { kind, at: None })
    }

    /// Takes cost units.
    pub fn spend(&self, cost: u64) -> Outcome<'a, ()> {
        match self.meter.cost.get().checked_sub(cost) {
            Some(left) => {
                self.meter.cost.set(left);
                Ok(())
            }
            None => self.raise(ErrorKind::Limit(Limit::Cost)),
        }
    }

    /// Cost units that are left.
    pub fn cost_left(&self) -> u64 {
        self.meter.cost_left()
    }

    /// Gives cost units back.
    pub fn refund(&self, cost: u64) {
        self.meter.cost.set(self.meter.cost.get().saturating_add(cost));
    }

    /// Evaluates within a cost limit of its own, and says what it cost.
    pub fn with_cost_limit<T>(&self, limit: u64, inner: impl FnOnce() -> T) -> (T, u64) {
        let outer = self.meter.cost.replace(limit);
        let outcome = inner();
        let left = self.meter.cost.replace(outer);
        (outcome, limit.saturating_sub(left))
    }

    /// Counts `steps` of work of a few nanoseconds each: iterations, copied or compared elements, 64 bytes of text.
    pub fn step(&self, steps: usize) -> Outcome<'a, ()> {
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        match self.meter.steps.get().checked_sub(steps) {
            Some(left) => {
                self.meter.steps.set(left);
                Ok(())
            }
            None => self.look_at_the_clock(steps),
        }
    }

    #[cold]
    fn look_at_the_clock(&self, steps: u32) -> Outcome<'a, ()> {
        let passed = steps / STEPS + 1;
        let looks = self.meter.looks.get().saturating_sub(passed);
        self.meter.looks.set(looks);
        self.meter.steps.set(STEPS);
        if looks == 0 || self.meter.deadline.is_over() { self.raise(ErrorKind::Limit(Limit::Time)) } else { Ok(()) }
    }

    /// Takes bytes for new values before they are made.
    pub fn take(&self, bytes: usize) -> Outcome<'a, ()> {
        match self.meter.bytes.get().checked_sub(bytes) {
            Some(left) => {
                self.meter.bytes.set(left);
                self.step(bytes / 64)
            }
            None => self.raise(ErrorKind::Limit(Limit::Memory)),
        }
    }

    /// Goes one level down for the time of `inner`.
    pub fn nested<T>(&self, inner: impl FnOnce() -> Outcome<'a, T>) -> Outcome<'a, T> {
        let Some(left) = self.meter.depth.get().checked_sub(1) else {
            return self.raise(ErrorKind::Limit(Limit::Depth));
        };
        self.meter.depth.set(left);
        let outcome = inner();
        self.meter.depth.set(left + 1);
        outcome
    }

    /// A copy of `text`.
    pub fn text(&self, text: &str) -> Outcome<'a, &'a str> {
        self.take(text.len())?;
        Ok(self.arena.text(text))
    }

    /// One value of plain data.
    pub fn keep<T: Copy>(&self, value: T) -> Outcome<'a, &'a T> {
        self.take(size_of::<T>())?;
        Ok(self.arena.keep(value))
    }

    /// One value of plain data that may be replaced later.
    pub fn keep_cell<T: Copy>(&self, value: T) -> Outcome<'a, &'a Cell<T>> {
        self.take(size_of::<T>())?;
        Ok(self.arena.keep_cell(value))
    }

    /// A copy of values of plain data.
    pub fn keep_slice<T: Copy>(&self, values: &[T]) -> Outcome<'a, &'a [T]> {
        self.take(size_of_val(values))?;
        Ok(self.arena.keep_slice(values))
    }

    /// An optional with this value.
    pub fn some(&self, value: Value<'a>) -> Outcome<'a> {
        Ok(Value::Optional(Some(self.keep(value)?)))
    }
}

impl fmt::Debug for Context<'_, '_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.meter.fmt(formatter)
    }
}
