//! `admittance test --mutants`: changes that no test notices.

use std::fs;

use serde_json::{Value, json};

use crate::suites::{folder, test};

const REPLICAS: &str = "apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: few }
spec:
  matchConstraints:
    resourceRules:
      - { apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments] }
  validations:
    - expression: object.spec.replicas <= 5
---
apiVersion: admittance.dev/v1alpha1
kind: PolicyTest
metadata: { name: few }
spec:
  cases:
    - name: many
      object: &many
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: d }
        spec: { replicas: 6 }
      expect: { allowed: false }
    - name: many more than there were
      object: *many
      oldObject: { apiVersion: apps/v1, kind: Deployment, metadata: { name: d }, spec: { replicas: 1 } }
      expect: { allowed: false }
";

#[test]
fn names_changes_that_no_test_notices() {
    let folder = folder(&[("few.yaml", REPLICAS)]);
    let (text, problems, code) = test(&["--mutants", "few.yaml"], folder.path());
    assert_eq!((problems.as_str(), code), ("", Some(1)));
    assert_eq!(
        text,
        "few.yaml:9:40: few: `<=` to `<`\n    \
             9 |     - expression: object.spec.replicas <= 5\n\
         few.yaml:9:43: few: `5` to `4`\n    \
             9 |     - expression: object.spec.replicas <= 5\n\
         7 changes: 5 noticed, 2 not noticed\n"
    );
    // The case that was missing.
    let more = format!(
        "{REPLICAS}    - name: as many as may be\n      object: {{ apiVersion: apps/v1, kind: Deployment, metadata: {{ name: d }}, spec: {{ replicas: 5 }} }}\n      expect: {{ allowed: true }}\n"
    );
    fs::write(folder.path().join("few.yaml"), more).unwrap();
    assert_eq!(
        test(&["--mutants", "few.yaml"], folder.path()),
        ("7 changes: 7 noticed, 0 not noticed\n".to_owned(), String::new(), Some(0))
    );
    let json: Value = serde_json::from_str(&test(&["--mutants", "-o", "json", "few.yaml"], folder.path()).0).unwrap();
    assert_eq!(json, json!({ "schemaVersion": 1, "noticed": 7, "untested": 0, "broken": 0, "notNoticed": [] }));
}

#[test]
fn tests_that_fail_are_not_asked() {
    let folder = folder(&[("few.yaml", &REPLICAS.replace("replicas: 6", "replicas: 4"))]);
    assert_eq!(
        test(&["--mutants", "few.yaml"], folder.path()),
        (
            String::new(),
            "error: the test `few` fails without any change: run `admittance test` first\n".to_owned(),
            Some(2)
        )
    );
}
