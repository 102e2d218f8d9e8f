//! The API server, the webhooks, and what is registered.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hyper::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    Failure,
    client::{Connection, Load, Server},
    configuration::{Configuration, registration},
    metrics::Snapshot,
    options::Options,
    pods::{DRY_RUN, Pods},
    process::Webhook,
};

/// Where the pods are created.
pub(crate) const NAMESPACE: &str = "bench";
/// Where the Service is that leads to both webhooks.
const WEBHOOKS: &str = "webhooks";
const SERVICE: &str = "webhook";
/// How long a configuration may take to be in force, or to be gone.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the API server is profiled in each configuration.
const PROFILED: Duration = Duration::from_secs(5);

/// Everything that runs.
pub(crate) struct Scene {
    /// The process of the API server.
    pub(crate) api_server: u32,
    pub(crate) pods: Pods,
    pub(crate) load: Load,
    /// For what is asked beside the load.
    control: Connection,
    /// The names of the rules.
    rules: Vec<String>,
    rules_file: PathBuf,
    ca_bundle: String,
    null: Webhook,
    product: Webhook,
    _certificate: TempDir,
}

impl Scene {
    /// Connects to the control plane that `hack/control-plane/with` has started, and starts the webhooks.
    pub(crate) async fn set(options: &Options) -> Result<Self, Failure> {
        let folder = env::var_os("CONTROL_PLANE");
        let folder = PathBuf::from(folder.ok_or("CONTROL_PLANE is not set: run hack/bench/api-server")?);
        let benches = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/benches"));
        let rules_file = benches.join("rules.vap.yaml");
        let rules = policies(&fs::read_to_string(&rules_file)?)?;

        let pids = fs::read_to_string(folder.join("pids"))?;
        let api_server = pids.lines().find_map(|line| line.strip_prefix("kube-apiserver ")?.parse().ok());
        let ports = fs::read_to_string(folder.join("ports"))?;
        let port = ports.split_whitespace().nth(2).and_then(|port| port.parse().ok());
        let tokens = fs::read_to_string(folder.join("pki/tokens.csv"))?;
        let token = tokens.split(',').next().unwrap_or_default();
        let authorities = fs::read(folder.join("pki/apiserver.crt"))?;
        let server = Server::new(port.ok_or("no port of the API server")?, &authorities, token)?;

        let certificate = TempDir::new()?;
        let made = rcgen::generate_simple_self_signed([format!("{SERVICE}.{WEBHOOKS}.svc")])?;
        fs::write(certificate.path().join("cert.pem"), made.cert.pem())?;
        fs::write(certificate.path().join("key.pem"), made.signing_key.serialize_pem())?;

        let mut scene = Self {
            api_server: api_server.ok_or("no pid of the API server")?,
            pods: Pods::read(benches)?,
            load: Load::connect(&server, options.connections).await?,
            control: server.connect().await?,
            null: Webhook::null(certificate.path())?,
            product: Webhook::product(&options.binary, &rules_file, certificate.path())?,
            rules,
            rules_file,
            ca_bundle: STANDARD.encode(made.cert.pem()),
            _certificate: certificate,
        };
        for namespace in [NAMESPACE, WEBHOOKS] {
            create(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}))?;
        }
        // Takes the same way through the API server as a Service with pods behind it, and needs no kube-proxy.
        create(&json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"namespace": WEBHOOKS, "name": SERVICE},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        }))?;
        scene.wait_for(Configuration::NoPolicy).await?;
        Ok(scene)
    }

    /// The process behind a configuration.
    pub(crate) fn webhook(&self, configuration: Configuration) -> Option<&Webhook> {
        match configuration {
            Configuration::NoPolicy | Configuration::Native => None,
            Configuration::NullWebhook => Some(&self.null),
            Configuration::Admittance => Some(&self.product),
        }
    }

    /// Puts a configuration in force where none was, or where one was just removed.
    pub(crate) async fn apply(&mut self, configuration: Configuration) -> Result<(), Failure> {
        if configuration == Configuration::Native {
            kubectl(&["create", "-f"], Some(&self.rules_file), None)?;
        }
        if let (Some(name), Some(webhook)) = (configuration.webhook_name(), self.webhook(configuration)) {
            create(&registration(name, WEBHOOKS, SERVICE, webhook.port, &self.ca_bundle))?;
        }
        self.wait_for(configuration).await
    }

    /// Takes away what [`Scene::apply`] has registered. That it is gone shows where the next one is in force, which
    /// it is only when nothing else is.
    pub(crate) fn remove(&self, configuration: Configuration) -> Result<(), Failure> {
        if configuration == Configuration::Native {
            kubectl(&["delete", "-f"], Some(&self.rules_file), None)?;
        }
        if let Some(name) = configuration.webhook_name() {
            kubectl(&["delete", "validatingwebhookconfiguration", name], None, None)?;
        }
        Ok(())
    }

    async fn wait_for(&mut self, configuration: Configuration) -> Result<(), Failure> {
        let begun = Instant::now();
        while let Err(seen) = self.in_force(configuration).await? {
            if begun.elapsed() > PATIENCE {
                return Err(format!("not in force after {} s: {seen}", PATIENCE.as_secs()).into());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    /// Whether it, and nothing else, judges pods: the one that breaks every rule, then the good one. Otherwise what was
    /// seen.
    pub(crate) async fn in_force(&mut self, configuration: Configuration) -> Result<Result<(), String>, Failure> {
        let earlier = self.snapshot(configuration).await?;
        let (status, text) = self.control.post(DRY_RUN, &self.pods.bad).await?;
        let seen = self.snapshot(configuration).await?.since(&earlier);
        let answer = (status, String::from_utf8_lossy(&text).into_owned());
        let (refusals, calls) = (seen.refusals, seen.webhook.count());
        if !configuration.explains(&self.rules, &answer, refusals, calls) {
            let text = answer.1;
            return Ok(Err(format!("{refusals} refusals, {calls} calls; the bad pod got {status}: {text}")));
        }
        let (status, text) = self.control.post(DRY_RUN, &self.pods.good).await?;
        if status != StatusCode::CREATED {
            return Ok(Err(format!("the good pod got {status}: {}", String::from_utf8_lossy(&text))));
        }
        Ok(Ok(()))
    }

    /// The API server's CPU profile of some seconds of load, `requests` creates at a time: gzipped, with names.
    pub(crate) async fn profile(&mut self, requests: u32) -> Result<Bytes, Failure> {
        let until = Instant::now() + PROFILED;
        let path = format!("/debug/pprof/profile?seconds={}", PROFILED.as_secs());
        let Self { control, load, pods, .. } = self;
        let busy = async {
            while Instant::now() < until {
                load.post(DRY_RUN, &pods.good, requests).await?;
            }
            Ok(())
        };
        let (profile, ()) = tokio::try_join!(control.get(&path), busy)?;
        Ok(profile)
    }

    pub(crate) async fn snapshot(&mut self, configuration: Configuration) -> Result<Snapshot, Failure> {
        let page: Bytes = self.control.get("/metrics").await?;
        Ok(Snapshot::read(std::str::from_utf8(&page)?, configuration))
    }
}

/// The names of the ValidatingAdmissionPolicies of a file.
fn policies(text: &str) -> Result<Vec<String>, Failure> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text)?;
    let policies = documents.iter().filter(|document| document["kind"] == "ValidatingAdmissionPolicy");
    let names = policies.filter_map(|policy| policy.pointer("/metadata/name")?.as_str());
    Ok(names.map(str::to_owned).collect())
}

fn create(object: &Value) -> Result<(), Failure> {
    kubectl(&["create", "-f", "-"], None, Some(object))
}

/// Runs the kubectl that `hack/control-plane/with` has put into PATH.
fn kubectl(arguments: &[&str], file: Option<&Path>, input: Option<&Value>) -> Result<(), Failure> {
    let mut command = Command::new("kubectl");
    command.args(arguments).args(file).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        stdin.write_all(input.to_string().as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("kubectl {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)).into())
    }
}
