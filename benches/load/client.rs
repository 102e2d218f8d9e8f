//! The clients of one server: kept HTTP/1.1 connections over TLS, each with one request at a time.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinSet};
use tokio_rustls::TlsConnector;

use crate::Failure;

/// The connections to one server, and what is sent on them.
pub(crate) struct Clients {
    idle: Vec<SendRequest<Full<Bytes>>>,
    task: Arc<Task>,
}

struct Task {
    review: Bytes,
    uid: String,
    allowed: bool,
}

impl Clients {
    pub(crate) async fn connect(
        address: SocketAddr,
        connections: u32,
        review: &[u8],
        uid: &str,
        allowed: bool,
    ) -> Result<Self, Failure> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let tls = TlsConnector::from(Arc::new(config));
        let mut idle = Vec::new();
        for _ in 0..connections {
            let tcp = TcpStream::connect(address).await?;
            tcp.set_nodelay(true)?;
            let stream = tls.connect(ServerName::IpAddress(address.ip().into()), tcp).await?;
            let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            idle.push(sender);
        }
        let task = Task { review: Bytes::copy_from_slice(review), uid: uid.to_owned(), allowed };
        Ok(Self { idle, task: Arc::new(task) })
    }

    /// Posts `requests` reviews, shared out over the connections, and checks every answer.
    pub(crate) async fn post(&mut self, requests: u32) -> Result<(), Failure> {
        let mut left = requests;
        let each = requests.div_ceil(u32::try_from(self.idle.len())?);
        let mut running = JoinSet::new();
        for sender in self.idle.drain(..) {
            let share = each.min(left);
            left -= share;
            running.spawn(Arc::clone(&self.task).post(sender, share));
        }
        while let Some(done) = running.join_next().await {
            self.idle.push(done??);
        }
        Ok(())
    }
}

impl Task {
    async fn post(
        self: Arc<Self>,
        mut sender: SendRequest<Full<Bytes>>,
        requests: u32,
    ) -> Result<SendRequest<Full<Bytes>>, Failure> {
        let mut checked = Bytes::new();
        for _ in 0..requests {
            sender.ready().await?;
            let request = Request::post("/validate?timeout=5s")
                .header("host", "127.0.0.1")
                .header("content-type", "application/json")
                .body(Full::new(self.review.clone()))?;
            let answer = sender.send_request(request).await?;
            let status = answer.status();
            let body = answer.into_body().collect().await?.to_bytes();
            // An answer that is the same as one that was right is right.
            if status != StatusCode::OK || body != checked {
                self.check(status, &body)?;
                checked = body;
            }
        }
        Ok(sender)
    }

    fn check(&self, status: StatusCode, body: &[u8]) -> Result<(), Failure> {
        let review: Value = serde_json::from_slice(body).unwrap_or_default();
        let uid = review.pointer("/response/uid").and_then(Value::as_str);
        let allowed = review.pointer("/response/allowed").and_then(Value::as_bool);
        if status == StatusCode::OK && uid == Some(&self.uid) && allowed == Some(self.allowed) {
            return Ok(());
        }
        let expected = format!("200 with uid {} and allowed {}", self.uid, self.allowed);
        Err(format!("expected {expected}, got {status}: {}", String::from_utf8_lossy(body)).into())
    }
}

/// Takes any certificate: the servers make theirs in memory.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, leaf, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, leaf, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
