//! Two servers behind a Service, with the rights of a service account.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

use super::super::{
    api::Api,
    control_plane::{ControlPlane, PATIENCE, TEST_LABEL},
    webhook::{Options, Webhook},
};

const SECRET: &str = "admittance-certificates";
/// Both kinds of webhook configuration, as paths name them.
pub(super) const CONFIGURATIONS: [&str; 2] = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];
const POLICY: &str = "
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: latest-tag }
spec: { module: latest-tag }
";

pub(super) struct Scene {
    pub(super) api: Api,
    test: &'static str,
    /// The port behind which the servers are.
    port: u16,
    replicas: [Webhook; 2],
    _folder: TempDir,
}

impl Scene {
    /// The test's name is that of the namespace that its webhooks see, and of both configurations; the servers are in
    /// another one. `None` where these tests were told not to run.
    pub(super) async fn new(test: &'static str, life: &str) -> Option<Self> {
        let control_plane = ControlPlane::shared()?;
        let (api, own) = (control_plane.api().await, format!("{test}-servers"));
        control_plane.namespace(&api, test, test).await;
        control_plane.namespace(&api, "nobody", &own).await;
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "admittance"},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        });
        api.post(&format!("/api/v1/namespaces/{own}/services"), &service).await.expect_created();
        let folder = TempDir::new().unwrap();
        let token = account(&api, &own).await;
        give_rights(&api, &own, test).await;
        let kubeconfig = kubeconfig(control_plane, &token, folder.path());
        let mut flags = flags(&kubeconfig, &own, test, life);
        // Handshakes are what this is about.
        flags.extend(["--connection-age", "1s"]);
        let start = || Webhook::start_as_told(&Options { policies: POLICY, flags: &flags, name: None });
        let replicas = [start(), start()];
        let addresses = replicas.each_ref().map(|replica| replica.address.parse().unwrap());
        let scene = Self { port: balance(addresses).await, api, test, replicas, _folder: folder };
        for kind in CONFIGURATIONS {
            scene.create(kind).await;
        }
        Some(scene)
    }

    /// Makes a configuration, as Helm does: without a caBundle.
    pub(super) async fn create(&self, kind: &str) {
        let (route, kind_name) = match kind {
            "mutatingwebhookconfigurations" => ("mutate", "MutatingWebhookConfiguration"),
            _ => ("validate", "ValidatingWebhookConfiguration"),
        };
        let entry = |name: &str, label: &str| {
            json!({
                "name": name,
                "admissionReviewVersions": ["v1"],
                "clientConfig": {"service": {
                    "namespace": format!("{}-servers", self.test), "name": "admittance", "path": format!("/{route}"),
                    "port": self.port,
                }},
                "sideEffects": "None",
                "timeoutSeconds": 5,
                "failurePolicy": "Fail",
                "rules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]
                }],
                "namespaceSelector": {"matchLabels": {TEST_LABEL: label}},
            })
        };
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": kind_name,
            "metadata": {"name": self.test},
            "webhooks": [entry(&format!("{route}.admittance.dev"), self.test), entry("other.webhook.example", "no-such-test")],
        });
        self.api.post(&format!("/apis/admissionregistration.k8s.io/v1/{kind}"), &configuration).await.expect_created();
    }

    pub(super) fn configuration_path(&self, kind: &str) -> String {
        format!("/apis/admissionregistration.k8s.io/v1/{kind}/{}", self.test)
    }

    pub(super) fn secret_path(&self) -> String {
        format!("/api/v1/namespaces/{}-servers/secrets/{SECRET}", self.test)
    }

    /// The data of the Secret; empty while there is none.
    pub(super) async fn secret(&self) -> Value {
        self.api.get(&self.secret_path()).await.body["data"].take()
    }

    /// The certificates in the bundle of a configuration; none where it has no bundle.
    async fn bundle(&self, kind: &str) -> Vec<String> {
        let configuration = self.api.get(&self.configuration_path(kind)).await.body;
        let bundle = configuration["webhooks"][0]["clientConfig"]["caBundle"].as_str().unwrap_or_default();
        certificates(bundle)
    }

    /// The certificates that both configurations trust.
    pub(super) async fn trusted(&self) -> Vec<String> {
        let (mutating, validating) = (self.bundle(CONFIGURATIONS[0]).await, self.bundle(CONFIGURATIONS[1]).await);
        mutating.into_iter().filter(|one| validating.contains(one)).collect()
    }

    /// Waits until a configuration trusts these.
    pub(super) async fn is_trusted(&self, kind: &str, wanted: &[String]) {
        let begun = Instant::now();
        while self.bundle(kind).await != wanted {
            assert!(begun.elapsed() < PATIENCE, "the {kind} does not get its caBundle\n{}", self.logs());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the Secret is whole: its certificate is of its CA, which is trusted.
    pub(super) async fn is_healed(&self) {
        let begun = Instant::now();
        loop {
            let data = self.secret().await;
            if is_whole(&data) && self.trusted().await.contains(&certificates(data["ca.crt"].as_str().unwrap())[0]) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "the Secret does not heal\n{}", self.logs());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn ask(&self, name: &str) -> super::super::api::Answer {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
        self.api.post(&format!("/api/v1/namespaces/{}/configmaps?dryRun=All", self.test), &object).await
    }

    /// Waits until requests are answered, by each server.
    pub(super) async fn answers(&self) {
        let begun = Instant::now();
        loop {
            let answer = self.ask("does-it-answer").await;
            let is_heard = self.replicas.iter().all(|replica| replica.log().contains("\"does-it-answer\""));
            if answer.status.is_success() && is_heard {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{}\n{}", answer.text, self.logs());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks again and again until `work` is done, and fails with the first request that fails. Says how many were asked.
    pub(super) async fn ask_while(&self, work: impl Future<Output = ()>) -> usize {
        let (is_over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
        let client = || async {
            while !is_over.load(Relaxed) {
                let answer = self.ask("asked-meanwhile").await;
                assert!(answer.status.is_success(), "{}\n{}", answer.text, self.logs());
                answered.fetch_add(1, Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let work = async {
            work.await;
            is_over.store(true, Relaxed);
        };
        tokio::join!(work, client(), client());
        answered.into_inner()
    }

    pub(super) fn assert_all_were_asked(&self) {
        for replica in &self.replicas {
            assert!(replica.log().contains("\"asked-meanwhile\""), "a server was not asked");
        }
    }

    /// What the servers say, without the decisions.
    pub(super) fn logs(&self) -> String {
        let of = |replica: &Webhook| {
            let log = replica.log();
            let lines = log.lines().filter(|line| !line.contains("\"verdict\""));
            lines.collect::<Vec<_>>().join("\n")
        };
        self.replicas.each_ref().map(of).join("\n\n")
    }
}

/// The certificates in a bundle, encoded as it is in JSON.
fn certificates(encoded: &str) -> Vec<String> {
    let text = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
    text.split_inclusive("-----END CERTIFICATE-----\n").map(str::to_owned).collect()
}

/// Whether a Secret holds a certificate that its CA has signed, and both keys; as openssl sees it would be a dependency.
fn is_whole(data: &Value) -> bool {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
    let text = |key: &str| STANDARD.decode(data[key].as_str().unwrap_or_default()).unwrap();
    let Ok(leaf) = CertificateDer::from_pem_slice(&text("tls.crt")) else { return false };
    let Ok(root) = CertificateDer::from_pem_slice(&text("ca.crt")) else { return false };
    let Ok(key) = PrivateKeyDer::from_pem_slice(&text("tls.key")) else { return false };
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let mut anchors = rustls::RootCertStore::empty();
    anchors.add(root).unwrap();
    let parsed = rustls::server::ParsedCertificate::try_from(&leaf).unwrap();
    rustls::client::verify_server_cert_signed_by_trust_anchor(
        &parsed,
        &anchors,
        &[],
        rustls::pki_types::UnixTime::now(),
        provider.signature_verification_algorithms.all,
    )
    .is_ok()
        && rustls::sign::CertifiedKey::from_der(vec![leaf.clone()], key, &provider).is_ok()
        && PrivateKeyDer::from_pem_slice(&text("ca.key")).is_ok()
        && String::from_utf8(text("ca-bundle.crt")).unwrap().contains(std::str::from_utf8(&text("ca.crt")).unwrap())
}

/// Who the servers are: a service account, by its token.
pub(super) async fn account(api: &Api, own: &str) -> String {
    let path = format!("/api/v1/namespaces/{own}/serviceaccounts");
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "admittance"}});
    api.post(&path, &account).await.expect_created();
    let asked = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let made = api.post(&format!("{path}/admittance/token"), &asked).await.expect_created();
    made["status"]["token"].as_str().unwrap().to_owned()
}

/// Writes a kubeconfig for the owner of a token; its path.
pub(super) fn kubeconfig(control_plane: &ControlPlane, token: &str, folder: &Path) -> String {
    let admins = fs::read_to_string(control_plane.kubeconfig()).unwrap();
    let (front, rest) = admins.split_once("token: \"").unwrap();
    let (_, end) = rest.split_once('"').unwrap();
    let path = folder.join("kubeconfig");
    fs::write(&path, format!("{front}token: \"{token}\"{end}")).unwrap();
    path.display().to_string()
}

/// The flags of a server that keeps certificates.
pub(super) fn flags<'f>(kubeconfig: &'f str, own: &'f str, configuration: &'f str, life: &'f str) -> Vec<&'f str> {
    let flags = [
        ["--kubeconfig", kubeconfig],
        ["--namespace", own],
        ["--certificate-secret", SECRET],
        ["--service", "admittance"],
        ["--webhook-configuration", configuration],
        ["--certificate-life", life],
    ];
    flags.concat()
}

/// Gives the rights that certificates need, and no others.
pub(super) async fn give_rights(api: &Api, own: &str, configuration: &str) {
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let name = format!("{configuration}-certificates");
    let object =
        |kind: &str| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name}});
    let mut role = object("Role");
    role["rules"] = json!([
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [SECRET], "verbs": ["get", "update", "patch"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
    ]);
    let mut cluster_role = object("ClusterRole");
    cluster_role["rules"] = json!([{
        "apiGroups": ["admissionregistration.k8s.io"], "resources": CONFIGURATIONS,
        "resourceNames": [configuration], "verbs": ["get", "list", "watch", "patch"],
    }]);
    let subjects = json!([{"kind": "ServiceAccount", "namespace": own, "name": "admittance"}]);
    let in_own = format!("{rbac}/namespaces/{own}");
    for (role, binding, path) in [(role, "RoleBinding", in_own.as_str()), (cluster_role, "ClusterRoleBinding", rbac)] {
        let mut bound = object(binding);
        bound["subjects"] = subjects.clone();
        bound["roleRef"] = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": role["kind"], "name": name});
        api.post(&format!("{path}/{}s", role["kind"].as_str().unwrap().to_lowercase()), &role).await.expect_created();
        api.post(&format!("{path}/{}s", binding.to_lowercase()), &bound).await.expect_created();
    }
}

/// What kube-proxy does: connections to a port lead to the one or the other.
async fn balance(addresses: [SocketAddr; 2]) -> u16 {
    let listener = TcpListener::bind("localhost:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for address in addresses.into_iter().cycle() {
            let (mut client, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                if let Ok(mut server) = TcpStream::connect(address).await {
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });
    port
}
