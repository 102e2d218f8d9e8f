//! Clients that must show a certificate.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::json;

use super::{
    control_plane::{ControlPlane, PATIENCE},
    registration::Registration,
    webhook::{Options, Webhook},
};

/// A CA, PEM, and a client certificate of it with its key, PEM.
fn make() -> (String, String, String) {
    let mut wanted = CertificateParams::default();
    wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    wanted.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let ca = wanted.self_signed(&ca_key).unwrap();
    let mut client = CertificateParams::new(vec!["api-server".to_owned()]).unwrap();
    client.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let client = client.signed_by(&key, &Issuer::from_params(&wanted, &ca_key)).unwrap();
    (ca.pem(), client.pem(), key.serialize_pem())
}

/// What an API server is told so that it shows a certificate; the flag that names it.
fn configure(folder: &Path, certificate: &str, key: &str) -> String {
    let user = json!({
        "client-certificate-data": STANDARD.encode(certificate),
        "client-key-data": STANDARD.encode(key),
    });
    let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "users": [{"name": "*", "user": user}]});
    fs::write(folder.join("kubeconfig"), kubeconfig.to_string()).unwrap();
    let plugin = |name: &str| {
        json!({"name": name, "configuration": {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "WebhookAdmissionConfiguration",
            "kubeConfigFile": folder.join("kubeconfig"),
        }})
    };
    let configuration = json!({
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": [plugin("MutatingAdmissionWebhook"), plugin("ValidatingAdmissionWebhook")],
    });
    let path = folder.join("admission.json");
    fs::write(&path, configuration.to_string()).unwrap();
    format!("--admission-control-config-file={}", path.display())
}

#[tokio::test]
async fn judges_for_clients_with_a_certificate_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, certificate, key) = make();
    let Some(control_plane) = ControlPlane::with_flags(&configure(folder.path(), &certificate, &key)) else { return };
    let api = control_plane.api().await;
    control_plane.namespace(&api, "clients", "clients").await;
    let file = folder.path().join("ca.crt");
    fs::write(&file, &ca).unwrap();
    let webhook = Webhook::start(&Options {
        policies: "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: { name: x }\nspec: { module: latest-tag }\n",
        flags: &["--client-ca", &file.display().to_string(), "--connection-age", "1s"],
        name: None,
    });
    Registration::closed("clients").act_on(&api, &webhook, "clients").await;

    let stranger = webhook.client();
    for path in ["/mutate", "/validate", "/units"] {
        let answer = stranger.post(path, &json!({})).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (403, "a client certificate is needed\n"), "{path}");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(stranger.get(path).await.status.as_u16(), 200, "{path}");
    }

    // Another CA takes the place of the first, and the first one its own again.
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}});
    for (text, status) in [(make().0, 500), (ca, 201)] {
        fs::write(&file, text).unwrap();
        let begun = Instant::now();
        loop {
            let answer = api.post("/api/v1/namespaces/clients/configmaps?dryRun=All", &object).await;
            if answer.status.as_u16() == status {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{}\n{}", answer.text, webhook.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
