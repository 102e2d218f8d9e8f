//! Which running servers are asked, and how: by URL, or every pod of a Service through the API server.

use std::path::{Path, PathBuf};

use axum::http::Uri;
use clap::Args;
use futures_util::future::join_all;
use kube::config::Config;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::asking::{self, Asked};
use crate::cluster::at;
use crate::server::explain::AUDIENCE;

/// Whom to ask.
#[derive(Debug, Args)]
pub(super) struct Servers {
    /// A server's URL, of either listener; may be repeated, for replicas that should run the same. Without it:
    /// http://127.0.0.1:9797, or with --kubeconfig every pod of the Service.
    #[arg(long, value_name = "URL")]
    server: Vec<Uri>,
    /// Whom servers behind TLS must be certified by, PEM.
    #[arg(long, conflicts_with = "insecure", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Trust servers behind TLS whatever their certificate is.
    #[arg(long)]
    insecure: bool,
    /// Ask every pod of the Service through the API server of this file's current context.
    #[arg(long, conflicts_with = "server", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The Service's namespace.
    #[arg(long, requires = "kubeconfig", default_value = "admittance", value_name = "NAMESPACE")]
    namespace: String,
    /// The Service's name.
    #[arg(long, requires = "kubeconfig", default_value = "admittance", value_name = "NAME")]
    service: String,
}

/// Which of a server's listeners is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listener {
    /// The one for metrics, or else the one behind TLS.
    Operations,
    /// The one behind TLS, which the API server connects to.
    Tls,
}

/// A server that can be asked.
pub(super) struct Reached {
    /// Its URL, or `NAMESPACE/POD`.
    pub(super) name: String,
    asked: Asked,
    /// What stands before its own paths.
    below: String,
    /// What it wants to see.
    token: Option<String>,
}

impl Reached {
    /// Whether it answers that a path is all right.
    pub(super) async fn is_well(&self, path: &str) -> Result<bool, String> {
        Ok(self.asked.get(&format!("{}{path}", self.below)).await?.status == 200)
    }

    /// One of its pages; None where it has no such page.
    pub(super) async fn page<T: DeserializeOwned>(&self, path: &str, what: &str) -> Result<Option<T>, String> {
        let path = format!("{}{path}", self.below);
        let page = self.asked.get_with(&path, self.token.as_deref()).await?.found(&path)?;
        let read = |page| serde_json::from_value(page).map_err(|error| format!("{path} is no page of {what}: {error}"));
        page.map(read).transpose()
    }
}

impl Servers {
    /// The kubeconfig, if the cluster is asked.
    pub(super) fn kubeconfig(&self) -> Option<&Path> {
        self.kubeconfig.as_deref()
    }

    /// All of them.
    ///
    /// # Errors
    /// What is no URL, certificates that cannot be used, a Service without pods.
    pub(super) async fn reach(&self) -> Result<Vec<Reached>, String> {
        self.reach_by(Listener::Operations).await
    }

    async fn reach_by(&self, listener: Listener) -> Result<Vec<Reached>, String> {
        if let Some(kubeconfig) = &self.kubeconfig {
            return pods(kubeconfig, &self.namespace, &self.service, listener).await;
        }
        let own = [Uri::from_static("http://127.0.0.1:9797")];
        let urls: &[Uri] = if self.server.is_empty() { &own } else { &self.server };
        let roots = self.ca.as_deref().map(certificates).transpose()?;
        let mut reached = vec![];
        for url in urls {
            if !matches!(url.scheme_str(), Some("http" | "https")) {
                return Err(format!("{url} is no URL of a server: expected http://HOST:PORT or https://HOST:PORT"));
            }
            let mut config = Config::new(url.clone());
            // Where none is needed, none is looked for: an image with nothing but the binary has none.
            config.accept_invalid_certs = self.insecure || url.scheme_str() == Some("http");
            config.root_cert = roots.clone().or_else(|| config.accept_invalid_certs.then(Vec::new));
            config.default_retry = false;
            let name = url.to_string().trim_end_matches('/').to_owned();
            reached.push(Reached { name, asked: Asked::of(config)?, below: String::new(), token: None });
        }
        Ok(reached)
    }

    /// The same page of all of them together, of those that have it.
    ///
    /// # Errors
    /// As [`Self::reach`]; a server that does not answer.
    pub(super) async fn pages<T: DeserializeOwned>(&self, path: &str, what: &str) -> Result<Vec<T>, String> {
        self.pages_of(Listener::Operations, path, what, None).await
    }

    /// The same of a listener that wants to see a token.
    ///
    /// # Errors
    /// As [`Self::pages`].
    pub(super) async fn pages_of<T: DeserializeOwned>(
        &self,
        listener: Listener,
        path: &str,
        what: &str,
        token: Option<String>,
    ) -> Result<Vec<T>, String> {
        let mut reached = self.reach_by(listener).await?;
        reached.iter_mut().for_each(|server| server.token.clone_from(&token));
        let asked = reached.iter().map(|server| async move {
            let page = server.page(path, what).await;
            page.map_err(|problem| format!("{}: {problem}", server.name))
        });
        let pages: Result<Vec<Option<T>>, String> = join_all(asked).await.into_iter().collect();
        Ok(pages?.into_iter().flatten().collect())
    }
}

impl Servers {
    /// A token of a ServiceAccount beside the servers, for them alone and for ten minutes; None where no cluster is asked.
    ///
    /// # Errors
    /// A cluster that does not make one.
    pub(super) async fn token(&self, service_account: &str) -> Result<Option<String>, String> {
        let Some(kubeconfig) = &self.kubeconfig else { return Ok(None) };
        let (asked, _) = asking::cluster(Some(kubeconfig)).await?;
        let request = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"audiences": [AUDIENCE], "expirationSeconds": 600},
        });
        let path = format!("/api/v1/namespaces/{}/serviceaccounts/{service_account}/token", self.namespace);
        let made = asked.create(&path, &request).await?;
        match at(&made, "/status/token").as_str() {
            Some(token) => Ok(Some(token.to_owned())),
            None => Err(format!("there is no ServiceAccount {}/{service_account} to ask as", self.namespace)),
        }
    }
}

fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    let unusable =
        |error: &dyn std::fmt::Display| format!("cannot use the certificates in {}: {error}", path.display());
    let found = CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))?;
    let found: Result<Vec<Vec<u8>>, _> = found.map(|one| one.map(|one| one.to_vec())).collect();
    match found {
        Ok(found) if found.is_empty() => Err(unusable(&"there is none")),
        Ok(found) => Ok(found),
        Err(error) => Err(unusable(&error)),
    }
}

/// The pods behind the Service, each through the API server's proxy: by the port for metrics where that is wanted and it has
/// one, else by the first of the Service.
async fn pods(kubeconfig: &Path, namespace: &str, service: &str, listener: Listener) -> Result<Vec<Reached>, String> {
    let (asked, _) = asking::cluster(Some(kubeconfig)).await?;
    let mut pods = match listener {
        // The chart has a Service of its own for these, which leads to pods that are not ready, too.
        Listener::Operations => pods_of(&asked, namespace, &format!("{service}-metrics"), listener).await?,
        Listener::Tls => vec![],
    };
    if pods.is_empty() {
        pods = pods_of(&asked, namespace, service, listener).await?;
    }
    // A pod may stand in a slice for each family of addresses.
    pods.sort();
    pods.dedup_by(|left, right| left.0 == right.0);
    if pods.is_empty() {
        return Err(format!("the Service {namespace}/{service} has no pods"));
    }
    Ok(pods.into_iter().map(|(name, below)| Reached { name, asked: asked.clone(), below, token: None }).collect())
}

/// `NAMESPACE/POD` of each pod behind a Service, and what stands before its paths; none where there is no such Service.
async fn pods_of(
    asked: &Asked,
    namespace: &str,
    service: &str,
    listener: Listener,
) -> Result<Vec<(String, String)>, String> {
    let path = format!(
        "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D{service}"
    );
    let mut pods = vec![];
    for slice in asked.list(&path).await? {
        let ports = at(&slice, "/ports").as_array().cloned().unwrap_or_default();
        let Some((scheme, port)) = ports
            .iter()
            .find(|port| listener == Listener::Operations && at(port, "/name") == "metrics")
            .map(|port| ("http", port))
            .or_else(|| ports.iter().find(|port| at(port, "/name") != "metrics").map(|port| ("https", port)))
            .and_then(|(scheme, port)| Some((scheme, at(port, "/port").as_u64()?)))
        else {
            continue;
        };
        for endpoint in at(&slice, "/endpoints").as_array().into_iter().flatten() {
            if let Some(pod) = at(endpoint, "/targetRef/name").as_str() {
                let proxy = format!("/api/v1/namespaces/{namespace}/pods/{scheme}:{pod}:{port}/proxy");
                pods.push((format!("{namespace}/{pod}"), proxy));
            }
        }
    }
    Ok(pods)
}
