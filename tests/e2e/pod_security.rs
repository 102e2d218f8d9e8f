//! The API server's own admission of pods beside the module `pod-security`: the same pods, the same words.
//!
//! | the API server itself | behind the webhook |
//! |---|---|
//! | `pods "web" is forbidden: TEXT` | `admission webhook "W" denied the request: POLICY: TEXT` |
//! | warning `TEXT` | warning `POLICY: TEXT`, at most 256 bytes |

use admittance_engine::verdict::wording::cut;
use serde_json::{Value, json};

use super::{
    api::{Answer, Api},
    control_plane::{ControlPlane, say},
    registration::Registration,
    webhook::{Options, Webhook},
};
use crate::case::{Case, cases};

/// Each has a namespace with labels, where the API server itself judges, and one without, where the webhook does.
const STANDARDS: [(&str, &str); 5] = [
    ("baseline", "latest"),
    ("restricted", "latest"),
    ("restricted", "v1.24"),
    ("baseline", "v1.18"),
    ("restricted", "v1.0"),
];

fn policies() -> String {
    let of = |(position, (level, version)): (usize, &(&str, &str))| {
        format!(
            "---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: {{ name: p{position} }}
spec:
  module: pod-security
  existing: Deny
  namespaces: {{ include: [psa-behind-{position}] }}
  settings:
    enforce: {level}
    enforceVersion: {version}
    warn: {level}
    warnVersion: {version}
"
        )
    };
    let by_labels = "---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: labels }
spec:
  module: pod-security
  namespaces: { include: [psa-labels] }
  settings: { enforce: privileged, warn: privileged, audit: privileged, namespaceLabels: true }
";
    STANDARDS.iter().enumerate().map(of).collect::<String>() + by_labels
}

/// What is compared of an answer.
#[derive(Debug, PartialEq)]
struct Outcome {
    status: u16,
    /// Of a denial.
    text: String,
    warnings: Vec<String>,
}

/// An answer of the API server's own admission, as it would be behind the webhook.
fn own(answer: &Answer, policy: &str) -> Outcome {
    let (text, mut warnings) = texts(answer);
    let text = text.split_once(" is forbidden: ").map_or(text.clone(), |(_, text)| format!("{policy}: {text}"));
    for warning in &mut warnings {
        *warning = cut(&format!("{policy}: {warning}"), 256);
    }
    Outcome { status: answer.status.as_u16(), text, warnings }
}

fn behind(answer: &Answer) -> Outcome {
    let (text, warnings) = texts(answer);
    let text = text.replace("admission webhook \"validate.psa.example\" denied the request: ", "");
    Outcome { status: answer.status.as_u16(), text, warnings }
}

/// What is said of the standards; the API server warns of other things besides.
fn texts(answer: &Answer) -> (String, Vec<String>) {
    let text = answer.body["message"].as_str().unwrap_or_default().to_owned();
    (text, answer.warnings.iter().filter(|warning| warning.contains("PodSecurity")).cloned().collect())
}

/// The pods and workloads of the module's cases, and where they are created.
fn objects() -> Vec<(String, Value)> {
    let created = cases().into_iter().filter(|case| case.folder() == "pod-security" && case.operation() == "CREATE");
    let path = |object: &Value| match object["kind"].as_str()? {
        "Pod" => Some("/api/v1/namespaces/NAMESPACE/pods"),
        "Deployment" => Some("/apis/apps/v1/namespaces/NAMESPACE/deployments"),
        "CronJob" => Some("/apis/batch/v1/namespaces/NAMESPACE/cronjobs"),
        _ => None,
    };
    let of_case = |case: Case| {
        let (path, mut object) = (path(&case.object)?.to_owned(), case.object);
        // There is no such class, which is said first.
        object["spec"].as_object_mut()?.remove("runtimeClassName");
        Some((path, object))
    };
    created.filter_map(of_case).collect()
}

async fn make_namespace(api: &Api, name: &str, labels: &Value) {
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels } });
    api.post("/api/v1/namespaces", &namespace).await.expect_created();
}

#[tokio::test]
async fn the_api_server_says_the_same_of_every_pod() {
    let Some(control_plane) = ControlPlane::without_controllers() else { return };
    let api = control_plane.api().await;
    let kubeconfig = control_plane.kubeconfig().display().to_string();
    let policies = policies();
    let options = Options { policies: &policies, flags: &["--kubeconfig", &kubeconfig], ..Options::default() };
    let webhook = Webhook::start(&options);
    let registration = Registration::closed("psa").for_marked_requests();
    registration.act_on(&api, &webhook, "default").await;
    let plain = api.speaking_as("admin", &["system:masters"]);
    let marked = registration.mark(&plain);
    let objects = objects();
    let (mut wrong, mut denied, mut warned) = (vec![], 0, 0);
    for (position, (level, version)) in STANDARDS.iter().enumerate() {
        let key = |suffix: &str| format!("pod-security.kubernetes.io/{suffix}");
        let labels = json!({
            key("enforce"): level, key("enforce-version"): version, key("warn"): level, key("warn-version"): version,
        });
        make_namespace(&api, &format!("psa-itself-{position}"), &labels).await;
        make_namespace(&api, &format!("psa-behind-{position}"), &json!({})).await;
        for (path, object) in &objects {
            let path = |name: &str| path.replace("NAMESPACE", &format!("psa-{name}-{position}")) + "?dryRun=All";
            let itself = own(&plain.post(&path("itself"), object).await, &format!("p{position}"));
            let ours = behind(&marked.post(&path("behind"), object).await);
            denied += u32::from(itself.status == 403);
            warned += u32::from(!itself.warnings.is_empty());
            if itself != ours {
                wrong.push(format!("{level}:{version} {object}\n  itself {itself:?}\n  behind {ours:?}"));
            }
        }
    }
    say(&format!("{} objects at {} standards: {denied} denied, {warned} warned about", objects.len(), STANDARDS.len()));
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(denied > 40 && warned > 5, "too few are denied or warned about to show anything");
    labels_say_the_same(&api, &plain, &marked).await;
}

/// In one namespace both look at its labels: what the one says the other says too.
async fn labels_say_the_same(api: &Api, plain: &Api, marked: &Api) {
    let key = |suffix: &str| format!("pod-security.kubernetes.io/{suffix}");
    make_namespace(api, "psa-labels", &json!({ key("warn"): "restricted", key("warn-version"): "v1.30" })).await;
    let pod = |name: &str, spec: Value| {
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
            "spec": { "containers": [{ "name": "web", "image": "nginx:1.27" }] },
        });
        for (key, value) in spec.as_object().unwrap() {
            pod["spec"][key] = value.clone();
        }
        pod
    };
    let pods = "/api/v1/namespaces/psa-labels/pods";
    let both = |answer: &Answer| {
        let (ours, own): (Vec<_>, Vec<_>) =
            answer.warnings.iter().cloned().partition(|warning| warning.starts_with("labels: "));
        let own: Vec<String> = own.iter().map(|warning| cut(&format!("labels: {warning}"), 256)).collect();
        assert_eq!(ours, own);
        ours
    };
    let answer = marked.post(pods, &pod("b", json!({ "hostPID": true }))).await;
    assert_eq!(both(&answer).len(), 1, "{answer:?}");
    answer.expect_created();
    for (name, spec) in [("a", json!({ "hostPID": true })), ("c", json!({ "hostPID": true })), ("good", json!({}))] {
        plain.post(pods, &pod(name, spec)).await.expect_created();
    }
    let replicas =
        json!([{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "u", "controller": true }]);
    for name in ["replica-1", "replica-2"] {
        let mut replica =
            pod(name, json!({ "hostIPC": true, "volumes": [{ "name": "v", "hostPath": { "path": "/" } }] }));
        replica["metadata"]["ownerReferences"] = replicas.clone();
        plain.post(pods, &replica).await.expect_created();
    }
    let namespace = "/api/v1/namespaces/psa-labels";
    let relabelled = |level: &str| json!({ "metadata": { "labels": { key("enforce"): level } } });
    let answer = marked.patch(&format!("{namespace}?dryRun=All"), &relabelled("baseline")).await;
    assert_eq!(
        both(&answer),
        [
            "labels: existing pods in namespace \"psa-labels\" violate the new PodSecurity enforce level \"baseline:latest\"",
            "labels: a (and 2 other pods): host namespaces",
            "labels: replica-1 (and 1 other pod): host namespaces, hostPath volumes",
        ]
    );
    answer.expect_ok();
    let answer = marked.patch(&format!("{namespace}?dryRun=All"), &relabelled("restricted")).await;
    assert_eq!(both(&answer).len(), 4, "{answer:?}");
    answer.expect_ok();
    let answer = marked.patch(&format!("{namespace}?dryRun=All"), &relabelled("privileged")).await;
    assert_eq!(both(&answer), <[&str; 0]>::default());
    answer.expect_ok();
}
