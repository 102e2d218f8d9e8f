//! Every case of tests/cases, twice: offline, by the function that decides, and over HTTP, as an API server would ask the
//! built binary. Both must come to what the file expects, and to the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use admittance_engine::deadline::Deadline;
use admittance_engine::json::{Arena, Constant};
use admittance_engine::kubernetes::defaults::Defaults;
use admittance_engine::kubernetes::kinds::Kinds;
use admittance_engine::pipeline::{Budget, Detail, Route, Run, admit};
use admittance_engine::response;
use admittance_engine::review::{Envelope, Review};
use admittance_engine::set::PolicySet;
use admittance_engine::verdict::Verdict;
use base64::Engine as _;
use serde_json::{Map, Value, to_value};

use crate::binary::{Binary, Client};
use crate::case::{Case, cases};
use crate::cluster::Cluster;

/// What became of a case.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    allowed: bool,
    code: Option<u64>,
    reason: Option<String>,
    message: Option<String>,
    /// `POLICY: PATH: MESSAGE`
    findings: Vec<String>,
    /// `POLICY: ERROR`
    errors: Vec<String>,
    warnings: Vec<String>,
    audit_annotations: Map<String, Value>,
    patch: Value,
    /// After the patch.
    object: Value,
}

/// Judges a body as the server would, and hands over what there is to see.
pub(crate) fn judge<T>(
    case: &Case,
    set: &PolicySet,
    body: &str,
    route: Route,
    see: impl FnOnce(&Review<'_>, &Verdict<'_>) -> T,
) -> T {
    let arena = Arena::with_limit(Budget::REVIEW);
    let (envelope, read) = Envelope::read(&arena, body.as_bytes());
    read.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let review = envelope.into_review(&arena).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let lookups = Cluster::of(case);
    let run = Run {
        route,
        deadline: Deadline::never(),
        budget: Budget::default(),
        lookups: &lookups,
        detail: Detail::Findings,
        timed: false,
        judges_drift: false,
    };
    let verdict = admit(set, &review, &run).unwrap_or_else(|needs| panic!("{}: {needs:?}", case.name));
    see(&review, &verdict)
}

fn offline(case: &Case, set: &PolicySet) -> Outcome {
    judge(case, set, &case.review(set.kinds()), Route::Offline, |review, verdict| {
        let refusal = verdict.refusal();
        let patch = to_value(response::patch(review, verdict)).unwrap();
        // Where no policy has read the object, nothing has changed it; a deleted one is judged and never changed.
        let is_unchanged = case.object.is_null() || verdict.roots.original.is_null();
        let object = if is_unchanged { case.object.clone() } else { to_value(verdict.roots.mutated).unwrap() };
        Outcome {
            allowed: verdict.is_allowed(),
            code: refusal.map(|refusal| refusal.code.into()),
            reason: refusal.map(|refusal| refusal.reason.to_owned()),
            message: refusal.map(|_| verdict.message()),
            findings: verdict.findings.iter().map(ToString::to_string).collect(),
            errors: verdict
                .failures
                .iter()
                .map(|failure| format!("{}: {}", failure.origin.policy, failure.error))
                .collect(),
            warnings: verdict.warnings(),
            audit_annotations: verdict.audit_annotations().into_iter().map(|(key, text)| (key, text.into())).collect(),
            patch,
            object,
        }
    })
}

/// What is not as the case expects it, a line each.
fn differences(case: &Case, outcome: &Outcome) -> Vec<String> {
    let expect = &case.expect;
    let mut lines = Vec::new();
    let mut same = |field: &str, expected: Value, got: Value| {
        if expected != got {
            lines.push(format!("{}: {field}\n  expected {expected}\n  got      {got}", case.name));
        }
    };
    same("allowed", expect.allowed.into(), outcome.allowed.into());
    if let Some(code) = expect.code {
        same("code", code.into(), outcome.code.into());
    }
    if let Some(reason) = &expect.reason {
        same("reason", reason.as_str().into(), outcome.reason.clone().into());
    }
    if let Some(message) = &expect.message {
        same("message", message.as_str().into(), outcome.message.clone().into());
    }
    let findings: Vec<String> = expect.findings.iter().map(super::case::ExpectedFinding::line).collect();
    same("findings", findings.into(), outcome.findings.clone().into());
    same("errors", expect.errors.clone().into(), outcome.errors.clone().into());
    same("warnings", expect.warnings.clone().into(), outcome.warnings.clone().into());
    for (key, text) in &expect.audit_annotations {
        let got = outcome.audit_annotations.get(key).cloned();
        same(&format!("auditAnnotations.{key}"), text.clone(), got.into());
    }
    if let Some(patch) = &expect.patch {
        same("patch", patch.clone(), outcome.patch.clone());
    }
    if expect.allowed && !case.object.is_null() {
        same("object", expect.object.as_ref().unwrap_or(&case.object).clone(), outcome.object.clone());
        same("object after the patch", outcome.object.clone(), patched(&case.object, &outcome.patch));
    }
    lines
}

/// The object with a patch applied by the crate that kube's users have.
fn patched(object: &Value, patch: &Value) -> Value {
    let mut object = object.clone();
    if !patch.is_null() {
        let patch: json_patch::Patch = serde_json::from_value(patch.clone()).unwrap();
        json_patch::patch(&mut object, &patch).unwrap();
    }
    object
}

fn assert_none(differences: &[String], what: &str) {
    assert!(differences.is_empty(), "{} {what}:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn the_engine_comes_to_the_outcome_of_every_case() {
    let wrong: Vec<String> = cases().iter().flat_map(|case| differences(case, &offline(case, &case.set()))).collect();
    assert_none(&wrong, "differences");
}

/// An object as the API server would send it, which has filled in what its user left out.
fn defaulted(defaults: &Defaults, object: &Value) -> Value {
    let arena = Arena::with_limit(Budget::REVIEW);
    let (api_version, kind) = (object["apiVersion"].as_str().unwrap_or_default(), object["kind"].as_str());
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let node = Constant::from(object.clone()).build(&arena);
    to_value(defaults.apply(&arena, group, version, kind.unwrap_or_default(), node)).unwrap()
}

#[test]
fn defaults_that_the_api_server_fills_in_change_no_outcome() {
    let defaults = Defaults::built_in();
    let (mut wrong, mut changed) = (Vec::new(), 0);
    for case in cases().iter().filter(|case| case.api_server) {
        let (object, old_object) = (defaulted(&defaults, &case.object), defaulted(&defaults, &case.old_object));
        changed += u32::from(object != case.object || old_object != case.old_object);
        let set = case.set();
        let mut filled_in = case.asking(case.request.clone(), object, old_object);
        let outcome = offline(&filled_in, &set);
        // What a mutation has put in is filled in as well before it is stored.
        let expected = defaulted(&defaults, case.expect.object.as_ref().unwrap_or(&case.object));
        let stored = defaulted(&defaults, &outcome.object);
        if case.expect.allowed && stored != expected {
            wrong.push(format!("{}: object\n  expected {expected}\n  got      {stored}", case.name));
        }
        let is_changed = outcome.object != filled_in.object;
        if case.expect.allowed && is_changed != case.expect.object.is_some() {
            wrong.push(format!("{}: patch {}", case.name, outcome.patch));
        }
        (filled_in.expect.object, filled_in.expect.patch) = (Some(outcome.object.clone()), None);
        wrong.extend(differences(&filled_in, &outcome));
        let again =
            offline(&filled_in.asking(case.request.clone(), outcome.object, filled_in.old_object.clone()), &set);
        if again.patch != Value::Array(vec![]) {
            wrong.push(format!("{}: a second round makes {}", case.name, again.patch));
        }
    }
    assert_none(&wrong, "differences");
    assert!(changed > 100, "only {changed} objects of cases have defaults");
}

#[test]
fn a_second_round_changes_nothing() {
    let mut wrong = Vec::new();
    for case in cases().iter().filter(|case| !case.object.is_null()) {
        let set = case.set();
        let once = offline(case, &set).object;
        let body = case.review_of(set.kinds(), &once);
        let again = judge(case, &set, &body, Route::Mutate, |review, verdict| {
            to_value(response::patch(review, verdict)).unwrap()
        });
        if again != Value::Array(vec![]) {
            wrong.push(format!("{}: {again}", case.name));
        }
    }
    assert_none(&wrong, "cases are changed again by a second round");
}

/// Servers that run beside each other: more would only wait for each other.
const SERVERS: usize = 3;

#[test]
fn the_binary_comes_to_the_outcome_of_every_case_over_http() {
    let begun = Instant::now();
    let cases = cases();
    let (with_cluster, cases): (Vec<Case>, Vec<Case>) = cases.into_iter().partition(Case::needs_a_cluster);
    let mut groups: BTreeMap<(Option<&str>, Option<&str>), Vec<&Case>> = BTreeMap::new();
    // What such policies do behind a cluster is tested there (tests/e2e).
    for case in &cases {
        groups.entry((case.policies.as_deref(), case.policy_set.as_deref())).or_default().push(case);
    }
    let servers = groups.len();
    let (queue, wrong) = (Mutex::new(groups.into_values()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..SERVERS {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let next = || queue.lock().unwrap().next();
                while let Some(group) = next() {
                    let found = runtime.block_on(ask_all(&group));
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    assert_none(&wrong.into_inner().unwrap(), "differences");
    let (asked, left_out) = (cases.len(), with_cluster.len());
    println!("{asked} cases, {servers} servers, {:?}; {left_out} need a cluster", begun.elapsed());
    assert!(left_out * 4 < asked, "{left_out} of {asked} cases are left to the tests behind a real API server");
}

/// Asks a server about cases with the same policies.
async fn ask_all(group: &[&Case]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let Some(first) = group.first() else { return vec![] };
    let policies = match (&first.policies, first.policy_folder()) {
        (_, Some(folder)) => folder,
        (text, None) => {
            fs::write(folder.path().join("policies.yaml"), text.as_deref().unwrap_or_default()).unwrap();
            folder.path().to_owned()
        }
    };
    let server = Binary::with_policies(&policies);
    let (mut client, set) = (server.client().await, first.set());
    let mut wrong = Vec::new();
    for case in group {
        let outcome = over_http(case, set.kinds(), &mut client).await;
        wrong.extend(differences(case, &outcome));
        let offline = offline(case, &set);
        if outcome != offline {
            wrong.push(format!("{}: offline and HTTP differ\n  {offline:?}\n  {outcome:?}", case.name));
        }
    }
    wrong
}

/// What an API server does: it asks the mutating webhook, applies the patch, and asks the validating one.
async fn over_http(case: &Case, kinds: &Kinds, client: &mut Client) -> Outcome {
    let mut outcome = Outcome { patch: Value::Array(vec![]), object: case.object.clone(), ..Outcome::default() };
    for path in ["/mutate?timeout=10s", "/validate?timeout=10s"] {
        let body = case.review_of(kinds, &outcome.object);
        let uid = "705ab4f5-6393-11e8-b7cc-42010a800002";
        let response = client.review(path, body).await.response(uid);
        read(&mut outcome, &response);
        if path.starts_with("/mutate") {
            if let Some(patch) = response["patch"].as_str() {
                assert_eq!(response["patchType"], "JSONPatch", "{}", case.name);
                let patch = base64::engine::general_purpose::STANDARD.decode(patch).unwrap();
                outcome.patch = serde_json::from_slice(&patch).unwrap();
                assert_ne!(outcome.patch, Value::Array(vec![]), "{}: an empty patch is left out", case.name);
                outcome.object = patched(&outcome.object, &outcome.patch);
            }
        } else {
            assert!(response["patch"].is_null(), "{}: a patch from /validate", case.name);
        }
        if !outcome.allowed {
            break;
        }
    }
    outcome
}

/// Takes in one answer. Findings are said in up to three places: as causes of a denial, as warnings, in the audit log.
fn read(outcome: &mut Outcome, response: &Value) {
    let status = &response["status"];
    outcome.allowed = response["allowed"] == true;
    outcome.code = status["code"].as_u64();
    outcome.reason = status["reason"].as_str().map(str::to_owned);
    outcome.message = status["message"].as_str().map(str::to_owned);
    if !outcome.allowed {
        assert_eq!(status["status"], "Failure", "{response}");
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut said = BTreeSet::new();
    for cause in list(&status["details"]["causes"]) {
        let (policy, field, message) = (text(&cause["reason"]), text(&cause["field"]), text(&cause["message"]));
        let mut line = policy.clone();
        for part in [&field, &message].into_iter().filter(|part| !part.is_empty()) {
            let _ = write!(line, ": {part}");
        }
        said.insert(line.clone());
        match message.strip_prefix("evaluation error: ") {
            Some(error) => outcome.errors.push(format!("{policy}: {error}")),
            None => outcome.findings.push(line),
        }
    }
    let warnings: Vec<String> = list(&response["warnings"]).iter().map(text).collect();
    let annotations = response["auditAnnotations"].as_object().cloned().unwrap_or_default();
    let audited = annotations.get("validation_failure").map(text).unwrap_or_default();
    for line in warnings.iter().map(String::as_str).chain(audited.lines()) {
        if said.insert(line.to_owned()) {
            match line.split_once(": evaluation error: ") {
                Some((policy, error)) => outcome.errors.push(format!("{policy}: {error}")),
                None => outcome.findings.push(line.to_owned()),
            }
        }
    }
    outcome.warnings.extend(warnings);
    // Who changed what is said in the server alone: `check --explain` says it offline.
    outcome.audit_annotations.extend(annotations.into_iter().filter(|(key, _)| !key.starts_with("mutations.")));
}
