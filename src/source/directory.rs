//! Policy files on disk: read when they change, which is found out by looking.
//!
//! The kubelet updates a mounted ConfigMap by swapping the symlink `..data`; a watch on the file behind it sees nothing.
//! So what is compared is where each path leads to, with its size and times, every [`POLL_EVERY`].

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use admittance_engine::document::{Diagnostic, SourceFile};
use admittance_engine::unit::Unit;

/// How often the files are looked at. A change is live well within two seconds.
pub const POLL_EVERY: Duration = Duration::from_millis(500);

/// How large a policy file may be: more than etcd lets a ConfigMap be.
const MAX_BYTES: u64 = 4 << 20;
/// How many files a folder may hold.
const MAX_FILES: usize = 10_000;
/// How deep folders may lie in each other.
const MAX_DEPTH: usize = 16;

/// Files and folders with policies.
#[derive(Debug)]
pub struct Directory {
    paths: Vec<PathBuf>,
    seen: BTreeMap<PathBuf, Print>,
}

/// What a file looked like from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Print {
    leads_to: PathBuf,
    bytes: u64,
    modified: Option<SystemTime>,
}

/// A file as it was found.
#[derive(Clone, Debug)]
pub enum Read {
    /// Its text.
    Unit(Unit),
    /// It could not be read: its name, and why.
    Unreadable(String, String),
    /// It is not UTF-8.
    Malformed(String, Box<Diagnostic>),
}

/// A path that was named and is not there, or cannot be listed.
#[derive(Debug)]
pub struct DirectoryError {
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot read policies from {}: {}", self.path.display(), self.error)
    }
}

impl std::error::Error for DirectoryError {}

impl Directory {
    /// These files and folders; nothing is read yet.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self { paths, seen: BTreeMap::new() }
    }

    /// All files, if one of them differs from what was there the last time.
    ///
    /// # Errors
    /// A named path that cannot be listed; what was seen before is kept, and the next call tries again.
    pub fn poll(&mut self) -> Result<Option<Vec<Read>>, DirectoryError> {
        let mut now = BTreeMap::new();
        for path in &self.paths {
            let list = |files: &mut BTreeMap<PathBuf, Print>| list(path, 0, files);
            list(&mut now).map_err(|error| DirectoryError { path: path.clone(), error })?;
        }
        if now == self.seen && !self.seen.is_empty() {
            return Ok(None);
        }
        let files = now.iter().map(|(path, print)| read(path, print)).collect();
        self.seen = now;
        Ok(Some(files))
    }
}

fn read(path: &Path, print: &Print) -> Read {
    let name = path.display().to_string();
    if print.bytes > MAX_BYTES {
        return Read::Unreadable(name, format!("it is larger than {MAX_BYTES} bytes"));
    }
    match fs::read(path) {
        Err(error) => Read::Unreadable(name, error.to_string()),
        Ok(bytes) => match SourceFile::from_bytes(name.clone(), bytes) {
            Ok(file) => Read::Unit(Unit::of_file(Arc::clone(&file))),
            Err(problem) => Read::Malformed(name, problem),
        },
    }
}

/// Adds the policy files at `path`: itself if it is a file, else those in it that end in .yaml, .yml or .json. Names that
/// start with a dot are passed over, the kubelet's `..data` among them.
fn list(path: &Path, depth: usize, files: &mut BTreeMap<PathBuf, Print>) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() {
        let leads_to = fs::canonicalize(path)?;
        files.insert(path.to_owned(), Print { leads_to, bytes: metadata.len(), modified: metadata.modified().ok() });
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(io::Error::other("its folders lie too deep in each other"));
    }
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_hidden || !(path.is_dir() || has_ending(&path)) {
            continue;
        }
        if files.len() >= MAX_FILES {
            return Err(io::Error::other(format!("it holds more than {MAX_FILES} files")));
        }
        match list(&path, depth + 1, files) {
            // Between listing and looking a file may go, as when the kubelet swaps its symlink.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}

fn has_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|known| ending == *known))
}
