use super::*;
use crate::document::SourceFile;
use crate::json::Arena;
use crate::kubernetes::defaults::Defaults;
use crate::proof::tested;
use crate::unit::{Unit, compile};

const POLICIES: &str = "\
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: rules }
spec:
  matchConstraints:
    resourceRules:
    - { apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps] }
    - { apiGroups: [''], apiVersions: [v1], operations: [UPDATE], resources: [configmaps] }
  matchConditions:
  - { name: ours, expression: \"object.metadata.namespace == 'shop' || request.userInfo.username == 'ann'\" }
  variables:
  - { name: keys, expression: object.data.size() }
  - { name: unused, expression: '1 + 1' }
  validations:
  - expression: 'has(object.data) ? object.data.size() < 2 : true'
  - expression: \"object.metadata.name != 'b' || variables.keys > 1 && object.metadata.name.size() > 5\"
    messageExpression: \"'no ' + object.metadata.name\"
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: label }
spec: { module: add-labels, settings: { labels: { a: b } } }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: ports }
spec: { module: host-ports }
---
apiVersion: admittance.dev/v1alpha1
kind: PolicyTest
metadata: { name: t }
spec:
  cases:
";

fn missing(cases: &[&str]) -> Vec<String> {
    let text = format!("{POLICIES}  - {}\n", cases.join("\n  - "));
    let unit =
        compile(&Unit::of_file(SourceFile::new("u.yaml", text))).unwrap_or_else(|problems| panic!("{}", problems[0]));
    let (tests, defaults) = (&unit.tests()[0], Defaults::built_in());
    let set = tested::own(&unit, tests).unwrap().unwrap();
    let arena = Arena::with_limit(1 << 26);
    let reports: Vec<Report> =
        tests.cases.iter().map(|case| Report::of(tests, case, &set, &defaults, &arena)).collect();
    uncovered(&[&unit], &reports.iter().collect::<Vec<_>>()).iter().map(ToString::to_string).collect()
}

const MAP: &str =
    "{ name: a, object: { apiVersion: v1, kind: ConfigMap, metadata: { name: a, namespace: shop }, data: { k: v } } }";
const POD: &str = "{ name: pod, object: { apiVersion: v1, kind: Pod, metadata: { name: a } } }";

#[test]
fn names_rules_expressions_and_parts_that_no_case_reached() {
    assert_eq!(
        missing(&[MAP, POD]),
        [
            "u.yaml:3:19: warning: policy `rules`: no case shows an object that it objects to",
            "u.yaml:3:19: warning: policy `rules`: no case fits matchConstraints.resourceRules[1]",
            "u.yaml:3:19: warning: policy `rules`: no case evaluates variables[0]: object.data.size()",
            "u.yaml:3:19: warning: policy `rules`: no case evaluates variables[1]: 1 + 1",
            "u.yaml:3:19: warning: policy `rules`: no case evaluates `request.userInfo.username == 'ann'` in matchConditions[0]",
            "u.yaml:3:19: warning: policy `rules`: no case evaluates `true` in validations[0]",
            "u.yaml:3:19: warning: policy `rules`: no case evaluates `variables.keys > 1 && object.metadata.name.size() > 5` in validations[1]",
            "u.yaml:20:19: warning: policy `label`: no case shows an object that it leaves as it is",
            "u.yaml:25:19: warning: policy `ports`: no case shows an object that it objects to",
        ]
    );
}

#[test]
fn is_content_when_every_part_was_seen() {
    let update = "{ name: b, object: { apiVersion: v1, kind: ConfigMap, metadata: { name: b }, data: { k: v, l: w } }, oldObject: { apiVersion: v1, kind: ConfigMap, metadata: { name: b } }, userInfo: { username: ann } }";
    let bare = "{ name: c, object: { apiVersion: v1, kind: ConfigMap, metadata: { name: c, namespace: shop } } }";
    let port = "{ name: port, object: { apiVersion: v1, kind: Pod, metadata: { name: a, labels: { a: b } }, spec: { containers: [{ name: c, ports: [{ hostPort: 80 }] }] } } }";
    assert_eq!(
        missing(&[MAP, POD, update, bare, port]),
        ["u.yaml:3:19: warning: policy `rules`: no case evaluates variables[1]: 1 + 1"]
    );
}

#[test]
fn says_of_a_policy_that_nothing_matches_that_alone() {
    assert_eq!(missing(&[POD])[0], "u.yaml:3:19: warning: policy `rules`: no case of any test matches it");
}
