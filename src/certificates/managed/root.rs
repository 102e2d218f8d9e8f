//! CA certificates of ours, as clients trust them.

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::super::certificate::time;

/// How far back a certificate is dated, for clients whose clock is behind ours.
pub(super) const BACKDATED: Duration = Duration::from_hours(1);
/// A CA lives so many times as long as its leaves.
pub(super) const LIVES: u32 = 10;
/// What the names of our CAs begin with; the rest is random, so that no two have the same one.
pub(super) const NAME: &str = "Admittance CA ";

/// The digest of a CA certificate.
pub(super) type RootId = [u8; 32];

/// A CA certificate of ours. The newest is the least.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Root {
    pub(super) id: RootId,
    /// Its subject's common name.
    pub(super) name: String,
    pub(super) der: CertificateDer<'static>,
    /// The public key, DER.
    pub(super) public_key: Vec<u8>,
    pub(super) span: Span,
}

/// How long a certificate is meant to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// When it was made.
    pub(super) created: SystemTime,
    pub(super) not_after: SystemTime,
}

impl Span {
    /// Of what a certificate says, which may not be one of ours.
    pub(super) fn of(parsed: &X509Certificate<'_>) -> Self {
        let not_before = time(parsed.validity().not_before.timestamp());
        let not_after = time(parsed.validity().not_after.timestamp());
        let created = not_before + BACKDATED;
        Self { created: if created < not_after { created } else { not_before }, not_after }
    }

    pub(super) fn length(self) -> Duration {
        self.not_after.duration_since(self.created).unwrap_or_default()
    }

    /// When it is to be renewed: after two thirds of its life, or of the life that such a certificate is to have today.
    pub(super) fn due(self, wanted: Duration) -> SystemTime {
        self.created + self.length().min(wanted) * 2 / 3
    }
}

impl Root {
    /// Reads a certificate; none where it is not a CA of ours.
    pub(super) fn of(der: CertificateDer<'static>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(&der).ok()?;
        let name = parsed.subject().iter_common_name().next()?.as_str().ok()?.to_owned();
        if !parsed.is_ca() || parsed.subject() != parsed.issuer() || !name.starts_with(NAME) {
            return None;
        }
        let (span, public_key) = (Span::of(&parsed), parsed.public_key().raw.to_vec());
        Some(Self { id: Sha256::digest(&der).into(), name, span, public_key, der })
    }

    /// The life that its leaves have at most.
    pub(super) fn leaf_life(&self) -> Duration {
        self.span.length() / LIVES
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

impl Ord for Root {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.span.created.cmp(&self.span.created).then_with(|| self.id.cmp(&other.id))
    }
}

impl PartialOrd for Root {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The CAs of ours in a PEM text, in its order; whatever else is in it is passed over.
pub(super) fn read(text: &[u8]) -> Vec<Root> {
    CertificateDer::pem_slice_iter(text).filter_map(Result::ok).filter_map(Root::of).collect()
}

/// The CAs as one PEM text.
pub(super) fn write<'r>(roots: impl IntoIterator<Item = &'r Root>) -> String {
    let mut text = String::new();
    for root in roots {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let mut rest = STANDARD.encode(&root.der);
        while !rest.is_empty() {
            let tail = rest.split_off(rest.len().min(64));
            text.push_str(&rest);
            text.push('\n');
            rest = tail;
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}
