//! Which files are read.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use admittance_engine::document::{Diagnostic, Limits, Parsed, SourceFile, parse};

/// What one file of manifests may cost: enough for what `kubectl get --all-namespaces -o yaml` prints of ten thousand
/// objects. A policy file may cost less.
pub const LIMITS: Limits = Limits { bytes: 128 << 20, depth: 100, nodes: 4_000_000 };

/// The endings of manifests in folders; a file that is named itself may have any.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// What stands for standard input in messages.
const STANDARD_INPUT: &str = "<stdin>";

/// One file to read.
#[derive(Clone, Debug)]
pub enum Input {
    /// A file, read when it is its turn.
    Path(PathBuf),
    /// Standard input, which can be read only once.
    Text(Arc<SourceFile>),
}

/// Why a file cannot be read.
#[derive(Debug)]
pub enum InputError {
    /// By the operating system.
    Unreadable(String),
    /// It is not UTF-8.
    Malformed(Box<Diagnostic>),
}

impl Input {
    /// The file's text.
    ///
    /// # Errors
    /// When there is no such file, or it is no text.
    pub fn read(&self) -> Result<Arc<SourceFile>, InputError> {
        match self {
            Self::Text(file) => Ok(Arc::clone(file)),
            Self::Path(path) => {
                let bytes = fs::read(path).map_err(|error| InputError::Unreadable(unreadable(path, &error)))?;
                SourceFile::from_bytes(path.display().to_string(), bytes).map_err(InputError::Malformed)
            }
        }
    }
}

/// The documents of a file of manifests.
pub fn documents(file: &Arc<SourceFile>) -> Parsed {
    parse(file, &LIMITS)
}

/// The files that these arguments name, in their order: `-` is standard input, a folder stands for the manifests in it and
/// in its folders, sorted by path. Names that begin with a dot are passed over, links to folders too: they could lead back.
/// The second list says what is wrong with arguments; the others are read all the same.
pub fn find(arguments: &[PathBuf]) -> (Vec<Input>, Vec<String>) {
    let (mut inputs, mut problems) = (Vec::new(), Vec::new());
    for argument in arguments {
        if argument.as_os_str() == "-" {
            match standard_input() {
                Ok(file) => inputs.push(Input::Text(file)),
                Err(problem) => problems.push(problem),
            }
            continue;
        }
        let mut files = Vec::new();
        match walk(argument, &mut files) {
            Err((path, error)) => problems.push(unreadable(&path, &error)),
            Ok(()) if files.is_empty() => {
                problems.push(format!(
                    "{:?} holds no manifests: no file in it ends in .yaml, .yml or .json",
                    argument.display()
                ));
            }
            Ok(()) => inputs.extend(files.into_iter().map(Input::Path)),
        }
    }
    (inputs, problems)
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("cannot read {:?}: {error}", path.display())
}

fn standard_input() -> Result<Arc<SourceFile>, String> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(LIMITS.bytes as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot read standard input: {error}"))?;
    SourceFile::from_bytes(STANDARD_INPUT, bytes).map_err(|problem| problem.to_string())
}

fn walk(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let failed = |error| (path.to_owned(), error);
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries: Vec<fs::DirEntry> = fs::read_dir(path).and_then(Iterator::collect).map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let kind = entry.file_type().map_err(failed)?;
        let path = entry.path();
        if kind.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) && path.is_file()
        {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_manifests_in_folders_sorted_and_passes_over_hidden_ones() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("b/.git")).unwrap();
        for name in ["c.json", "a.yaml", "b/x.yml", "b/notes.txt", ".hidden.yaml", "b/.git/config.yaml"] {
            fs::write(root.join(name), "").unwrap();
        }
        std::os::unix::fs::symlink("..", root.join("b/back")).unwrap();
        let (inputs, problems) = find(&[root.to_owned()]);
        let names: Vec<_> = inputs
            .iter()
            .map(|input| match input {
                Input::Path(path) => path.strip_prefix(root).unwrap().display().to_string(),
                Input::Text(_) => unreachable!(),
            })
            .collect();
        assert_eq!((names, problems), (vec!["a.yaml".to_owned(), "b/x.yml".into(), "c.json".into()], vec![]));
    }

    #[test]
    fn takes_a_named_file_whatever_its_ending_and_reports_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notes.txt");
        fs::write(&file, "").unwrap();
        let missing = folder.path().join("gone.yaml");
        let (inputs, problems) = find(&[missing.clone(), file, folder.path().to_owned()]);
        assert_eq!(inputs.len(), 1);
        assert_eq!(
            problems,
            [
                format!("cannot read {:?}: No such file or directory (os error 2)", missing.display().to_string()),
                format!(
                    "{:?} holds no manifests: no file in it ends in .yaml, .yml or .json",
                    folder.path().display().to_string()
                ),
            ]
        );
    }
}
