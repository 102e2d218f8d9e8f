//! What is read of a cluster, all of it at one time.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::selecting::{items, selects};
use super::{Finding, Severity};
use crate::cluster::at;
use crate::cluster::webhooks::{MUTATE, VALIDATE};

/// The objects, as the API server says them.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The server's namespace.
    pub namespace: String,
    /// What both webhook configurations are called.
    pub name: String,
    /// `/version`
    pub api_server: Value,
    /// All MutatingWebhookConfigurations.
    pub mutating: Vec<Value>,
    /// All ValidatingWebhookConfigurations.
    pub validating: Vec<Value>,
    /// All Namespaces.
    pub namespaces: Vec<Value>,
    /// All DaemonSets.
    pub daemon_sets: Vec<Value>,
    /// All ConfigMaps with policies.
    pub config_maps: Vec<Value>,
    /// All ValidatingAdmissionPolicies that are twins of policies.
    pub twins: Vec<Value>,
    /// Services of the server's namespace.
    pub services: Vec<Value>,
    /// Its pods.
    pub pods: Vec<Value>,
    /// Its PodDisruptionBudgets.
    pub budgets: Vec<Value>,
    /// Secrets with certificates of the server's pods, by name.
    pub secrets: BTreeMap<String, Value>,
}

/// Who is asked for what a snapshot holds.
pub trait Asks {
    /// What is at a path; null where nothing is.
    fn get(&self, path: &str) -> impl Future<Output = Result<Value, String>>;
}

impl Snapshot {
    /// Reads a cluster.
    ///
    /// # Errors
    /// What could not be read, and why: half of a cluster cannot be judged.
    pub async fn read(asked: &impl Asks, namespace: &str, name: &str) -> Result<Self, String> {
        let list = async |path: &str| {
            let found = asked.get(path).await?;
            Ok::<Vec<Value>, String>(items(at(&found, "/items")).cloned().collect())
        };
        let own = |path: &str, resource: &str| format!("{path}/namespaces/{namespace}/{resource}");
        let registrations = "/apis/admissionregistration.k8s.io/v1";
        let labelled = "labelSelector=admittance.dev%2Fpolicies%3Dtrue";
        let twins = "labelSelector=admittance.dev%2Ftwin%3Dtrue";
        let mut snapshot = Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            api_server: asked.get("/version").await?,
            mutating: list(&format!("{registrations}/mutatingwebhookconfigurations")).await?,
            validating: list(&format!("{registrations}/validatingwebhookconfigurations")).await?,
            namespaces: list("/api/v1/namespaces").await?,
            daemon_sets: list("/apis/apps/v1/daemonsets").await?,
            config_maps: list(&format!("/api/v1/configmaps?{labelled}")).await?,
            twins: list(&format!("{registrations}/validatingadmissionpolicies?{twins}")).await?,
            services: list(&own("/api/v1", "services")).await?,
            pods: list(&own("/api/v1", "pods")).await?,
            budgets: list(&own("/apis/policy/v1", "poddisruptionbudgets")).await?,
            secrets: BTreeMap::new(),
        };
        for name in snapshot.certificate_secrets() {
            let secret = asked.get(&own("/api/v1", &format!("secrets/{name}"))).await?;
            snapshot.secrets.insert(name, secret);
        }
        Ok(snapshot)
    }

    /// The configuration of the kind that belongs to the server.
    pub(super) fn configuration<'s>(&self, all: &'s [Value]) -> Option<&'s Value> {
        all.iter().find(|one| at(one, "/metadata/name") == self.name.as_str())
    }

    /// The server's two entries for everything, as far as they are there.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Value> {
        let of = |all, name| {
            let webhooks = self.configuration(all).map(|configuration| at(configuration, "/webhooks"));
            webhooks.into_iter().flat_map(items).find(move |webhook| at(webhook, "/name") == name)
        };
        of(&self.mutating, MUTATE).into_iter().chain(of(&self.validating, VALIDATE))
    }

    /// The Service behind the entries.
    pub(super) fn service(&self) -> Option<&Value> {
        let name = self.entries().find_map(|entry| at(entry, "/clientConfig/service/name").as_str())?;
        self.services.iter().find(|service| at(service, "/metadata/name") == name)
    }

    /// The server's pods that are to stay.
    pub(super) fn servers(&self) -> Vec<&Value> {
        let Some(selector) = self.service().map(|service| at(service, "/spec/selector")) else { return vec![] };
        let is_server = |pod: &&Value| {
            selector.is_object()
                && selects(&json!({ "matchLabels": selector }), at(pod, "/metadata/labels"))
                && at(pod, "/metadata/deletionTimestamp").is_null()
        };
        self.pods.iter().filter(is_server).collect()
    }

    /// An option of the servers, by its variable or its flag.
    pub(super) fn option(&self, variable: &str, flag: &str) -> Option<String> {
        let servers = self.servers();
        let mut containers = servers.iter().flat_map(|pod| items(at(pod, "/spec/containers")));
        containers.find_map(|container| {
            let of_environment = items(at(container, "/env")).find(|one| at(one, "/name") == variable);
            let arguments: Vec<&str> = items(at(container, "/args")).filter_map(Value::as_str).collect();
            let of_flag =
                arguments.iter().enumerate().find_map(|(position, argument)| match argument.strip_prefix(flag) {
                    Some("") => arguments.get(position + 1).copied(),
                    Some(value) => value.strip_prefix('='),
                    None => None,
                });
            of_flag.or_else(|| at(of_environment?, "/value").as_str()).map(ToOwned::to_owned)
        })
    }

    /// The namespaces whose ConfigMaps the servers watch.
    pub(super) fn watched(&self) -> Vec<String> {
        let others = self.option("ADMITTANCE_CONFIG_MAPS_FROM", "--config-maps-from").unwrap_or_default();
        let others = others.split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned);
        std::iter::once(self.namespace.clone()).chain(others).collect()
    }

    /// Secrets that hold the certificate: the one that the servers write, or those that are mounted.
    fn certificate_secrets(&self) -> Vec<String> {
        if let Some(name) = self.option("ADMITTANCE_CERTIFICATE_SECRET", "--certificate-secret") {
            return vec![name];
        }
        let servers = self.servers();
        let volumes = servers.iter().take(1).flat_map(|pod| items(at(pod, "/spec/volumes")));
        volumes.filter_map(|volume| at(volume, "/secret/secretName").as_str()).map(ToOwned::to_owned).collect()
    }

    /// The labels of a namespace; the one with its name, where it is not there yet.
    pub(super) fn labels_of(&self, namespace: &str) -> Value {
        let found = self.namespaces.iter().find(|one| at(one, "/metadata/name") == namespace);
        found.map_or_else(
            || json!({ "kubernetes.io/metadata.name": namespace }),
            |one| at(one, "/metadata/labels").clone(),
        )
    }

    /// Whether matchConditions are obeyed.
    pub(super) fn version(&self, found: &mut Vec<Finding>) {
        let number = |field: &str| {
            let text = self.api_server.get(field).and_then(Value::as_str).unwrap_or_default();
            text.trim_end_matches('+').parse::<u32>().unwrap_or_default()
        };
        if (number("major"), number("minor")) < (1, 28) {
            let version = at(&self.api_server, "/gitVersion").as_str().unwrap_or("unknown");
            found.push(Finding::new(
                Severity::High,
                format!("the API server's version is {version}"),
                "it does not know matchConditions: nodes, leases and the API server's own requests are sent to the webhook",
                "upgrade the cluster to 1.28 or later before anything is sent to the webhook",
            ));
        }
    }
}
