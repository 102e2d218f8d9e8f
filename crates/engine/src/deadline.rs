//! The end of a review's time, and what policies take of it: the engine has no other clock.

use std::time::{Duration, Instant};

/// When the answer must be there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Ends at that time.
    pub const fn at(time: Instant) -> Self {
        Self(Some(time))
    }

    /// Never ends.
    pub const fn never() -> Self {
        Self(None)
    }

    /// Whether the time is over.
    pub fn is_over(self) -> bool {
        self.0.is_some_and(|time| Instant::now() >= time)
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
