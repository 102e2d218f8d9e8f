//! Random pods, judged by this module and by Kubernetes' own code.
//!
//! `ADMITTANCE_ORACLES` names the folder of `psa-oracle` (hack/oracle), `ADMITTANCE_PODS` says how many (4,000),
//! `ADMITTANCE_SEED` which.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{pods, verdict};
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
