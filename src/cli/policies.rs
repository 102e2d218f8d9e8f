//! The option `-p`: policies for commands that run once.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use admittance_engine::document::{Diagnostic, Paint, Severity};
use admittance_engine::set::{PolicySet, link};
use admittance_engine::unit::{CompiledUnit, Unit, compile};

use anstream::{AutoStream, ColorChoice};

use super::BROKEN;
use crate::source::directory::Directory;
use crate::source::{Read, Revision, starter};

/// A set, or why there is none; and in both cases what is to be shown.
pub(super) struct Loaded {
    /// None if anything was wrong: policies that are half there would let pass what the other half refuses.
    pub(super) set: Option<PolicySet>,
    /// What the set is made of; what was broken is left out.
    pub(super) units: Vec<Arc<CompiledUnit>>,
    /// The same units as they were read.
    pub(super) sources: Vec<Unit>,
    /// Errors and warnings, ready to print.
    pub(super) problems: Vec<String>,
}

/// The policies in these files and folders; without any, the starter policies.
pub(super) fn load(paths: &[PathBuf], paint: Paint) -> Loaded {
    if paths.is_empty() {
        return load_files(vec![Read::Unit(starter::unit(), Revision::default())], paint);
    }
    let mut loaded = match files(paths) {
        Ok(files) => load_files(files, paint),
        Err(problem) => {
            return Loaded { set: None, units: vec![], sources: vec![], problems: vec![format!("error: {problem}")] };
        }
    };
    if loaded.set.as_ref().is_some_and(PolicySet::is_empty) {
        let names: Vec<String> = paths.iter().map(|path| format!("{:?}", path.display())).collect();
        loaded.set = None;
        loaded.problems.push(format!("error: no policies in {}", names.join(", ")));
    }
    loaded
}

/// All files in these files and folders.
///
/// # Errors
/// A path that is not there.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<Read>, String> {
    let files = Directory::new(paths.to_vec()).poll().map_err(|error| error.to_string())?;
    Ok(files.unwrap_or_default())
}

/// The policies in these files, of which there may be none.
pub(super) fn load_files(files: Vec<Read>, paint: Paint) -> Loaded {
    let mut loading = Loading { paint, problems: Vec::new(), is_broken: false };
    let (mut units, mut sources) = (Vec::new(), Vec::new());
    for file in files {
        match file {
            Read::Unit(unit, _) => {
                if let Some(compiled) = loading.compiled(&unit) {
                    units.push(compiled);
                    sources.push(unit);
                }
            }
            Read::Unreadable(name, reason, _) => loading.error(&format!("cannot read {name:?}: {reason}")),
            Read::Malformed(_, problem) => loading.diagnostics(&[*problem], true),
        }
    }
    let (set, conflicts) = link(&units);
    let is_broken = conflicts.iter().any(|problem| problem.severity == Severity::Error);
    loading.diagnostics(&conflicts, is_broken);
    Loaded { set: (!loading.is_broken).then_some(set), units, sources, problems: loading.problems }
}

/// Prints what there is to say about the policies in these files and folders, and on standard error what is wrong with them.
pub(super) fn print_about(paths: &[PathBuf], about: impl FnOnce(&PolicySet) -> String) -> ExitCode {
    sound(paths).map_or(ExitCode::from(BROKEN), |(set, _)| super::print(&about(&set)))
}

/// The policies in these files and folders, and the units that they are of; None where anything is wrong. What is wrong has
/// been printed on standard error.
pub(super) fn sound(paths: &[PathBuf]) -> Option<(PolicySet, Vec<Arc<CompiledUnit>>)> {
    let paint = match AutoStream::choice(&std::io::stderr()) {
        ColorChoice::Never => Paint::Plain,
        _ => Paint::Coloured,
    };
    let Loaded { set, units, problems, .. } = load(paths, paint);
    problems.iter().for_each(|problem| anstream::eprintln!("{problem}"));
    set.map(|set| (set, units))
}

struct Loading {
    paint: Paint,
    problems: Vec<String>,
    is_broken: bool,
}

impl Loading {
    fn compiled(&mut self, unit: &Unit) -> Option<Arc<CompiledUnit>> {
        match compile(unit) {
            Ok(unit) => {
                self.diagnostics(unit.warnings(), false);
                Some(unit)
            }
            Err(problems) => {
                self.diagnostics(&problems, true);
                None
            }
        }
    }

    fn diagnostics(&mut self, found: &[Diagnostic], is_broken: bool) {
        self.is_broken |= is_broken && !found.is_empty();
        self.problems.extend(found.iter().map(|problem| problem.render(self.paint)));
    }

    fn error(&mut self, message: &str) {
        self.is_broken = true;
        self.problems.push(format!("error: {message}"));
    }
}
