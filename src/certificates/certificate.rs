//! A certificate chain with its key, checked.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::InconsistentKeys;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate chain with its private key: checked to belong together and not to have expired.
#[derive(Clone)]
pub struct Certificate {
    key: Arc<CertifiedKey>,
    not_after: SystemTime,
}

impl Certificate {
    /// Checks a PEM chain (leaf first) and a PEM private key (PKCS#8, PKCS#1 or SEC1) for use at `now`.
    pub fn from_pem(chain: &[u8], key: &[u8], now: SystemTime) -> Result<Self, Flaw> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Flaw::Certificate(error.to_string()))?;
        let ends = chain.iter().map(not_after).collect::<Result<Vec<_>, _>>()?;
        let leaf_ends = *ends.first().ok_or_else(|| Flaw::Certificate("no CERTIFICATE block found".to_owned()))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| Flaw::Key(error.to_string()))?;
        // Of the others an old one may stand beside a new one, for clients that know the one or the other.
        if leaf_ends <= now {
            return Err(Flaw::Expired);
        }
        let key = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => Flaw::Mismatch,
            rustls::Error::InvalidCertificate(_) => Flaw::Certificate(error.to_string()),
            other => Flaw::Key(other.to_string()),
        })?;
        Ok(Self { key: Arc::new(key), not_after: ends.into_iter().fold(leaf_ends, SystemTime::min) })
    }

    /// When the first certificate of the chain expires.
    pub const fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// The same, of a chain that is not sent whole: its root expires then.
    pub(super) fn under_root_until(self, not_after: SystemTime) -> Self {
        Self { not_after: self.not_after.min(not_after), ..self }
    }

    pub(super) fn leaf(&self) -> Option<&CertificateDer<'static>> {
        self.key.cert.first()
    }

    pub(super) fn key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
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
    /// The chain is not PEM, or holds something that is no X.509 certificate.
    Certificate(String),
    /// The key is not PEM, or of a kind that cannot sign for TLS.
    Key(String),
    /// The key is not the leaf's: half of a rotation, or a wrong file.
    Mismatch,
    /// The leaf has expired.
    Expired,
}

/// The one provider of cryptography.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn not_after(certificate: &CertificateDer<'_>) -> Result<SystemTime, Flaw> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|error| Flaw::Certificate(error.to_string()))?;
    Ok(time(parsed.validity().not_after.timestamp()))
}

/// A time of X.509, in seconds since 1970.
pub(super) fn time(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}
