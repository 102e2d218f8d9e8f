//! What policies ask the cluster while a request waits: at once, within the request's time, kept for seconds.
//!
//! A policy never waits. The engine returns what it needs, [`Asked::fetch`] asks for all of it, and the engine is called
//! again with the same request.

mod asked;
#[cfg(test)]
pub(crate) mod made_up;
mod mirror;
mod mirrors;
mod pods;
mod question;
pub mod twins;
pub mod webhooks;

pub use asked::{Asked, Facts};
pub(crate) use mirror::Mirror;
pub use mirrors::{Mirrors, keep_up};
use question::Question;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use admittance_engine::review::Lookup;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};

/// What is at a pointer (RFC 6901) in an object; null where nothing is.
pub(crate) fn at<'v>(value: &'v serde_json::Value, pointer: &str) -> &'v serde_json::Value {
    value.pointer(pointer).unwrap_or(&serde_json::Value::Null)
}

/// What is known about a lookup.
#[derive(Clone, Debug)]
pub(crate) enum Fact {
    /// The object, JSON.
    Found(Arc<str>),
    /// It does not exist.
    Missing,
    /// It could not be asked, and why.
    Failed(&'static str),
}

/// How long an answer is taken for true.
const KEPT: Duration = Duration::from_secs(5);
/// How long it is taken for true that the cluster could not be asked: long enough to spare it, short enough to recover.
const KEPT_FAILURE: Duration = Duration::from_secs(1);
/// How many answers are kept.
const MAX_KEPT: usize = 4_096;
/// How long a connection may take, and a silence on it.
const LONGEST: Duration = Duration::from_secs(5);

/// A Kubernetes API server that can be asked, and what it said lately.
pub struct Cluster {
    client: kube::Client,
    mirrors: Arc<Mirrors>,
    kept: Mutex<HashMap<Lookup<'static>, (Instant, Fact)>>,
}

/// How to reach the cluster of a kubeconfig file's current context; without a file the one whose pod this is, if it is one.
///
/// # Errors
/// A file that cannot be read or used, credentials of a pod that are not there: one line.
pub async fn connection(kubeconfig: Option<&Path>) -> Result<Option<Config>, String> {
    let mut config = match kubeconfig {
        Some(path) => {
            let named = |error: &dyn fmt::Display| format!("cannot use the kubeconfig {}: {error}", path.display());
            let file = Kubeconfig::read_from(path).map_err(|error| named(&error))?;
            Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.map_err(|error| named(&error))?
        }
        None if std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() => return Ok(None),
        None => Config::incluster().map_err(|error| {
            format!("this is a pod, and its service account cannot be used: {error}; set automountServiceAccountToken")
        })?,
    };
    config.connect_timeout = Some(LONGEST);
    Ok(Some(config))
}

/// A client for watching and writing, of the runtime that it is made in: between the events of a watch there is silence.
///
/// # Errors
/// A configuration that no client can be made of.
pub fn client(mut connection: Config) -> Result<kube::Client, String> {
    connection.read_timeout = None;
    kube::Client::try_from(connection).map_err(|error| format!("cannot use the cluster: {error}"))
}

impl Cluster {
    /// A cluster to ask. It belongs to the runtime that it is made in.
    ///
    /// # Errors
    /// A configuration that no client can be made of.
    pub fn new(mut connection: Config, mirrors: Arc<Mirrors>) -> Result<Self, String> {
        connection.read_timeout = Some(LONGEST);
        let client = kube::Client::try_from(connection).map_err(|error| format!("cannot use the cluster: {error}"))?;
        Ok(Self { client, mirrors, kept: Mutex::default() })
    }

    /// What is known now.
    fn known(&self, lookup: &Lookup<'static>) -> Option<Fact> {
        if let Some(fact) = self.mirrors.answer(lookup) {
            return Some(fact);
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(lookup).filter(|(until, _)| Instant::now() < *until).map(|(_, fact)| fact.clone())
    }

    fn keep(&self, lookup: Lookup<'static>, fact: Fact) {
        let now = Instant::now();
        let until = now + if matches!(fact, Fact::Failed(_)) { KEPT_FAILURE } else { KEPT };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.retain(|_, (until, _)| now < *until);
        }
        if kept.len() < MAX_KEPT {
            kept.insert(lookup, (until, fact));
        }
    }

    /// Asks the API server; for objects of a kind, what it is called there first.
    async fn ask(&self, lookup: &Lookup<'static>, deadline: Instant) -> Fact {
        let question = match (question::of(lookup), lookup) {
            (Some(question), _) => question,
            (None, Lookup::Object(object) | Lookup::Objects(object)) => {
                let discovery = match self.send(&Question::Scope(object.kind.clone()), lookup, deadline).await {
                    Ok(text) => text,
                    Err(fact) => return fact,
                };
                match question::resource(&discovery, &object.kind.kind) {
                    Some(resource) => question::of_objects(object, &resource),
                    None => return Fact::Failed("the cluster does not serve the kind"),
                }
            }
            (None, _) => return Fact::Failed("the cluster cannot be asked this"),
        };
        match self.send(&question, lookup, deadline).await {
            Ok(text) => question.read(&text),
            Err(fact) => fact,
        }
    }

    async fn send(&self, question: &Question, lookup: &Lookup<'static>, deadline: Instant) -> Result<String, Fact> {
        let Ok(request) = question.request() else {
            return Err(Fact::Failed("it has a name that no request can hold"));
        };
        let end = deadline.min(Instant::now() + question.longest());
        match tokio::time::timeout_at(end.into(), self.client.request_text(request)).await {
            Err(_) => Err(Fact::Failed("the cluster did not answer in time")),
            Ok(Ok(text)) => Ok(text),
            Ok(Err(kube::Error::Api(status))) if status.code == 404 => Err(Fact::Missing),
            Ok(Err(kube::Error::Api(status))) if status.code == 403 || status.code == 401 => {
                Err(Fact::Failed("the cluster refuses the question: this server's role lacks the right"))
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, %lookup, "the cluster could not be asked");
                Err(Fact::Failed("the cluster could not be asked"))
            }
        }
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Cluster")
    }
}
