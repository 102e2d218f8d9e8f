//! `admittance test --format kyverno|gator`: suites of other tools, here and in the collections.

use std::fs;
use std::path::Path;
use std::process::Command;

use admittance::suites::{Case, Outcome, gator, kyverno};
use admittance_engine::kubernetes::defaults::Defaults;
use serde_json::{Value, json};

use crate::lines::collection;

pub(crate) fn test(arguments: &[&str], folder: &Path) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_admittance"))
        .arg("test")
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

const KYVERNO_POLICY: &str = "apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: { name: team }
spec:
  validationActions: [Audit]
  matchConstraints:
    resourceRules:
      - { apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods] }
  validations:
    - expression: has(object.metadata.labels) && 'team' in object.metadata.labels
---
apiVersion: policies.kyverno.io/v1
kind: MutatingPolicy
metadata: { name: owner }
spec:
  matchConstraints:
    resourceRules:
      - { apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps] }
  mutations:
    - patchType: ApplyConfiguration
      applyConfiguration:
        expression: 'Object{metadata: Object.metadata{labels: {\"owner\": \"us\"}}}'
---
apiVersion: policies.kyverno.io/v1
kind: ImageValidatingPolicy
metadata: { name: signed }
spec: {}
";

const KYVERNO_RESOURCES: &str = "apiVersion: v1
kind: Pod
metadata: { name: good, labels: { team: a } }
spec: { containers: [{ name: c, image: i }] }
---
apiVersion: v1
kind: Pod
metadata: { name: bad }
spec: { containers: [{ name: c, image: i }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: bad }
spec: { template: { spec: { containers: [{ name: c, image: i }] } } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
";

const KYVERNO_TEST: &str = "apiVersion: cli.kyverno.io/v1alpha1
kind: Test
metadata: { name: t }
policies: [policies/policy.yaml]
resources: [resources.yaml]
results:
  - { policy: team, isValidatingPolicy: true, kind: Pod, resources: [good], result: pass }
  - { policy: team, isValidatingPolicy: true, kind: Pod, resources: [bad], result: fail }
  - { policy: team, isValidatingPolicy: true, kind: Pod, resources: [default/bad], result: pass }
  - { policy: team, kind: Deployment, resources: [bad], result: fail }
  - { policy: owner, kind: ConfigMap, resources: [settings], result: pass, patchedResources: patched.yaml }
  - { policy: signed, kind: Pod, resources: [good], result: pass }
  - { policy: team, kind: Pod, resources: [gone], result: fail }
";

#[test]
fn runs_suites_of_the_kyverno_cli() {
    let folder = folder(&[
        ("policies/policy.yaml", KYVERNO_POLICY),
        ("resources.yaml", KYVERNO_RESOURCES),
        ("patched.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings, labels: { owner: us } }\n"),
        (".kyverno-test/x.txt", ""),
        ("kyverno-test.yaml", KYVERNO_TEST),
    ]);
    let (text, problems, code) = test(&["--format", "kyverno", "."], folder.path());
    assert_eq!((problems.as_str(), code), ("", Some(1)));
    assert_eq!(
        text,
        "differs  ./kyverno-test.yaml: team: Pod bad\n         \
                  expected to pass, but refused: team: failed expression: has(object.metadata.labels) && 'team' in object.metadata.labels\n\
         skipped  1 case: Kyverno derives a rule for controllers from one for pods\n         \
                  ./kyverno-test.yaml: team: Deployment bad\n\
         skipped  1 case: ImageValidatingPolicy of policies.kyverno.io is no policy in CEL\n         \
                  ./kyverno-test.yaml: signed: Pod good\n\
         skipped  1 case: there is no such resource\n         \
                  ./kyverno-test.yaml: team: Pod gone\n\
         7 cases: 3 agree, 1 differ, 3 skipped\n"
    );
    let json: Value =
        serde_json::from_str(&test(&["--format", "kyverno", "-o", "json", "."], folder.path()).0).unwrap();
    assert_eq!((&json["agree"], &json["differ"], &json["skipped"]), (&json!(3), &json!(1), &json!(3)));
    let empty = self::folder(&[("a.yaml", "kind: Pod\n")]);
    assert_eq!(
        test(&["--format", "kyverno", "."], empty.path()).1,
        "error: no test suites of the Kyverno CLI in \".\": they are documents of kind Test\n"
    );
}

const TEMPLATE: &str = "apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: { name: k8steam }
spec:
  crd: { spec: { names: { kind: K8sTeam } } }
  targets:
    - target: admission.k8s.gatekeeper.sh
      code:
        - engine: K8sNativeValidation
          source:
            variables:
              - { name: labels, expression: 'has(variables.anyObject.metadata.labels) ? variables.anyObject.metadata.labels : {}' }
            validations:
              - expression: variables.params.labels.all(key, key in variables.labels)
                message: labels are missing
";

const REGO: &str = "apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: { name: old }
spec: { targets: [{ target: admission.k8s.gatekeeper.sh, rego: 'package old' }] }
";

const CONSTRAINT: &str = "apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sTeam
metadata: { name: team }
spec:
  match:
    kinds: [{ apiGroups: [''], kinds: [Pod] }]
    excludedNamespaces: [kube-*]
  parameters: { labels: [team] }
";

const SUITE: &str = "apiVersion: test.gatekeeper.sh/v1alpha1
kind: Suite
tests:
  - name: team
    template: template.yaml
    constraint: constraint.yaml
    cases:
      - { name: good, object: good.yaml, assertions: [{ violations: no }] }
      - { name: bad, object: bad.yaml, assertions: [{ violations: 1 }, { violations: yes }] }
      - { name: wrong, object: bad.yaml, assertions: [{ violations: 2 }] }
      - { name: said, object: bad.yaml, assertions: [{ message: labels are miss.ng$ }] }
      - { name: exempt, object: exempt.yaml, assertions: [{ violations: no }] }
      - { name: later, skip: true, object: bad.yaml }
  - name: old
    template: rego.yaml
    constraint: constraint.yaml
    cases: [{ name: bad, object: bad.yaml }]
";

fn pod(metadata: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{ name: p{metadata} }}\nspec: {{ containers: [{{ name: c, image: i }}] }}\n"
    )
}

#[test]
fn runs_suites_of_gator() {
    let folder = folder(&[
        ("template.yaml", TEMPLATE),
        ("rego.yaml", REGO),
        ("constraint.yaml", CONSTRAINT),
        ("suite.yaml", SUITE),
        ("good.yaml", &pod(", labels: { team: a }")),
        ("bad.yaml", &pod("")),
        ("exempt.yaml", &pod(", namespace: kube-system")),
    ]);
    let (text, problems, code) = test(&["--format", "gator", "suite.yaml"], folder.path());
    assert_eq!((problems.as_str(), code), ("", Some(1)));
    assert_eq!(
        text,
        "differs  suite.yaml: team: wrong\n         \
                  expected 2 violations, but there are 1\n\
         skipped  1 case: the suite skips it\n         \
                  suite.yaml: team: later\n\
         skipped  1 case: the template is in Rego: only those with the engine K8sNativeValidation are CEL\n         \
                  suite.yaml: old: bad\n\
         8 cases: 5 agree, 1 differ, 2 skipped\n"
    );
}

/// What became of the cases: how many agree, and what differs or is skipped, each with its text.
fn tally(cases: &[Case], of: &dyn Fn(&Case) -> String) -> (usize, Vec<String>, Vec<String>) {
    let defaults = Defaults::built_in();
    let (mut agree, mut differ, mut skipped) = (0, vec![], vec![]);
    for case in cases {
        match case.run(&defaults) {
            Outcome::Agrees => agree += 1,
            Outcome::Differs(difference) => differ.push(format!("{}: {difference}", of(case))),
            Outcome::Skipped(reason) => skipped.push(format!("{}: {reason}", of(case))),
        }
    }
    (agree, differ, skipped)
}

/// The suite of a case, by the name of its folder.
fn number(case: &Case) -> usize {
    case.suite.parent().unwrap().file_name().unwrap().to_str().unwrap().parse().unwrap()
}

/// Cases whose expectation is the runner's own and not the API server's: it fills in the namespace `default`, and encodes Go
/// structs.
const OTHERWISE: [&str; 4] = [
    "other-mpol/add-ndots/",
    "other-mpol/add-volume-deployment/",
    "other-mpol/apply-pss-restricted-profile/",
    "mutating-label/kyverno-test.yaml#test-mpol-jsonpatch//Deployment/dev-deploy-2",
];

/// What is not run: exceptions, and a match condition that uses variables, which Kubernetes refuses.
const SKIPPED: [&str; 2] = [
    ": the suite has exceptions, which are Kyverno's own",
    ": it is no policy that Kubernetes would take: spec.matchConditions[0].expression: undefined field 'hasHostPath' of 'kubernetes.variables', no field is accepted here",
];

#[test]
fn agrees_with_kyvernos_own_suites() {
    let rows = collection("kyverno.jsonl", 1986);
    let is_scored = |row: &&Value| row["ext"] == json!([]) && row["autogen_only"] == false && row["suspect"].is_null();
    let rows: Vec<&Value> = rows.iter().filter(is_scored).collect();
    if rows.is_empty() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (number, row) in rows.iter().enumerate() {
        let own = folder.path().join(number.to_string());
        fs::create_dir(&own).unwrap();
        let write = |name: &str, documents: &[Value]| {
            let text: Vec<String> = documents.iter().map(Value::to_string).collect();
            fs::write(own.join(name), text.join("\n---\n")).unwrap();
        };
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        write("policy.yaml", &[vec![row["policy"].clone()], list(&row["bindings"])].concat());
        let is_other = |one: &Value| one["metadata"]["name"] != row["name"] || row["kind"] != "Namespace";
        let namespaces: Vec<Value> = list(&row["namespaces"]).into_iter().filter(is_other).collect();
        write("resource.yaml", &[vec![row["resource"].clone()], namespaces].concat());
        write("params.yaml", &list(&row["params"]));
        write("patched.yaml", std::slice::from_ref(&row["patched"]));
        write("values.yaml", std::slice::from_ref(&row["values"]));
        let mut result = json!({
            "policy": row["policy_name"], "rule": row["rule"], "kind": row["kind"], "resources": [row["name"]],
            "result": row["expect"],
        });
        if !row["patched"].is_null() {
            result["patchedResources"] = "patched.yaml".into();
        }
        let mut test = json!({
            "apiVersion": "cli.kyverno.io/v1alpha1", "kind": "Test", "metadata": { "name": "t" },
            "policies": ["policy.yaml"], "resources": ["resource.yaml"], "results": [result],
        });
        for (field, key, file) in [("paramResources", "params", "params.yaml"), ("variables", "values", "values.yaml")]
        {
            if !row[key].is_null() && row[key] != json!([]) {
                test[field] = if field == "variables" { file.into() } else { json!([file]) };
            }
        }
        if row["exceptions"].as_array().is_some_and(|all| !all.is_empty()) {
            test["exceptions"] = json!(["policy.yaml"]);
        }
        write("kyverno-test.yaml", &[test]);
    }
    let cases = kyverno::suites(&[folder.path().to_owned()]).unwrap();
    let id = |case: &Case| rows[number(case)]["id"].as_str().unwrap().to_owned();
    let (agree, differ, skipped) = tally(&cases, &id);
    println!("suites of Kyverno: {agree} of {} agree, {} skipped", cases.len(), skipped.len());
    let is_known = |line: &&String| SKIPPED.iter().any(|known| line.ends_with(known));
    let others: Vec<&String> = skipped.iter().filter(|line| !is_known(line)).collect();
    assert!(others.is_empty(), "{others:#?}");
    let differ: Vec<&String> =
        differ.iter().filter(|line| !OTHERWISE.iter().any(|known| line.contains(known))).collect();
    assert!(differ.is_empty(), "{} differ:\n{differ:#?}", differ.len());
    assert_eq!((rows.len(), cases.len(), skipped.len()), (702, 702, 3));
}

#[test]
fn agrees_with_gatekeepers_own_suites() {
    let rows = collection("gatekeeper.jsonl", 128);
    if rows.is_empty() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (number, row) in rows.iter().enumerate() {
        let own = folder.path().join(number.to_string());
        fs::create_dir(&own).unwrap();
        let write = |name: &str, document: &Value| fs::write(own.join(name), document.to_string()).unwrap();
        write("template.yaml", &row["template"]);
        write("constraint.yaml", &row["constraint"]);
        write("object.yaml", if row["review"].is_null() { &row["object"] } else { &row["review"] });
        let suite = json!({
            "apiVersion": "test.gatekeeper.sh/v1alpha1", "kind": "Suite",
            "tests": [{
                "name": "t", "template": "template.yaml", "constraint": "constraint.yaml",
                "cases": [{ "name": "c", "object": "object.yaml", "assertions": row["assertions"] }],
            }],
        });
        write("suite.yaml", &suite);
    }
    let cases = gator::suites(&[folder.path().to_owned()]).unwrap();
    let id = |case: &Case| rows[number(case)]["id"].as_str().unwrap().to_owned();
    let (agree, differ, skipped) = tally(&cases, &id);
    println!("suites of gator: {agree} of {} agree, {} skipped", cases.len(), skipped.len());
    assert!(differ.is_empty(), "{differ:#?}");
    let is_rego = |line: &&String| line.contains("the template is in Rego");
    let others: Vec<&String> = skipped.iter().filter(|line| !is_rego(line)).collect();
    assert!(others.is_empty(), "{others:#?}");
    assert_eq!(skipped.len(), 128 - 37);
}
