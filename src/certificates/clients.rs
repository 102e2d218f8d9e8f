//! Whose client certificates are accepted: the CAs in a file, reloaded when it changes.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime, pem::PemObject as _};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};

use super::files::{FileError, read_bounded};
use super::provider;

/// Verifies client certificates by the CAs of a file. A client without one is let in, and known as such.
pub struct ClientAuthorities(ArcSwap<Arc<dyn ClientCertVerifier>>);

impl ClientAuthorities {
    fn now(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::clone(&self.0.load())
    }
}

impl fmt::Debug for ClientAuthorities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClientAuthorities")
    }
}

impl ClientCertVerifier for ClientAuthorities {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None: the API server has one certificate for a webhook, and the hints would be those of the start.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.now().verify_client_cert(leaf, others, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now().verify_tls12_signature(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now().verify_tls13_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.now().supported_verify_schemes()
    }
}

/// A file with CAs, PEM, followed while it changes.
#[derive(Debug)]
pub struct ClientAuthoritiesFile {
    path: PathBuf,
    hasher: RandomState,
    /// What was judged last, so that each change is reported once.
    judged: u64,
    authorities: Arc<ClientAuthorities>,
}

impl ClientAuthoritiesFile {
    /// Reads the file for the first time.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FileError> {
        let (path, hasher) = (path.into(), RandomState::new());
        let read = read_bounded(&path);
        let judged = hasher.hash_one(read.as_ref().map_err(io::Error::kind));
        let verifier = judge(&path, read)?;
        Ok(Self { path, hasher, judged, authorities: Arc::new(ClientAuthorities(ArcSwap::from_pointee(verifier))) })
    }

    /// What verifies by the file as it was last good.
    pub fn authorities(&self) -> Arc<ClientAuthorities> {
        Arc::clone(&self.authorities)
    }

    /// Looks whether the file has changed. None where it has not; an error where what was before stays.
    pub fn poll(&mut self) -> Option<Result<(), FileError>> {
        let read = read_bounded(&self.path);
        let digest = self.hasher.hash_one(read.as_ref().map_err(io::Error::kind));
        if digest == self.judged {
            return None;
        }
        self.judged = digest;
        Some(judge(&self.path, read).map(|verifier| self.authorities.0.store(Arc::new(verifier))))
    }
}

fn judge(path: &Path, read: io::Result<Vec<u8>>) -> Result<Arc<dyn ClientCertVerifier>, FileError> {
    let text = read.map_err(|error| FileError::unreadable(path, &error))?;
    verifier(&text).map_err(|reason| FileError::no_authorities(path, &reason))
}

fn verifier(text: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(text) {
        let root = root.map_err(|error| error.to_string())?;
        roots.add(root).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err("no CERTIFICATE block found".to_owned());
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).allow_unauthenticated();
    verifier.build().map_err(|error| error.to_string())
}
