//! Policies in a cluster's ConfigMaps: watched, each one a unit; and the last good version of each, kept in ConfigMaps of
//! the server's own namespace, so that a server that starts while a unit is broken runs what the others run.

mod kept;
mod unit;

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;

use futures_util::future::FutureExt as _;
use futures_util::stream::{BoxStream, SelectAll, StreamExt as _};
use k8s_openapi::api::core::v1::{ConfigMap, ObjectReference};
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client};
use tokio::sync::mpsc::UnboundedReceiver;

use self::kept::{KEPT_LABEL, KeptObject};
use super::last_good::{LastGood, LastGoods};
use super::{Change, Read, UnitState};
use crate::cluster::Mirror;

pub use unit::unit_of;

/// Where ConfigMaps are.
#[derive(Clone, Debug)]
pub struct Places {
    /// The server's own namespace: policies, and their last good versions.
    pub own: String,
    /// Further namespaces with policies.
    pub others: Vec<String>,
}

/// What the cluster says.
#[derive(Debug)]
pub enum Seen {
    /// All units.
    Units(Vec<Read>),
    /// All last good versions.
    Kept(LastGoods),
}

/// What the cluster is to be told.
#[derive(Debug)]
pub enum Told {
    /// A version that runs, to be kept.
    Keep(LastGood),
    /// A unit that stands otherwise than before.
    Changed(Change),
}

/// The longest note of an Event (events.k8s.io/v1).
const MAX_NOTE: usize = 1_024;

/// Watches until the process ends: everything that is there at first, then what changes, and every time the whole.
pub async fn follow(client: Client, places: Places, seen: Sender<Seen>, mut told: UnboundedReceiver<Told>) {
    let namespaces: Vec<String> = std::iter::once(&places.own).chain(&places.others).cloned().collect();
    let mut streams: SelectAll<BoxStream<'static, (usize, watcher::Result<watcher::Event<ConfigMap>>)>> =
        SelectAll::new();
    for (place, namespace) in namespaces.iter().enumerate() {
        streams.push(watch(&client, namespace, &format!("{}=true", admittance_engine::unit::LABEL), place));
    }
    let kept_place = namespaces.len();
    streams.push(watch(&client, &places.own, &format!("{KEPT_LABEL}=true"), kept_place));

    let mut units: Vec<Mirror<Read>> = namespaces.iter().map(|_| Mirror::default()).collect();
    let mut kept: Mirror<KeptObject> = Mirror::default();
    let mut troubles: BTreeMap<usize, String> = BTreeMap::new();
    let keeper = kept::Keeper::new(client.clone(), &places.own);
    let recorder = Recorder::new(client, Reporter::from("admittance"));
    let mut retry = tokio::time::interval(kept::RETRY_EVERY);
    let mut unkept: BTreeMap<String, LastGood> = BTreeMap::new();
    loop {
        tokio::select! {
            Some((place, event)) = streams.next() => {
                let mut changed = [false, false];
                let mut next = Some((place, event));
                // What has arrived together is told together.
                while let Some((place, event)) = next {
                    let name = namespaces.get(place).unwrap_or(&places.own);
                    match event {
                        Ok(event) if place == kept_place => changed[1] |= kept.take(event, |object| Some(KeptObject::of(object))),
                        Ok(event) => {
                            if let Some(mirror) = units.get_mut(place) {
                                changed[0] |= mirror.take(event, |object| Some(unit_of(&object)));
                            }
                        }
                        Err(error) => {
                            trouble(&mut troubles, place, name, &error.to_string());
                            next = streams.next().now_or_never().flatten();
                            continue;
                        }
                    }
                    if troubles.remove(&place).is_some() {
                        tracing::info!(namespace = name, "the ConfigMaps are watched again");
                    }
                    next = streams.next().now_or_never().flatten();
                }
                // Nobody listens any more when the process ends.
                if changed[0] && units.iter().all(Mirror::is_synced) {
                    let _ = seen.send(Seen::Units(units.iter().flat_map(Mirror::iter).map(|(_, read)| read.clone()).collect()));
                }
                if changed[1] && kept.is_synced() {
                    let goods = kept.iter().filter_map(|(_, kept)| kept.last_good()).map(|good| (good.unit.name.clone(), good.clone()));
                    let _ = seen.send(Seen::Kept(goods.collect()));
                }
            }
            Some(told) = told.recv() => match told {
                Told::Keep(good) => {
                    unkept.remove(&good.unit.name);
                    if !keeper.keep(&good, &kept).await {
                        unkept.insert(good.unit.name.clone(), good);
                    }
                }
                Told::Changed(change) => say(&recorder, change).await,
            },
            _ = retry.tick() => {
                for (name, good) in std::mem::take(&mut unkept) {
                    if !keeper.keep(&good, &kept).await {
                        unkept.insert(name, good);
                    }
                }
            }
        }
    }
}

fn watch(
    client: &Client,
    namespace: &str,
    labels: &str,
    place: usize,
) -> BoxStream<'static, (usize, watcher::Result<watcher::Event<ConfigMap>>)> {
    let config_maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let config = watcher::Config::default().labels(labels);
    watcher(config_maps, config).default_backoff().map(move |event| (place, event)).boxed()
}

/// Says once what keeps ConfigMaps from being watched.
fn trouble(troubles: &mut BTreeMap<usize, String>, place: usize, namespace: &str, error: &str) {
    if troubles.get(&place).is_some_and(|known| known == error) {
        return;
    }
    tracing::warn!(
        namespace,
        error,
        "the ConfigMaps cannot be watched, what is known of them stays; the server's role must allow to list and watch them"
    );
    troubles.insert(place, error.to_owned());
}

/// Writes an Event about a ConfigMap: `kubectl describe` shows it.
async fn say(recorder: &Recorder, change: Change) {
    let Some((namespace, name)) = change.unit.split_once('/') else { return };
    let reference = ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("ConfigMap".to_owned()),
        namespace: Some(namespace.to_owned()),
        name: Some(name.to_owned()),
        uid: Some(change.revision.uid.clone()),
        ..ObjectReference::default()
    };
    let problems = change.problems.join("\n");
    let (type_, reason, note) = match change.state {
        UnitState::Active => (
            EventType::Normal,
            "PoliciesActive",
            format!("version {} runs", change.digest.as_deref().unwrap_or_default()),
        ),
        UnitState::Stale => {
            (EventType::Warning, "PoliciesBroken", format!("the last good version runs on: {problems}"))
        }
        UnitState::Broken => (EventType::Warning, "PoliciesBroken", format!("nothing of it runs: {problems}")),
    };
    let event =
        Event { type_, reason: reason.to_owned(), note: Some(cut(note)), action: "Load".to_owned(), secondary: None };
    if let Err(error) = recorder.publish(&event, &reference).await {
        tracing::warn!(unit = change.unit, %error, "no Event could be written about the unit");
    }
}

fn cut(mut note: String) -> String {
    if note.len() > MAX_NOTE {
        note.truncate(note.floor_char_boundary(MAX_NOTE - "…".len()));
        note.push('…');
    }
    note
}
