//! Talk with an API server, or with the webhook itself, request by request.

use std::path::Path;

use http_body_util::BodyExt as _;
use hyper::{Method, Request, StatusCode, header::CONTENT_TYPE};
use kube::{
    Client, Config,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::Value;

/// A client.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    /// Headers of every request.
    headers: Vec<(String, String)>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The texts of the `Warning` headers.
    pub(super) warnings: Vec<String>,
    /// `Allow`, `Retry-After` and the like.
    pub(super) headers: hyper::HeaderMap,
    pub(super) text: String,
    /// The body, or null where it is not JSON.
    pub(super) body: Value,
}

impl Api {
    pub(super) async fn connect(kubeconfig: &Path) -> Self {
        let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        Self::with(config)
    }

    /// A client of an HTTPS server that is no API server.
    pub(super) fn of_server(url: &str, certificate: &[u8]) -> Self {
        let mut config = Config::new(url.parse().unwrap());
        config.root_cert = Some(
            CertificateDer::pem_slice_iter(certificate).map(|certificate| certificate.unwrap().to_vec()).collect(),
        );
        Self::with(config)
    }

    fn with(mut config: Config) -> Self {
        // A test wants to see the first answer.
        config.default_retry = false;
        Self { client: Client::try_from(config).unwrap(), headers: vec![] }
    }

    /// The same, saying something more with each request.
    pub(super) fn saying(&self, name: &str, value: &str) -> Self {
        let mut with = self.clone();
        with.headers.push((name.to_owned(), value.to_owned()));
        with
    }

    /// The same, speaking as somebody else.
    pub(super) fn speaking_as(&self, user: &str, groups: &[impl AsRef<str>]) -> Self {
        let with_user = self.saying("Impersonate-User", user);
        groups.iter().fold(with_user, |with, group| with.saying("Impersonate-Group", group.as_ref()))
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "", vec![]).await
    }

    pub(super) async fn post(&self, path: &str, object: &Value) -> Answer {
        self.send(Method::POST, path, "application/json", object.to_string().into_bytes()).await
    }

    pub(super) async fn put(&self, path: &str, object: &Value) -> Answer {
        self.send(Method::PUT, path, "application/json", object.to_string().into_bytes()).await
    }

    pub(super) async fn patch(&self, path: &str, object: &Value) -> Answer {
        self.send(Method::PATCH, path, "application/merge-patch+json", object.to_string().into_bytes()).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, "", vec![]).await
    }

    pub(super) async fn send(&self, method: Method, path: &str, content_type: &str, body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !content_type.is_empty() {
            request = request.header(CONTENT_TYPE, content_type);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let response = self.client.send(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let warnings =
            parts.headers.get_all("warning").iter().map(|value| warning(&String::from_utf8_lossy(value.as_bytes())));
        Answer {
            status: parts.status,
            warnings: warnings.collect(),
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }
}

/// The text in `299 - "text"`.
fn warning(header: &str) -> String {
    let quoted = header.splitn(3, ' ').nth(2).unwrap_or(header);
    serde_json::from_str(quoted).unwrap_or_else(|_| quoted.to_owned())
}

impl Answer {
    /// The object, after it was created.
    #[track_caller]
    pub(super) fn expect_created(self) -> Value {
        assert_eq!(self.status, StatusCode::CREATED, "{}", self.text);
        self.body
    }

    /// The object, after something was done to it.
    #[track_caller]
    pub(super) fn expect_ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.body
    }

    /// The message of a failure.
    #[track_caller]
    pub(super) fn expect_failed(self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.body["message"].as_str().unwrap_or_default().to_owned()
    }
}
