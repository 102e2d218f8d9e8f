//! A part of an API server, for tests.

use axum::Router;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

/// A client of a server on loopback that has these pages.
pub(crate) async fn client(router: Router) -> kube::Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = TowerToHyperService::new(router);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), service.clone()));
        }
    });
    let mut config = kube::Config::new(format!("http://{address}").parse().unwrap());
    config.root_cert = Some(vec![]);
    config.default_retry = false;
    kube::Client::try_from(config).unwrap()
}
