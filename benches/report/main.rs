//! Renders docs/performance.md and its charts from the figures in docs/performance/*.csv.
//!
//! `cargo bench --bench report` writes them; nothing is measured. That what is committed is what this makes of the
//! committed figures is tested by `tests/performance.rs`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program reports on the terminal")]

mod page;

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let outcome = page::files(&docs).and_then(|files| {
        for (name, text) in files {
            let path = docs.join(name);
            std::fs::write(&path, text).map_err(|error| format!("cannot write \"{}\": {error}", path.display()))?;
            println!("{}", path.display());
        }
        Ok(())
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("report: {problem}");
            ExitCode::FAILURE
        }
    }
}
