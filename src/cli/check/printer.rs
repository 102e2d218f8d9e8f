//! Standard output, standard error and the progress line between them.

use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::Format;
use super::page::{Page, Said};
use crate::cli::{BROKEN, DENIED};
use crate::output::remark::Remark;
use crate::output::text::Tally;

/// A run that takes less shows no progress.
const QUIET: Duration = Duration::from_secs(1);
/// How often the progress line changes.
const EVERY: Duration = Duration::from_millis(200);

/// One thing to print.
#[derive(Debug)]
pub(super) enum Printed {
    /// A judged object: what standard output says about it.
    Object(Said, Tally),
    /// Something that cannot be read or judged: its text for standard error, and the same for formats that have a place for it.
    Problem(String, Remark),
}

/// Prints in order, counts, and knows the exit code.
pub(super) struct Printer {
    out: BufWriter<io::Stdout>,
    files: usize,
    page: Page,
    tally: Tally,
    problems: usize,
    failed: Option<io::Error>,
    shows_progress: bool,
    is_line_shown: bool,
    next: Instant,
}

impl Printer {
    pub(super) fn new(files: usize, format: Format) -> Self {
        Self {
            out: BufWriter::with_capacity(1 << 16, io::stdout()),
            files,
            page: Page::new(format),
            tally: Tally::default(),
            problems: 0,
            failed: None,
            shows_progress: io::stderr().is_terminal(),
            is_line_shown: false,
            next: Instant::now() + QUIET,
        }
    }

    pub(super) fn take(&mut self, printed: Printed) {
        match printed {
            Printed::Object(said, tally) => {
                self.tally.add(tally);
                let text = self.page.object(said);
                if !text.is_empty() {
                    self.clear_line();
                    self.write(&text);
                }
            }
            Printed::Problem(text, remark) => {
                self.problems += 1;
                let said = self.page.problem(remark);
                self.write(&said);
                // What was judged before stands before it where both go to one terminal.
                self.flush();
                self.clear_line();
                anstream::eprintln!("{text}");
            }
        }
    }

    /// So many files are done.
    pub(super) fn progress(&mut self, done: usize) {
        if !self.shows_progress || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + EVERY;
        self.flush();
        self.is_line_shown = true;
        let _ = write!(io::stderr(), "\r{done} of {} files, {}\u{1b}[K", self.files, self.tally);
    }

    /// Whether somebody still reads.
    pub(super) fn goes_on(&self) -> bool {
        self.failed.is_none()
    }

    /// Prints the sum. The exit code says the gravest thing that happened.
    pub(super) fn finish(mut self) -> ExitCode {
        self.clear_line();
        let page = std::mem::replace(&mut self.page, Page::Github);
        self.write(&page.end(self.tally, self.problems));
        self.flush();
        match self.failed {
            // `check … | head` has seen enough.
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                anstream::eprintln!("error: cannot write to standard output: {error}");
                ExitCode::from(BROKEN)
            }
            _ if self.problems > 0 => ExitCode::from(BROKEN),
            _ if self.tally.denied > 0 => ExitCode::from(DENIED),
            _ => ExitCode::SUCCESS,
        }
    }

    fn clear_line(&mut self) {
        if std::mem::take(&mut self.is_line_shown) {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }

    fn write(&mut self, text: &str) {
        if let Err(error) = self.out.write_all(text.as_bytes()) {
            self.failed.get_or_insert(error);
        }
    }

    fn flush(&mut self) {
        if let Err(error) = self.out.flush() {
            self.failed.get_or_insert(error);
        }
    }
}
