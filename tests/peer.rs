//! Both ends of a test: a server on loopback, and clients that speak to it byte by byte or through hyper.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use admittance::certificates::{Presented, self_signed};
use admittance::server::{
    body::{self, Budget},
    connection::{Ending, Settings, serve},
    exchange::RequestBody,
    stage::Stage,
    tls::server_config,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, client::conn::http1::SendRequest, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::{
    ALL_VERSIONS, ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream};

/// Any connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// The body limit of the echoing server.
pub(crate) const BODY_LIMIT: usize = 1 << 20;

/// No step of a test takes longer than this.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server that answers with the body it was sent: `/slow` after 300 ms, `/later` after 1 s.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) stage: watch::Sender<Stage>,
    /// The certificates that clients trust, as PEM.
    pub(crate) trusted: Arc<Mutex<String>>,
    pub(crate) ended: JoinHandle<Ending>,
}

impl Server {
    pub(crate) async fn plain(settings: Settings) -> Self {
        Self::start(None, settings).await
    }

    pub(crate) async fn tls(settings: Settings, http2: bool) -> Self {
        let made = self_signed(&[]).unwrap();
        Self::presenting(Arc::new(Presented::new(made.certificate)), made.pem, settings, http2).await
    }

    pub(crate) async fn presenting(presented: Arc<Presented>, pem: String, settings: Settings, http2: bool) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(server_config(presented, None, http2).unwrap()));
        let server = Self::start(Some(acceptor), settings).await;
        *server.trusted.lock().unwrap() = pem;
        server
    }

    async fn start(tls: Option<TlsAcceptor>, settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stage, seen) = watch::channel(Stage::Serving);
        let ended = tokio::spawn(serve(listener, tls, service_fn(echo), settings, seen));
        Self { address, stage, trusted: Arc::default(), ended }
    }

    pub(crate) async fn tcp(&self) -> TcpStream {
        let tcp = TcpStream::connect(self.address).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        tcp
    }

    /// A connection with or without TLS.
    pub(crate) async fn stream(&self, tls: bool) -> Box<dyn Stream> {
        if tls { Box::new(self.shake(&[]).await.unwrap()) } else { Box::new(self.tcp().await) }
    }

    pub(crate) fn client_config(&self, versions: &[&'static SupportedProtocolVersion], alpn: &[&str]) -> ClientConfig {
        client_config(&self.trusted.lock().unwrap(), versions, alpn)
    }

    pub(crate) async fn shake(&self, alpn: &[&str]) -> io::Result<TlsStream<TcpStream>> {
        self.shake_as(self.client_config(ALL_VERSIONS, alpn)).await
    }

    pub(crate) async fn shake_as(&self, config: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, self.tcp().await).await
    }

    /// An HTTP/1.1 client on a connection of its own, over TLS.
    pub(crate) async fn client(&self) -> SendRequest<Full<Bytes>> {
        let stream = self.shake(&["http/1.1"]).await.unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    /// Waits for the end, which must come.
    pub(crate) async fn end(self) -> Ending {
        timeout(PATIENCE, self.ended).await.expect("the server did not end").unwrap()
    }
}

/// A client that trusts the certificates in `pem`.
fn client_config(pem: &str, versions: &[&'static SupportedProtocolVersion], alpn: &[&str]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    config
}

/// A connection over TLS for HTTP/1.1, to a server that presents a certificate from `pem`.
pub(crate) async fn shake(address: SocketAddr, pem: &str) -> io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from("localhost").unwrap();
    let config = client_config(pem, ALL_VERSIONS, &["http/1.1"]);
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

async fn echo(request: Request<RequestBody>) -> Result<Response<Full<Bytes>>, Infallible> {
    match request.uri().path() {
        "/slow" => tokio::time::sleep(Duration::from_millis(300)).await,
        "/later" => tokio::time::sleep(Duration::from_secs(1)).await,
        "/unread" => return Ok(Response::new(Full::from("not read"))),
        "/large" => return Ok(Response::new(Full::from(vec![b'x'; 64 << 20]))),
        _ => {}
    }
    let budget = Budget::new(usize::MAX);
    let deadline = Instant::now() + Duration::from_millis(500);
    Ok(match body::collect(request.into_body(), BODY_LIMIT, deadline, &budget).await {
        Ok(whole) => Response::new(Full::from(whole.bytes().to_vec())),
        Err(incomplete) => {
            let text = format!("{} after {}", incomplete.reason, incomplete.prefix.bytes().len());
            Response::new(Full::from(text))
        }
    })
}

/// Posts `body` and returns the answer's `Connection` header and body.
pub(crate) async fn post(
    client: &mut SendRequest<Full<Bytes>>,
    path: &str,
    body: impl Into<Bytes>,
) -> hyper::Result<(Option<String>, Bytes)> {
    client.ready().await?;
    let request = Request::post(path).header("host", "localhost").body(Full::new(body.into())).unwrap();
    let answer = client.send_request(request).await?;
    let connection = answer.headers().get("connection").map(|value| value.to_str().unwrap().to_owned());
    Ok((connection, answer.into_body().collect().await?.to_bytes()))
}

/// Sends `bytes` and reads until the server ends the connection: what it said, and after what time it ended.
pub(crate) async fn converse(
    stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin),
    bytes: &[u8],
) -> (String, Duration) {
    let begun = Instant::now();
    stream.write_all(bytes).await.unwrap();
    let said = read_to_end(stream).await.expect("the connection was reset");
    (said, begun.elapsed())
}

/// What the server says until it ends the connection properly.
pub(crate) async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut said = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut said)).await.expect("the server kept the connection")?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}
