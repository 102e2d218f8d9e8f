//! Twins of policies in a real API server, with no webhook: they refuse what their policies refuse, and go on while the
//! server is down.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use admittance_engine::document::SourceFile;
use admittance_engine::export::{Exemptions, export};
use admittance_engine::kubernetes::kinds::Kinds;
use admittance_engine::unit::{Unit, compile};
use serde_json::{Value, json};

use super::{
    api::{Answer, Api},
    asking::Asking,
    control_plane::{ControlPlane, PATIENCE, say},
    objects,
    registration::Registration,
    webhook::Webhook,
};
use crate::case::{Case, cases, documents, entries, root};

const GROUP: &str = "/apis/admissionregistration.k8s.io/v1";

/// A case and the number of the twin that it is asked of.
struct Asked {
    case: Case,
    twin: usize,
    /// Whether the twin sees otherwise what was wrong before.
    differs: bool,
}

/// The documents of the only policy of a case, for requests alone that are marked with its number; None if it has no twin.
fn twin_of(document: &Value, number: usize) -> Option<(Vec<Value>, bool)> {
    let mut document = document.clone();
    let is_own = document["kind"] == "Policy" && !document["spec"]["mutations"].is_array();
    document["spec"].as_object_mut().filter(|_| is_own)?.remove("actions");
    let unit = compile(&Unit::of_file(SourceFile::new("policy.yaml", document.to_string()))).ok()?;
    let exemptions = Exemptions { namespaces: vec!["nowhere".to_owned()], ..Exemptions::default() };
    let twin = export(&[unit], &exemptions).twins.into_iter().next()?;
    let name = format!("twin-{number}");
    let mut documents = twin.documents;
    for document in &mut documents {
        document["metadata"]["name"] = json!(name);
    }
    let extra = "request.userInfo.extra";
    let expression = format!("has({extra}) && 'server' in {extra} && {extra}['server'] == ['{name}']");
    documents[0]["spec"]["matchConditions"].as_array_mut()?.push(json!({ "name": "mark", "expression": expression }));
    documents[1]["spec"]["policyName"] = json!(name);
    Some((documents, !twin.differs.is_empty()))
}

async fn apply(api: &Api, document: &Value) {
    let kind = document["kind"].as_str().unwrap();
    let path =
        if kind.ends_with("Binding") { "validatingadmissionpolicybindings" } else { "validatingadmissionpolicies" };
    let answer = api.post(&format!("{GROUP}/{path}"), document).await;
    assert!(answer.status.is_success(), "{}\n{document}", answer.text);
}

/// Whether nobody refused it. What is there already is found out behind admission.
fn is_let_in(answer: &Answer) -> bool {
    answer.status.is_success() || answer.text.contains("\"reason\":\"AlreadyExists\"")
}

/// All cases with one policy of ours that has a twin, and the twins' documents.
fn asked() -> (Vec<Asked>, Vec<Vec<Value>>) {
    let (mut asked, mut twins) = (vec![], vec![]);
    let mut known: BTreeMap<String, (usize, bool)> = BTreeMap::new();
    for case in cases().into_iter().filter(|case| case.api_server && case.cluster.is_none()) {
        let policies = case.policies.as_deref().map(documents).unwrap_or_default();
        let [policy] = policies.as_slice() else { continue };
        if case.operation() == "CONNECT" || policy["spec"]["actions"].is_array() {
            continue;
        }
        let key = policy.to_string();
        if !known.contains_key(&key) {
            let Some((documents, differs)) = twin_of(policy, twins.len()) else { continue };
            known.insert(key.clone(), (twins.len(), differs));
            twins.push(documents);
        }
        let (twin, differs) = known[&key];
        asked.push(Asked { case, twin, differs });
    }
    (asked, twins)
}

#[tokio::test]
async fn twins_say_in_the_api_server_what_the_cases_expect() {
    let Some(control_plane) = ControlPlane::without_controllers() else { return };
    let api = control_plane.api().await;
    let kinds = Kinds::built_in();
    objects::let_everybody_ask(&api).await;
    let (all, twins) = asked();
    for document in twins.iter().flatten() {
        apply(&api, document).await;
    }
    // Denials first: where a twin denies, it is in force.
    let (denied, allowed): (Vec<&Asked>, Vec<&Asked>) = all.iter().partition(|asked| !asked.case.expect.allowed);
    let (mut wrong, mut answered) = (vec![], [0, 0]);
    for Asked { case, twin, differs } in denied.into_iter().chain(allowed) {
        let asking = Asking::new(case, &kinds);
        if !["", "default", "kube-system", "kube-public"].contains(&asking.namespace.as_str()) {
            objects::make_namespace(&api, &asking.namespace, &case.namespace_object(&asking.namespace)).await;
        }
        if let Err(reason) = asking.store(&api).await {
            wrong.push(format!("{}: {reason}", case.name));
            continue;
        }
        let impersonated = asking.asker(&api).saying("Impersonate-Extra-Server", &format!("twin-{twin}"));
        let begun = Instant::now();
        let answer = loop {
            let answer = asking.ask(&impersonated, &case.object).await;
            let is_expected = is_let_in(&answer) == case.expect.allowed;
            if is_expected || case.expect.allowed || begun.elapsed() > PATIENCE {
                break answer;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        };
        asking.take_away(&api).await;
        let allowed = is_let_in(&answer);
        let is_by_twin = allowed || answer.text.contains(&format!("ValidatingAdmissionPolicy 'twin-{twin}'"));
        answered[usize::from(allowed)] += 1;
        let is_lenient = *differs && allowed && case.operation() == "UPDATE";
        if (allowed != case.expect.allowed && !is_lenient) || !is_by_twin {
            wrong.push(format!("{}: expected allowed: {}\n  {}", case.name, case.expect.allowed, answer.text));
        }
    }
    say(&format!("{} twins: {} requests denied, {} allowed", twins.len(), answered[0], answered[1]));
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(answered[0] > 150 && answered[1] > 150, "{answered:?}");
}

fn exported(pack: &str) -> String {
    let printed = Command::new(env!("CARGO_BIN_EXE_admittance"))
        .args(["export", "vap", "-p"])
        .arg(root().join("manifests/policies").join(pack))
        .output()
        .unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    String::from_utf8(printed.stdout).unwrap()
}

#[tokio::test]
async fn twins_of_the_packs_deny_while_the_server_is_down() {
    let Some(control_plane) = ControlPlane::without_controllers() else { return };
    let api = control_plane.api().await;
    for folder in entries(&root().join("manifests/policies")) {
        let pack = folder.file_name().unwrap().to_str().unwrap();
        let manifest = exported(pack);
        let count = documents(&manifest).iter().filter(|document| !document.is_null()).count();
        let said = control_plane.kubectl_with(&["apply", "--dry-run=server", "-f", "-"], &manifest).well();
        assert_eq!(said.matches(" created (server dry run)").count(), count, "{pack}: {said}");
        say(&format!("{pack}: {} twins", count / 2));
    }
    control_plane.namespace(&api, "lockout", "lockout").await;
    let policies = "
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: no-privileged }
spec: { module: privileged }
";
    let webhook = Webhook::start_with_files(policies);
    Registration::open("lockout").act_on(&api, &webhook, "lockout").await;
    let pod = |privileged: bool| {
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web" },
            "spec": { "containers": [{
                "name": "web", "image": "nginx:1.27", "securityContext": { "privileged": privileged },
            }] },
        })
    };
    let pods = "/api/v1/namespaces/lockout/pods?dryRun=All";
    let message = api.post(pods, &pod(true)).await.expect_failed(403);
    assert!(message.starts_with("admission webhook \"validate.lockout.example\" denied the request: no-privileged: "));

    // Without twins the door is open while nobody answers.
    webhook.terminate();
    let (status, _) = webhook.end();
    assert!(status.success(), "{status}");
    api.post(pods, &pod(true)).await.expect_created();

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policies.yaml");
    std::fs::write(&file, policies).unwrap();
    let printed =
        Command::new(env!("CARGO_BIN_EXE_admittance")).args(["export", "vap", "-p"]).arg(&file).output().unwrap();
    control_plane.kubectl_with(&["apply", "-f", "-"], &String::from_utf8(printed.stdout).unwrap()).well();
    let begun = Instant::now();
    let message = loop {
        let answer = api.post(pods, &pod(true)).await;
        if answer.status == 403 {
            break answer.expect_failed(403);
        }
        assert!(begun.elapsed() < PATIENCE, "the twin does not act: {}", answer.text);
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(
        message,
        "pods \"web\" is forbidden: ValidatingAdmissionPolicy 'admittance-twin-no-privileged' with binding \
         'admittance-twin-no-privileged' denied request: containers[web].securityContext.privileged: privileged \
         containers are not allowed: take the field away, or set it to false"
    );
    api.post(pods, &pod(false)).await.expect_created();
    // The namespaces that the webhook leaves out are left out by its twins.
    api.post("/api/v1/namespaces/kube-system/pods?dryRun=All", &pod(true)).await.expect_created();
}
