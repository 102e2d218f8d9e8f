//! Log lines on their way to standard error: gathered for a moment, then written at once by a thread of their own.
//!
//! A line a decision, each with a wake-up and a system call of its own, makes the kernel's switching between threads stand out
//! in a profile of the server. Gathered for [`GATHER`] it costs a lock and a copy. A full pipe stops the thread, never a worker.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How long lines wait for company. Longer saves nothing more; it delays what somebody reads along.
const GATHER: Duration = Duration::from_millis(20);

/// What may wait, in bytes, for whoever reads the lines; more are dropped and counted.
const WAITING: usize = 16 << 20;

/// Where loggers write.
#[derive(Clone)]
pub(super) struct LogWriter(Arc<Shared>);

/// Writes what waits, and ends the thread, when it is dropped.
#[derive(Debug)]
pub struct LogGuard {
    writer: LogWriter,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    /// Lines came while none waited, or the end came.
    stirred: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<u8>,
    dropped: u64,
    closed: bool,
}

impl LogWriter {
    /// Starts the thread that writes into `out`.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(out: impl Write + Send + 'static) -> io::Result<(Self, LogGuard)> {
        let writer = Self(Arc::new(Shared { state: Mutex::default(), stirred: Condvar::new() }));
        let shared = Arc::clone(&writer.0);
        let thread = thread::Builder::new().name("logs".to_owned()).spawn(move || shared.write_all(out))?;
        let guard = LogGuard { writer: writer.clone(), thread: Some(thread) };
        Ok((writer, guard))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &[u8]) {
        let mut state = self.lock();
        if state.lines.len() + line.len() > WAITING {
            state.dropped += 1;
            return;
        }
        let stirs = state.lines.is_empty();
        state.lines.extend_from_slice(line);
        drop(state);
        if stirs {
            self.stirred.notify_one();
        }
    }

    fn write_all(&self, mut out: impl Write) {
        let mut lines = Vec::new();
        loop {
            let state = self.lock();
            let is_idle = |state: &mut State| state.lines.is_empty() && !state.closed;
            let state = self.stirred.wait_while(state, is_idle).unwrap_or_else(PoisonError::into_inner);
            let closed = state.closed;
            drop(state);
            if !closed {
                thread::sleep(GATHER);
            }
            let mut state = self.lock();
            std::mem::swap(&mut lines, &mut state.lines);
            let dropped = std::mem::take(&mut state.dropped);
            drop(state);
            // Where standard error is gone there is nobody to tell.
            let _ = out.write_all(&lines);
            if dropped > 0 {
                let note = format!("{{\"level\":\"WARN\",\"message\":\"log lines dropped\",\"lines\":{dropped}}}\n");
                let _ = out.write_all(note.as_bytes());
            }
            let _ = out.flush();
            lines.clear();
            if closed {
                return;
            }
        }
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.writer.0.lock().closed = true;
        self.writer.0.stirred.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by the hook.
            let _ = thread.join();
        }
    }
}

/// One line; tracing-subscriber writes it in one piece.
#[derive(Debug)]
pub(super) struct Line<'w>(&'w LogWriter);

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.0.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for LogWriter {
    type Writer = Line<'w>;

    fn make_writer(&'w self) -> Line<'w> {
        Line(self)
    }
}

impl fmt::Debug for LogWriter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LogWriter")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Says of each write what it was; waits before each for a word.
    struct Slow(mpsc::Sender<String>, mpsc::Receiver<()>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.1.recv();
            let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn writes_what_waits_at_the_end_and_in_order() {
        let (sent, written) = mpsc::channel();
        let (go, wait) = mpsc::channel();
        let (writer, guard) = LogWriter::start(Slow(sent, wait)).unwrap();
        for line in ["a\n", "b\n", "c\n"] {
            writer.make_writer().write_all(line.as_bytes()).unwrap();
        }
        (0..8).for_each(|_| go.send(()).unwrap());
        drop(guard);
        assert_eq!(written.try_iter().collect::<String>(), "a\nb\nc\n");
    }

    #[test]
    fn drops_and_counts_lines_while_nobody_reads() {
        let (sent, written) = mpsc::channel();
        let (go, wait) = mpsc::channel();
        let (writer, guard) = LogWriter::start(Slow(sent, wait)).unwrap();
        let line = vec![b'x'; 1 << 20];
        // The thread may have taken the first ones away: twice what may wait is too much in any case.
        for _ in 0..2 * (WAITING >> 20) + 2 {
            writer.make_writer().write_all(&line).unwrap();
        }
        (0..8).for_each(|_| go.send(()).unwrap());
        drop(guard);
        let last = written.try_iter().last().unwrap();
        assert!(last.contains("log lines dropped"), "{last}");
    }
}
