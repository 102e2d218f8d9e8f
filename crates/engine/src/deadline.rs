//! The end of a review's time: the one clock that the engine is given.

use std::time::Instant;

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
