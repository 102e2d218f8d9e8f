//! Why requests were decided as they were, for those who ask later: every denial, and a sample of what was allowed.
//!
//! A request is never judged slower for it: after the answer its body goes to a thread of its own, which judges it once more
//! with the recorder, by the same policies and what the cluster had said. Only the explanation is kept, in a bounded ring in
//! memory, and it shows no value that stands where not everybody may read it (`verdict::Discretion`); the body is dropped.

mod door;
mod job;
mod page;
mod ring;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

pub use door::{AUDIENCE, Door, TOKEN_HEADER};
pub use page::answer;

use self::job::Job;
use self::ring::Ring;
use crate::cluster::Facts;
use crate::source::Active;
use admittance_engine::pipeline::Route;

/// How many decisions may wait to be explained, and how many bytes their bodies may have together; those beyond are counted.
const WAITING: usize = 64;
const WAITING_BYTES: usize = 16 << 20;

/// What is kept, and the way there.
pub struct Explain {
    ring: Ring,
    jobs: SyncSender<Job>,
    waiting_bytes: AtomicUsize,
    /// Of how many requests that are allowed one is kept; zero for none.
    one_in: usize,
    allowed: AtomicUsize,
    missed: AtomicU64,
}

/// A decision that was made.
#[derive(Debug)]
pub(super) struct Decided<'d> {
    pub(super) route: Route,
    pub(super) denied: bool,
    /// Whether mutations were looked for in the object.
    pub(super) judges_drift: bool,
    pub(super) body: &'d [u8],
    pub(super) active: &'d Arc<Active>,
}

impl Explain {
    /// Keeps explanations of at most so many bytes, of every denial and one in so many requests that are allowed.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(bytes: usize, one_in: usize) -> io::Result<Arc<Self>> {
        let (jobs, waiting) = sync_channel(WAITING);
        let explain = Arc::new(Self {
            ring: Ring::new(bytes),
            jobs,
            waiting_bytes: AtomicUsize::new(0),
            one_in,
            allowed: AtomicUsize::new(0),
            missed: AtomicU64::new(0),
        });
        let kept = Arc::clone(&explain);
        thread::Builder::new().name("explain".to_owned()).spawn(move || kept.explain_all(&waiting))?;
        Ok(explain)
    }

    /// Takes a decision over, if it is a denial or its turn to be a sample. What it was decided by is asked for only then.
    pub(super) fn take(&self, decided: &Decided<'_>, facts: impl FnOnce() -> Facts) {
        let is_sample = || self.one_in > 0 && self.allowed.fetch_add(1, Relaxed).is_multiple_of(self.one_in);
        if !decided.denied && !is_sample() {
            return;
        }
        let size = decided.body.len();
        if self.waiting_bytes.fetch_add(size, Relaxed) + size > WAITING_BYTES {
            self.waiting_bytes.fetch_sub(size, Relaxed);
            self.missed.fetch_add(1, Relaxed);
            return;
        }
        let job = Job {
            route: decided.route,
            judges_drift: decided.judges_drift,
            time: crate::evidence::now(),
            body: decided.body.to_vec(),
            active: Arc::clone(decided.active),
            facts: facts(),
        };
        if self.jobs.try_send(job).is_err() {
            self.waiting_bytes.fetch_sub(size, Relaxed);
            self.missed.fetch_add(1, Relaxed);
        }
    }

    fn explain_all(&self, waiting: &Receiver<Job>) {
        while let Ok(job) = waiting.recv() {
            let size = job.body.len();
            // A panic is reported by the hook; the next one is explained.
            let explained = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job.explain()));
            match explained {
                Ok(Some(record)) => self.ring.push(record),
                Ok(None) | Err(_) => drop(self.missed.fetch_add(1, Relaxed)),
            }
            self.waiting_bytes.fetch_sub(size, Relaxed);
        }
    }
}

impl fmt::Debug for Explain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Explain({:?})", self.ring)
    }
}

#[cfg(test)]
mod tests;
