//! The API server as the certificates need it: one Secret, two webhook configurations.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt as _};
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration, WebhookClientConfig,
};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt as _, utils::Backoff, watcher};
use kube::{Api, Client};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::live::{Configuration, Kind};
use super::stored::{Data, KEYS};

/// The field manager of the bundles.
const MANAGER: &str = "admittance-certificates";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before a watch that has ended is begun again.
const WATCH_AGAIN: Duration = Duration::from_secs(1);

/// Why something could not be read or written.
#[derive(Debug)]
pub(super) enum Failure {
    /// Somebody else was faster: to be read and judged again.
    Conflict,
    /// Anything else.
    Trouble(String),
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) if status.code == 409 => Self::Conflict,
            // Its own text would show all of the status.
            kube::Error::Api(status) => Self::Trouble(status.message.clone()),
            other => Self::Trouble(other.to_string()),
        }
    }
}

/// What a watch of a webhook configuration says.
#[derive(Debug)]
pub(super) enum News {
    /// It is so now; none where there is none.
    Is(Option<Configuration>),
    /// A new list begins.
    Begins,
    /// A new list is complete.
    Complete,
    /// It cannot be watched.
    Trouble(String),
}

/// The Secret, and the entries that are to trust what is in it.
pub(super) struct Cluster {
    secrets: Api<Secret>,
    secret: String,
    mutating: Api<MutatingWebhookConfiguration>,
    validating: Api<ValidatingWebhookConfiguration>,
    configuration: String,
}

impl Cluster {
    pub(super) fn new(client: &Client, namespace: &str, secret: &str, configuration: &str) -> Self {
        Self {
            secrets: Api::namespaced(client.clone(), namespace),
            secret: secret.to_owned(),
            mutating: Api::all(client.clone()),
            validating: Api::all(client.clone()),
            configuration: configuration.to_owned(),
        }
    }

    /// The Secret, if there is one.
    pub(super) async fn read(&self) -> Result<Option<Secret>, Failure> {
        timely(self.secrets.get_opt(&self.secret)).await
    }

    /// Makes the Secret, or replaces the data of the one that was read.
    pub(super) async fn write(&self, read: Option<&Secret>, data: Data) -> Result<Secret, Failure> {
        let parameters = PostParams::default();
        if let Some(read) = read {
            if !is_ours(read) {
                let problem = "it is of another type or holds other keys: somebody else's, which is left alone";
                return Err(Failure::Trouble(problem.to_owned()));
            }
            let secret = Secret { data: Some(data), ..read.clone() };
            return timely(self.secrets.replace(&self.secret, &parameters, &secret)).await;
        }
        let metadata = ObjectMeta { name: Some(self.secret.clone()), ..ObjectMeta::default() };
        let secret = Secret { metadata, type_: Some("Opaque".to_owned()), data: Some(data), ..Secret::default() };
        timely(self.secrets.create(&parameters, &secret)).await
    }

    /// Writes the bundle into all entries of ours of a configuration as it was read, and into nothing else.
    pub(super) async fn apply(&self, kind: Kind, read: &Configuration, bundle: &str) -> Result<Configuration, Failure> {
        let bundle = k8s_openapi::ByteString(bundle.as_bytes().to_vec());
        let entry = |name: &str| json!({"name": name, "clientConfig": {"caBundle": bundle}});
        // With its uid and version it can be neither made nor changed in another state than the one that was judged.
        let body = json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": kind.name(),
            "metadata": {"name": self.configuration, "uid": read.uid, "resourceVersion": read.version},
            "webhooks": read.entries.iter().map(|read| entry(&read.name)).collect::<Vec<_>>(),
        });
        match kind {
            Kind::Mutating => patch(&self.mutating, &self.configuration, &body).await,
            Kind::Validating => patch(&self.validating, &self.configuration, &body).await,
        }
    }

    /// Watches both configurations until the process ends.
    pub(super) fn watch(&self) -> BoxStream<'static, (Kind, News)> {
        let mutating = watch(self.mutating.clone(), &self.configuration, Kind::Mutating);
        let validating = watch(self.validating.clone(), &self.configuration, Kind::Validating);
        futures_util::stream::select(mutating, validating).boxed()
    }
}

/// Whether it is of the type that this server makes, and nothing is in it but what this server writes.
fn is_ours(secret: &Secret) -> bool {
    secret.type_.as_deref().is_none_or(|type_| type_ == "Opaque")
        && secret.data.iter().flatten().all(|(key, _)| KEYS.contains(&key.as_str()))
}

async fn timely<T>(asked: impl Future<Output = kube::Result<T>>) -> Result<T, Failure> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::Trouble("the API server does not answer in time".to_owned())),
    }
}

/// A kind of webhook configuration.
trait Webhooks: kube::Resource<DynamicType = ()> + Clone + DeserializeOwned + fmt::Debug + Send + 'static {
    fn entries(&self) -> Vec<(String, &WebhookClientConfig)>;

    fn read(&self) -> Configuration {
        let metadata = self.meta();
        let bundle = |config: &WebhookClientConfig| config.ca_bundle.clone().unwrap_or_default().0;
        Configuration::of(
            metadata.uid.clone().unwrap_or_default(),
            metadata.resource_version.clone().unwrap_or_default(),
            self.entries().into_iter().map(|(name, config)| (name, bundle(config))),
        )
    }
}

impl Webhooks for MutatingWebhookConfiguration {
    fn entries(&self) -> Vec<(String, &WebhookClientConfig)> {
        self.webhooks.iter().flatten().map(|entry| (entry.name.clone(), &entry.client_config)).collect()
    }
}

impl Webhooks for ValidatingWebhookConfiguration {
    fn entries(&self) -> Vec<(String, &WebhookClientConfig)> {
        self.webhooks.iter().flatten().map(|entry| (entry.name.clone(), &entry.client_config)).collect()
    }
}

async fn patch<K: Webhooks>(api: &Api<K>, name: &str, body: &serde_json::Value) -> Result<Configuration, Failure> {
    let parameters = PatchParams::apply(MANAGER).force();
    timely(api.patch(name, &parameters, &Patch::Apply(body))).await.map(|patched: K| patched.read())
}

fn watch<K: Webhooks>(api: Api<K>, name: &str, kind: Kind) -> BoxStream<'static, (Kind, News)> {
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let news = |event| match event {
        Ok(watcher::Event::Init) => News::Begins,
        Ok(watcher::Event::InitApply(object) | watcher::Event::Apply(object)) => News::Is(Some(K::read(&object))),
        Ok(watcher::Event::InitDone) => News::Complete,
        Ok(watcher::Event::Delete(_)) => News::Is(None),
        Err(error) => News::Trouble(reason(&error)),
    };
    watcher(api, config).backoff(Steady).map(move |event| (kind, news(event))).boxed()
}

/// A text that is the same each time.
fn reason(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status)) => status.message.clone(),
        other => other.to_string(),
    }
}

/// The same time before every try: it is one object, and the sooner it is seen the better.
struct Steady;

impl Iterator for Steady {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(WATCH_AGAIN)
    }
}

impl Backoff for Steady {
    fn reset(&mut self) {}
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;

    use super::*;

    #[test]
    fn leaves_the_secrets_of_others_alone() {
        let secret = |type_: &str, keys: &[&str]| Secret {
            type_: Some(type_.to_owned()),
            data: Some(keys.iter().map(|key| ((*key).to_owned(), ByteString::default())).collect()),
            ..Secret::default()
        };
        assert!(is_ours(&secret("Opaque", &KEYS)) && is_ours(&secret("Opaque", &[])) && is_ours(&Secret::default()));
        assert!(!is_ours(&secret("kubernetes.io/tls", &["ca.crt", "tls.crt", "tls.key"])));
        assert!(!is_ours(&secret("Opaque", &["ca.crt", "password"])));
    }
}
