//! `--watch`: again whenever a file changes.

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use crate::cli::BROKEN;
use crate::source::Read;
use crate::source::directory::{Directory, POLL_EVERY};

/// Hands over all files, at once and after each change that has come to rest. Ends only where a path is not there at first.
pub(super) fn follow(paths: Vec<PathBuf>, mut run: impl FnMut(Vec<Read>)) -> ExitCode {
    let mut directory = Directory::new(paths);
    let mut last_error = None;
    for is_first in std::iter::once(true).chain(std::iter::repeat(false)) {
        match directory.poll() {
            Ok(Some(files)) => {
                run(files);
                anstream::eprintln!("waiting for changes");
                last_error = None;
            }
            Ok(None) => last_error = None,
            Err(error) => {
                let error = error.to_string();
                if last_error.as_ref() != Some(&error) {
                    anstream::eprintln!("error: {error}");
                }
                if is_first {
                    return ExitCode::from(BROKEN);
                }
                last_error = Some(error);
            }
        }
        thread::sleep(POLL_EVERY);
    }
    ExitCode::SUCCESS
}
