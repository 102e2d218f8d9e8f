//! The end of a review's time, and what policies take of it: the engine has no other clock.

use std::time::{Duration, Instant};

/// When the answer must be there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deadline {
    at: Option<Instant>,
    looks: Option<u32>,
}

impl Deadline {
    /// Ends at that time.
    pub const fn at(time: Instant) -> Self {
        Self { at: Some(time), looks: None }
    }

    /// Never ends.
    pub const fn never() -> Self {
        Self { at: None, looks: None }
    }

    /// Counted, not timed, so that every run ends at the same place: an expression ends after so many looks at the clock, each
    /// of some thousand steps.
    pub const fn after_looks(looks: u32) -> Self {
        Self { at: None, looks: Some(looks) }
    }

    /// How many looks at the clock an expression may take, if it is counted.
    pub const fn looks(self) -> Option<u32> {
        self.looks
    }

    /// Whether the time is over.
    pub fn is_over(self) -> bool {
        self.at.is_some_and(|time| Instant::now() >= time)
    }
}

/// Says how long something took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn read(self) -> Duration {
        self.0.elapsed()
    }
}
