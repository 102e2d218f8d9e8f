//! What is done to the cluster besides the load: by helm, kubectl and the scripts of hack/cluster.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::api::Api;

/// The release's namespace and name.
pub(crate) const OWN: &str = "admittance";
/// What the Deployment is called in the API.
pub(crate) const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/admittance/deployments/admittance";
const SELECTOR: &str = "app.kubernetes.io/name=admittance,app.kubernetes.io/component=webhook";

/// What the webhook's configurations say of requests while nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Open,
    Closed,
}

impl Mode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// A cluster that hack/cluster/up started, and the chart for it.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(crate) api: Api,
    /// CLUSTER, for the scripts.
    pub(crate) folder: PathBuf,
    /// The checkout.
    pub(crate) root: PathBuf,
    /// Names of the image, which the node has: the usual one, and another one for the same.
    pub(crate) images: [String; 2],
    /// `certificates.life`.
    pub(crate) life: &'static str,
}

/// Runs a program and returns its output; an error holds all that it said.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start {program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    Err(format!("{program} {}: {said}{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)))
}

/// Asks until there is an answer, which an error says the lack of.
pub(crate) fn await_some<T>(within: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> Result<T, String> {
    let end = Instant::now() + within;
    loop {
        if let Some(found) = ask() {
            return Ok(found);
        }
        if Instant::now() > end {
            return Err(format!("{what}: not within {} s", within.as_secs()));
        }
        sleep(Duration::from_millis(200));
    }
}

/// The same of something that is so or not.
pub(crate) fn await_that(within: Duration, what: &str, mut ask: impl FnMut() -> bool) -> Result<(), String> {
    await_some(within, what, || ask().then_some(()))
}

impl Cluster {
    /// A script of hack/cluster, which takes the cluster's folder first.
    pub(crate) fn script(&self, name: &str, arguments: &[&str]) -> Result<String, String> {
        let script = self.root.join("hack/cluster").join(name);
        let folder = self.folder.to_string_lossy();
        let arguments: Vec<&str> = std::iter::once(&*folder).chain(arguments.iter().copied()).collect();
        run(&script.to_string_lossy(), &arguments)
    }

    /// Installs or upgrades the release, and waits until its pods are ready.
    pub(crate) fn install(&self, mode: Mode, image: &str, further: &[&str]) -> Result<(), String> {
        let chart = self.root.join("charts/admittance");
        let (repository, tag) = image.rsplit_once(':').ok_or("an image has a tag")?;
        let settings = [
            format!("image.repository={repository}"),
            format!("image.tag={tag}"),
            format!("mode={}", mode.name()),
            format!("certificates.life={}", self.life),
            "policies.packs={hardened}".to_owned(),
            "exemptNamespaces={soak-exempt}".to_owned(),
        ];
        let chart = chart.to_string_lossy();
        let mut arguments =
            vec!["upgrade", "--install", OWN, &*chart, "--namespace", OWN, "--create-namespace", "--timeout", "4m"];
        arguments.extend(settings.iter().flat_map(|setting| ["--set", setting]));
        if further.is_empty() {
            arguments.push("--wait");
        }
        arguments.extend(further);
        run("helm", &arguments).map(drop).map_err(|error| format!("{error}\n{}", look()))
    }

    /// Waits until the Deployment is as it should be and nothing of before is left.
    pub(crate) fn settle(&self) -> Result<(), String> {
        await_that(Duration::from_mins(4), "two pods, both ready, and no others", || {
            let pods = self.pods();
            pods.len() == 2 && pods.iter().all(is_ready)
        })
        .map_err(|error| format!("{error}\n{}", look()))
    }

    /// The webhook's pods, those that are ending too.
    pub(crate) fn pods(&self) -> Vec<Value> {
        let selector = SELECTOR.replace('=', "%3D").replace(',', "%2C");
        let list = self.api.get(&format!("/api/v1/namespaces/{OWN}/pods?labelSelector={selector}")).json();
        list.get("items").and_then(Value::as_array).cloned().unwrap_or_default()
    }

    /// The webhook's processes, by their pids on the machine.
    pub(crate) fn replicas(&self) -> Result<Vec<u32>, String> {
        self.processes(OWN)
    }

    /// Processes of the node.
    pub(crate) fn processes(&self, name: &str) -> Result<Vec<u32>, String> {
        Ok(self.script("processes", &[name])?.lines().filter_map(|line| line.parse().ok()).collect())
    }

    /// Of the Deployment: it grows with each change of what it asks for.
    pub(crate) fn generation(&self) -> Option<i64> {
        self.api.get(DEPLOYMENT).json().pointer("/metadata/generation").and_then(Value::as_i64)
    }
}

/// What a person would look at.
fn look() -> String {
    let ask = |arguments: &[&str]| run("kubectl", arguments).unwrap_or_else(|error| error);
    [
        ask(&["--namespace", OWN, "get", "pods", "--output", "wide"]),
        ask(&["--namespace", OWN, "get", "events", "--sort-by", ".lastTimestamp"]),
        ask(&["--namespace", OWN, "logs", "--selector", SELECTOR, "--tail", "15", "--prefix"]),
    ]
    .join("\n")
}

/// Sends a signal to processes that [`Cluster::processes`] named.
pub(crate) fn signal(name: &str, pids: &[u32]) -> Result<(), String> {
    for pid in pids {
        run("kill", &[&format!("-{name}"), &pid.to_string()])?;
    }
    if pids.is_empty() { Err(format!("there is no process to send {name} to")) } else { Ok(()) }
}

/// Whether a pod is ready and not ending.
fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    pod.pointer("/metadata/deletionTimestamp").is_none()
        && conditions.into_iter().flatten().any(|condition| {
            condition.get("type").and_then(Value::as_str) == Some("Ready")
                && condition.get("status").and_then(Value::as_str) == Some("True")
        })
}
