//! Keeps evidence over restarts: reads what is there at the start, adds to it once a minute and at the end.
//!
//! All replicas add to one ConfigMap. Each adds only what it has counted since its last addition, and where another was
//! faster it reads again: nothing is written over. An addition whose success was not heard of is known by its writer and
//! number, and is not made twice.

use std::sync::Arc;
use std::time::Duration;

use super::store::{Store, Written};
use super::{Evidence, now};

/// How often evidence is written at the most.
pub const EVERY: Duration = Duration::from_mins(1);
/// How long one try to write it may take.
const LONGEST: Duration = Duration::from_secs(10);
/// How often somebody else may be faster.
const TRIES: usize = 8;

/// Writes evidence where it is kept.
#[derive(Clone, Debug)]
pub struct Keeper {
    evidence: Arc<Evidence>,
    store: Store,
    /// Begins with the time at which this process started, so that the first in order is the oldest.
    writer: String,
}

impl Keeper {
    /// Keeps evidence there.
    pub fn new(evidence: Arc<Evidence>, store: Store) -> Self {
        // The name of the pod; and two processes of one machine differ by their numbers.
        let host = std::env::var("HOSTNAME").unwrap_or_default();
        Self { evidence, store, writer: format!("{}-{host}-{}", now(), std::process::id()) }
    }

    /// Reads what is there and from then on adds to it, for as long as the process lives.
    pub async fn follow(self) {
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.keep().await;
        }
    }

    /// Adds what was counted since the last time. What cannot be written stays for the next.
    pub async fn keep(&self) {
        match tokio::time::timeout(LONGEST, self.add()).await {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => tracing::warn!(problem, "the evidence could not be kept, the next try is in a minute"),
            Err(_) => tracing::warn!("the evidence could not be kept in time, the next try is in a minute"),
        }
    }

    /// Adds all that is left, at the end: an earlier addition may be pending still.
    pub async fn finish(&self) {
        self.keep().await;
        self.keep().await;
    }

    async fn add(&self) -> Result<(), String> {
        for _ in 0..TRIES {
            let found = self.store.read().await?;
            self.evidence.remember(found.book.clone());
            let (number, pending) = self.evidence.pending();
            let mut book = found.book.clone();
            if !book.has(&self.writer, number) {
                book.add(&pending);
            }
            self.evidence.tidy(&mut book, now());
            if book == found.book {
                self.evidence.is_kept(book);
                return Ok(());
            }
            book.sign(&self.writer, number);
            let packed = book.pack();
            if self.store.write(&found, packed).await? == Written::Done {
                self.evidence.is_kept(book);
                return Ok(());
            }
        }
        Err(format!("somebody else wrote it {TRIES} times in between"))
    }
}

#[cfg(test)]
mod tests;
