use std::collections::BTreeSet;
use std::sync::Mutex;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::*;
use crate::evidence::book::Book;
use crate::evidence::counting::tests::{POLICIES, active};
use crate::evidence::store::read_file;

/// A part of an API server: one ConfigMap, with resource versions.
#[derive(Default)]
struct World {
    object: Option<Value>,
    version: u64,
    /// How many writes meet a version that somebody else has just made.
    interrupted: usize,
    /// How many writes are done without an answer that says so.
    unheard: usize,
    names: BTreeSet<String>,
}

type Shared = Arc<Mutex<World>>;

fn failure(code: u16, reason: &str) -> Response {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": reason});
    (StatusCode::from_u16(code).unwrap(), Json(status)).into_response()
}

async fn read(State(world): State<Shared>) -> Response {
    match &world.lock().unwrap().object {
        Some(object) => Json(object.clone()).into_response(),
        None => failure(404, "NotFound"),
    }
}

async fn write(State(world): State<Shared>, Json(mut object): Json<Value>) -> Response {
    let mut world = world.lock().unwrap();
    let said = object["metadata"]["resourceVersion"].as_str().map(ToOwned::to_owned);
    let there = world.object.as_ref().map(|there| there["metadata"]["resourceVersion"].as_str().unwrap().to_owned());
    if world.interrupted > 0 {
        world.interrupted -= 1;
        return failure(409, "Conflict");
    }
    if said != there {
        return failure(409, "Conflict");
    }
    world.version += 1;
    object["metadata"]["resourceVersion"] = json!(world.version.to_string());
    world.names.insert(object["metadata"]["name"].as_str().unwrap().to_owned());
    world.object = Some(object.clone());
    if world.unheard > 0 {
        world.unheard -= 1;
        return failure(500, "InternalError");
    }
    Json(object).into_response()
}

async fn store(world: &Shared) -> Store {
    let paths = "/api/v1/namespaces/ns/configmaps";
    let router = axum::Router::new()
        .route(paths, post(write))
        .route(&format!("{paths}/{{name}}"), get(read).put(write))
        .with_state(Arc::clone(world));
    Store::in_cluster(crate::cluster::made_up::client(router).await, "ns", "admittance")
}

/// A replica, and what it has counted of the policy `tags`.
fn replica(store: &Store, who: &str) -> Keeper {
    let evidence = Arc::new(Evidence::default());
    evidence.activate(&active(POLICIES), now());
    Keeper { evidence, store: store.clone(), writer: who.to_owned() }
}

/// As if it had judged so many requests: what it hands out next holds them.
fn counts(keeper: &Keeper, requests: u64) {
    keeper.evidence.invent("tags", "shop", requests);
}

fn requests(book: &Book) -> u64 {
    book.policies["tags"].total().requests
}

async fn kept(store: &Store) -> Book {
    store.read().await.unwrap().book
}

#[tokio::test]
async fn adds_up_what_replicas_count_and_what_earlier_ones_have() {
    let world = Shared::default();
    let store = store(&world).await;
    let (one, other) = (replica(&store, "1-a"), replica(&store, "1-b"));
    counts(&one, 5);
    one.keep().await;
    counts(&other, 7);
    counts(&one, 1);
    other.keep().await;
    one.keep().await;
    assert_eq!(requests(&kept(&store).await), 13);
    assert_eq!((requests(&one.evidence.book()), requests(&other.evidence.book())), (13, 12), "a minute late");
    let begun = kept(&store).await.policies["tags"].since;
    let later = replica(&store, "2-a");
    later.keep().await;
    assert_eq!((requests(&later.evidence.book()), later.evidence.book().policies["tags"].since), (13, begun));
    let world = world.lock().unwrap();
    assert_eq!(world.names, BTreeSet::from(["admittance-evidence".to_owned()]));
    assert_eq!(world.object.as_ref().unwrap()["metadata"]["labels"]["admittance.dev/evidence"], "true");
    assert_eq!(world.version, 3, "who has nothing to add writes nothing");
}

#[tokio::test]
async fn writes_nothing_over_and_adds_nothing_twice() {
    let world = Shared::default();
    let store = store(&world).await;
    let one = replica(&store, "1-a");
    counts(&one, 5);
    world.lock().unwrap().interrupted = 3;
    one.keep().await;
    assert_eq!(requests(&kept(&store).await), 5);
    // Written, and nobody heard of it: the next time it is known to be there.
    counts(&one, 2);
    world.lock().unwrap().unheard = 1;
    one.keep().await;
    counts(&one, 1);
    one.finish().await;
    assert_eq!(requests(&kept(&store).await), 8);
    // Never written: it stays for the next time.
    counts(&one, 4);
    world.lock().unwrap().interrupted = TRIES;
    one.keep().await;
    assert_eq!(requests(&kept(&store).await), 8);
    one.keep().await;
    assert_eq!(requests(&kept(&store).await), 12);
    assert_eq!(requests(&one.evidence.book()), 12);
}

#[tokio::test]
async fn begins_anew_where_somebody_deleted_it_or_wrote_something_else() {
    let world = Shared::default();
    let store = store(&world).await;
    let one = replica(&store, "1-a");
    counts(&one, 5);
    one.keep().await;
    world.lock().unwrap().object = None;
    counts(&one, 2);
    one.keep().await;
    assert_eq!(requests(&kept(&store).await), 2);
    world.lock().unwrap().object.as_mut().unwrap()["binaryData"]["evidence.json.gz"] = json!("AAAA");
    counts(&one, 1);
    one.keep().await;
    assert_eq!(requests(&kept(&store).await), 1);
}

#[tokio::test]
async fn keeps_a_file_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evidence");
    let store = Store::file(path.clone()).unwrap();
    let one = replica(&store, "1-a");
    counts(&one, 5);
    one.keep().await;
    assert_eq!(requests(&read_file(&path).unwrap()), 5);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    std::fs::write(&path, "nonsense, and more of it").unwrap();
    let said = Store::file(path.clone()).unwrap_err();
    assert_eq!(
        said,
        format!("cannot use the evidence in {}: it cannot be unpacked: invalid gzip header", path.display())
    );
    let nowhere = Store::file(folder.path().join("none/evidence")).unwrap_err();
    assert!(
        nowhere.starts_with("cannot write ") && nowhere.ends_with("No such file or directory (os error 2)"),
        "{nowhere}"
    );
}
