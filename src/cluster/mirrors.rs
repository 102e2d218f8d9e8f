//! What policies look up often, kept here: the kinds that the loaded policies declare, each watched, so that a request asks
//! nobody. Without these every request would wait for the API server, which waits for the request.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use admittance_engine::review::{KindName, Lookup, ObjectName};
use futures_util::stream::StreamExt as _;
use kube::core::{DynamicObject, GroupVersionKind};
use kube::discovery::{ApiCapabilities, ApiResource, Scope, pinned_kind};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::Fact;
use super::mirror::{Key, Mirror};
use crate::telemetry::Metrics;
use crate::telemetry::metrics::KindLabels;

/// How long to wait before a kind that could not be found is looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// The kinds that are kept.
pub struct Mirrors {
    kinds: Mutex<BTreeMap<KindName<'static>, Kept>>,
    /// What all objects together may take, in bytes of JSON.
    budget: usize,
    metrics: Arc<Metrics>,
}

/// The objects of a kind.
struct Kept {
    objects: Mirror<Arc<str>>,
    bytes: usize,
    is_namespaced: bool,
    /// Lists that were asked for since something changed, by namespace.
    lists: HashMap<String, Arc<str>>,
    /// Whether they took more than the budget: then nothing is kept, and the cluster is asked.
    is_over_budget: bool,
}

impl Mirrors {
    /// Nothing is kept yet.
    pub fn new(budget: usize, metrics: Arc<Metrics>) -> Self {
        Self { kinds: Mutex::default(), budget, metrics }
    }

    /// What is known of a lookup; None where the cluster has to be asked.
    pub(super) fn answer(&self, lookup: &Lookup<'static>) -> Option<Fact> {
        match lookup {
            // A namespace that is not here may have been made just now.
            Lookup::Namespace(name) => {
                let kinds = self.lock();
                kinds.get(&NAMESPACE)?.objects.get("", name).map(|text| Fact::Found(Arc::clone(text)))
            }
            Lookup::Scope(kind) => {
                let scope = if self.lock().get(kind)?.is_namespaced { "\"Namespaced\"" } else { "\"Cluster\"" };
                Some(Fact::Found(Arc::from(scope)))
            }
            Lookup::Objects(ObjectName { kind, namespace, .. }) => {
                let mut kinds = self.lock();
                let kept = kinds.get_mut(kind).filter(|kept| kept.objects.is_synced() && !kept.is_over_budget)?;
                Some(Fact::Found(kept.list(namespace)))
            }
            Lookup::Access(_) | Lookup::Object(_) | Lookup::Pods(_) => None,
        }
    }

    /// Whether everything that these lookups may ask for is here.
    pub fn has(&self, declared: &BTreeSet<Lookup<'static>>) -> bool {
        let kinds = self.lock();
        let is_there = |kind: &KindName<'static>| {
            kinds.get(kind).is_some_and(|kept| kept.objects.is_synced() || kept.is_over_budget)
        };
        kinds_of(declared).iter().all(is_there)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<KindName<'static>, Kept>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over an event of a kind's watch. False where the kind is not to be watched any more.
    fn take(&self, kind: &KindName<'static>, event: watcher::Event<DynamicObject>) -> bool {
        let mut kinds = self.lock();
        let Some(kept) = kinds.get_mut(kind) else { return false };
        // A list that is still arriving changes nothing: requests wait for this lock.
        if !kept.objects.take(event, |object| read(object, kind)) {
            return true;
        }
        kept.lists.clear();
        kept.bytes = kept.objects.iter().map(|(_, text)| text.len()).sum();
        let total: usize = kinds.values().map(|kept| kept.bytes).sum();
        let is_over = total > self.budget;
        if is_over && let Some(kept) = kinds.get_mut(kind) {
            let bytes = kept.bytes;
            (kept.objects, kept.bytes, kept.is_over_budget) = (Mirror::default(), 0, true);
            kept.lists.clear();
            tracing::error!(
                kind = %kind.kind,
                bytes,
                budget = self.budget,
                "the objects that policies look up take too much to be kept, the cluster is asked for them: raise --max-cache-mib"
            );
        }
        self.count(&kinds);
        !is_over
    }

    fn begin(&self, kind: &KindName<'static>, is_namespaced: bool) {
        let kept =
            Kept { objects: Mirror::default(), bytes: 0, is_namespaced, lists: HashMap::new(), is_over_budget: false };
        self.lock().insert(kind.clone(), kept);
    }

    fn end(&self, kind: &KindName<'static>) {
        let mut kinds = self.lock();
        kinds.remove(kind);
        self.count(&kinds);
    }

    fn count(&self, kinds: &BTreeMap<KindName<'static>, Kept>) {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.metrics.cache_bytes.set(number(kinds.values().map(|kept| kept.bytes).sum()));
        self.metrics.cache_objects.clear();
        for (kind, kept) in kinds {
            let labels = KindLabels { kind: kind.kind.to_string() };
            self.metrics.cache_objects.get_or_create(&labels).set(number(kept.objects.iter().count()));
        }
    }
}

impl fmt::Debug for Mirrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Mirrors({} kinds)", self.lock().len())
    }
}

impl Kept {
    /// The objects of a namespace, or all where that is empty, as a list in order of namespace and name.
    fn list(&mut self, namespace: &str) -> Arc<str> {
        if let Some(list) = self.lists.get(namespace) {
            return Arc::clone(list);
        }
        let is_meant = |key: &Key| namespace.is_empty() || key.0 == namespace;
        let texts: Vec<&str> =
            self.objects.iter().filter(|(key, _)| is_meant(key)).map(|(_, text)| text.as_ref()).collect();
        let list: Arc<str> = Arc::from(format!("[{}]", texts.join(",")));
        self.lists.insert(namespace.to_owned(), Arc::clone(&list));
        list
    }
}

const NAMESPACE: KindName<'static> =
    KindName { api_version: std::borrow::Cow::Borrowed("v1"), kind: std::borrow::Cow::Borrowed("Namespace") };

/// The kinds to keep for these lookups: those of which all objects may be asked for. Single objects are asked for.
fn kinds_of(declared: &BTreeSet<Lookup<'static>>) -> BTreeSet<KindName<'static>> {
    let kind = |lookup: &Lookup<'static>| match lookup {
        Lookup::Namespace(_) => Some(NAMESPACE),
        Lookup::Objects(objects) => Some(objects.kind.clone()),
        Lookup::Access(_) | Lookup::Scope(_) | Lookup::Object(_) | Lookup::Pods(_) => None,
    };
    declared.iter().filter_map(kind).collect()
}

/// An object as text, with its kind and without what only the API server reads.
fn read(mut object: DynamicObject, kind: &KindName<'_>) -> Option<Arc<str>> {
    object.metadata.managed_fields = None;
    let mut value = serde_json::to_value(&object).ok()?;
    let map = value.as_object_mut()?;
    map.insert("apiVersion".to_owned(), Value::from(kind.api_version.as_ref()));
    map.insert("kind".to_owned(), Value::from(kind.kind.as_ref()));
    Some(Arc::from(value.to_string()))
}

/// Watches the kinds that `declared` asks for, whatever that becomes, until the process ends.
pub async fn keep_up(client: Client, mirrors: Arc<Mirrors>, mut declared: watch::Receiver<BTreeSet<Lookup<'static>>>) {
    let mut running: BTreeMap<KindName<'static>, AbortHandle> = BTreeMap::new();
    loop {
        let wanted = kinds_of(&declared.borrow_and_update());
        running.retain(|kind, watching| {
            let stays = wanted.contains(kind);
            if !stays {
                watching.abort();
                mirrors.end(kind);
            }
            stays
        });
        for kind in wanted {
            running
                .entry(kind.clone())
                .or_insert_with(|| tokio::spawn(keep(client.clone(), Arc::clone(&mirrors), kind)).abort_handle());
        }
        if declared.changed().await.is_err() {
            return;
        }
    }
}

/// Watches one kind.
async fn keep(client: Client, mirrors: Arc<Mirrors>, kind: KindName<'static>) {
    let mut said = None;
    let mut say = |error: String| {
        if said.as_ref() != Some(&error) {
            tracing::warn!(
                kind = %kind.kind,
                error,
                "what policies look up cannot be watched, the cluster is asked for it: `admittance rbac` prints the rights"
            );
            said = Some(error);
        }
    };
    let (resource, capabilities) = loop {
        match find(&client, &kind).await {
            Ok(found) => break found,
            Err(error) => say(error.to_string()),
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    };
    mirrors.begin(&kind, capabilities.scope == Scope::Namespaced);
    let objects: Api<DynamicObject> = Api::all_with(client, &resource);
    let mut events = watcher(objects, watcher::Config::default()).default_backoff().boxed();
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                if !mirrors.take(&kind, event) {
                    return;
                }
            }
            Err(error) => say(error.to_string()),
        }
    }
}

async fn find(client: &Client, kind: &KindName<'static>) -> kube::Result<(ApiResource, ApiCapabilities)> {
    let (group, version) = kind.api_version.split_once('/').unwrap_or(("", &kind.api_version));
    pinned_kind(client, &GroupVersionKind::gvk(group, version, &kind.kind)).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(namespace: &str, name: &str) -> DynamicObject {
        serde_json::from_value(json!({
            "metadata": {"namespace": namespace, "name": name, "managedFields": [{"manager": "x"}]}, "spec": {"a": 1},
        }))
        .unwrap()
    }

    fn kind() -> KindName<'static> {
        KindName { api_version: "networking.k8s.io/v1".into(), kind: "Ingress".into() }
    }

    fn of(namespace: &'static str) -> Lookup<'static> {
        Lookup::Objects(ObjectName { kind: kind(), namespace: namespace.into(), name: "".into() })
    }

    fn mirrors(budget: usize) -> Mirrors {
        let mirrors = Mirrors::new(budget, Arc::default());
        mirrors.begin(&kind(), true);
        mirrors
    }

    fn text(fact: Option<Fact>) -> String {
        let Some(Fact::Found(text)) = fact else { panic!("expected an answer") };
        text.to_string()
    }

    #[test]
    fn answers_once_the_list_is_complete() {
        let mirrors = mirrors(10_000);
        let declared = BTreeSet::from([of("")]);
        for event in [watcher::Event::Init, watcher::Event::InitApply(object("b", "x"))] {
            assert!(mirrors.take(&kind(), event) && mirrors.answer(&of("")).is_none() && !mirrors.has(&declared));
        }
        mirrors.take(&kind(), watcher::Event::InitApply(object("a", "y")));
        mirrors.take(&kind(), watcher::Event::InitDone);
        assert!(mirrors.has(&declared));
        let one = |namespace, name| {
            format!(
                r#"{{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{{"name":"{name}","namespace":"{namespace}"}},"spec":{{"a":1}}}}"#
            )
        };
        assert_eq!(text(mirrors.answer(&of(""))), format!("[{},{}]", one("a", "y"), one("b", "x")));
        assert_eq!(text(mirrors.answer(&of("b"))), format!("[{}]", one("b", "x")));
        assert_eq!(text(mirrors.answer(&of("c"))), "[]");
        mirrors.take(&kind(), watcher::Event::Delete(object("b", "x")));
        assert_eq!(text(mirrors.answer(&of("b"))), "[]");
        assert_eq!(text(mirrors.answer(&Lookup::Scope(kind()))), "\"Namespaced\"");
        assert!(mirrors.answer(&Lookup::Namespace("a".into())).is_none());
        mirrors.end(&kind());
        assert!(mirrors.answer(&of("")).is_none());
    }

    #[test]
    fn keeps_nothing_of_a_kind_that_is_over_the_budget() {
        let mirrors = mirrors(200);
        mirrors.take(&kind(), watcher::Event::Init);
        (0..9).for_each(|n| assert!(mirrors.take(&kind(), watcher::Event::InitApply(object("a", &n.to_string())))));
        assert!(!mirrors.take(&kind(), watcher::Event::InitDone));
        assert!(mirrors.answer(&of("")).is_none() && mirrors.has(&BTreeSet::from([of("")])));
        assert_eq!(mirrors.metrics.cache_bytes.get(), 0);
    }
}
