//! Certificates that the servers keep themselves, with no more rights than they need.

mod scene;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use self::scene::{CONFIGURATIONS, Scene};
use super::control_plane::say;

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
        say(&format!("a {kind} that was made again got its caBundle after {:?}", made.elapsed()));
        let configuration = scene.api.get(&path).await.expect_ok();
        let other =
            configuration["webhooks"].as_array().unwrap().iter().find(|entry| entry["name"] == "other.webhook.example");
        assert!(other.unwrap()["clientConfig"]["caBundle"].is_null(), "{configuration}");
    }
    scene.answers().await;
}
