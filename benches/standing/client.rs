//! Kept HTTP/1.1 connections over TLS to one server, each with one request at a time, every answer looked at.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Failure;
use crate::server::Server;

/// Connections that send the same review without a pause, every other one to /mutate, until they are told to stop.
pub(crate) struct Load {
    runtime: Runtime,
    running: JoinSet<Result<(), Failure>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    answered: AtomicU64,
    is_over: AtomicBool,
}

struct Connection {
    stream: BufReader<TlsStream<TcpStream>>,
    request: Vec<u8>,
    uid: String,
    /// An answer that was right.
    right: Vec<u8>,
    body: Vec<u8>,
    line: String,
}

impl Load {
    pub(crate) fn begin(server: &Server, connections: usize, review: &str) -> Result<Self, Failure> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(server.certificate()?.as_bytes()) {
            roots.add(certificate?)?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tls = TlsConnector::from(Arc::new(config));
        let parsed: Value = serde_json::from_str(review)?;
        let uid = parsed.pointer("/request/uid").and_then(Value::as_str).ok_or("the review has no request.uid")?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (mut running, shared) = (JoinSet::new(), Arc::new(Shared::default()));
        for number in 0..connections {
            let path = if number % 2 == 0 { "/validate" } else { "/mutate" };
            let (tls, address, shared) = (tls.clone(), server.address, Arc::clone(&shared));
            let (request, uid) = (request(path, review), uid.to_owned());
            running.spawn_on(run(tls, address, request, uid, shared), runtime.handle());
        }
        Ok(Self { runtime, running, shared })
    }

    /// How many requests were answered.
    ///
    /// # Errors
    /// What ended a connection.
    pub(crate) fn answered(&mut self) -> Result<u64, Failure> {
        if let Some(ended) = self.running.try_join_next() {
            ended??;
            return Err("a connection ended".into());
        }
        Ok(self.shared.answered.load(Relaxed))
    }

    /// Waits for the answers under way.
    pub(crate) fn end(mut self) -> Result<(), Failure> {
        self.shared.is_over.store(true, Relaxed);
        while let Some(ended) = self.runtime.block_on(self.running.join_next()) {
            ended??;
        }
        Ok(())
    }
}

fn request(path: &str, review: &str) -> Vec<u8> {
    let length = review.len();
    let head = format!(
        "POST {path}?timeout=10s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), review.as_bytes()].concat()
}

async fn run(
    tls: TlsConnector,
    address: SocketAddr,
    request: Vec<u8>,
    uid: String,
    shared: Arc<Shared>,
) -> Result<(), Failure> {
    let connect = async || -> Result<_, Failure> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        Ok(BufReader::new(tls.connect(ServerName::try_from("localhost")?, tcp).await?))
    };
    let stream = connect().await?;
    let mut connection = Connection { stream, request, uid, right: vec![], body: vec![], line: String::new() };
    while !shared.is_over.load(Relaxed) {
        let goes_on = connection.exchange().await?;
        shared.answered.fetch_add(1, Relaxed);
        if !goes_on {
            // At a certain age the server ends a connection with an answer.
            connection.stream = connect().await?;
        }
    }
    Ok(())
}

impl Connection {
    /// One request and its answer. Whether the connection is kept.
    async fn exchange(&mut self) -> Result<bool, Failure> {
        self.stream.write_all(&self.request).await?;
        self.stream.flush().await?;
        let (mut length, mut goes_on, mut status) = (0, true, String::new());
        loop {
            self.line.clear();
            if self.stream.read_line(&mut self.line).await? == 0 {
                return Err("the server closed the connection without an answer".into());
            }
            let line = self.line.trim_end();
            if line.is_empty() {
                break;
            }
            if status.is_empty() {
                line.clone_into(&mut status);
            }
            if let Some((name, value)) = line.split_once(": ") {
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.parse()?;
                }
                goes_on &= !(name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close"));
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).await?;
        // An answer that is the same as one that was right is right.
        if self.body != self.right {
            let review: Value = serde_json::from_slice(&self.body).unwrap_or_default();
            let uid = review.pointer("/response/uid").and_then(Value::as_str);
            let allowed = review.pointer("/response/allowed").and_then(Value::as_bool);
            if !status.contains(" 200") || uid != Some(&self.uid) || allowed != Some(true) {
                return Err(format!("expected 200 and allowed, got {status}: {review}").into());
            }
            self.right.clone_from(&self.body);
        }
        Ok(goes_on)
    }
}
