//! All lines, on every core.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use admittance_engine::json::Arena;
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::pipeline::Budget;

use super::case::{self, Unfit};
use super::difference::{Comparison, between, with_answer};
use super::files::{Next, Source};
use super::judge::Side;
use super::report::{About, Example, Report};

/// How much text is dealt out at once: enough to make the dealing cheap, little enough to keep all cores busy to the end.
const BATCH: usize = 512 << 10;
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Lines of one file.
struct Batch {
    file: usize,
    lines: Vec<(usize, Vec<u8>)>,
}

/// How far a replay is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the files that were read, compressed where they are.
    pub read: u64,
    /// Bytes of all files; none where standard input is among them.
    pub of: u64,
    /// Lines that were judged.
    pub lines: usize,
}

/// What is kept of each review that is not decided alike.
#[derive(Clone, Debug)]
pub enum Kept {
    /// It is decided otherwise.
    Different(Box<Example>),
    /// It hangs on what is not known.
    Undecidable {
        /// File and line.
        place: (usize, usize),
        /// What it is about.
        about: Box<About>,
        /// What it hangs on.
        doubts: Vec<String>,
    },
}

impl Kept {
    /// File and line.
    pub fn place(&self) -> (usize, usize) {
        match self {
            Self::Different(example) => example.place,
            Self::Undecidable { place, .. } => *place,
        }
    }
}

/// Judges every review in these files. With `keeps_each` what is not decided alike is returned, in the order of the files.
/// `tell` is told now and then how far it is.
///
/// # Errors
/// Files that cannot be read.
pub fn run(
    sources: &[Source],
    new: &Side,
    baseline: Option<&Side>,
    keeps_each: bool,
    tell: impl FnMut(Progress) + Send,
) -> Result<(Report, Vec<Kept>), Vec<String>> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let (sender, receiver) = sync_channel(workers * 2);
    let (bytes, lines) = (Arc::new(AtomicU64::new(0)), AtomicUsize::new(0));
    let of = if sources.contains(&Source::Input) { 0 } else { sources.iter().map(Source::bytes).sum() };
    let is_done = AtomicBool::new(false);
    let judge = Judge { new, baseline, keeps_each, defaults: Defaults::built_in(), lines: &lines };
    let (dealt, results) = thread::scope(|scope| {
        let counted = Arc::clone(&bytes);
        let dealer = scope.spawn(move || deal(sources, &counted, &sender));
        // Each thread has a part of it, so that the dealer learns when all of them are gone.
        let (receiver, judge) = (Arc::new(Mutex::new(receiver)), &judge);
        let start = |receiver: Arc<Mutex<Receiver<Batch>>>| scope.spawn(move || judge.all(&receiver));
        let threads: Vec<_> = (0..workers).map(|_| start(Arc::clone(&receiver))).collect();
        drop(receiver);
        let teller = scope.spawn(|| {
            let mut tell = tell;
            while !is_done.load(Relaxed) {
                tell(Progress { read: bytes.load(Relaxed), of, lines: lines.load(Relaxed) });
                thread::park_timeout(TELL_EVERY);
            }
        });
        let results: Vec<_> = threads.into_iter().map(|thread| thread.join().ok()).collect();
        is_done.store(true, Relaxed);
        teller.thread().unpark();
        (dealer.join().ok(), results)
    });
    let (Some((unfit, problems)), Some(results)) = (dealt, results.into_iter().collect::<Option<Vec<_>>>()) else {
        return Err(vec!["a thread of the replay panicked".to_owned()]);
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let (mut report, mut kept) = (unfit, Vec::new());
    for (part, some) in results {
        report = report.and(part);
        kept.extend(some);
    }
    kept.sort_by_key(Kept::place);
    judge.explain(&mut report);
    Ok((report, kept))
}

/// Reads all files, in order. What cannot be dealt out is counted.
fn deal(sources: &[Source], bytes: &Arc<AtomicU64>, sender: &SyncSender<Batch>) -> (Report, Vec<String>) {
    let (mut report, mut problems) = (Report::default(), Vec::new());
    for (file, source) in sources.iter().enumerate() {
        let mut lines = match source.lines(Arc::clone(bytes)) {
            Ok(lines) => lines,
            Err(error) => {
                problems.push(format!("cannot read {:?}: {error}", source.name()));
                continue;
            }
        };
        let (mut batch, mut size, mut number) = (Batch { file, lines: vec![] }, 0, 0);
        loop {
            number += 1;
            match lines.next_line() {
                Next::Line(line) if line.iter().all(u8::is_ascii_whitespace) => {}
                Next::Line(line) => {
                    size += line.len();
                    batch.lines.push((number, line));
                }
                Next::TooLong => report.add_unfit("longer than any review"),
                Next::Cut => {
                    report.add_unfit("cut off at the end of its file");
                    break;
                }
                Next::Broken(error) => {
                    report.add_unfit(&format!("the rest of a damaged file ({error})"));
                    break;
                }
                Next::End => break,
            }
            if size >= BATCH {
                let full = std::mem::replace(&mut batch, Batch { file, lines: vec![] });
                size = 0;
                if sender.send(full).is_err() {
                    return (report, problems);
                }
            }
        }
        if !batch.lines.is_empty() && sender.send(batch).is_err() {
            break;
        }
    }
    (report, problems)
}

struct Judge<'j> {
    new: &'j Side,
    baseline: Option<&'j Side>,
    keeps_each: bool,
    defaults: Defaults,
    lines: &'j AtomicUsize,
}

impl Judge<'_> {
    /// Judges the first review of each group once more, with the recorder.
    fn explain(&self, report: &mut Report) {
        for ((_, policy), group) in &mut report.groups {
            let arena = Arena::with_limit(Budget::REVIEW);
            if let Ok(case) = case::read(&arena, &group.line, &self.defaults) {
                group.explanation = self.new.explain(&case, policy);
            }
        }
    }

    fn all(&self, batches: &Mutex<Receiver<Batch>>) -> (Report, Vec<Kept>) {
        let (mut report, mut kept) = (Report::default(), Vec::new());
        let mut arena = Arena::with_limit(Budget::REVIEW);
        loop {
            let next = batches.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(Batch { file, lines }) = next else { return (report, kept) };
            for (number, line) in &lines {
                let some = self.one(&arena, line, (file, *number), &mut report);
                arena.reset();
                kept.extend(some.filter(|_| self.keeps_each));
                self.lines.fetch_add(1, Relaxed);
            }
        }
    }

    fn one(&self, arena: &Arena, line: &[u8], place: (usize, usize), report: &mut Report) -> Option<Kept> {
        let case = match case::read(arena, line, &self.defaults) {
            Ok(case) => case,
            Err(why) => {
                report.add_unfit(&why);
                return None;
            }
        };
        let comparison = match (self.baseline, &case.before) {
            (Some(baseline), _) => between(arena, &case, &baseline.judge(&case), &self.new.judge(&case)),
            (None, Some(before)) => with_answer(arena, &case, before, &self.new.judge(&case)),
            (None, None) => {
                report.add_unfit(&without_answer(&case));
                return None;
            }
        };
        match comparison {
            Comparison::Same => {
                report.add_same();
                None
            }
            Comparison::Undecidable(doubts) => {
                report.add_undecidable(&doubts);
                Some(Kept::Undecidable { place, about: Box::new(About::of(&case)), doubts })
            }
            Comparison::Different(difference) => {
                let example = Example { place, about: About::of(&case), difference: *difference };
                report.add_different(&example, line);
                Some(Kept::Different(Box::new(example)))
            }
        }
    }
}

fn without_answer(case: &case::Case<'_>) -> Unfit {
    if case.cluster.is_some() {
        "its answer came of time or load, not of policies alone: --baseline would judge it".into()
    } else if case.time.is_some() {
        "audit: refused then, by whom is not known: --baseline would judge it".into()
    } else {
        "no answer to compare with: --baseline would judge it".into()
    }
}
