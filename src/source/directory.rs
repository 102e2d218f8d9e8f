//! Policy files on disk: read when they change, which is found out by looking.
//!
//! The kubelet updates a mounted ConfigMap by swapping the symlink `..data`; a watch on the file behind it sees nothing.
//! So what is compared is where each path leads to, with its size and times, every [`POLL_EVERY`]. A change counts once it
//! has come to rest: a file that is being written is empty for a moment, and one that is being replaced is gone.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use admittance_engine::document::SourceFile;
use admittance_engine::unit::Unit;

use super::read::{Read, Revision};

/// How often the files are looked at. A change is live within two seconds: it is seen by the next look and taken over by
/// the one after, or, where it never comes to rest, by the third.
pub const POLL_EVERY: Duration = Duration::from_millis(500);
/// How many looks in a row may find something new each time before it is taken as it is.
const MAX_RESTLESS: usize = 2;

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
    /// What was there when the files were read; None before that.
    seen: Option<Prints>,
    /// What was there at the last look, if it was not what had been read, and how many looks have found something new.
    restless: Option<(Prints, usize)>,
}

type Prints = BTreeMap<PathBuf, Print>;

/// What a file looked like from outside.
///
/// The time of modification is what tools set at will; the time of change and the inode are the file system's own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Print {
    leads_to: PathBuf,
    bytes: u64,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Print {
    fn of(leads_to: PathBuf, metadata: &fs::Metadata) -> Self {
        Self {
            leads_to,
            bytes: metadata.len(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
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
        Self { paths, seen: None, restless: None }
    }

    /// All files, if one of them differs from what was read the last time, and none of them since the last look.
    ///
    /// # Errors
    /// A named path that cannot be listed; what was seen before is kept, and the next call tries again.
    pub fn poll(&mut self) -> Result<Option<Vec<Read>>, DirectoryError> {
        let mut now = Prints::new();
        for path in &self.paths {
            let list = |files: &mut Prints| list(path, 0, files);
            list(&mut now).map_err(|error| DirectoryError { path: path.clone(), error })?;
        }
        if self.seen.as_ref() == Some(&now) {
            self.restless = None;
            return Ok(None);
        }
        let looks = match &self.restless {
            Some((before, _)) if *before == now => MAX_RESTLESS,
            Some((_, looks)) => *looks,
            None => 0,
        };
        if self.seen.is_some() && looks < MAX_RESTLESS {
            self.restless = Some((now, looks + 1));
            return Ok(None);
        }
        let files = now.iter().map(|(path, print)| read(path, print)).collect();
        (self.seen, self.restless) = (Some(now), None);
        Ok(Some(files))
    }
}

fn read(path: &Path, print: &Print) -> Read {
    let name = path.display().to_string();
    if print.bytes > MAX_BYTES {
        return Read::Unreadable(name, format!("it is larger than {MAX_BYTES} bytes"), Revision::default());
    }
    match fs::read(path) {
        Err(error) => Read::Unreadable(name, error.to_string(), Revision::default()),
        Ok(bytes) => match SourceFile::from_bytes(name.clone(), bytes) {
            Ok(file) => Read::Unit(Unit::of_file(Arc::clone(&file)), Revision::default()),
            Err(problem) => Read::Malformed(name, problem),
        },
    }
}

/// Adds the policy files at `path`: itself if it is a file, else those in it that end in .yaml, .yml or .json. Names that
/// start with a dot are passed over, the kubelet's `..data` among them.
fn list(path: &Path, depth: usize, files: &mut Prints) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() {
        let leads_to = fs::canonicalize(path)?;
        files.insert(path.to_owned(), Print::of(leads_to, &metadata));
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(read: Result<Option<Vec<Read>>, DirectoryError>) -> Option<Vec<String>> {
        let name = |read| match read {
            Read::Unit(unit, _) => unit.files[0].text().to_owned(),
            Read::Unreadable(_, reason, _) => reason,
            Read::Malformed(_, problem) => problem.to_string(),
        };
        read.unwrap().map(|files| files.into_iter().map(name).collect())
    }

    #[test]
    fn waits_until_a_change_has_come_to_rest_but_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        let read = |text: &str| Some(vec![text.to_owned()]);
        fs::write(&file, "one").unwrap();
        let mut directory = Directory::new(vec![folder.path().to_owned()]);
        assert_eq!((names(directory.poll()), names(directory.poll())), (read("one"), None));

        fs::write(&file, "").unwrap();
        assert_eq!(names(directory.poll()), None);
        fs::write(&file, "seven").unwrap();
        assert_eq!(names(directory.poll()), None);
        assert_eq!((names(directory.poll()), names(directory.poll())), (read("seven"), None));

        // Gone and back again with what was read: a rename has changed the time of change.
        fs::rename(&file, folder.path().join("aside")).unwrap();
        assert_eq!(names(directory.poll()), None);
        fs::rename(folder.path().join("aside"), &file).unwrap();
        assert_eq!(names(directory.poll()), None);
        assert_eq!(names(directory.poll()), read("seven"));

        // What changes at every look is taken at the third.
        for (text, taken) in [("1", None), ("22", None), ("333", read("333"))] {
            fs::write(&file, text).unwrap();
            assert_eq!(names(directory.poll()), taken);
        }
    }

    #[test]
    fn sees_a_file_of_the_same_size_and_time_of_modification() {
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("a.yaml"), folder.path().join("b"));
        fs::write(&file, "one").unwrap();
        fs::write(&other, "two").unwrap();
        let mut directory = Directory::new(vec![folder.path().to_owned()]);
        directory.poll().unwrap();
        let modified = fs::metadata(&file).unwrap().modified().unwrap();
        fs::File::options().write(true).open(&other).unwrap().set_modified(modified).unwrap();
        fs::rename(&other, &file).unwrap();
        assert_eq!((names(directory.poll()), names(directory.poll())), (None, Some(vec!["two".to_owned()])));
    }

    /// What is found once a change has come to rest: paths from the folder on, and texts.
    fn poll(directory: &mut Directory, folder: &Path) -> Option<Vec<String>> {
        let prefix = format!("{}/", folder.display());
        let read = directory.poll().unwrap().or_else(|| directory.poll().unwrap());
        let name = |read| match read {
            Read::Unit(unit, _) => format!("{} {}", unit.name, unit.files[0].text()).replace(&prefix, ""),
            Read::Unreadable(name, reason, _) => format!("{name} {reason}"),
            Read::Malformed(name, problem) => format!("{name} {problem}"),
        };
        read.map(|files| files.into_iter().map(name).collect())
    }

    #[test]
    fn reads_files_with_the_endings_of_documents_and_passes_over_hidden_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir(path.join("deep")).unwrap();
        for name in ["b.yaml", "a.yml", "c.json", "d.txt", ".e.yaml", "deep/f.yaml"] {
            fs::write(path.join(name), name).unwrap();
        }
        let mut directory = Directory::new(vec![path.to_owned()]);
        assert_eq!(
            poll(&mut directory, path).unwrap(),
            ["a.yml a.yml", "b.yaml b.yaml", "c.json c.json", "deep/f.yaml deep/f.yaml"]
        );
    }

    #[test]
    fn says_nothing_until_something_changes() {
        let folder = tempfile::tempdir().unwrap();
        let mut directory = Directory::new(vec![folder.path().to_owned()]);
        assert_eq!(poll(&mut directory, folder.path()), Some(vec![]));
        assert_eq!(poll(&mut directory, folder.path()), None);
        fs::write(folder.path().join("a.yaml"), "1").unwrap();
        assert_eq!(poll(&mut directory, folder.path()), Some(vec!["a.yaml 1".to_owned()]));
        assert_eq!(poll(&mut directory, folder.path()), None);
        fs::remove_file(folder.path().join("a.yaml")).unwrap();
        assert_eq!(poll(&mut directory, folder.path()), Some(vec![]));
    }

    #[test]
    fn sees_the_swap_of_a_symbolic_link_to_files_of_the_same_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        for (version, text) in [("..1", "one"), ("..2", "two")] {
            fs::create_dir(path.join(version)).unwrap();
            fs::write(path.join(version).join("a.yaml"), text).unwrap();
        }
        symlink("..1", path.join("..data")).unwrap();
        symlink("..data/a.yaml", path.join("a.yaml")).unwrap();
        let mut directory = Directory::new(vec![path.to_owned()]);
        assert_eq!(poll(&mut directory, path), Some(vec!["a.yaml one".to_owned()]));
        symlink("..2", path.join("..data_tmp")).unwrap();
        fs::rename(path.join("..data_tmp"), path.join("..data")).unwrap();
        assert_eq!(poll(&mut directory, path), Some(vec!["a.yaml two".to_owned()]));
    }

    #[test]
    fn names_a_path_that_is_not_there_and_tries_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policies");
        let mut directory = Directory::new(vec![path.clone()]);
        let error = directory.poll().unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot read policies from {}: ", path.display())), "{error}");
        fs::create_dir(&path).unwrap();
        assert_eq!(poll(&mut directory, &path), Some(vec![]));
    }
}
