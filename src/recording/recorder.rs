//! Between requests and files: a queue that no request waits for, and the thread behind it.

use std::fmt;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use admittance_engine::json::Arena;
use admittance_engine::matching::fits;
use admittance_engine::pipeline::{Budget, Route};
use admittance_engine::redaction::Redaction;
use admittance_engine::review::Review;
use admittance_engine::verdict::Verdict;
use jiff::Timestamp;

use super::files::Files;
use super::review::{self, Taken};
use crate::cluster::Asked;
use crate::source::Active;
use crate::telemetry::Metrics;

/// How many reviews may wait.
const WAITING: usize = 1_024;
/// What they may take together, in bytes.
const WAITING_BYTES: usize = 64 << 20;
/// How long a line may wait to be in its file.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// What is recorded, and where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder of the files.
    pub folder: PathBuf,
    /// What all files may take together.
    pub bytes: u64,
    /// One review in this many.
    pub sample: NonZero<u64>,
    /// Patterns of the namespaces; none: all, and what is in none.
    pub namespaces: Vec<String>,
}

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    pub(super) allowed: bool,
    pub(super) code: Option<u16>,
}

impl Given {
    /// The answer that this verdict leads to.
    pub fn of(verdict: &Verdict<'_>) -> Self {
        let refusal = verdict.refusal();
        Self { allowed: refusal.is_none(), code: refusal.map(|refusal| refusal.code) }
    }
}

/// Records reviews. Handed to whoever answers requests.
pub struct Recorder {
    sender: SyncSender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
    sample: NonZero<u64>,
    namespaces: Vec<String>,
    seen: AtomicU64,
    /// Bytes of the bodies that wait.
    waiting: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
}

enum Message {
    Review(Box<Taken>),
    End,
}

impl Recorder {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// A folder that cannot be written to: one line.
    pub fn start(settings: &Settings, redaction: Redaction, metrics: Arc<Metrics>) -> Result<Self, String> {
        let folder = settings.folder.display();
        let host = std::env::var("HOSTNAME").unwrap_or_else(|_| std::process::id().to_string());
        let files = Files::within(&settings.folder, settings.bytes, &host)
            .map_err(|error| format!("cannot record in {:?}: {error}", folder.to_string()))?;
        let (sender, messages) = sync_channel(WAITING);
        let waiting = Arc::new(AtomicUsize::new(0));
        let mut writer =
            Writing { files, redaction, metrics: Arc::clone(&metrics), waiting: Arc::clone(&waiting), said: None };
        let thread = thread::Builder::new().name("recorder".to_owned()).spawn(move || writer.run(&messages));
        let thread = thread.map_err(|error| format!("cannot record: {error}"))?;
        tracing::info!(folder = %folder, mebibytes = settings.bytes >> 20, sample = settings.sample, "recording");
        Ok(Self {
            sender,
            thread: Mutex::new(Some(thread)),
            sample: settings.sample,
            namespaces: settings.namespaces.clone(),
            seen: AtomicU64::new(0),
            waiting,
            metrics,
        })
    }

    /// Whether this review is to be recorded. Ask once for each.
    pub fn wants(&self, review: &Review<'_>) -> bool {
        let is_meant = |pattern: &String| fits(pattern, review.namespace);
        if !self.namespaces.is_empty() && (review.namespace.is_empty() || !self.namespaces.iter().any(is_meant)) {
            return false;
        }
        self.seen.fetch_add(1, Relaxed).is_multiple_of(self.sample.get())
    }

    /// Takes a review that was answered; never waits.
    pub fn take(&self, route: Route, body: &[u8], active: &Arc<Active>, asked: &Asked<'_>, given: Given) {
        let before = self.waiting.fetch_add(body.len(), Relaxed);
        if before + body.len() > WAITING_BYTES {
            return self.drop_one(body.len());
        }
        let taken = Taken {
            time: Timestamp::now(),
            route,
            body: body.to_vec(),
            active: Arc::clone(active),
            has_cluster: asked.has_cluster(),
            facts: asked.facts(),
            given,
        };
        if self.sender.try_send(Message::Review(Box::new(taken))).is_err() {
            self.drop_one(body.len());
        }
    }

    fn drop_one(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Relaxed);
        self.metrics.recorded("dropped");
    }

    /// Writes what waits and ends the file. What is taken later is lost.
    pub fn end(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A thread that is gone takes no message, and its panic was reported by the hook.
        let _ = self.sender.send(Message::End);
        let _ = thread.map(JoinHandle::join);
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Recorder")
    }
}

/// What the thread has.
struct Writing {
    files: Files,
    redaction: Redaction,
    metrics: Arc<Metrics>,
    waiting: Arc<AtomicUsize>,
    /// The problem that was reported last: a full disk is said once.
    said: Option<String>,
}

impl Writing {
    fn run(&mut self, messages: &Receiver<Message>) {
        let mut arena = Arena::with_limit(Budget::REVIEW);
        let mut flushed = Instant::now();
        loop {
            match messages.recv_timeout(FLUSH_EVERY) {
                Ok(Message::Review(taken)) => {
                    self.write(&arena, &taken);
                    arena.reset();
                    self.waiting.fetch_sub(taken.body.len(), Relaxed);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => break,
            }
            if flushed.elapsed() >= FLUSH_EVERY {
                let result = self.files.flush();
                self.report(result.err().map(|error| error.to_string()));
                flushed = Instant::now();
            }
        }
        let result = self.files.finish();
        self.report(result.err().map(|error| error.to_string()));
    }

    fn write(&mut self, arena: &Arena, taken: &Taken) {
        let Some(line) = review::line(arena, taken, &self.redaction) else { return self.metrics.recorded("failed") };
        match self.files.write(&line) {
            Ok(true) => {
                self.metrics.recorded("written");
                self.report(None);
            }
            Ok(false) => self.metrics.recorded("dropped"),
            Err(error) => {
                self.metrics.recorded("failed");
                self.report(Some(error.to_string()));
            }
        }
    }

    fn report(&mut self, problem: Option<String>) {
        if let Some(error) = problem.as_ref().filter(|problem| self.said.as_ref() != Some(problem)) {
            tracing::error!(error, "reviews cannot be recorded");
        }
        self.said = problem;
    }
}
