//! The clients of the API server: kept HTTP/1.1 connections over TLS, each with one request at a time.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, client::conn::http1::SendRequest, header::HeaderValue};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{net::TcpStream, task::JoinSet};
use tokio_rustls::TlsConnector;

use crate::Failure;

/// The API server, and how a client proves who it is.
pub(crate) struct Server {
    address: SocketAddr,
    tls: TlsConnector,
    authorization: HeaderValue,
}

impl Server {
    /// `authorities`: PEM. `token`: of the client.
    pub(crate) fn new(port: u16, authorities: &[u8], token: &str) -> Result<Self, Failure> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authorities) {
            roots.add(certificate?)?;
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            address: ([127, 0, 0, 1], port).into(),
            tls: TlsConnector::from(Arc::new(config)),
            authorization: HeaderValue::try_from(format!("Bearer {token}"))?,
        })
    }

    pub(crate) async fn connect(&self) -> Result<Connection, Failure> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        let stream = self.tls.connect(ServerName::IpAddress(self.address.ip().into()), tcp).await?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Connection { sender, authorization: self.authorization.clone() })
    }
}

/// One connection.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    authorization: HeaderValue,
}

impl Connection {
    pub(crate) async fn get(&mut self, path: &str) -> Result<Bytes, Failure> {
        match self.send(Method::GET, path, &Bytes::new()).await? {
            (StatusCode::OK, body) => Ok(body),
            (status, body) => Err(unexpected(StatusCode::OK, status, &body)),
        }
    }

    /// The answer to a POST of JSON.
    pub(crate) async fn post(&mut self, path: &str, body: &Bytes) -> Result<(StatusCode, Bytes), Failure> {
        self.send(Method::POST, path, body).await
    }

    async fn send(&mut self, method: Method, path: &str, body: &Bytes) -> Result<(StatusCode, Bytes), Failure> {
        self.sender.ready().await?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1")
            .header("user-agent", "admittance-bench")
            .header("authorization", self.authorization.clone())
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .body(Full::new(body.clone()))?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}

/// Connections that are used side by side.
pub(crate) struct Load(Vec<Connection>);

impl Load {
    pub(crate) async fn connect(server: &Server, connections: u32) -> Result<Self, Failure> {
        let mut kept = Vec::new();
        for _ in 0..connections {
            kept.push(server.connect().await?);
        }
        Ok(Self(kept))
    }

    /// Posts `requests` times, shared out over the connections; an answer other than 201 is an error.
    pub(crate) async fn post(&mut self, path: &'static str, body: &Bytes, requests: u32) -> Result<Took, Failure> {
        let mut left = requests;
        let each = requests.div_ceil(u32::try_from(self.0.len())?);
        let mut running = JoinSet::new();
        for connection in self.0.drain(..) {
            let share = each.min(left);
            left -= share;
            running.spawn(share_of(connection, path, body.clone(), share));
        }
        let mut took = Vec::new();
        while let Some(done) = running.join_next().await {
            let (connection, milliseconds) = done??;
            self.0.push(connection);
            took.extend(milliseconds);
        }
        took.sort_by(f64::total_cmp);
        Ok(Took(took))
    }
}

async fn share_of(
    mut connection: Connection,
    path: &'static str,
    body: Bytes,
    requests: u32,
) -> Result<(Connection, Vec<f64>), Failure> {
    let mut took = Vec::new();
    for _ in 0..requests {
        let begun = Instant::now();
        let (status, answer) = connection.post(path, &body).await?;
        took.push(begun.elapsed().as_secs_f64() * 1_000.0);
        if status != StatusCode::CREATED {
            return Err(unexpected(StatusCode::CREATED, status, &answer));
        }
    }
    Ok((connection, took))
}

/// How long each request took, in milliseconds, in ascending order.
pub(crate) struct Took(Vec<f64>);

impl Took {
    /// The smallest time that at least this part of the requests kept.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list of some thousand"
    )]
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        let rank = (part * self.0.len() as f64).ceil() as usize;
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }
}

pub(crate) fn unexpected(expected: StatusCode, status: StatusCode, body: &[u8]) -> Failure {
    format!("expected {expected}, got {status}: {}", String::from_utf8_lossy(body)).into()
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "figures that are exact")]
mod tests {
    use super::Took;

    #[test]
    fn takes_quantiles_by_nearest_rank() {
        let took = Took((1..=200).map(f64::from).collect());
        assert_eq!([0.5, 0.99, 1.0].map(|part| took.quantile(part)), [100.0, 198.0, 200.0]);
        assert_eq!(Took(vec![7.0]).quantile(0.99), 7.0);
    }
}
