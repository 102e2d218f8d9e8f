//! What breaks: replicas, the API server, its store.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cluster::{Cluster, DEPLOYMENT, Mode, OWN, await_that, signal};
use crate::metrics::Counted;
use crate::scenario::Size;

/// One of two, at once.
pub(super) fn kill_one(cluster: &Cluster, _: Mode, _: &Size) -> Result<String, String> {
    let replicas = cluster.replicas()?;
    let one = replicas.first().ok_or("no replica runs")?;
    signal("KILL", &[*one])?;
    back_again(cluster)
}

/// At once, as a crash does it; asked to end it would wait a minute for watches.
pub(super) fn restart_api_server(cluster: &Cluster, _: Mode, _: &Size) -> Result<String, String> {
    restart_server(cluster)?;
    back_again(cluster)
}

/// Its processes stop, and go on.
pub(super) fn pause_store(cluster: &Cluster, _: Mode, _: &Size) -> Result<String, String> {
    let store = cluster.processes("etcd")?;
    signal("STOP", &store)?;
    sleep(Duration::from_secs(5));
    signal("CONT", &store)?;
    back_again(cluster)
}

/// Open: none is wanted for a while, and everything passes. Closed: both are deleted at once, and come back by themselves.
pub(super) fn lose_all(cluster: &Cluster, mode: Mode, _: &Size) -> Result<String, String> {
    match mode {
        Mode::Open => {
            let before = Counted::read(cluster.api)?;
            scale(cluster, 0)?;
            await_that(Duration::from_mins(1), "no pod", || cluster.pods().is_empty())?;
            sleep(Duration::from_secs(5));
            let open = Counted::read(cluster.api)?.since(before).failed_open;
            scale(cluster, 2)?;
            if open < 1.0 {
                return Err("nothing was counted as failed open".to_owned());
            }
        }
        Mode::Closed => delete_pods(cluster)?,
    }
    back_again(cluster)
}

/// Waits until both replicas answer.
fn back_again(cluster: &Cluster) -> Result<String, String> {
    let began = Instant::now();
    sleep(Duration::from_secs(2));
    cluster.settle()?;
    Ok(format!("whole again after {:.1} s", began.elapsed().as_secs_f64()))
}

/// Kills the API server, which the node starts again, and waits until the new one is ready.
pub(super) fn restart_server(cluster: &Cluster) -> Result<(), String> {
    let old = cluster.processes("kube-apiserver")?;
    signal("KILL", &old)?;
    await_that(Duration::from_mins(2), "another API server", || {
        cluster.processes("kube-apiserver").is_ok_and(|now| now.iter().any(|pid| !old.contains(pid)))
            && cluster.api.get("/readyz").is_good()
    })
}

pub(super) fn scale(cluster: &Cluster, replicas: u32) -> Result<(), String> {
    let scaled = cluster.api.merge(&format!("{DEPLOYMENT}/scale"), &json!({"spec": {"replicas": replicas}}));
    if scaled.is_good() { Ok(()) } else { Err(format!("cannot scale: {}", scaled.message())) }
}

fn delete_pods(cluster: &Cluster) -> Result<(), String> {
    for pod in cluster.pods() {
        let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let deleted = cluster.api.delete(&format!("/api/v1/namespaces/{OWN}/pods/{name}"));
        if !deleted.is_good() {
            return Err(format!("cannot delete {name}: {}", deleted.message()));
        }
    }
    Ok(())
}
