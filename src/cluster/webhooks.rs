//! What the API server sends: its two webhook configurations, watched by name.

use admittance_engine::matching::RawMatchConstraints;
use admittance_engine::set::{Entries, Entry};
use futures_util::stream::{BoxStream, StreamExt as _, select};
use k8s_openapi::api::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, Resource};
use serde::Serialize;
use serde_json::{Value, json};

use super::at;

/// The entry of what is sent to `/mutate`.
pub const MUTATE: &str = "mutate.admittance.dev";
/// The entry of what is sent to `/validate`.
pub const VALIDATE: &str = "validate.admittance.dev";
/// The entry that judges ConfigMaps with policies.
pub const UNITS: &str = "units.admittance.dev";

/// What is known of one configuration: nothing yet, that there is none, or what it says.
type Known = Option<Option<Value>>;

/// Watches the MutatingWebhookConfiguration and the ValidatingWebhookConfiguration of this name until the process ends, and tells
/// what both send whenever that changes: None where one of them is not there, or may not be read.
pub async fn follow(client: Client, name: &str, tell: impl Fn(Option<Entries>)) {
    let mut events = select(
        watch::<MutatingWebhookConfiguration>(&client, name).map(|event| (0, event)),
        watch::<ValidatingWebhookConfiguration>(&client, name).map(|event| (1, event)),
    );
    let mut known: [Known; 2] = [None, None];
    let (mut listing, mut told, mut troubles) = ([None, None], None, [String::new(), String::new()]);
    while let Some((which, event)) = events.next().await {
        let (Some(known_one), Some(listing), Some(trouble)) =
            (known.get_mut(which), listing.get_mut(which), troubles.get_mut(which))
        else {
            continue;
        };
        match event {
            Ok(Change::Begins) => *listing = None,
            Ok(Change::Lists(object)) => *listing = Some(object),
            Ok(Change::Ends) => *known_one = Some(listing.take()),
            Ok(Change::Is(object)) => *known_one = Some(Some(object)),
            Ok(Change::IsGone) => *known_one = Some(None),
            Err(error) => {
                if *trouble != error {
                    tracing::warn!(
                        name,
                        error,
                        "the webhook configurations cannot be watched: whether policies are asked is not known"
                    );
                    *trouble = error;
                }
                continue;
            }
        }
        trouble.clear();
        let [Some(mutating), Some(validating)] = &known else { continue };
        let entries = mutating.as_ref().zip(validating.as_ref()).map(|(mutating, validating)| Entries {
            mutate: entry(mutating, MUTATE),
            validate: entry(validating, VALIDATE),
        });
        if told.as_ref() != Some(&entries) {
            if entries.is_none() {
                tracing::info!(
                    name,
                    "there are no two webhook configurations of this name: whether policies are asked is not known"
                );
            }
            tell(entries.clone());
            told = Some(entries);
        }
    }
}

/// What an entry of a configuration sends; nothing, where there is no such entry.
pub fn entry(configuration: &Value, name: &str) -> Entry {
    let webhooks = at(configuration, "/webhooks").as_array();
    let webhook = webhooks.into_iter().flatten().find(|webhook| at(webhook, "/name") == name);
    let field = |field: &str| webhook.and_then(|webhook| webhook.get(field)).filter(|value| !value.is_null());
    let fields = json!({
        "resourceRules": field("rules"),
        "matchPolicy": field("matchPolicy"),
        "namespaceSelector": field("namespaceSelector"),
        "objectSelector": field("objectSelector"),
    });
    // What the API server stores can be read.
    Entry::new(name, &serde_json::from_value::<RawMatchConstraints>(fields).unwrap_or_default())
}

/// What a watch says of an object.
enum Change {
    Begins,
    Lists(Value),
    Ends,
    Is(Value),
    IsGone,
}

fn watch<K>(client: &Client, name: &str) -> BoxStream<'static, Result<Change, String>>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + Send + Serialize + serde::de::DeserializeOwned + 'static,
{
    let objects: Api<K> = Api::all(client.clone());
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let value = |object: &K| serde_json::to_value(object).unwrap_or_default();
    watcher(objects, config)
        .default_backoff()
        .map(move |event| match event {
            Ok(watcher::Event::Init) => Ok(Change::Begins),
            Ok(watcher::Event::InitApply(object)) => Ok(Change::Lists(value(&object))),
            Ok(watcher::Event::InitDone) => Ok(Change::Ends),
            Ok(watcher::Event::Apply(object)) => Ok(Change::Is(value(&object))),
            Ok(watcher::Event::Delete(_)) => Ok(Change::IsGone),
            Err(error) => Err(error.to_string()),
        })
        .boxed()
}
