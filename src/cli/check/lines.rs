//! `check --jsonl`: line in, line out.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use admittance_engine::json::Arena;
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::pipeline::Budget;

use crate::cli::BROKEN;
use crate::output::upstream::Line;

/// Answers every line of these files, or of standard input without any.
pub(super) fn run(files: &[PathBuf]) -> ExitCode {
    let mut answering = Answering {
        out: BufWriter::with_capacity(1 << 16, io::stdout().lock()),
        defaults: Defaults::built_in(),
        arena: Arena::with_limit(Budget::REVIEW),
    };
    let standard_input = [PathBuf::from("-")];
    let files = if files.is_empty() { &standard_input } else { files };
    for path in files {
        let answered = if path.as_os_str() == "-" {
            answering.all(io::stdin().lock())
        } else {
            File::open(path).and_then(|file| answering.all(BufReader::new(file)))
        };
        match answered.and_then(|()| answering.out.flush()) {
            Ok(()) => {}
            // Whoever closed the pipe has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Err(error) => {
                anstream::eprintln!("error: {}: {error}", path.display());
                return ExitCode::from(BROKEN);
            }
        }
    }
    ExitCode::SUCCESS
}

struct Answering<W: io::Write> {
    out: BufWriter<W>,
    defaults: Defaults,
    arena: Arena,
}

impl<W: io::Write> Answering<W> {
    fn all(&mut self, mut lines: impl BufRead) -> io::Result<()> {
        let mut text = Vec::new();
        loop {
            text.clear();
            if lines.read_until(b'\n', &mut text)? == 0 {
                return Ok(());
            }
            if text.trim_ascii().is_empty() {
                continue;
            }
            let answer = Line::answer(&text, &self.arena, &self.defaults).text();
            self.out.write_all(answer.as_bytes())?;
            self.arena.reset();
        }
    }
}
