//! Questions of commands that run once: to a server, or to a cluster.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use axum::http::Request;
use http_body_util::BodyExt as _;
use kube::client::Body;
use kube::config::{Config, KubeConfigOptions};
use serde_json::Value;

use crate::cluster::at;
use crate::server::explain::TOKEN_HEADER;

/// How long one question may take.
const LONGEST: Duration = Duration::from_secs(10);

/// Whom to ask.
#[derive(Clone)]
pub(super) struct Asked(kube::Client);

/// An answer, whatever it says.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
}

impl Answer {
    /// What was found; None for what is not there.
    pub(super) fn found(self, path: &str) -> Result<Option<Value>, String> {
        match self.status {
            200 | 201 => {
                serde_json::from_str(&self.text).map(Some).map_err(|error| format!("{path} answers no JSON: {error}"))
            }
            404 => Ok(None),
            status => Err(format!("{path} answers {status}: {}", said(&self.text))),
        }
    }
}

/// The message of a Status, or the first line of what is none.
fn said(text: &str) -> String {
    let status: Option<Value> = serde_json::from_str(text).ok();
    let message = status.as_ref().and_then(|status| at(status, "/message").as_str());
    message.unwrap_or_else(|| text.lines().next().unwrap_or_default()).to_owned()
}

/// Runs to the end what asks.
///
/// # Errors
/// A machine that gives no threads, sockets or timers.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map(|runtime| runtime.block_on(future)).map_err(|error| format!("cannot start: {error}"))
}

/// The cluster that a kubeconfig file names; without one, as kubectl finds it, or that of the pod.
///
/// # Errors
/// A file that cannot be read or used; no cluster.
pub(super) async fn cluster(kubeconfig: Option<&Path>) -> Result<(Asked, Config), String> {
    let config = match kubeconfig {
        Some(_) => crate::cluster::connection(kubeconfig).await?,
        None if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() => crate::cluster::connection(None).await?,
        None => {
            let found = Config::from_kubeconfig(&KubeConfigOptions::default()).await;
            Some(found.map_err(|error| format!("no cluster to ask: {error}; name one with --kubeconfig"))?)
        }
    };
    let mut config = config.ok_or("no cluster to ask: name one with --kubeconfig")?;
    config.read_timeout = Some(LONGEST);
    config.default_retry = false;
    Ok((Asked::of(config.clone())?, config))
}

impl Asked {
    pub(super) fn of(config: Config) -> Result<Self, String> {
        kube::Client::try_from(config).map(Self).map_err(|error| format!("cannot make a client: {error}"))
    }

    /// The answer to a GET.
    ///
    /// # Errors
    /// No answer.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, String> {
        self.send(Request::get(path), vec![]).await
    }

    /// The answer to a GET with a token, where one is needed.
    ///
    /// # Errors
    /// No answer.
    pub(super) async fn get_with(&self, path: &str, token: Option<&str>) -> Result<Answer, String> {
        let request = Request::get(path);
        self.send(token.into_iter().fold(request, |request, token| request.header(TOKEN_HEADER, token)), vec![]).await
    }

    /// What is at a path; None where nothing is.
    ///
    /// # Errors
    /// No answer, or one that says why it may not be known.
    pub(super) async fn find(&self, path: &str) -> Result<Option<Value>, String> {
        self.get(path).await?.found(path)
    }

    /// The items of a list; none where the cluster does not serve them.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub(super) async fn list(&self, path: &str) -> Result<Vec<Value>, String> {
        let found = self.find(path).await?.unwrap_or_default();
        Ok(at(&found, "/items").as_array().cloned().unwrap_or_default())
    }

    /// What becomes of an object that is sent.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub(super) async fn create(&self, path: &str, object: &Value) -> Result<Value, String> {
        let request = Request::post(path).header("Content-Type", "application/json");
        let answer = self.send(request, object.to_string().into_bytes()).await?;
        Ok(answer.found(path)?.unwrap_or_default())
    }

    async fn send(&self, request: axum::http::request::Builder, body: Vec<u8>) -> Result<Answer, String> {
        let request = request.body(Body::from(body)).map_err(|error| format!("no request: {error}"))?;
        let asked = async {
            let response = self.0.send(request).await.map_err(|error| cause(&error))?;
            let status = response.status().as_u16();
            let bytes = response.into_body().collect().await.map_err(|error| cause(&error))?.to_bytes();
            Ok(Answer { status, text: String::from_utf8_lossy(&bytes).into_owned() })
        };
        tokio::time::timeout(LONGEST, asked).await.unwrap_or_else(|_| Err("no answer in 10 seconds".to_owned()))
    }
}

/// The innermost reason: `Connection refused`.
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
