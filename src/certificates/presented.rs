//! The certificate that new handshakes get.

use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::sync::watch;

use super::Certificate;

/// The certificate that new handshakes get; replaced without touching the connections that run. There may be none at
/// first: then handshakes fail.
#[derive(Debug)]
pub struct Presented {
    certificate: ArcSwapOption<Certificate>,
    /// Counts the replacements.
    replaced: watch::Sender<u64>,
}

impl Presented {
    /// Presents `certificate` until [`Presented::replace`].
    pub fn new(certificate: Certificate) -> Self {
        let presented = Self::empty();
        presented.replace(certificate);
        presented
    }

    /// Presents nothing until [`Presented::replace`].
    pub fn empty() -> Self {
        Self { certificate: ArcSwapOption::empty(), replaced: watch::Sender::new(0) }
    }

    /// From now on, handshakes get `certificate`.
    pub fn replace(&self, certificate: Certificate) {
        self.certificate.store(Some(Arc::new(certificate)));
        self.replaced.send_modify(|count| *count += 1);
    }

    /// Changes with each [`Presented::replace`].
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.replaced.subscribe()
    }

    /// Waits until there is one.
    pub async fn filled(&self) {
        // The sender is here: it cannot be gone.
        let _ = self.changes().wait_for(|count| *count > 0).await;
    }

    /// When the chain that is presented expires; none while there is none.
    pub fn not_after(&self) -> Option<SystemTime> {
        self.certificate.load().as_ref().map(|certificate| certificate.not_after())
    }

    /// Whether this is the leaf that is presented.
    pub fn is_presented(&self, leaf: &CertificateDer<'_>) -> bool {
        self.certificate.load().as_ref().is_some_and(|certificate| certificate.leaf() == Some(leaf))
    }
}

impl ResolvesServerCert for Presented {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.certificate.load().as_ref().map(|certificate| certificate.key())
    }
}
