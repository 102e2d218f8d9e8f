//! Policies that pile up, flip or fail, and policies that do not.

use super::*;
use crate::document::SourceFile;
use crate::unit::{Unit, compile};

const MATCH: &str = "matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE] }] }";

fn policy(expression: &str, more: &str) -> String {
    format!(
        "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: cel }}\nspec:\n  {MATCH}\n{more}  mutations:\n  - {expression}\n"
    )
}

fn json_patch(expression: &str) -> String {
    format!("{{ patchType: JSONPatch, jsonPatch: {{ expression: '{expression}' }} }}")
}

fn merge(expression: &str) -> String {
    format!("{{ patchType: ApplyConfiguration, applyConfiguration: {{ expression: '{expression}' }} }}")
}

fn found(text: &str) -> Vec<Diagnostic> {
    let unit = compile(&Unit::of_file(SourceFile::new("a.yaml", text)));
    let unit = unit.unwrap_or_else(|problems| panic!("{}", problems[0]));
    problems(&unit, &Defaults::built_in(), &mut Steps::default()).unwrap()
}

#[test]
fn refuses_what_piles_up_and_shows_the_smallest_object_with_both_patches() {
    let problems = found(&policy(
        &json_patch(
            r#"[JSONPatch{op: "add", path: "/spec/tolerations/-", value: {"key": "spot", "operator": "Exists"}}]"#,
        ),
        "  matchConditions: [{ name: has, expression: has(object.spec.tolerations) }]\n",
    ));
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].to_string(),
        "a.yaml:3:19: error: policy `cel` changes an object again that it has changed already"
    );
    assert_eq!(
        problems[0].notes,
        [
            r#"the object: {"apiVersion":"v1","kind":"Pod","metadata":{"name":"privileged"},"spec":{"tolerations":[{}],"containers":[{"name":"app"}]}}"#,
            r#"the first run: [{"op":"add","path":"/spec/tolerations/1","value":{"key":"spot","operator":"Exists"}}]"#,
            r#"the second run: [{"op":"add","path":"/spec/tolerations/2","value":{"key":"spot","operator":"Exists"}}]"#,
        ]
    );
}

#[test]
fn refuses_what_fails_the_second_time() {
    let expression = json_patch(r#"[JSONPatch{op: "remove", path: "/metadata/labels"}]"#);
    let problems = found(&policy(&expression, ""));
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.ends_with("fails on an object that it has changed already"), "{}", problems[0]);
    assert!(
        found(&policy(&expression, "  failurePolicy: Ignore\n")).is_empty(),
        "an error that is passed over does nothing"
    );
}

#[test]
fn refuses_what_counts_only_on_objects_that_have_what_it_mentions() {
    let expression = r#"Object{metadata: Object.metadata{labels: {"round": object.metadata.labels["round"] + "1"}}}"#;
    let conditions =
        "  matchConditions: [{ name: has, expression: '\"round\" in object.metadata.?labels.orValue({})' }]\n";
    let problems = found(&policy(&merge(expression), conditions));
    assert_eq!(problems.len(), 1);
    assert!(problems[0].notes[0].contains(r#""labels":{"round":"#), "{}", problems[0].notes[0]);
}

#[test]
fn accepts_what_looks_first_and_what_merges() {
    let looks = r#"has(object.spec.tolerations) && object.spec.tolerations.exists(t, has(t.key) && t.key == "spot") ? [] : [JSONPatch{op: "add", path: "/spec/tolerations", value: (has(object.spec.tolerations) ? object.spec.tolerations : []) + [{"key": "spot", "operator": "Exists"}]}]"#;
    assert!(found(&policy(&json_patch(looks), "")).is_empty());
    let merges = r#"Object{metadata: Object.metadata{labels: {"team": "shop"}}, spec: Object.spec{containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, imagePullPolicy: "Always"})}}"#;
    let problems = found(&policy(&merge(merges), ""));
    assert!(problems.is_empty(), "{:?}", problems[0].notes);
    let writes_otherwise =
        r#"[JSONPatch{op: "add", path: "/spec/containers/0/resources", value: {"limits": {"cpu": "1000m"}}}]"#;
    assert!(found(&policy(&json_patch(writes_otherwise), "")).is_empty());
    let leaves = "  matchConditions: [{ name: has, expression: '!has(object.metadata.labels)' }]\n";
    let adds =
        r#"[JSONPatch{op: "add", path: "/metadata/labels", value: {"n": string(size(object.spec.containers))}}]"#;
    assert!(found(&policy(&json_patch(adds), leaves)).is_empty());
}

#[test]
fn holds_mutating_admission_policies_to_it() {
    let document = |expression: &str| {
        format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicy\nmetadata: {{ name: map }}\nspec:\n  {MATCH}\n  reinvocationPolicy: IfNeeded\n  failurePolicy: Fail\n  mutations:\n  - {expression}\n"
        )
    };
    let piles = json_patch(
        r#"[JSONPatch{op: "add", path: "/spec/containers/-", value: Object.spec.containers{name: "side" + string(size(object.spec.containers)), image: "side:1"}}]"#,
    );
    let problems = found(&document(&piles));
    assert_eq!(
        problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["a.yaml:3:19: error: policy `map` changes an object again that it has changed already"]
    );
    assert!(found(&document(&merge(r#"Object{metadata: Object.metadata{labels: {"a": "b"}}}"#))).is_empty());
}

#[test]
fn decides_alike_every_time_and_ends_where_the_steps_end() {
    let text = policy(&merge(r#"Object{metadata: Object.metadata{labels: {"a": "b"}}}"#), "");
    let unit = compile(&Unit::of_file(SourceFile::new("a.yaml", text))).unwrap();
    let defaults = Defaults::built_in();
    assert_eq!(problems(&unit, &defaults, &mut Steps::new(50)), None);
    let piles =
        policy(&json_patch(r#"[JSONPatch{op: "add", path: "/spec/containers/0/env/-", value: {"name": "A"}}]"#), "");
    let texts = || found(&piles).iter().map(|problem| problem.notes.clone()).collect::<Vec<_>>();
    assert!(!texts().is_empty());
    assert_eq!(texts(), texts());
}
