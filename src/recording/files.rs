//! The files of a recording: lines, compressed, each file small, all together within a bound.
//!
//! A file is complete as far as it goes at every flush, so that a crash costs a second at most. It ends when it holds an
//! eighth of the bound, or is an hour old; the oldest make room for the next. Only the server's user may read them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;

/// How the names of recordings begin; then comes the time, so that names sort by age.
const PREFIX: &str = "reviews-";
/// How they end.
pub const ENDING: &str = ".jsonl.gz";
/// A file's part of the bound.
const PARTS: u64 = 8;
/// How old a file becomes.
const LONGEST: Duration = Duration::from_hours(1);

/// The recordings in a folder.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
    /// Bytes of all files together.
    bytes: u64,
    /// Who writes: several servers may share the folder.
    writer: String,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    encoder: GzEncoder<Counted>,
    begun: Instant,
    /// Bytes of lines that the encoder may hold back.
    pending: u64,
}

/// A file, and how much is in it.
#[derive(Debug)]
struct Counted {
    file: File,
    written: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Files {
    /// Recordings in this folder, which is made if it is not there. `writer` becomes part of the files' names.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn within(folder: &Path, bytes: u64, writer: &str) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let is_plain = |char: &char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.');
        let writer: String = writer.chars().filter(is_plain).take(64).collect();
        let mut files = Self { folder: folder.to_owned(), bytes, writer, open: None };
        files.begin()?;
        Ok(files)
    }

    /// Writes a line. False if no file can hold it.
    ///
    /// # Errors
    /// When it cannot be written; then the file is given up, and the next line begins another one.
    pub fn write(&mut self, line: &[u8]) -> io::Result<bool> {
        // What is not compressible grows by five bytes in 16 KiB.
        let most = line.len() as u64 + (line.len() as u64 >> 10) + 64;
        let part = self.bytes / PARTS;
        if most > part {
            return Ok(false);
        }
        self.try_write(line, most, part).inspect_err(|_| self.open = None).map(|()| true)
    }

    fn try_write(&mut self, line: &[u8], most: u64, part: u64) -> io::Result<()> {
        if let Some(open) = &mut self.open {
            if open.encoder.get_ref().written + open.pending + most > part {
                open.flush()?;
            }
            if open.encoder.get_ref().written + open.pending + most > part || open.begun.elapsed() > LONGEST {
                self.finish()?;
            }
        }
        let open = self.begin()?;
        open.encoder.write_all(line)?;
        open.pending += most;
        Ok(())
    }

    /// Makes sure that what was written is in the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if open.pending == 0 { Ok(()) } else { open.flush().inspect_err(|_| self.open = None) }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&mut self) -> io::Result<()> {
        self.open.take().map_or(Ok(()), |open| open.encoder.finish()?.flush())
    }

    fn begin(&mut self) -> io::Result<&mut Open> {
        if self.open.is_none() {
            self.make_room()?;
            let file = self.create()?;
            let encoder = GzEncoder::new(Counted { file, written: 0 }, Compression::fast());
            self.open = Some(Open { encoder, begun: Instant::now(), pending: 0 });
        }
        self.open.as_mut().ok_or_else(|| io::Error::other("no file is open"))
    }

    fn create(&self) -> io::Result<File> {
        let time = Timestamp::now().strftime("%Y%m%dT%H%M%S.%3fZ").to_string();
        for again in 0..1_000 {
            let name = format!("{PREFIX}{time}-{again:03}-{}{ENDING}", self.writer);
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.folder.join(name));
            match made {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made,
            }
        }
        Err(io::Error::from(io::ErrorKind::AlreadyExists))
    }

    /// Deletes the oldest files until another one fits.
    fn make_room(&self) -> io::Result<()> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)?.flatten() {
            let name = entry.file_name();
            let is_ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(ENDING));
            if is_ours && let Ok(about) = entry.metadata() {
                found.push((name, about.len()));
            }
        }
        found.sort();
        let mut taken: u64 = found.iter().map(|(_, bytes)| bytes).sum();
        for (name, bytes) in found {
            if taken + self.bytes / PARTS <= self.bytes {
                break;
            }
            // Another server may have been faster.
            match fs::remove_file(self.folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => taken -= bytes,
            }
        }
        Ok(())
    }
}

impl Open {
    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()?;
        self.pending = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;

    use flate2::read::GzDecoder;

    use super::*;

    fn recordings(folder: &Path) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    fn lines(path: &Path) -> (Vec<String>, bool) {
        let mut text = vec![];
        let is_whole = GzDecoder::new(File::open(path).unwrap()).read_to_end(&mut text).is_ok();
        (String::from_utf8(text).unwrap().lines().map(str::to_owned).collect(), is_whole)
    }

    /// Text that does not compress.
    fn noise(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut byte = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            b'!' + u8::try_from(state % 90).unwrap()
        };
        let mut line: Vec<u8> = (0..length).map(|_| byte()).collect();
        line.push(b'\n');
        line
    }

    #[test]
    fn has_every_line_in_a_file_that_nobody_else_may_read() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("made/on/the/way");
        let mut files = Files::within(&folder, 1 << 20, "pod-1/../x").unwrap();
        assert!(files.write(b"{\"a\":1}\n").unwrap());
        files.flush().unwrap();
        let [file] = &recordings(&folder)[..] else { panic!("one file") };
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(file.to_str().unwrap().ends_with("-000-pod-1..x.jsonl.gz"), "{file:?}");
        // What a crash leaves.
        assert_eq!(lines(file), (vec!["{\"a\":1}".to_owned()], false));
        files.write(b"{\"b\":2}\n").unwrap();
        files.finish().unwrap();
        assert_eq!(lines(file), (vec!["{\"a\":1}".to_owned(), "{\"b\":2}".to_owned()], true));
    }

    #[test]
    fn deletes_the_oldest_and_never_takes_more_than_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let foreign = folder.path().join("notes.txt");
        fs::write(&foreign, vec![0; 1 << 20]).unwrap();
        let mut files = Files::within(folder.path(), 1 << 20, "a").unwrap();
        let size = |path: &PathBuf| fs::metadata(path).unwrap().len();
        for number in 0..400 {
            assert!(files.write(&noise(number, 7_000)).unwrap());
            let total: u64 = recordings(folder.path()).iter().filter(|path| **path != foreign).map(size).sum();
            assert!(total <= 1 << 20, "{number}: {total}");
        }
        files.finish().unwrap();
        let kept: Vec<String> =
            recordings(folder.path()).iter().filter(|path| **path != foreign).flat_map(|it| lines(it).0).collect();
        assert!(kept.len() > 80, "{}", kept.len());
        let wanted: Vec<String> = (400 - kept.len() as u64..400)
            .map(|number| String::from_utf8(noise(number, 7_000)).unwrap().trim_end().to_owned())
            .collect();
        assert!(kept == wanted, "the newest are kept, in their order");
        assert!(foreign.exists());
    }

    #[test]
    fn refuses_a_line_that_no_file_can_hold() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::within(folder.path(), 1 << 20, "a").unwrap();
        assert!(!files.write(&noise(1, 200_000)).unwrap());
        assert!(files.write(&noise(1, 100_000)).unwrap());
    }

    #[test]
    fn says_at_once_that_a_folder_cannot_be_used() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(Files::within(&file.path().join("x"), 1 << 20, "a").is_err());
    }

    #[test]
    fn begins_another_file_after_one_that_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::within(folder.path(), 1 << 20, "a").unwrap();
        fs::remove_dir_all(folder.path()).unwrap();
        files.finish().unwrap();
        assert!(files.write(b"a\n").is_err());
        fs::create_dir(folder.path()).unwrap();
        assert!(files.write(b"b\n").unwrap());
        files.finish().unwrap();
        assert_eq!(lines(&recordings(folder.path())[0]).0, ["b"]);
    }
}
