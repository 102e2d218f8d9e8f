//! Policies that change on disk while requests run, and the end of the process.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use bytes::Bytes;
use hyper::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant, sleep, timeout};

use crate::binary::{Binary, Client};
use crate::peer::{PATIENCE, read_to_end};

/// A change on disk is live within this time.
const LIVE: Duration = Duration::from_secs(2);

/// Every ConfigMap needs this label.
fn labels_policy(name: &str, label: &str) -> String {
    format!(
        "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec:\n  module: required-labels\n  settings:\n    labels: [{{ key: {label} }}]\n  matchConstraints:\n    resourceRules: [{{ apiGroups: [\"\"], apiVersions: [v1], operations: [CREATE], resources: [configmaps] }}]\n"
    )
}

fn review(uid: &str) -> String {
    let review = json!({
        "uid": uid,
        "kind": {"group": "", "version": "v1", "kind": "ConfigMap"},
        "resource": {"group": "", "version": "v1", "resource": "configmaps"},
        "name": "settings",
        "namespace": "shop",
        "operation": "CREATE",
        "userInfo": {"username": "ann"},
        "object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}},
    });
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": review}).to_string()
}

/// The names of the policies that deny, in their order.
async fn denying(client: &mut Client) -> Vec<String> {
    let response = client.review("/validate", review("u")).await.response("u");
    let causes = response["status"]["details"]["causes"].as_array().cloned().unwrap_or_default();
    causes.iter().map(|cause| cause["reason"].as_str().unwrap().to_owned()).collect()
}

/// Waits until these policies deny, and says how long that took.
async fn await_denying(client: &mut Client, expected: &[&str]) -> Duration {
    let begun = Instant::now();
    loop {
        let found = denying(client).await;
        if found == expected {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < LIVE, "after {LIVE:?} {found:?} deny, expected {expected:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The unit of this file on the `/policies` page.
async fn unit(server: &Binary, file: &Path) -> Value {
    let page = server.page("/policies").await.json();
    let units = page["units"].as_array().unwrap();
    let unit = units.iter().find(|unit| unit["name"] == file.to_str().unwrap());
    unit.unwrap_or_else(|| panic!("no {} in {page}", file.display())).clone()
}

/// Requests that never stop; each must be answered by a review.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU32>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    async fn on(server: &Binary) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let mut tasks = Vec::new();
        for n in 0..4 {
            let (mut client, stop, answered) = (server.client().await, Arc::clone(&stop), Arc::clone(&answered));
            tasks.push(tokio::spawn(async move {
                while !stop.load(Relaxed) {
                    let uid = format!("load-{n}");
                    client.review("/validate", review(&uid)).await.response(&uid);
                    answered.fetch_add(1, Relaxed);
                    sleep(Duration::from_millis(2)).await;
                }
            }));
        }
        Self { stop, answered, tasks }
    }

    /// Ends it; every request so far must have been answered.
    async fn end(self) -> u32 {
        self.stop.store(true, Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.answered.load(Relaxed)
    }
}

/// A folder of policies, and a server that reads it.
fn start(files: &[(&str, &str)], arguments: &[&str]) -> (Binary, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let arguments = [&["--policies", folder.path().to_str().unwrap()], arguments].concat();
    (Binary::serve(&arguments), folder)
}

#[tokio::test]
async fn takes_over_what_changes_on_disk_while_requests_run() {
    let (server, folder) = start(&[("team.yaml", &labels_policy("team", "team"))], &[]);
    let mut client = server.client().await;
    assert_eq!(denying(&mut client).await, ["team"]);
    let load = Load::on(&server).await;
    let file = |name: &str| folder.path().join(name);

    let mut times = vec![];
    // The same length and, on a coarse clock, the same time: what is compared must still differ.
    fs::write(file("team.yaml"), labels_policy("team", "tram").replace("name: team", "name: tram")).unwrap();
    times.push(("changed", await_denying(&mut client, &["tram"]).await));
    fs::write(file("more.yml"), labels_policy("owner", "owner")).unwrap();
    times.push(("added", await_denying(&mut client, &["owner", "tram"]).await));
    fs::create_dir(file("deeper")).unwrap();
    fs::write(file("deeper/zone.json"), json!({"apiVersion": "admittance.dev/v1alpha1", "kind": "Policy", "metadata": {"name": "zone"}, "spec": {"module": "required-labels", "settings": {"labels": [{"key": "zone"}]}, "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}]}}}).to_string()).unwrap();
    times.push(("added in a new folder", await_denying(&mut client, &["owner", "tram", "zone"]).await));
    fs::remove_dir_all(file("deeper")).unwrap();
    times.push(("folder removed", await_denying(&mut client, &["owner", "tram"]).await));
    fs::remove_file(file("team.yaml")).unwrap();
    times.push(("removed", await_denying(&mut client, &["owner"]).await));
    fs::rename(file("more.yml"), file("renamed.yaml")).unwrap();
    times.push(("renamed", {
        let begun = Instant::now();
        while server.page("/policies").await.json()["units"][0]["name"] != file("renamed.yaml").to_str().unwrap() {
            assert!(begun.elapsed() < LIVE);
            sleep(Duration::from_millis(20)).await;
        }
        begun.elapsed()
    }));
    assert_eq!(denying(&mut client).await, ["owner"]);
    fs::remove_file(file("renamed.yaml")).unwrap();
    times.push(("last one removed", await_denying(&mut client, &[]).await));
    // An empty folder is no change, however often it is looked at.
    let swaps = || server.log().iter().filter(|line| line.contains("policies active")).count();
    let before = swaps();
    sleep(Duration::from_millis(1_200)).await;
    assert_eq!(swaps(), before);
    fs::write(file("team.yaml"), labels_policy("team", "team")).unwrap();
    times.push(("first one again", await_denying(&mut client, &["team"]).await));
    let answered = load.end().await;
    assert!(answered > 100, "{answered}");
    println!("{answered} requests answered; {times:?}");
}

#[tokio::test]
async fn keeps_enforcing_while_a_file_is_being_written() {
    let policy = labels_policy("team", "team");
    let (server, folder) = start(&[("team.yaml", &policy)], &[]);
    let (file, mut client) = (folder.path().join("team.yaml"), server.client().await);
    // Editors and tools empty a file before they write it, or move it away: for a moment there is no policy in it.
    for _ in 0..3 {
        for (step, rest) in [(None, 150), (Some(""), 150), (Some(&*policy), 1_300)] {
            match step {
                Some(text) => fs::write(&file, text).unwrap(),
                None => fs::remove_file(&file).unwrap(),
            }
            for _ in 0..rest / 50 {
                sleep(Duration::from_millis(50)).await;
                assert_eq!(denying(&mut client).await, ["team"]);
            }
        }
    }
}

#[tokio::test]
async fn takes_over_a_mounted_config_map_that_the_kubelet_swaps() {
    let mount = tempfile::tempdir().unwrap();
    let path = |name: &str| mount.path().join(name);
    // As the kubelet writes it: files in a folder with the time in its name, `..data` leads there, and names lead into it.
    let version = |folder: &str, policies: &[(&str, &str)]| {
        fs::create_dir(path(folder)).unwrap();
        for (name, label) in policies {
            fs::write(path(folder).join(name), labels_policy(label, label)).unwrap();
        }
    };
    let swap = |folder: &str| {
        symlink(folder, path("..data_tmp")).unwrap();
        fs::rename(path("..data_tmp"), path("..data")).unwrap();
    };
    version("..2026_01_01", &[("a.yaml", "one"), ("b.yaml", "two")]);
    swap("..2026_01_01");
    symlink("..data/a.yaml", path("a.yaml")).unwrap();
    symlink("..data/b.yaml", path("b.yaml")).unwrap();
    let server = Binary::with_policies(mount.path());
    let mut client = server.client().await;
    assert_eq!(denying(&mut client).await, ["one", "two"]);
    let load = Load::on(&server).await;

    version("..2026_01_02", &[("a.yaml", "six"), ("b.yaml", "two")]);
    swap("..2026_01_02");
    fs::remove_dir_all(path("..2026_01_01")).unwrap();
    let changed = await_denying(&mut client, &["six", "two"]).await;
    version("..2026_01_03", &[("a.yaml", "six"), ("c.yaml", "ten")]);
    swap("..2026_01_03");
    symlink("..data/c.yaml", path("c.yaml")).unwrap();
    fs::remove_file(path("b.yaml")).unwrap();
    let moved = await_denying(&mut client, &["six", "ten"]).await;
    println!("{} requests answered; {changed:?}, {moved:?}", load.end().await);
}

#[tokio::test]
async fn keeps_the_last_good_version_of_a_broken_file_and_says_so() {
    let good = labels_policy("team", "team");
    let (server, folder) = start(&[("team.yaml", &good), ("zone.yaml", &labels_policy("zone", "zone"))], &[]);
    let (team, mut client) = (folder.path().join("team.yaml"), server.client().await);
    let before = unit(&server, &team).await;
    assert_eq!((&before["state"], &before["problems"]), (&"active".into(), &json!([])));

    // A broken file changes nothing, and another one that changes with it is taken over.
    fs::write(&team, good.replace("required-labels", "required-label").replace("settings:", "setings:")).unwrap();
    fs::write(folder.path().join("zone.yaml"), labels_policy("area", "area")).unwrap();
    await_denying(&mut client, &["area", "team"]).await;
    let broken = unit(&server, &team).await;
    assert_eq!((&broken["state"], &broken["digest"]), (&"stale".into(), &before["digest"]));
    let problems: Vec<&str> =
        broken["problems"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let at = |place: &str| format!("{}:{place}: error: ", team.display());
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems.iter().any(|line| line.starts_with(&at("5:11")) && line.contains("required-label")),
        "{problems:?}"
    );
    assert!(problems.iter().any(|line| line.starts_with(&at("6:3")) && line.contains("setings")), "{problems:?}");
    let log = server.log();
    for place in ["5:11", "6:3"] {
        let place = format!("{}:{place}", team.display());
        let said = log.iter().filter(|line| line.contains("ERROR") && line.contains(&place)).count();
        assert_eq!(said, 1, "{place} in {log:?}");
    }
    let metrics = server.page("/metrics").await.text();
    assert!(metrics.contains("admittance_units_broken 1\n"), "{metrics}");

    // It is said once, not at every look.
    let lines = server.log().iter().filter(|line| line.contains("ERROR")).count();
    sleep(Duration::from_millis(1_200)).await;
    assert_eq!(server.log().iter().filter(|line| line.contains("ERROR")).count(), lines);

    // No text at all, bytes that are no text, and a file that cannot be one: all the same.
    fs::write(&team, [0xff, 0xfe, 0x00]).unwrap();
    await_state(&server, &team, |unit| unit["problems"].to_string().contains("UTF-8")).await;
    assert_eq!(denying(&mut client).await, ["area", "team"]);
    fs::write(&team, vec![b'#'; 5 << 20]).unwrap();
    await_state(&server, &team, |unit| unit["problems"].to_string().contains("larger than")).await;
    assert_eq!(denying(&mut client).await, ["area", "team"]);

    fs::write(&team, labels_policy("crew", "crew")).unwrap();
    await_denying(&mut client, &["area", "crew"]).await;
    let repaired = unit(&server, &team).await;
    assert_eq!((&repaired["state"], &repaired["problems"]), (&"active".into(), &json!([])));
    // And back to the very text that was good first.
    fs::write(&team, "broken").unwrap();
    await_state(&server, &team, |unit| unit["state"] == "stale").await;
    assert_eq!(denying(&mut client).await, ["area", "crew"]);
    fs::write(&team, &good).unwrap();
    await_denying(&mut client, &["area", "team"]).await;
}

async fn await_state(server: &Binary, file: &Path, reached: impl Fn(&Value) -> bool) {
    let begun = Instant::now();
    loop {
        let unit = unit(server, file).await;
        if reached(&unit) {
            return;
        }
        assert!(begun.elapsed() < LIVE, "{unit}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn starts_with_a_broken_file_and_serves_the_others() {
    let (server, folder) = start(&[("a.yaml", "kind: ["), ("b.yaml", &labels_policy("team", "team"))], &[]);
    let mut client = server.client().await;
    assert_eq!(denying(&mut client).await, ["team"]);
    let broken = unit(&server, &folder.path().join("a.yaml")).await;
    assert_eq!((&broken["state"], &broken["policies"]), (&"broken".into(), &json!([])));
    assert_eq!(server.page("/readyz").await.status, 200);
}

#[tokio::test]
async fn leaves_out_the_later_file_that_uses_a_name_again() {
    let first = labels_policy("team", "team");
    let (server, folder) = start(&[("a.yaml", &first)], &[]);
    let mut client = server.client().await;
    let later = folder.path().join("b.yaml");
    fs::write(&later, [labels_policy("zone", "zone"), labels_policy("team", "crew")].join("---\n")).unwrap();
    await_state(&server, &folder.path().join("a.yaml"), |_| true).await;
    let begun = Instant::now();
    while server.page("/policies").await.json()["units"].as_array().unwrap().len() < 2 {
        assert!(begun.elapsed() < LIVE);
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(denying(&mut client).await, ["team"]);
    let conflict = unit(&server, &later).await;
    let message = format!(
        "{later}:13:19: error: policy `team` is defined in {first} already: all of {later} is left out until one of them is renamed",
        later = later.display(),
        first = folder.path().join("a.yaml").display(),
    );
    assert_eq!(conflict["problems"], json!([message]));
    assert_eq!((&conflict["state"], &conflict["policies"]), (&"broken".into(), &json!([])));
    assert!(conflict["digest"].is_null(), "{conflict}");
    // The first one gone, the later one is free.
    fs::remove_file(folder.path().join("a.yaml")).unwrap();
    await_denying(&mut client, &["team", "zone"]).await;
    assert_eq!(unit(&server, &later).await["problems"], json!([]));
}

#[tokio::test]
async fn keeps_everything_while_its_folder_is_gone() {
    let (server, folder) = start(&[("team.yaml", &labels_policy("team", "team"))], &[]);
    let mut client = server.client().await;
    let aside: PathBuf = folder.path().with_extension("aside");
    fs::rename(folder.path(), &aside).unwrap();
    sleep(Duration::from_millis(1_300)).await;
    assert_eq!(denying(&mut client).await, ["team"]);
    let said = server.log().iter().filter(|line| line.contains("the policies that were loaded before stay")).count();
    assert_eq!(said, 1);
    fs::rename(&aside, folder.path()).unwrap();
    fs::write(folder.path().join("team.yaml"), labels_policy("crew", "crew")).unwrap();
    await_denying(&mut client, &["crew"]).await;
}

#[tokio::test]
async fn drains_and_finishes_after_a_signal() {
    let (mut server, _folder) = start(&[("team.yaml", &labels_policy("team", "team"))], &["--drain-seconds", "1"]);
    let (mut kept, mut idle) = (server.client().await, server.client().await);
    for client in [&mut kept, &mut idle] {
        let answer = client.review("/validate", review("u")).await;
        assert_eq!(answer.header("connection"), "");
    }
    assert_eq!(server.page("/readyz").await.status, 200);
    // A request that arrives slowly, over the end of the drain.
    let mut slow = server.stream().await;
    let body = review("slow");
    let head = format!(
        "POST /validate HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let (front, rest) = body.split_at(100);
    slow.write_all(format!("{head}{front}").as_bytes()).await.unwrap();
    slow.flush().await.unwrap();

    let begun = Instant::now();
    server.signal(Signal::TERM);
    while server.page("/readyz").await.status != 503 {
        assert!(begun.elapsed() < Duration::from_millis(900), "still ready");
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(server.page("/healthz").await.status, 200);
    // Old and new connections are served, and asked to leave.
    let answer = kept.review("/validate", review("u")).await;
    assert_eq!((answer.header("connection"), &answer.response("u")["allowed"]), ("close", &false.into()));
    let answer = server.client().await.review("/validate", review("u")).await;
    assert_eq!((answer.header("connection"), &answer.response("u")["allowed"]), ("close", &false.into()));
    let gone = timeout(PATIENCE, kept.send(Method::GET, "/healthz", &[], Bytes::new())).await.unwrap();
    assert!(gone.is_err(), "the connection was kept");

    // Past the drain nothing new is accepted; what is under way is finished.
    sleep(Duration::from_millis(1_200).saturating_sub(begun.elapsed())).await;
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err(), "a connection was accepted");
    slow.write_all(rest.as_bytes()).await.unwrap();
    let said = read_to_end(&mut slow).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 200 OK\r\n") && said.contains("connection: close\r\n"), "{said}");
    assert!(said.contains(r#""uid":"slow""#), "{said}");
    let status = server.end().await;
    assert_eq!(status.code(), Some(0), "{status} {:?}", server.log());
    println!("ended {:?} after the signal", begun.elapsed());
}

#[tokio::test]
async fn ends_at_once_at_the_second_signal() {
    for signals in [[Signal::TERM, Signal::TERM], [Signal::INT, Signal::TERM]] {
        let policies = labels_policy("team", "team");
        let (mut server, _folder) = start(&[("team.yaml", &policies)], &["--drain-seconds", "60"]);
        let mut held = server.stream().await;
        held.write_all(b"POST /validate HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n").await.unwrap();
        held.flush().await.unwrap();
        server.signal(signals[0]);
        while server.page("/readyz").await.status != 503 {
            sleep(Duration::from_millis(10)).await;
        }
        let begun = Instant::now();
        server.signal(signals[1]);
        let status = server.end().await;
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert_eq!(status.code(), Some(0), "{status} {:?}", server.log());
    }
}
