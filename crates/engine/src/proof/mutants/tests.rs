//! Which changes are made, and that each is made of the text.

use super::*;
use crate::unit::compile;

fn unit(text: &str) -> Unit {
    Unit::of_file(SourceFile::new("a.yaml", text))
}

/// `LINE: WHAT` of all changes.
fn said(text: &str) -> Vec<String> {
    let line = |mutant: &Mutant| mutant.place.file.position(mutant.place.span.start).line;
    mutants(&unit(text)).iter().map(|mutant| format!("{}: {}", line(mutant), mutant.what)).collect()
}

fn edits(text: &str) -> Vec<String> {
    let edits = expression::edits(text);
    edits.iter().map(|edit| edit.applied(text).unwrap()).collect()
}

#[test]
fn changes_operators_bounds_and_operands() {
    assert_eq!(
        edits("object.spec.replicas <= 5"),
        [
            "object.spec.replicas < 5",
            "object.spec.replicas > 5",
            "object.spec.replicas <= 4",
            "object.spec.replicas <= 6",
        ]
    );
    assert_eq!(
        edits("object.a && !object.b"),
        ["true && !object.b", "object.a || !object.b", "object.a && object.b", "object.a && true",]
    );
    assert_eq!(edits("object.c.all(x, x == 'a')"), ["object.c.exists(x, x == 'a')", "object.c.all(x, x != 'a')"]);
    assert_eq!(
        edits("object.a in ['x', 'y', 'z']"),
        ["object.a in ['y', 'z']", "object.a in ['x', 'z']", "object.a in ['x', 'y']",]
    );
    assert_eq!(
        edits("has(object.a) ? 1 : 2"),
        [
            "!(has(object.a)) ? 1 : 2",
            "has(object.a) ? 0 : 2",
            "has(object.a) ? 2 : 2",
            "has(object.a) ? 1 : 1",
            "has(object.a) ? 1 : 3",
        ]
    );
}

#[test]
fn changes_that_say_the_same_are_left_out() {
    // Negated twice is not negated.
    assert_eq!(edits("a == b"), ["a != b"]);
    assert_eq!(edits("object.name"), [""; 0]);
    assert_eq!(edits("(("), [""; 0]);
}

const POLICY: &str = "apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: p }
spec:
  matchConstraints:
    resourceRules:
      - apiGroups: [apps]
        apiVersions: [v1]
        operations: [CREATE, UPDATE]
        resources: [deployments]
  validations:
    - expression: |
        object.spec.replicas
          <= 5
";

#[test]
fn says_where_a_change_is() {
    assert_eq!(
        said(POLICY),
        [
            "9: `CREATE` is removed from operations",
            "9: `UPDATE` is removed from operations",
            "13: the validation is always true",
            "14: `<=` to `<`",
            "14: `<=` to `>`",
            "14: `5` to `4`",
            "14: `5` to `6`",
        ]
    );
}

#[test]
fn makes_units_that_say_something_else() {
    let unit = unit(POLICY);
    for mutant in mutants(&unit) {
        let changed = mutant.applied(&unit).unwrap();
        assert!(compile(&changed).is_ok(), "{}: {}", mutant.what, changed.files[0].text());
        assert_ne!(changed.digest(), unit.digest());
    }
}

#[test]
fn changes_settings() {
    let text = "apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: p }
spec:
  module: replicas
  settings: { min: 2, allowZero: true }
";
    assert_eq!(
        said(text),
        [
            "6: min is removed",
            "6: min: 2 to 3",
            "6: min: 2 to 1",
            "6: allowZero is removed",
            "6: allowZero: true to false",
        ]
    );
}

#[test]
fn looks_into_config_maps() {
    let text = "apiVersion: v1
kind: ConfigMap
metadata: { name: c, labels: { admittance.dev/policies: \"true\" } }
data:
  a.yaml: |
    apiVersion: admittance.dev/v1alpha1
    kind: Policy
    metadata: { name: p }
    spec:
      module: replicas
      settings: { min: 2 }
";
    assert_eq!(said(text), ["11: min is removed", "11: min: 2 to 3", "11: min: 2 to 1"]);
    let unit = unit(text);
    let all = mutants(&unit);
    let changed = all.get(1).unwrap().applied(&unit).unwrap();
    assert!(changed.files[0].text().contains(r#"\"min\":3"#), "{}", changed.files[0].text());
    assert!(compile(&changed).is_ok());
}
