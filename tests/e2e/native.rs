//! Kubernetes' own policies, once in the API server itself and once behind the webhook: the same requests must come to the
//! same end.
//!
//! Taken are all cases whose policies are of Kubernetes' own kinds. What the API server puts around a webhook's answer, and
//! what it says in its own way, is brought to one form first:
//!
//! | the API server itself | behind the webhook |
//! |---|---|
//! | `pods "web" is forbidden: ValidatingAdmissionPolicy 'P' with binding 'B' denied request: TEXT` | `admission webhook "W" denied the request: P: TEXT`, the first line |
//! | warning `Validation failed for ValidatingAdmissionPolicy 'P' with binding 'B': TEXT` | warning `P: TEXT` |
//! | audit annotation `P/KEY` | `W/P.KEY` |
//! | audit annotation `validation.policy.admission.k8s.io/validation_failure`, JSON of the first failure | `W/validation_failure`, a line `P: TEXT` for each |

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use admittance_engine::kubernetes::kinds::Kinds;
use hyper::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    api::{Answer, Api},
    asking::Asking,
    control_plane::{ControlPlane, PATIENCE, say},
    outcome::settled,
    registration::Registration,
    webhook::{Options, Webhook},
};
use crate::case::{Case, cases, documents};

const GROUP: &str = "/apis/admissionregistration.k8s.io";

/// What is audited of each request: its annotations.
const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{ level: Metadata }]\n";

/// A policy that refuses what another one has marked: where it answers, everything that was registered before it acts.
const SENTINEL: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: { name: sentinel }
spec:
  reinvocationPolicy: Never
  matchConstraints: { resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [limitranges] }] }
  matchConditions: [{ name: own, expression: "object.metadata.name == 'sentinel'" }]
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration: { expression: "Object{metadata: Object.metadata{annotations: {'sentinel': 'on'}}}" }
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: { name: sentinel }
spec: { policyName: sentinel }
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: sentinel }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [limitranges] }] }
  validations: [{ expression: "object.metadata.name != 'sentinel' || object.metadata.?annotations.?sentinel.orValue('') != 'on'" }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: sentinel }
spec: { policyName: sentinel, validationActions: [Deny] }
"#;

/// An answer in the form that both ways share.
#[derive(Debug, PartialEq)]
struct Outcome {
    allowed: bool,
    code: Value,
    reason: Value,
    message: String,
    warnings: Vec<String>,
    annotations: BTreeMap<String, String>,
    object: Value,
}

#[test]
fn the_api_server_itself_comes_to_the_same_end() {
    let audit = TempDir::new().unwrap();
    let (policy, log) = (audit.path().join("policy.yaml"), audit.path().join("log"));
    fs::write(&policy, AUDIT_POLICY).unwrap();
    let flags = format!("--audit-policy-file={} --audit-log-path={}", policy.display(), log.display());
    let Some(control_plane) = ControlPlane::with_flags(&flags) else { return };
    let cases = cases();
    let native: Vec<&Case> = cases.iter().filter(|case| is_native(case) && case.api_server).collect();
    assert!(native.len() >= 20, "only {} cases have policies of Kubernetes' own kinds", native.len());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let wrong = runtime.block_on(ask_all(&control_plane, &native, &log));
    say(&format!("{} cases were decided by the API server itself and by the webhook", native.len()));
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

/// Whether all policies of a case are of Kubernetes' own kinds.
fn is_native(case: &Case) -> bool {
    case.policies.as_ref().is_some_and(|text| {
        let kinds: Vec<String> =
            documents(text).iter().map(|document| document["kind"].as_str().unwrap_or_default().to_owned()).collect();
        kinds.iter().any(|kind| kind.ends_with("AdmissionPolicy")) && !kinds.iter().any(|kind| kind == "Policy")
    })
}

async fn ask_all(control_plane: &ControlPlane, cases: &[&Case], log: &Path) -> Vec<String> {
    let (api, kinds) = (control_plane.api().await, Kinds::built_in());
    let kubeconfig = control_plane.kubeconfig().display().to_string();
    let webhook = Webhook::start(&Options { flags: &["--kubeconfig", &kubeconfig], ..Options::default() });
    let registration = Registration::closed("native").for_marked_requests();
    registration.act_on(&api, &webhook, "default").await;
    // Who asks is of importance to policies; that he may ask is taken for granted.
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "impersonated"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    });
    api.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &binding).await.expect_created();
    let mut wrong = Vec::new();
    for (n, case) in cases.iter().enumerate() {
        let asking = Asking::new(case, &kinds);
        make_namespace(&api, &asking).await;
        let documents = documents(case.policies.as_deref().unwrap_or_default());
        let (policies, objects): (Vec<&Value>, Vec<&Value>) = documents.iter().partition(|document| {
            document["apiVersion"].as_str().unwrap_or_default().starts_with("admissionregistration.k8s.io/")
        });
        if let Err(error) = asking.store(&api).await {
            wrong.push(format!("{}: {error}", case.name));
            continue;
        }
        install(&api, &objects).await;
        // The parameters are asked for in the cluster, as the API server finds them.
        let texts: Vec<String> = policies.iter().map(ToString::to_string).collect();
        webhook.replace_policies(&[(format!("{n}.yaml"), texts.join("\n---\n"))]).await;
        let asker = asking.asker(&api);
        let behind = outcome(asking.ask(&registration.mark(&asker), &case.object).await, case, log);
        install(&api, &policies).await;
        sentinel_acts(&api, true).await;
        let itself = outcome(asking.ask(&asker, &case.object).await, case, log);
        remove(&api, &policies).await;
        sentinel_acts(&api, false).await;
        remove(&api, &objects).await;
        asking.take_away(&api).await;
        if itself != behind {
            wrong.push(format!("{}\n  itself {itself:?}\n  behind {behind:?}", case.name));
        }
    }
    wrong
}

async fn make_namespace(api: &Api, asking: &Asking<'_>) {
    let name = asking.namespace.as_str();
    if !["", "default", "kube-system"].contains(&name) {
        let object = asking.case.namespace_object(name);
        let answer = api.post("/api/v1/namespaces", &object).await;
        if answer.status == StatusCode::CONFLICT {
            api.put(&format!("/api/v1/namespaces/{name}"), &object).await.expect_ok();
        }
    }
}

/// The collection that a policy document or a parameter belongs to.
fn collection(document: &Value) -> String {
    let (version, kind) = (document["apiVersion"].as_str().unwrap(), document["kind"].as_str().unwrap());
    match version.split_once('/') {
        Some((_, version)) => {
            let plural =
                if let Some(stem) = kind.strip_suffix('y') { format!("{stem}ies") } else { format!("{kind}s") };
            format!("{GROUP}/{version}/{}", plural.to_lowercase())
        }
        None => {
            let namespace = document["metadata"]["namespace"].as_str().unwrap_or("default");
            format!("/api/v1/namespaces/{namespace}/{}s", kind.to_lowercase())
        }
    }
}

async fn install(api: &Api, documents: &[&Value]) {
    for document in documents {
        api.post(&collection(document), document).await.expect_created();
    }
}

async fn remove(api: &Api, documents: &[&Value]) {
    for document in documents {
        let name = document["metadata"]["name"].as_str().unwrap();
        api.delete(&format!("{}/{name}", collection(document))).await.expect_ok();
    }
}

/// Puts the sentinel there, or takes it away, and waits until that has its effect.
async fn sentinel_acts(api: &Api, acts: bool) {
    let documents = documents(SENTINEL);
    let documents: Vec<&Value> = documents.iter().collect();
    if acts {
        install(api, &documents).await;
    } else {
        remove(api, &documents).await;
    }
    // A kind that no case is about: the policies of a case must not stand in the way.
    let object = json!({
        "apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "sentinel"}, "spec": {"limits": []},
    });
    let begun = Instant::now();
    loop {
        let answer = api.post("/api/v1/namespaces/default/limitranges?dryRun=All", &object).await;
        let settled = if acts {
            answer.status == StatusCode::UNPROCESSABLE_ENTITY
        } else {
            answer.status.is_success() && answer.body["metadata"]["annotations"].is_null()
        };
        if settled {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for the sentinel: {}", answer.text);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn outcome(answer: Answer, case: &Case, log: &Path) -> Outcome {
    let annotations = annotations(&answer, log);
    let mut warnings: Vec<String> = answer.warnings.iter().map(|warning| shared_form(warning)).collect();
    warnings.sort();
    if answer.status.is_success() {
        let object = if case.object.is_null() { Value::Null } else { settled(answer.body) };
        let (code, reason, message) = (Value::Null, Value::Null, String::new());
        return Outcome { allowed: true, code, reason, message, warnings, annotations, object };
    }
    let said = answer.body["message"].as_str().unwrap_or_default();
    let said = said.split_once("\" denied the request: ").map_or(said, |(_, said)| said);
    let first = said.lines().next().unwrap_or_default();
    let (code, reason) = (answer.body["code"].clone(), answer.body["reason"].clone());
    let message = shared_form(first);
    Outcome { allowed: false, code, reason, message, warnings, annotations, object: Value::Null }
}

/// `P: TEXT` of the API server's own sentences about the policy P; every other text as it is.
fn shared_form(text: &str) -> String {
    let about = |start: &str, end: &str| {
        let (_, rest) = text.split_once(start)?;
        let (policy, rest) = rest.split_once('\'')?;
        let (_, said) = rest.split_once(end)?;
        Some(format!("{policy}: {said}"))
    };
    about("Validation failed for ValidatingAdmissionPolicy '", "': ")
        .or_else(|| about("ValidatingAdmissionPolicy '", "denied request: "))
        .unwrap_or_else(|| text.to_owned())
}

/// What policies wrote into the audit log about this request.
fn annotations(answer: &Answer, log: &Path) -> BTreeMap<String, String> {
    let id = answer.headers.get("audit-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let begun = Instant::now();
    let event = loop {
        let text = fs::read_to_string(log).unwrap_or_default();
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut of_request =
            events.filter(|event| event["auditID"] == id.as_str() && event["stage"] == "ResponseComplete");
        if let Some(event) = of_request.next() {
            break event;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for the audit event {id}");
        std::thread::sleep(Duration::from_millis(20));
    };
    let all = event["annotations"].as_object().cloned().unwrap_or_default();
    all.iter()
        .filter_map(|(key, value)| {
            let value = value.as_str()?;
            let (prefix, key) = key.split_once('/')?;
            match prefix {
                "validation.policy.admission.k8s.io" => Some((key.to_owned(), first_failure(value))),
                "validate.native.example" | "mutate.native.example" if key == "validation_failure" => {
                    Some((key.to_owned(), value.lines().next().unwrap_or_default().to_owned()))
                }
                "validate.native.example" | "mutate.native.example" => Some((key.to_owned(), value.to_owned())),
                other if other.contains(".k8s.io") => None,
                policy => Some((format!("{policy}.{key}"), value.to_owned())),
            }
        })
        .collect()
}

/// `P: TEXT` of the first of the failures that the API server lists.
fn first_failure(json: &str) -> String {
    let failures: Value = serde_json::from_str(json).unwrap();
    let first = &failures[0];
    format!("{}: {}", first["policy"].as_str().unwrap_or_default(), first["message"].as_str().unwrap_or_default())
}
