//! What a server in a cluster watches and keeps beside answering: its policies, what they look up, the configurations that
//! lead to it, its certificate.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use admittance_engine::review::Lookup;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use super::config::{CertificateSource, Config, StartError};
use super::pages::Pages;
use crate::certificates::{self, Managed, Presented};
use crate::cluster::{self, Mirrors, twins, webhooks};
use crate::evidence::{Keeper, Store};
use crate::source::config_maps::{self, Places, Seen, Told};

/// Where ConfigMaps with policies are, and the two ends that lead to the thread that loads them.
pub(super) type Follower = (Places, Sender<Seen>, UnboundedReceiver<Told>);

/// All of it, not begun.
pub(super) struct Watching {
    /// How to reach the cluster.
    pub(super) connection: kube::Config,
    /// What policies look up, and the latest that they declare.
    pub(super) mirrors: Arc<Mirrors>,
    pub(super) declared: watch::Receiver<BTreeSet<Lookup<'static>>>,
    /// The webhook configurations' name, and who wants to know what they send.
    pub(super) configuration: String,
    pub(super) pages: Pages,
    /// Whether twins of policies are looked at.
    pub(super) twins: bool,
    /// Policies in ConfigMaps.
    pub(super) config_maps: Option<Follower>,
    /// The certificate that is kept, and where it is presented.
    pub(super) managed: Option<Managed>,
    pub(super) presented: Arc<Presented>,
    /// The own namespace, if evidence is kept in it.
    pub(super) evidence: Option<String>,
}

impl Watching {
    /// Begins all of it on the runtime that this is called in; it ends with that. Returns what keeps evidence, for the end.
    pub(super) fn begin(self) -> Option<Keeper> {
        let client = match cluster::client(self.connection) {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(error, "nothing can be watched");
                return None;
            }
        };
        tokio::spawn(cluster::keep_up(client.clone(), self.mirrors, self.declared));
        let keeper = self.evidence.map(|namespace| {
            let store = Store::in_cluster(client.clone(), &namespace, &self.configuration);
            Keeper::new(Arc::clone(self.pages.admission.evidence()), store)
        });
        if self.twins {
            let (asked, pages) = (client.clone(), self.pages.clone());
            tokio::spawn(twins::follow(asked, move |installed| pages.know_twins(installed)));
        }
        let (asked, pages, configuration) = (client.clone(), self.pages, self.configuration);
        tokio::spawn(async move {
            webhooks::follow(asked, &configuration, |entries| pages.know(entries)).await;
        });
        if let Some((places, seen, told)) = self.config_maps {
            tokio::spawn(config_maps::follow(client.clone(), places, seen, told));
        }
        if let Some(managed) = self.managed {
            tokio::spawn(certificates::managed::keep(client, managed, self.presented));
        }
        keeper
    }
}

/// Which ConfigMaps are watched.
pub(super) fn watched(config: &Config, connection: Option<&kube::Config>) -> Result<Option<Places>, StartError> {
    let Some(others) = &config.config_maps else { return Ok(None) };
    let Some(connection) = connection else {
        let problem = "--config-maps needs a cluster: name one with --kubeconfig, or run in a pod";
        return Err(StartError(problem.to_owned()));
    };
    let own = config.namespace.clone().unwrap_or_else(|| connection.default_namespace.clone());
    let others = others.iter().filter(|other| **other != own).cloned().collect();
    Ok(Some(Places { own, others }))
}

/// Which certificates are kept in the cluster, and how it is reached.
pub(super) fn managed(config: &Config, connection: Option<&kube::Config>) -> Result<Option<Managed>, StartError> {
    let CertificateSource::Managed { secret, service, configuration, life, names } = &config.certificate else {
        return Ok(None);
    };
    let Some(connection) = connection else {
        let problem = "--certificate-secret needs a cluster: name one with --kubeconfig, or run in a pod";
        return Err(StartError(problem.to_owned()));
    };
    Ok(Some(Managed {
        namespace: config.namespace.clone().unwrap_or_else(|| connection.default_namespace.clone()),
        secret: secret.clone(),
        service: service.clone(),
        names: names.clone(),
        configuration: configuration.clone(),
        life: *life,
    }))
}
