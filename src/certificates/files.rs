//! A certificate and its key as files, followed while they are rotated.

use std::{
    fmt, fs,
    hash::{BuildHasher, RandomState},
    io::{self, Read},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{Certificate, Flaw, Presented};

/// How often [`CertificateFiles::poll`] is meant to be called.
pub const POLL_EVERY: Duration = Duration::from_millis(500);

/// The most that is read of a certificate or key file; real ones have a few thousand bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A certificate and its key as files, followed while they are rotated: by rename, in place, or by the swap of a
/// symbolic link above them, as the kubelet does for a mounted Secret.
///
/// Contents are compared, not times: both files are small, and a time stands still for two writes of one tick.
#[derive(Debug)]
pub struct CertificateFiles {
    chain: PathBuf,
    key: PathBuf,
    hasher: RandomState,
    /// The pair (or the failure to read it) that was judged last, so that each change is reported once.
    judged: u64,
}

/// A change of the files that [`CertificateFiles::poll`] saw.
#[derive(Debug)]
pub enum Change {
    /// The new pair is presented from now on; it expires then.
    Replaced(SystemTime),
    /// The files cannot be used as they are: the last good pair stays.
    Kept(FileError),
}

impl CertificateFiles {
    /// Reads both files for the first time.
    pub fn open(chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<(Self, Certificate), FileError> {
        let mut files = Self { chain: chain.into(), key: key.into(), hasher: RandomState::new(), judged: 0 };
        let mut read = files.read();
        for _ in 0..3 {
            let again = files.read();
            if files.digest(&read) == files.digest(&again) {
                break;
            }
            read = again;
        }
        files.judged = files.digest(&read);
        let certificate = files.judge(read)?;
        Ok((files, certificate))
    }

    /// Looks whether the files have changed and, where they hold a good pair, has `presented` present it.
    ///
    /// `None` where nothing has changed. Reads two small files: to be called every [`POLL_EVERY`] off the runtime
    /// that answers requests.
    pub fn poll(&mut self, presented: &Presented) -> Option<Change> {
        let read = self.read();
        let digest = self.digest(&read);
        if digest == self.judged {
            return None;
        }
        // The link may have been swapped between the two reads: only a pair that stands still is judged.
        if digest != self.digest(&self.read()) {
            return None;
        }
        self.judged = digest;
        Some(match self.judge(read) {
            Ok(certificate) => {
                let not_after = certificate.not_after();
                presented.replace(certificate);
                Change::Replaced(not_after)
            }
            Err(error) => Change::Kept(error),
        })
    }

    fn read(&self) -> [io::Result<Vec<u8>>; 2] {
        [read_bounded(&self.chain), read_bounded(&self.key)]
    }

    fn digest(&self, read: &[io::Result<Vec<u8>>; 2]) -> u64 {
        let [chain, key] = read.each_ref().map(|file| file.as_ref().map_err(io::Error::kind));
        self.hasher.hash_one((chain, key))
    }

    fn judge(&self, read: [io::Result<Vec<u8>>; 2]) -> Result<Certificate, FileError> {
        let [chain, key] = read;
        let chain = chain.map_err(|error| FileError::unreadable(&self.chain, &error))?;
        let key = key.map_err(|error| FileError::unreadable(&self.key, &error))?;
        Certificate::from_pem(&chain, &key, SystemTime::now())
            .map_err(|flaw| FileError::flawed(&self.chain, &self.key, &flaw))
    }
}

pub(super) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// Why a pair of files cannot be used; its text names the file and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError(String);

impl FileError {
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self(format!("cannot read \"{}\": {error}", path.display()))
    }

    pub(super) fn no_authorities(path: &Path, reason: &str) -> Self {
        Self(format!("\"{}\" holds no usable CA certificates ({reason}): expected PEM", path.display()))
    }

    fn flawed(chain: &Path, key: &Path, flaw: &Flaw) -> Self {
        let (chain, key) = (chain.display(), key.display());
        Self(match flaw {
            Flaw::Certificate(reason) => {
                format!("\"{chain}\" is not a usable certificate chain ({reason}): expected PEM, the leaf first")
            }
            Flaw::Key(reason) => {
                format!("\"{key}\" is not a usable private key ({reason}): expected PEM (PKCS#8, PKCS#1 or SEC1)")
            }
            Flaw::Mismatch => {
                format!("the key in \"{key}\" does not belong to the certificate in \"{chain}\": replace both together")
            }
            Flaw::Expired => format!("the certificate in \"{chain}\" has expired: renew it"),
        })
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for FileError {}
