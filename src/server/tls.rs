//! The certificate of the server: read from files or made in memory, and swapped while connections run.
//!
//! rustls with aws-lc-rs, TLS 1.2 and 1.3. Sessions are never resumed: a resumed one would skip the certificate that
//! was just rotated in, and the API server does not resume anyway.

use std::{
    fmt, fs,
    hash::{BuildHasher, RandomState},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use arc_swap::ArcSwap;
use rustls::{
    InconsistentKeys, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
};
use x509_parser::prelude::{FromDer, X509Certificate};

/// How often [`CertificateFiles::poll`] is meant to be called.
pub const POLL_EVERY: Duration = Duration::from_millis(500);

/// The most that is read of a certificate or key file; real ones have a few thousand bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// How long a self-signed certificate lives; it ends with the process anyway.
const SELF_SIGNED_LIFE: Duration = Duration::from_hours(365 * 24);

/// A certificate chain with its private key: checked to belong together and not to have expired.
pub struct Certificate {
    key: Arc<CertifiedKey>,
    not_after: SystemTime,
}

impl Certificate {
    /// Checks a PEM chain (leaf first) and a PEM private key (PKCS#8, PKCS#1 or SEC1).
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, Flaw> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Flaw::Certificate(error.to_string()))?;
        let leaf = chain.first().ok_or_else(|| Flaw::Certificate("no CERTIFICATE block found".to_owned()))?;
        let not_after = not_after(leaf)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| Flaw::Key(error.to_string()))?;
        if not_after <= SystemTime::now() {
            return Err(Flaw::Expired);
        }
        let key = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => Flaw::Mismatch,
            rustls::Error::InvalidCertificate(_) => Flaw::Certificate(error.to_string()),
            other => Flaw::Key(other.to_string()),
        })?;
        Ok(Self { key: Arc::new(key), not_after })
    }

    /// When the leaf expires.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }
}

/// Never prints the key.
impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Certificate").field("not_after", &self.not_after).finish_non_exhaustive()
    }
}

/// What is wrong with a certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The chain is not PEM, or its leaf is no X.509 certificate.
    Certificate(String),
    /// The key is not PEM, or of a kind that cannot sign for TLS.
    Key(String),
    /// The key is not the leaf's: half of a rotation, or a wrong file.
    Mismatch,
    /// The leaf has expired.
    Expired,
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn not_after(leaf: &CertificateDer<'_>) -> Result<SystemTime, Flaw> {
    let (_, parsed) = X509Certificate::from_der(leaf).map_err(|error| Flaw::Certificate(error.to_string()))?;
    let seconds = u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or(0);
    Ok(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// A certificate made in memory, for a server that was given none.
#[derive(Debug)]
pub struct SelfSigned {
    /// What the server presents.
    pub certificate: Certificate,
    /// The certificate alone, as PEM: what a client trusts (`curl --cacert`, a webhook's `caBundle`).
    pub pem: String,
}

/// Makes a certificate for `localhost`, `127.0.0.1`, `::1` and the names and addresses in `more`; valid for a year.
pub fn self_signed(more: &[String]) -> Result<SelfSigned, SelfSignedError> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    for name in more.iter().filter(|name| !name.is_empty()) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let make = || -> Result<(String, String), rcgen::Error> {
        let mut wanted = rcgen::CertificateParams::new(names)?;
        let now = SystemTime::now();
        // An hour back, for clients whose clock is behind ours.
        wanted.not_before = (now - Duration::from_hours(1)).into();
        wanted.not_after = (now + SELF_SIGNED_LIFE).into();
        wanted.distinguished_name = rcgen::DistinguishedName::new();
        wanted.distinguished_name.push(rcgen::DnType::CommonName, "admittance self-signed");
        wanted.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        wanted.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let key = rcgen::KeyPair::generate()?;
        Ok((wanted.self_signed(&key)?.pem(), key.serialize_pem()))
    };
    let (pem, key) = make().map_err(|error| SelfSignedError(error.to_string()))?;
    let certificate =
        Certificate::from_pem(pem.as_bytes(), key.as_bytes()).map_err(|flaw| SelfSignedError(format!("{flaw:?}")))?;
    Ok(SelfSigned { certificate, pem })
}

/// Why no certificate could be made in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfSignedError(String);

impl fmt::Display for SelfSignedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot make a self-signed certificate ({}): give a certificate and a key as files", self.0)
    }
}

impl std::error::Error for SelfSignedError {}

/// The certificate that new handshakes get; replaced without touching the connections that run.
#[derive(Debug)]
pub struct Presented(ArcSwap<Certificate>);

impl Presented {
    /// Presents `certificate` until [`Presented::replace`].
    pub fn new(certificate: Certificate) -> Self {
        Self(ArcSwap::from_pointee(certificate))
    }

    /// From now on, handshakes get `certificate`.
    pub fn replace(&self, certificate: Certificate) {
        self.0.store(Arc::new(certificate));
    }

    /// When the leaf that is presented expires.
    pub fn not_after(&self) -> SystemTime {
        self.0.load().not_after
    }

    /// Whether this is the leaf that is presented.
    pub fn is_presented(&self, leaf: &CertificateDer<'_>) -> bool {
        self.0.load().key.cert.first() == Some(leaf)
    }
}

impl ResolvesServerCert for Presented {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.load().key))
    }
}

/// The TLS settings of a listener that presents `presented`.
///
/// ALPN is `http/1.1` alone, with `h2` before it only where `http2` says so: the API server keeps one HTTP/2
/// connection to one replica, which would then get all of the load.
pub fn server_config(presented: Arc<Presented>, http2: bool) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(presented);
    config.alpn_protocols = if http2 { vec![b"h2".to_vec()] } else { Vec::new() };
    config.alpn_protocols.push(b"http/1.1".to_vec());
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

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
    /// The new pair is presented from now on; its leaf expires then.
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
        Certificate::from_pem(&chain, &key).map_err(|flaw| FileError::flawed(&self.chain, &self.key, &flaw))
    }
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
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
    fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self(format!("cannot read \"{}\": {error}", path.display()))
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

#[cfg(test)]
mod tests;
