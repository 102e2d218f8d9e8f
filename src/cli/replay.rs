//! `admittance replay`

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use admittance_engine::document::Paint;
use admittance_engine::kubernetes::kinds::Kinds;
use admittance_engine::set::Parameters;
use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};

use super::policies::{self, Loaded};
use super::{BROKEN, DENIED};
use crate::output::Colour;
use crate::output::replay::{Found, github, json, markdown, text};
use crate::replay::files::{Source, find};
use crate::replay::{self, Change, Progress, Side};

/// Judge recorded reviews again: what policies would decide otherwise than was decided, or than other policies would.
///
/// Reads recordings of `serve --record`, AdmissionReviews (one a line of JSON, with or without a response), and the API
/// server's audit log (creations at level Request or above). What hangs on a redacted value, or on a lookup that the recording
/// does not hold, is undecidable, and no difference.
#[derive(Debug, Args)]
#[command(after_long_help = REFERENCE)]
pub(super) struct Arguments {
    /// Files, compressed or not, folders with recordings, or `-` for standard input.
    #[arg(required = true, value_name = "RECORDING")]
    recordings: Vec<PathBuf>,
    /// A file or folder with the policies that judge; may be repeated.
    #[arg(short, long, required = true, value_name = "PATH")]
    policies: Vec<PathBuf>,
    /// A file or folder with the policies to compare with; may be repeated. Without it what was answered counts.
    #[arg(long, value_name = "PATH")]
    baseline: Vec<PathBuf>,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
    /// A kind of difference for which the exit code is 0 all the same; may be repeated.
    #[arg(long, value_enum, value_name = "CHANGE")]
    allow: Vec<Allowed>,
}

const REFERENCE: &str = "\
What is compared:
  with recordings, and with --baseline: the verdict, what a change makes of the object, what the user is told. With responses of
  other webhooks: the verdict, and the change where there is one. With an audit log: that the request was allowed.

Exit code:
  0  everything is decided alike, or undecidable
  1  something is decided otherwise
  2  usage, a file that cannot be read, broken policies, or no review that could be judged

With -o json, one document:
  schemaVersion, reviews, same, different, differences [{change, policy, reviews, namespaces, owners, first, explanation}],
  undecidable {reviews, reasons}, notReplayable {lines, reasons}; the explanation is what became of the policy in the first, as in
  check --explain -o json
With -o jsonl, an object a line for each review that is not decided alike:
  file, line, time, operation, resource, kind, namespace, name, user, owner, and change, policies, before and now {allowed, lines,
  patch}, or undecidable [reason]";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document with a schemaVersion.
    Json,
    /// A JSON object a line for each review that is not decided alike.
    Jsonl,
    /// For a pull request.
    Markdown,
    /// Annotations of GitHub Actions.
    Github,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(clippy::enum_variant_names, reason = "the words of the command line")]
enum Allowed {
    /// Allowed before, denied now.
    NewlyDenied,
    /// Denied before, allowed now.
    NewlyAllowed,
    /// Allowed with another change.
    PatchChanged,
    /// The same verdict with other words or warnings.
    MessageChanged,
}

impl From<Allowed> for Change {
    fn from(allowed: Allowed) -> Self {
        match allowed {
            Allowed::NewlyDenied => Self::NewlyDenied,
            Allowed::NewlyAllowed => Self::NewlyAllowed,
            Allowed::PatchChanged => Self::PatchChanged,
            Allowed::MessageChanged => Self::MessageChanged,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    // As for `check`: a panic's message may quote a review.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        anstream::eprintln!("panic at {place}");
    }));
    match judge(arguments) {
        Ok(code) => code,
        Err(problems) => {
            problems.iter().for_each(|problem| anstream::eprintln!("{problem}"));
            ExitCode::from(BROKEN)
        }
    }
}

fn judge(arguments: &Arguments) -> Result<ExitCode, Vec<String>> {
    let error = |problem: String| format!("error: {problem}");
    let new = side(&arguments.policies);
    let baseline = (!arguments.baseline.is_empty()).then(|| side(&arguments.baseline)).transpose();
    let sources = find(&arguments.recordings).map_err(|problems| problems.into_iter().map(error).collect::<Vec<_>>());
    let (new, baseline, sources) = match (new, baseline, sources) {
        (Ok(new), Ok(baseline), Ok(sources)) => (new, baseline, sources),
        (new, baseline, sources) => {
            return Err([new.err(), baseline.err(), sources.err()].into_iter().flatten().flatten().collect());
        }
    };
    let mut bar = Bar::begin();
    let kept = arguments.output == Format::Jsonl;
    let result = replay::run(&sources, &new, baseline.as_ref(), kept, |progress| bar.show(progress));
    bar.clear();
    let (report, kept) = result.map_err(|problems| problems.into_iter().map(error).collect::<Vec<_>>())?;
    let files: Vec<String> = sources.iter().map(Source::name).collect();
    let found = Found { report: &report, files: &files, new: &new };
    super::print(&match arguments.output {
        Format::Text => text::text(found, colour()),
        Format::Json => json::document(found),
        Format::Jsonl => json::lines(found, &kept),
        Format::Markdown => markdown::markdown(found),
        Format::Github => github::annotations(found),
    });
    if report.reviews == 0 {
        return Err(vec![error("no review could be judged again".to_owned())]);
    }
    let allowed: Vec<Change> = arguments.allow.iter().map(|allowed| Change::from(*allowed)).collect();
    Ok(if report.has_differences_beyond(&allowed) { ExitCode::from(DENIED) } else { ExitCode::SUCCESS })
}

fn side(paths: &[PathBuf]) -> Result<Side, Vec<String>> {
    let paint = match AutoStream::choice(&std::io::stderr()) {
        ColorChoice::Never => Paint::Plain,
        _ => Paint::Coloured,
    };
    let Loaded { set, problems, .. } = policies::load(paths, paint);
    let Some(set) = set else { return Err(problems) };
    problems.iter().for_each(|warning| anstream::eprintln!("{warning}"));
    let mut parameters = Parameters::default();
    parameters.take(&Kinds::built_in(), "default", set.parameters());
    Ok(Side { set, parameters })
}

fn colour() -> Colour {
    match AutoStream::choice(&std::io::stdout()) {
        ColorChoice::Never => Colour::Off,
        _ => Colour::On,
    }
}

/// How far it is, in one line of a terminal's standard error; elsewhere nothing.
struct Bar {
    is_shown: bool,
    begun: Instant,
    has_drawn: bool,
}

impl Bar {
    fn begin() -> Self {
        Self { is_shown: std::io::stderr().is_terminal(), begun: Instant::now(), has_drawn: false }
    }

    fn show(&mut self, progress: Progress) {
        if self.is_shown {
            self.has_drawn = true;
            let seconds = self.begun.elapsed().as_secs();
            let _ = write!(std::io::stderr(), "\r\x1b[K{}", bar(progress, seconds));
        }
    }

    fn clear(&self) {
        if self.has_drawn {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

/// How wide the bar itself is.
const WIDTH: u64 = 30;

/// `[=======>           ]  42 %  12345 lines  3 s`
fn bar(Progress { read, of, lines }: Progress, seconds: u64) -> String {
    if of == 0 {
        return format!("{lines} lines  {seconds} s");
    }
    let read = read.min(of);
    let filled = usize::try_from(read * WIDTH / of).unwrap_or(0);
    let rest = usize::try_from(WIDTH).unwrap_or(0) - filled;
    format!("[{}{}] {:>3} %  {lines} lines  {seconds} s", "=".repeat(filled), " ".repeat(rest), read * 100 / of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_how_far_it_is() {
        let at = |read, of| bar(Progress { read, of, lines: 7 }, 3);
        assert_eq!(at(0, 100), format!("[{}]   0 %  7 lines  3 s", " ".repeat(30)));
        assert_eq!(at(50, 100), format!("[{}{}]  50 %  7 lines  3 s", "=".repeat(15), " ".repeat(15)));
        assert_eq!(at(200, 100), format!("[{}] 100 %  7 lines  3 s", "=".repeat(30)));
        assert_eq!(at(5, 0), "7 lines  3 s");
    }
}
