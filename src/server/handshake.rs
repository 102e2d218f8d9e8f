//! The server's first client is itself: it is ready when it has answered a request over TLS, with its own certificate.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;

use super::pages::Health;
use super::stage::Stage;
use crate::certificates::Presented;

/// How long an answer may take, and how long to wait before the next try.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long caches may take.
const CACHES_WITHIN: Duration = Duration::from_secs(10);
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// Asks until an answer has come; then the server is ready. Gives up when it is to end.
pub(super) async fn await_own_answer(
    listening: SocketAddr,
    presented: Arc<Presented>,
    mut stages: watch::Receiver<Stage>,
    health: Arc<Health>,
    is_complete: impl Fn() -> bool,
) {
    let address = SocketAddr::new(reachable(listening.ip()), listening.port());
    let mut said = None;
    while *stages.borrow() == Stage::Serving {
        match tokio::time::timeout(PATIENCE, ask(address, Arc::clone(&presented))).await {
            Ok(Ok(())) => {
                await_caches(is_complete).await;
                return health.enter();
            }
            Ok(Err(error)) => {
                let error = error.to_string();
                if said.as_ref() != Some(&error) {
                    tracing::warn!(%address, error, "not ready: the server does not answer itself");
                    said = Some(error);
                }
            }
            Err(_) => tracing::warn!(%address, "not ready: the server does not answer itself in time"),
        }
        tokio::select! {
            () = tokio::time::sleep(RETRY_AFTER) => {}
            _ = stages.changed() => {}
        }
    }
}

/// Waits until what policies look up is here. Without the right to watch it never will be, and the cluster is asked.
async fn await_caches(is_complete: impl Fn() -> bool) {
    let begun = tokio::time::Instant::now();
    while !is_complete() {
        if begun.elapsed() > CACHES_WITHIN {
            tracing::warn!("ready, though not all that policies look up is here: the cluster is asked for the rest");
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Where to reach what listens on all addresses.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(all) if all.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(all) if all.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

async fn ask(address: SocketAddr, presented: Arc<Presented>) -> io::Result<()> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(OwnCertificate { presented, provider }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let tcp = TcpStream::connect(address).await?;
    let name = ServerName::IpAddress(address.ip().into());
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    if answer.starts_with(b"HTTP/1.1 200 ") { Ok(()) } else { Err(io::Error::other("it answers something else")) }
}

/// Trusts the one certificate that the server presents, whatever names it has.
#[derive(Debug)]
struct OwnCertificate {
    presented: Arc<Presented>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OwnCertificate {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.presented.is_presented(leaf) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
