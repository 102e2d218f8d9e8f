//! What policies need from a cluster: what they declare, and what the commands `rbac` and `webhook-rules` say of it.

use std::cell::RefCell;
use std::process::Command;

use admittance::cluster::webhooks::entry;
use admittance::output::needs::webhook_rules_json;
use admittance_engine::deadline::Deadline;
use admittance_engine::json::Arena;
use admittance_engine::pipeline::{Budget, Detail, Route, Run, admit};
use admittance_engine::review::{Answer, Envelope, Lookup, Lookups};
use admittance_engine::set::{Entries, PolicySet, unreached, webhook_rules};
use serde_json::{Value, json};

use crate::case::{Case, cases, entries, root};
use crate::cluster::Cluster;

/// Answers as a case's cluster does, and notes what was asked.
struct Noting<'c> {
    cluster: Cluster<'c>,
    asked: RefCell<Vec<Lookup<'static>>>,
}

impl Lookups for Noting<'_> {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        self.asked.borrow_mut().push(lookup.clone().into_owned());
        self.cluster.answer(lookup, arena)
    }
}

fn asked(case: &Case) -> (Vec<Lookup<'static>>, Vec<Lookup<'static>>) {
    let set = case.set();
    let arena = Arena::with_limit(Budget::REVIEW);
    let body = case.review(set.kinds());
    let (envelope, read) = Envelope::read(&arena, body.as_bytes());
    read.unwrap();
    let review = envelope.into_review(&arena).unwrap();
    let noting = Noting { cluster: Cluster::of(case), asked: RefCell::default() };
    let run = Run {
        route: Route::Offline,
        deadline: Deadline::never(),
        budget: Budget::default(),
        lookups: &noting,
        detail: Detail::Findings,
        timed: false,
        judges_drift: false,
    };
    admit(&set, &review, &run).unwrap();
    let heads = set.mutators().iter().map(|one| &one.head).chain(set.validators().iter().map(|one| &one.head));
    let declared = heads.flat_map(admittance_engine::set::lookups).collect();
    (declared, noting.asked.into_inner())
}

/// Only what is declared can be kept at hand, and be allowed.
#[test]
fn whatever_policies_ask_they_have_declared() {
    let mut questions = 0;
    for case in cases() {
        let (declared, asked) = asked(&case);
        questions += asked.len();
        for lookup in asked {
            assert!(
                declared.iter().any(|declared| declared.covers(&lookup)),
                "{}: {lookup} is asked and not declared",
                case.name
            );
        }
    }
    assert!(questions > 50, "the cases ask only {questions} questions");
}

fn run(arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_admittance")).args(arguments).current_dir(root()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

fn json_of(arguments: &[&str]) -> Value {
    let (out, err, code) = run(arguments);
    assert_eq!((err.as_str(), code), ("", Some(0)));
    serde_json::from_str(&out).unwrap()
}

/// A folder with one file of policies.
fn policies(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policies.yaml");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

const NEEDY: &str = "\
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: budgets }
spec: { module: disruption-budget }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: pull }
spec: { module: set-image-pull-policy }
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: limit }
spec:
  paramKind: { apiVersion: rules.example.com/v1, kind: Limit }
  matchConstraints: { resourceRules: [{ apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments] }] }
  validations: [{ expression: 'params.x == true' }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: to-limit }
spec: { policyName: limit, validationActions: [Deny], paramRef: { name: strict, namespace: shop, parameterNotFoundAction: Deny } }
";

#[test]
fn prints_roles_with_the_rights_of_the_policies_and_who_needs_them() {
    let (_folder, path) = policies(NEEDY);
    let (out, err, code) = run(&["rbac", "-p", &path]);
    assert_eq!((err.as_str(), code), ("", Some(0)));
    assert_eq!(
        out,
        "\
# What the policies ask the cluster: bind it to the server's service account.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: admittance-lookups
rules:
  # budgets
  - apiGroups: [policy]
    resources: [poddisruptionbudgets]
    verbs: [list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: admittance-lookups
  namespace: shop
rules:
  # limit
  # The resource is guessed from Limit of rules.example.com/v1: compare it with `kubectl api-resources`.
  - apiGroups: [rules.example.com]
    resources: [limits]
    resourceNames: [strict]
    verbs: [get]
"
    );
    let document = json_of(&["rbac", "-p", &path, "-o", "json"]);
    assert_eq!(document["schemaVersion"], 1);
    let rules = json!([{"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": ["list", "watch"]}]);
    assert_eq!(document["clusterRole"]["rules"], rules);
    assert_eq!(document["roles"][0]["metadata"], json!({"name": "admittance-lookups", "namespace": "shop"}));
    assert_eq!(document["needs"][0]["policies"], json!(["budgets"]));
    assert_eq!(document["needs"][1]["guessedFrom"], "Limit of rules.example.com/v1");
}

#[test]
fn prints_rules_as_values_of_the_chart() {
    let (_folder, path) = policies(NEEDY);
    let (out, err, code) = run(&["webhook-rules", "-p", &path]);
    assert_eq!((err.as_str(), code), ("", Some(0)));
    assert_eq!(
        out,
        "\
webhook:
  rules:
    mutate:
      # pull
      - operations: [CREATE]
        apiGroups: [\"\"]
        apiVersions: [\"*\"]
        resources: [pods]
      # pull
      - operations: [UPDATE]
        apiGroups: [\"\"]
        apiVersions: [\"*\"]
        resources: [pods/ephemeralcontainers]
    validate:
      # budgets
      - operations: [CREATE, UPDATE]
        apiGroups: [\"\"]
        apiVersions: [\"*\"]
        resources: [replicationcontrollers]
      # budgets
      - operations: [CREATE, UPDATE]
        apiGroups: [apps]
        apiVersions: [\"*\"]
        resources: [replicasets, statefulsets]
      # budgets, limit
      - operations: [CREATE, UPDATE]
        apiGroups: [apps]
        apiVersions: [v1]
        resources: [deployments]
      # budgets
      - operations: [CREATE, UPDATE]
        apiGroups: [policy]
        apiVersions: [\"*\"]
        resources: [poddisruptionbudgets]
"
    );
    let read: Vec<Value> = serde_saphyr::from_multiple(&out).unwrap();
    let document = json_of(&["webhook-rules", "-p", &path, "-o", "json"]);
    assert_eq!(
        document["webhook"]["rules"]["validate"][0]["resources"],
        read[0]["webhook"]["rules"]["validate"][0]["resources"]
    );
    assert_eq!(document["policies"]["validate"][2], json!(["budgets", "limit"]));
    assert_eq!((&document["schemaVersion"], &document["notes"]), (&json!(1), &json!([])));
}

#[test]
fn prints_nothing_about_broken_policies() {
    let (_folder, path) = policies("apiVersion: admittance.dev/v1alpha1\nkind: Policy\n");
    for command in ["rbac", "webhook-rules"] {
        let (out, err, code) = run(&[command, "-p", &path]);
        assert_eq!((out.as_str(), code), ("", Some(2)));
        assert!(err.starts_with("error: missing field `metadata`"), "{err}");
    }
}

/// What is not sent by entries with these rules, as they are printed.
fn missed(set: &PolicySet, mut printed: Value) -> Vec<String> {
    let mut entry = |name: &str, route: &str| {
        let rules = printed["webhook"]["rules"][route].take();
        entry(&json!({"webhooks": [{"name": name, "rules": rules}]}), name)
    };
    let entries = Entries {
        mutate: entry("mutate.admittance.dev", "mutate"),
        validate: entry("validate.admittance.dev", "validate"),
    };
    let texts = unreached(set, &entries).into_iter().map(|one| one.text);
    texts.filter(|text| !text.contains("are not sent to webhooks")).collect()
}

#[test]
fn rules_that_are_printed_reach_every_policy_of_the_sets_and_of_the_cases() {
    let all = cases();
    for folder in entries(&root().join("manifests/policies")) {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let case = all.iter().find(|case| case.policy_set.as_deref() == Some(name));
        let set = case.unwrap_or_else(|| panic!("no case is about {name}")).set();
        let printed = json_of(&["webhook-rules", "-p", folder.to_str().unwrap(), "-o", "json"]);
        assert_eq!(missed(&set, printed), [""; 0], "{name}");
    }
    let mut rules = 0;
    for case in &all {
        let set = case.set();
        let printed: Value = serde_json::from_str(&webhook_rules_json(&webhook_rules(&set))).unwrap();
        rules += printed["webhook"]["rules"]["validate"].as_array().unwrap().len();
        assert_eq!(missed(&set, printed), [""; 0], "{}", case.name);
    }
    assert!(rules > 500, "the cases need only {rules} rules");
}
