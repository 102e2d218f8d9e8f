//! The lines of recordings, compressed or not.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use flate2::bufread::MultiGzDecoder;

/// The endings of recordings in folders; a file that is named itself may have any.
const ENDINGS: [&str; 6] = [".jsonl.gz", ".jsonl", ".log.gz", ".log", ".json.gz", ".json"];
/// The longest line, in bytes: a review with both objects as large as they can be is a third of it.
const LONGEST: u64 = 128 << 20;
/// What is read at once.
const BUFFER: usize = 256 << 10;

/// A file of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Input,
    /// A file.
    File(PathBuf),
}

impl Source {
    /// As messages name it.
    pub fn name(&self) -> String {
        match self {
            Self::Input => "<stdin>".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// How large it is, where that is known.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Input => 0,
            Self::File(path) => fs::metadata(path).map_or(0, |about| about.len()),
        }
    }

    /// Its lines. `read` counts the bytes that are taken from it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn lines(&self, read: Arc<AtomicU64>) -> io::Result<Lines> {
        let raw: Box<dyn Read + Send> = match self {
            Self::Input => Box::new(io::stdin()),
            Self::File(path) => Box::new(File::open(path)?),
        };
        Lines::of(Counted { raw, read })
    }
}

/// The files that these arguments name, in their order: `-` is standard input, a folder stands for the recordings in it.
///
/// # Errors
/// What is not there, or holds no recording; all problems at once.
pub fn find(arguments: &[PathBuf]) -> Result<Vec<Source>, Vec<String>> {
    let (mut sources, mut problems) = (Vec::new(), Vec::new());
    for argument in arguments {
        if argument.as_os_str() == "-" {
            sources.push(Source::Input);
            continue;
        }
        match within(argument) {
            Err(error) => problems.push(format!("cannot read {:?}: {error}", argument.display().to_string())),
            Ok(files) if files.is_empty() => problems.push(format!(
                "{:?} holds no recordings: no file in it ends in .jsonl.gz, .jsonl, .json or .log",
                argument.display().to_string()
            )),
            Ok(files) => sources.extend(files.into_iter().map(Source::File)),
        }
    }
    if problems.is_empty() { Ok(sources) } else { Err(problems) }
}

fn within(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let is_recording = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        !name.starts_with('.') && ENDINGS.iter().any(|ending| name.ends_with(ending)) && path.is_file()
    };
    let entries: Vec<fs::DirEntry> = fs::read_dir(path)?.collect::<io::Result<_>>()?;
    let mut files: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).filter(is_recording).collect();
    files.sort();
    Ok(files)
}

struct Counted {
    raw: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.raw.read(buffer)?;
        self.read.fetch_add(count as u64, Relaxed);
        Ok(count)
    }
}

/// The lines of a file.
pub struct Lines(Box<dyn BufRead + Send>);

/// What comes next in a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// A line, without its end.
    Line(Vec<u8>),
    /// The beginning of a line: there the file was cut off.
    Cut,
    /// A line that is longer than any review.
    TooLong,
    /// It cannot be read on.
    Broken(String),
    /// Its end.
    End,
}

impl Lines {
    fn of(raw: impl Read + Send + 'static) -> io::Result<Self> {
        let mut reader = BufReader::with_capacity(BUFFER, raw);
        let is_compressed = reader.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        if is_compressed {
            return Ok(Self(Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(reader)))));
        }
        Ok(Self(Box::new(reader)))
    }

    /// The next line. After [`Next::Cut`], [`Next::Broken`] and [`Next::End`] there is nothing more.
    pub fn next_line(&mut self) -> Next {
        let mut line = Vec::new();
        match (&mut self.0).take(LONGEST).read_until(b'\n', &mut line) {
            Ok(0) => Next::End,
            Ok(_) if line.ends_with(b"\n") => {
                line.pop();
                Next::Line(line)
            }
            Ok(count) if count as u64 == LONGEST => self.skip(),
            // The last line may lack its end.
            Ok(_) if serde_json::from_slice::<serde::de::IgnoredAny>(&line).is_ok() => Next::Line(line),
            Ok(_) => Next::Cut,
            // A compressed file that nobody has finished: what was flushed is there.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && line.is_empty() => Next::End,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Next::Cut,
            Err(error) => Next::Broken(error.to_string()),
        }
    }

    fn skip(&mut self) -> Next {
        let mut rest = Vec::new();
        loop {
            rest.clear();
            match (&mut self.0).take(LONGEST).read_until(b'\n', &mut rest) {
                Ok(count) if count as u64 == LONGEST && !rest.ends_with(b"\n") => {}
                Ok(_) => return Next::TooLong,
                Err(_) => return Next::Cut,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn all(bytes: &[u8]) -> Vec<Next> {
        let mut lines = Lines::of(io::Cursor::new(bytes.to_vec())).unwrap();
        let mut found = vec![];
        loop {
            let next = lines.next_line();
            let is_last = matches!(next, Next::End | Next::Cut | Next::Broken(_));
            found.push(next);
            if is_last {
                return found;
            }
        }
    }

    fn line(text: &str) -> Next {
        Next::Line(text.as_bytes().to_vec())
    }

    fn compressed(parts: &[&str]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(vec![], Compression::fast());
        for part in parts {
            encoder.write_all(part.as_bytes()).unwrap();
            encoder.flush().unwrap();
        }
        encoder.finish().unwrap()
    }

    #[test]
    fn reads_lines_compressed_or_not() {
        for bytes in [b"{}\n{\"a\":1}\n".to_vec(), b"{}\n{\"a\":1}".to_vec(), compressed(&["{}\n{\"a\":", "1}\n"])] {
            assert_eq!(all(&bytes), [line("{}"), line("{\"a\":1}"), Next::End]);
        }
        let twice = [compressed(&["{}\n"]), compressed(&["1\n"])].concat();
        assert_eq!(all(&twice), [line("{}"), line("1"), Next::End]);
        assert_eq!(all(b""), [Next::End]);
    }

    #[test]
    fn keeps_what_comes_before_a_cut() {
        assert_eq!(all(b"{}\n{\"a\":"), [line("{}"), Next::Cut]);
        let whole = compressed(&["{}\n", "{\"a\":1}\n", "{\"b\":2}\n"]);
        let mut seen = std::collections::BTreeSet::new();
        for end in 12..whole.len() {
            let found = all(&whole[..end]);
            let lines = found.iter().filter(|next| matches!(next, Next::Line(_))).count();
            assert!(matches!(found.last(), Some(Next::Cut | Next::End)), "{end}: {found:?}");
            seen.insert(lines);
        }
        assert_eq!(Vec::from_iter(seen), [0, 1, 2, 3]);
    }

    #[test]
    fn reports_what_is_damaged() {
        let mut damaged = compressed(&[&"{\"a\":1}\n".repeat(1_000)]);
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0xff;
        let found = all(&damaged);
        assert!(matches!(found.last(), Some(Next::Broken(_) | Next::Cut)), "{:?}", found.last());
    }

    #[test]
    fn finds_recordings_in_folders_sorted() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.jsonl", "a.jsonl.gz", "audit.log", "notes.txt", ".x.jsonl"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let found = find(&[folder.path().to_owned(), PathBuf::from("-"), folder.path().join("notes.txt")]).unwrap();
        let names: Vec<String> =
            found.iter().map(|source| source.name().replace(folder.path().to_str().unwrap(), "")).collect();
        assert_eq!(names, ["/a.jsonl.gz", "/audit.log", "/b.jsonl", "<stdin>", "/notes.txt"]);
        let (gone, empty) = (folder.path().join("gone"), tempfile::tempdir().unwrap());
        assert_eq!(
            find(&[gone.clone(), empty.path().to_owned()]).unwrap_err(),
            [
                format!("cannot read {:?}: No such file or directory (os error 2)", gone.display().to_string()),
                format!(
                    "{:?} holds no recordings: no file in it ends in .jsonl.gz, .jsonl, .json or .log",
                    empty.path().display().to_string()
                ),
            ]
        );
    }
}
