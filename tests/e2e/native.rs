//! Kubernetes' own policies, once in the API server itself and once behind the webhook: the same requests must come to the
//! same end.
//!
//! Taken are all cases whose policies are of Kubernetes' own kinds. What the API server puts around a webhook's answer, and
//! what it says in its own way, is brought to one form first:
//!
//! | the API server itself | behind the webhook |
//! |---|---|
//! | `pods "web" is forbidden: ValidatingAdmissionPolicy 'P' with binding 'B' denied request: TEXT` | `admission webhook "W" denied the request: P: TEXT`, the first line |
//! | `policy 'P' with binding 'B' denied request: TEXT`, code 403 or 422, of an error | `P: evaluation error: TEXT`, code 500 |
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
    objects,
    outcome::settled,
    registration::Registration,
    webhook::{Options, Webhook},
};
use crate::case::{Case, cases, documents};

const GROUP: &str = "/apis/admissionregistration.k8s.io";

/// What is audited of each request: its annotations.
const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{ level: Metadata }]\n";

/// One policy of each kind. Where they act, everything that was registered before them acts; where they do so no more,
/// nothing does that was taken away before them. The two kinds are looked at by different parts of the API server.
const SENTINEL: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: { name: sentinel }
spec:
  reinvocationPolicy: Never
  matchConstraints: { resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [limitranges] }] }
  matchConditions: [{ name: own, expression: "object.metadata.name == 'changed'" }]
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
  validations: [{ expression: "object.metadata.name != 'denied'" }]
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
    objects::let_everybody_ask(&api).await;
    // What needs kinds that are new to the API server comes last: it takes its time to notice them.
    objects::find_parameters(&api, "v1", "ConfigMap").await;
    let definitions = objects::define_kinds(&api, cases.iter().copied()).await;
    let (defining, others): (Vec<&Case>, Vec<&Case>) = cases
        .iter()
        .partition(|case| case.cluster.as_ref().is_some_and(|text| text.contains("CustomResourceDefinition")));
    let mut wrong = Vec::new();
    for (n, case) in others.iter().chain(&defining).enumerate() {
        if n == others.len() {
            for definition in &definitions {
                let spec = &definition["spec"];
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let api_version = format!("{}/{}", text(&spec["group"]), text(&spec["versions"][0]["name"]));
                objects::find_parameters(&api, &api_version, &text(&spec["names"]["kind"])).await;
            }
        }
        let asking = Asking::new(case, &kinds);
        objects::make_namespace(&api, &asking.namespace, &case.namespace_object(&asking.namespace)).await;
        let documents = documents(case.policies.as_deref().unwrap_or_default());
        let is_policy = |document: &&Value| {
            document["apiVersion"].as_str().unwrap_or_default().starts_with("admissionregistration.k8s.io/")
        };
        let policies: Vec<&Value> = documents.iter().filter(is_policy).collect();
        if let Err(error) = asking.store(&api).await {
            wrong.push(format!("{}: {error}", case.name));
            continue;
        }
        objects::install(&api, &kinds, case).await;
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
        objects::remove(&api, &kinds, case).await;
        asking.take_away(&api).await;
        if itself != behind {
            wrong.push(format!("{}\n  itself {itself:?}\n  behind {behind:?}", case.name));
        }
    }
    wrong
}

/// The collection that a policy document belongs to.
fn collection(document: &Value) -> String {
    let (version, kind) = (document["apiVersion"].as_str().unwrap(), document["kind"].as_str().unwrap());
    let (_, version) = version.split_once('/').unwrap();
    let plural = if let Some(stem) = kind.strip_suffix('y') { format!("{stem}ies") } else { format!("{kind}s") };
    format!("{GROUP}/{version}/{}", plural.to_lowercase())
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
    let object = |name: &str| json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": name}, "spec": {"limits": []}});
    let path = "/api/v1/namespaces/default/limitranges?dryRun=All";
    let begun = Instant::now();
    loop {
        let changed = api.post(path, &object("changed")).await.expect_created();
        let denied = api.post(path, &object("denied")).await;
        let is_changed = !changed["metadata"]["annotations"].is_null();
        let is_denied = denied.status == StatusCode::UNPROCESSABLE_ENTITY;
        if is_changed == acts && is_denied == acts {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for the sentinel: {}", denied.text);
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
    // What an evaluation error is answered with is a matter of each.
    let (code, reason) = if case.expect.errors.is_empty() { (code, reason) } else { (Value::Null, Value::Null) };
    let message = shared_form(first);
    Outcome { allowed: false, code, reason, message, warnings, annotations, object: Value::Null }
}

/// `P: TEXT` of the API server's own sentences about the policy P; every other text as it is.
fn shared_form(text: &str) -> String {
    let about = |start: &str, end: &str| {
        let (_, rest) = text.split_once(start)?;
        let (policy, rest) = rest.split_once(['\'', '"'])?;
        let (_, said) = rest.split_once(end)?;
        Some(format!("{policy}: {said}"))
    };
    // What the API server says without naming a policy.
    if let Some((_, internal)) = text.split_once(": evaluation error: Internal error occurred: ") {
        return format!("Internal error occurred: {internal}");
    }
    about("Validation failed for ValidatingAdmissionPolicy '", "': ")
        .or_else(|| about("ValidatingAdmissionPolicy '", "denied request: "))
        .or_else(|| about("policy '", "denied request: "))
        .or_else(|| about("policy \"", "denied request: "))
        .unwrap_or_else(|| text.replacen(": evaluation error: ", ": ", 1))
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
                // The API server itself does not say who changed what.
                "mutate.native.example" if key.starts_with("mutations.") => None,
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
