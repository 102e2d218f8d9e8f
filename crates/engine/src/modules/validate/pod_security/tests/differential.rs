//! Random pods, judged by this module and by Kubernetes' own code.
//!
//! `ADMITTANCE_ORACLES` names the folder of `psa-oracle` (hack/oracle), `ADMITTANCE_PODS` says how many (4,000),
//! `ADMITTANCE_SEED` which.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::labels;
use super::super::level::{Level, Modes, Standard, Version};
use super::{pods, verdict};
use crate::json::{Arena, read};
use crate::oracle::{Random, ask, seed};

/// How many are asked about at once.
const BATCH: usize = 2_000;

/// What upstream's checks say, each with something else: a generator that never gets there proves nothing.
const REASONS: &[&str] = &[
    "allowPrivilegeEscalation != false (",
    "forbidden AppArmor profile (",
    "forbidden AppArmor profiles (",
    "annotation must not set AppArmor profile",
    "non-default capabilities (",
    "unrestricted capabilities (",
    "; container",
    "host namespaces (",
    "hostPath volumes (",
    "hostPort (",
    "probe or lifecycle host (",
    "privileged (",
    "procMount (",
    "restricted volume types (",
    "must not set securityContext.runAsNonRoot=false",
    "must set securityContext.runAsNonRoot=true",
    "runAsUser=0 (",
    "seLinuxOptions (",
    "user may not be set",
    "role may not be set",
    "seccompProfile (forbidden annotation ",
    "seccompProfile (forbidden annotations ",
    "must not set securityContext.seccompProfile.type",
    "must set securityContext.seccompProfile.type",
    "forbidden sysctls (",
    "forbidden sysctls,",
    "hostProcess (",
    " (pod and container",
];

#[test]
fn agrees_with_kubernetes_own_code_on_random_pods() {
    let count = std::env::var("ADMITTANCE_PODS").map_or(4_000, |text| text.parse().unwrap());
    let mut random = Random(seed());
    let mut outcomes: BTreeMap<bool, usize> = BTreeMap::new();
    let mut seen = vec![0_usize; REASONS.len()];
    let mut wrong = vec![];
    for start in (0..count).step_by(BATCH) {
        let questions: Vec<Value> = (start..count.min(start + BATCH)).map(|_| question(&mut random)).collect();
        let Some(answers) = ask("psa-oracle", questions.clone()) else { return };
        for (question, answer) in questions.iter().zip(answers) {
            let answer: Value = serde_json::from_str(&answer).unwrap();
            assert!(answer["error"].is_null(), "{answer}: {question}");
            let text = |field: &str| question[field].as_str().unwrap();
            let ours = verdict(text("level"), text("version"), &question["pod"]);
            let theirs = answer["message"].as_str();
            *outcomes.entry(theirs.is_none()).or_default() += 1;
            for (count, reason) in seen.iter_mut().zip(REASONS) {
                *count += usize::from(theirs.is_some_and(|message| message.contains(reason)));
            }
            if ours.as_deref() != theirs || answer["allowed"] != ours.is_none() {
                wrong.push(format!("{question}\nours:   {ours:?}\ntheirs: {theirs:?}"));
            }
        }
    }
    println!("{count} pods, allowed: {outcomes:?}, {} differ", wrong.len());
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{}",
        wrong.len(),
        wrong.iter().take(5).cloned().collect::<String>()
    );
    let unseen: Vec<&&str> = REASONS.iter().zip(&seen).filter(|(_, count)| **count == 0).map(|(it, _)| it).collect();
    assert!(count < 4_000 || unseen.is_empty(), "never said: {unseen:?}");
    assert!(outcomes.values().all(|times| times * 8 > count), "{outcomes:?}");
}

fn question(random: &mut Random) -> Value {
    let level =
        random.of(&["privileged", "baseline", "baseline", "baseline", "restricted", "restricted", "restricted"]);
    let version = match random.below(45) {
        minor @ 0..40 => format!("v1.{minor}"),
        40 => "v1.999".to_owned(),
        _ => "latest".to_owned(),
    };
    json!({ "level": level, "version": version, "pod": pods::pod(random) })
}

const LEVELS: &[&str] =
    &["privileged", "baseline", "restricted", "restricted", "baseline", "Baseline", "", "none\u{7f}"];
const VERSIONS: &[&str] =
    &["latest", "v1.0", "v1.30", "v1.99", "v1.030", "1.30", "v2.0", "", "v1.99999999999999999999"];

#[test]
fn reads_random_labels_as_kubernetes_own_code_does() {
    let mut random = Random(seed());
    let questions: Vec<Value> = (0..4_000).map(|_| labelled(&mut random)).collect();
    let Some(answers) = ask("psa-oracle", questions.clone()) else { return };
    let mut wrong_labels = 0;
    for (question, answer) in questions.iter().zip(answers) {
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let (arena, text) = (Arena::with_limit(1 << 20), question["labels"].to_string());
        let default = Standard {
            level: Level::parse(question["level"].as_str().unwrap()).unwrap(),
            version: Version::parse(question["version"].as_str().unwrap()).unwrap(),
        };
        let defaults = Modes { enforce: default, audit: default, warn: default };
        let (Modes { enforce, audit, warn }, wrong) = labels::modes(read(&arena, &text).unwrap(), &defaults);
        assert_eq!(answer["modes"], format!("{enforce} {audit} {warn}"), "{question}");
        let failure = (!wrong.is_empty()).then(|| labels::failure(&wrong));
        assert_eq!(answer["error"].as_str(), failure.as_deref(), "{question}");
        wrong_labels += usize::from(failure.is_some());
    }
    println!("4000 namespaces, {wrong_labels} with wrong labels");
    assert!(wrong_labels > 500 && wrong_labels < 3_500, "{wrong_labels}");
}

fn labelled(random: &mut Random) -> Value {
    let mut labels = json!({ "team": "shop" });
    for mode in ["enforce", "audit", "warn"] {
        for (suffix, values) in [("", LEVELS), ("-version", VERSIONS)] {
            // Most are right: each wrong one adds to the failure.
            let values = if random.once_in(4) { values } else { values.get(..3).unwrap() };
            if random.once_in(2) {
                labels[format!("pod-security.kubernetes.io/{mode}{suffix}")] = random.of(values).into();
            }
        }
    }
    json!({ "labels": labels, "level": random.of(&LEVELS[..3]), "version": random.of(&VERSIONS[..4]) })
}
