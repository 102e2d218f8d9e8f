//! Log lines: JSON where nobody reads along, text on a terminal; written by a thread of their own.

use std::io::{self, IsTerminal as _};
use std::panic::PanicHookInfo;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::log_writer::{LogGuard, LogWriter};

/// What log lines look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Starts logging to standard error. Lines that wait are written when the guard is dropped.
///
/// # Errors
/// When the thread that writes cannot be started.
pub fn start(format: LogFormat, filter: EnvFilter) -> io::Result<LogGuard> {
    let (writer, guard) = LogWriter::start(io::stderr())?;
    let is_terminal = io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_target(false);
    if format == LogFormat::Json || (format == LogFormat::Auto && !is_terminal) {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).init();
    } else {
        builder.with_ansi(is_terminal).init();
    }
    std::panic::set_hook(Box::new(report_panic));
    Ok(guard)
}

/// A panic's message may quote the object that caused it: the place is enough to find the bug.
fn report_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(|place| format!("{}:{}:{}", place.file(), place.line(), place.column()));
    tracing::error!(place = place.unwrap_or_default(), "panic");
}
