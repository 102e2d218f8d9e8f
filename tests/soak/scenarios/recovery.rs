//! What must be possible whatever state the webhook is in.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::outages::{restart_server, scale};
use crate::api::Answer;
use crate::cluster::{Cluster, Mode, OWN, await_that, run, signal};
use crate::counts::Counts;
use crate::metrics::Counted;
use crate::objects::Sort;
use crate::scenario::{Bound, Row, Size, under_load};

/// A row of something that is so or not.
fn row(name: &str, mode: Mode, act: impl FnOnce() -> Result<String, String>) -> Row {
    let began = Instant::now();
    let (note, broken) = match act() {
        Ok(note) => (note, vec![]),
        Err(error) => (String::new(), vec![error]),
    };
    let took = began.elapsed();
    Row { name: name.to_owned(), mode, took, counts: Counts::default(), counted: Counted::default(), broken, note }
}

/// An upgrade that changes nothing restarts nothing.
pub(crate) fn nothing_changes(cluster: &Cluster, mode: Mode) -> Row {
    row("an upgrade that changes nothing", mode, || {
        cluster.settle()?;
        let state = || {
            let mut pods: Vec<_> = cluster.pods().iter().map(identity).collect();
            pods.sort();
            (cluster.generation(), pods)
        };
        let before = state();
        let [usual, _] = &cluster.images;
        cluster.install(mode, usual, &[])?;
        let after = state();
        if before == after { Ok("restarts nothing".to_owned()) } else { Err(format!("{before:?}, then {after:?}")) }
    })
}

fn identity(pod: &Value) -> (String, Option<i64>) {
    let uid = pod.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned();
    (uid, pod.pointer("/status/containerStatuses/0/restartCount").and_then(Value::as_i64))
}

/// `helm rollback`, to another image.
pub(crate) fn rolled_back(cluster: &Cluster, mode: Mode, size: &Size) -> Result<Row, String> {
    let [_, other] = &cluster.images;
    cluster.install(mode, other, &[])?;
    under_load(cluster, ("helm rollback", mode, Bound::Nothing, size), || {
        run("helm", &["rollback", OWN, "--namespace", OWN, "--wait", "--timeout", "4m"])?;
        cluster.settle()?;
        Ok("to the image before".to_owned())
    })
}

/// Everything at once: no right to look, nobody who answers, an API server that has just started.
pub(crate) fn deleted_role(cluster: &Cluster) -> Row {
    row("ClusterRole deleted, all killed, API server restarted", Mode::Closed, || {
        let deleted = cluster.api.delete("/apis/rbac.authorization.k8s.io/v1/clusterroles/admittance");
        if !deleted.is_good() {
            return Err(format!("cannot delete the ClusterRole: {}", deleted.message()));
        }
        let began = Instant::now();
        signal("KILL", &cluster.replicas()?)?;
        restart_server(cluster)?;
        let away = began.elapsed().as_secs_f64();
        cluster.settle()?;
        let ready = began.elapsed().as_secs_f64();
        refuses_bad(cluster)?;
        let [usual, _] = &cluster.images;
        cluster.install(Mode::Closed, usual, &[])?;
        Ok(format!("the API server is back after {away:.1} s, all is ready after {ready:.1} s without the role"))
    })
}

/// All replicas killed at the same time; nobody helps.
pub(crate) fn healed_by_itself(cluster: &Cluster, size: &Size) -> Result<Row, String> {
    let bound = Bound::Calls(Duration::from_mins(1));
    under_load(cluster, ("all replicas are killed", Mode::Closed, bound, size), || {
        let began = Instant::now();
        signal("KILL", &cluster.replicas()?)?;
        std::thread::sleep(Duration::from_secs(2));
        cluster.settle()?;
        Ok(format!("whole again after {:.1} s", began.elapsed().as_secs_f64()))
    })
}

/// A closed webhook that nobody is behind can be uninstalled, and then nothing is in the way.
pub(crate) fn nothing_left(cluster: &Cluster) -> Row {
    row("uninstalled with no replica alive", Mode::Closed, || {
        scale(cluster, 0)?;
        await_that(Duration::from_mins(1), "no pod", || cluster.pods().is_empty())?;
        let refused = make(cluster, Sort::GoodPod, "before");
        if refused.is_good() {
            return Err("closed, with nobody behind it, it let a pod in".to_owned());
        }
        run("helm", &["uninstall", OWN, "--namespace", OWN])?;
        await_that(Duration::from_secs(10), "a pod after it", || make(cluster, Sort::GoodPod, "after").is_good())?;
        remove(cluster, Sort::GoodPod, "after")?;
        Ok("a pod is made at once".to_owned())
    })
}

/// A first installation that never gets its image: the rest of the cluster works, and another try mends it.
pub(crate) fn no_image(cluster: &Cluster) -> Row {
    row("a first installation without its image", Mode::Open, || {
        cluster.install(Mode::Open, "localhost/there-is-none:here", &["--wait=hookOnly"])?;
        await_that(Duration::from_mins(1), "a pod that has no image", || {
            cluster.pods().iter().any(|pod| {
                let waits = pod.pointer("/status/containerStatuses/0/state/waiting/reason").and_then(Value::as_str);
                matches!(waits, Some("ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull"))
            })
        })?;
        for sort in [Sort::GoodPod, Sort::GoodDeployment, Sort::ExemptPod] {
            let answer = make(cluster, sort, "unjudged");
            if !answer.is_good() {
                return Err(format!("{sort:?}: {}", answer.message()));
            }
        }
        await_that(Duration::from_secs(20), "the Deployment's pod", || {
            let pods = cluster.api.get("/api/v1/namespaces/soak/pods?labelSelector=of%3Dunjudged").json();
            pods.pointer("/items/0").is_some()
        })?;
        for sort in [Sort::GoodPod, Sort::GoodDeployment, Sort::ExemptPod] {
            remove(cluster, sort, "unjudged")?;
        }
        let [usual, _] = &cluster.images;
        cluster.install(Mode::Open, usual, &[])?;
        refuses_bad(cluster)?;
        Ok("everything else works, and an upgrade mends it".to_owned())
    })
}

fn make(cluster: &Cluster, sort: Sort, name: &str) -> Answer {
    cluster.api.create(&sort.collection(), &sort.object(name))
}

fn remove(cluster: &Cluster, sort: Sort, name: &str) -> Result<(), String> {
    let answer = cluster.api.delete(&format!("{}/{name}", sort.collection()));
    if answer.is_good() { Ok(()) } else { Err(format!("cannot delete {name}: {}", answer.message())) }
}

/// The API server hears of webhook configurations within a second or so.
fn refuses_bad(cluster: &Cluster) -> Result<(), String> {
    await_that(Duration::from_secs(30), "a bad pod that is refused", || {
        let answer = make(cluster, Sort::BadPod, "bad");
        if answer.is_good() {
            let _ = remove(cluster, Sort::BadPod, "bad");
        }
        answer.status == 403 && answer.text.contains("denied the request: hardened-")
    })
}
