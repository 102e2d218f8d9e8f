//! Twins of policies: ValidatingAdmissionPolicies with our label, watched. They are never written.

use std::collections::BTreeMap;

use admittance_engine::export::{Installed, LABEL};
use futures_util::stream::StreamExt as _;
use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client};

/// Watches the twins until the process ends, and tells all of them whenever one changes.
pub async fn follow(client: Client, tell: impl Fn(Vec<Installed>)) {
    let objects: Api<ValidatingAdmissionPolicy> = Api::all(client);
    let config = watcher::Config::default().labels(&format!("{LABEL}=true"));
    let mut events = watcher(objects, config).default_backoff().boxed();
    let (mut known, mut listing) = (BTreeMap::<String, Option<Installed>>::new(), BTreeMap::new());
    let mut trouble = String::new();
    while let Some(event) = events.next().await {
        let name = |object: &ValidatingAdmissionPolicy| object.metadata.name.clone().unwrap_or_default();
        match event {
            Ok(watcher::Event::Init) => {
                listing = BTreeMap::new();
                continue;
            }
            Ok(watcher::Event::InitApply(object)) => {
                listing.insert(name(&object), read(&object));
                continue;
            }
            Ok(watcher::Event::InitDone) => known = std::mem::take(&mut listing),
            Ok(watcher::Event::Apply(object)) => {
                known.insert(name(&object), read(&object));
            }
            Ok(watcher::Event::Delete(object)) => {
                known.remove(&name(&object));
            }
            Err(error) => {
                let error = error.to_string();
                if trouble != error {
                    tracing::warn!(error, "twins cannot be watched: whether they are stale is not known");
                    trouble = error;
                }
                continue;
            }
        }
        trouble.clear();
        tell(known.values().flatten().cloned().collect());
    }
}

fn read(object: &ValidatingAdmissionPolicy) -> Option<Installed> {
    Installed::read(&serde_json::to_value(object).unwrap_or_default())
}
