//! Certificates that the servers keep themselves, with no more rights than they need.

mod scene;

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use self::scene::{CONFIGURATIONS, Scene, account, flags, give_rights, kubeconfig};
use super::control_plane::{ControlPlane, PATIENCE, say};
use super::webhook::{Options, Webhook};

/// How soon a bundle is to be whole again.
const SOON: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renews_certificates_and_their_ca_while_requests_run() {
    // A CA lives ten times as long, and is renewed after two thirds of that.
    let Some(scene) = Scene::new("rotation", "6s").await else { return };
    scene.answers().await;
    let begun = Instant::now();
    let (mut leaves, mut authorities, mut most) = (BTreeSet::new(), BTreeSet::new(), 0);
    let watch = async {
        loop {
            let data = scene.secret().await;
            leaves.insert(data["tls.crt"].to_string());
            authorities.insert(data["ca.crt"].to_string());
            most = most.max(scene.trusted().await.len());
            // The new one is in use, and the old one has left.
            if authorities.len() > 1 && most > 1 && scene.trusted().await.len() == 1 {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(90), "{authorities:?}\n{}", scene.logs());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let answered = scene.ask_while(watch).await;
    assert!(leaves.len() > 8 && answered > 200, "{} certificates, {answered} requests", leaves.len());
    scene.assert_all_were_asked();
    say(&format!(
        "{answered} requests of {} s were answered while {} certificates and {} CAs were in use",
        begun.elapsed().as_secs(),
        leaves.len(),
        authorities.len()
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heals_a_secret_that_is_deleted_or_damaged_while_requests_run() {
    let Some(scene) = Scene::new("healing", "18s").await else { return };
    scene.answers().await;
    let heal = async {
        for damage in [None, Some("ca.key"), Some("tls.key"), Some("ca-bundle.crt"), Some("tls.crt")] {
            let before = scene.secret().await;
            match damage {
                None => drop(scene.api.delete(&scene.secret_path()).await.expect_ok()),
                Some(key) => {
                    let nothing = json!({"data": {key: STANDARD.encode("nothing")}});
                    scene.api.patch(&scene.secret_path(), &nothing).await.expect_ok();
                }
            }
            scene.is_healed().await;
            let after = scene.secret().await;
            let is_new = before["ca.crt"] != after["ca.crt"];
            assert_eq!(is_new, matches!(damage, None | Some("ca.key")), "{damage:?}\n{}", scene.logs());
        }
    };
    let answered = scene.ask_while(heal).await;
    assert!(answered > 100, "{answered} requests");
    scene.assert_all_were_asked();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restores_bundles_and_gives_one_to_a_configuration_that_is_made_again() {
    let Some(scene) = Scene::new("bundles", "1h").await else { return };
    scene.answers().await;
    let trusted = scene.trusted().await;
    for kind in CONFIGURATIONS {
        let path = scene.configuration_path(kind);
        let mut configuration = scene.api.get(&path).await.expect_ok();
        configuration["webhooks"][0]["clientConfig"]["caBundle"] = json!(null);
        let overwritten = Instant::now();
        scene.api.put(&path, &configuration).await.expect_ok();
        scene.is_trusted(kind, &trusted).await;
        assert!(overwritten.elapsed() < SOON, "{:?}", overwritten.elapsed());

        scene.api.delete(&path).await.expect_ok();
        let made = Instant::now();
        scene.create(kind).await;
        scene.is_trusted(kind, &trusted).await;
        assert!(made.elapsed() < SOON, "{:?}", made.elapsed());
        say(&format!("one of the {kind}, made again, got its caBundle after {:?}", made.elapsed()));
        let configuration = scene.api.get(&path).await.expect_ok();
        let other =
            configuration["webhooks"].as_array().unwrap().iter().find(|entry| entry["name"] == "other.webhook.example");
        assert!(other.unwrap()["clientConfig"]["caBundle"].is_null(), "{configuration}");
    }
    scene.answers().await;
}

/// What the server's plain listener says: the head and the body.
async fn page(webhook: &Webhook, path: &str) -> String {
    let log = webhook.log();
    let address =
        log.lines().find_map(|line| line.strip_prefix("metrics on http://")?.strip_suffix("/metrics")).unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn says(webhook: &Webhook, wanted: &str) {
    let begun = Instant::now();
    while !webhook.log().contains(wanted) {
        assert!(begun.elapsed() < PATIENCE, "\"{wanted}\" is not in {}", webhook.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_for_the_api_server_and_for_its_rights() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let (api, folder) = (control_plane.api().await, TempDir::new().unwrap());
    control_plane.namespace(&api, "nobody", "waiting-servers").await;
    let token = account(&api, "waiting-servers").await;
    // Nobody is at the address yet where the server looks for the API server.
    let path = kubeconfig(control_plane, &token, folder.path());
    let text = std::fs::read_to_string(&path).unwrap();
    let (_, rest) = text.split_once("https://").unwrap();
    let there = rest.split(|c: char| !c.is_ascii_alphanumeric() && !".:".contains(c)).next().unwrap().to_owned();
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    std::fs::write(&path, text.replace(&there, &nobody.to_string())).unwrap();
    let webhook = Webhook::start_as_told(&Options {
        flags: &flags(&path, "waiting-servers", "waiting", "2h"),
        ..Options::default()
    });
    says(&webhook, "the Secret of the certificates cannot be read").await;
    says(&webhook, "the MutatingWebhookConfiguration cannot be watched").await;
    assert!(page(&webhook, "/readyz").await.starts_with("HTTP/1.1 503 "));
    assert!(page(&webhook, "/healthz").await.starts_with("HTTP/1.1 200 "));
    tokio::time::sleep(Duration::from_secs(3)).await;
    for text in ["the Secret of the certificates cannot be read", "the MutatingWebhookConfiguration cannot be watched"]
    {
        assert_eq!(webhook.log().matches(text).count(), 1, "{}", webhook.log());
    }

    let listener = TcpListener::bind(nobody).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let there = there.clone();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(there).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    says(&webhook, "secrets \\\"admittance-certificates\\\" is forbidden").await;
    assert!(page(&webhook, "/startupz").await.starts_with("HTTP/1.1 503 "));

    give_rights(&api, "waiting-servers", "waiting").await;
    let begun = Instant::now();
    while !page(&webhook, "/readyz").await.starts_with("HTTP/1.1 200 ") {
        assert!(begun.elapsed() < PATIENCE, "{}", webhook.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    says(&webhook, "the Secret of the certificates cannot be read: it works again").await;
    let metrics = page(&webhook, "/metrics").await;
    let expiry = metrics.lines().find_map(|line| line.strip_prefix("admittance_certificate_expiry_timestamp_seconds "));
    let left =
        expiry.unwrap().parse::<f64>().unwrap() - SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    assert!((7_100.0..=7_200.0).contains(&left), "{left}");
    assert!(!webhook.log().contains("PRIVATE"), "{}", webhook.log());
}
