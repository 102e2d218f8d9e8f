//! What `check` writes for programs and CI systems.

use serde_json::{Value, json};

use crate::cli::{Folder, pod, policy};

/// A pod that is denied for two reasons, one that is warned about, one that is fine, and a file that is none.
fn folder() -> Folder {
    let two = "{ module: latest-tag, actions: [Deny] }";
    let probes = "{ module: required-labels, settings: { labels: [{ key: team }] }, actions: [Warn] }";
    let labelled = pod("fine", "nginx:1.27").replace("name: fine", "name: fine\n  labels: {team: a}");
    Folder::with(&[
        ("p/tags.yaml", &policy("no-latest", two)),
        ("p/labels.yaml", &policy("team", probes)),
        ("m/a.yaml", &format!("{}---\n{labelled}", pod("bad", "nginx:latest"))),
        ("m/b.yaml", "kind: Pod\n"),
    ])
}

const LATEST: &str = r#"image "nginx:latest" is not pinned: name a tag other than "latest", or a digest"#;

#[test]
fn writes_one_document_with_objects_problems_and_the_sum() {
    let outcome = folder().run(&["check", "-p", "p", "-o", "json", "m"]);
    assert_eq!(outcome.code, Some(2));
    let document: Value = serde_json::from_str(&outcome.out).unwrap();
    let lines = folder().run(&["check", "-p", "p", "-o", "jsonl", "m/a.yaml"]).lines();
    let expected = json!({
        "schemaVersion": 1, "objects": lines,
        "problems": [{ "file": "m/b.yaml", "line": 1, "column": 1, "message": "a manifest needs apiVersion and kind" }],
        "judged": 2, "denied": 1, "warned": 0, "changed": 0,
    });
    assert_eq!(document, expected);
    let empty = folder().run(&["check", "-p", "p", "-o", "json", "m/b.yaml"]);
    let document: Value = serde_json::from_str(&empty.out).unwrap();
    assert_eq!(document["objects"], json!([]));
}

#[test]
fn annotates_pull_requests() {
    let outcome = folder().run(&["check", "-p", "p", "-o", "github", "m", "gone.yaml"]);
    let expected = [
        "::error::cannot read \"gone.yaml\": No such file or directory (os error 2)\n".replace("::error::", "::error title=admittance::"),
        format!("::error file=m/a.yaml,line=8,endLine=8,col=14,endColumn=26,title=no-latest::Pod default/bad: spec.containers[0].image: {LATEST}\n"),
        "::warning file=m/a.yaml,line=4,endLine=4,col=3,endColumn=12,title=team::Pod default/bad: metadata.labels.team: the label is required\n".to_owned(),
        "::error file=m/b.yaml,line=1,endLine=1,col=1,endColumn=10,title=admittance::a manifest needs apiVersion and kind\n".to_owned(),
    ];
    assert_eq!((outcome.out, outcome.code), (expected.concat(), Some(2)));
}

#[test]
fn reports_a_suite_for_each_file_and_a_case_for_each_object() {
    let outcome = folder().run(&["check", "-p", "p", "-o", "junit", "m"]);
    let denied = format!("8:14: no-latest: Pod default/bad: spec.containers[0].image: {LATEST}").replace('"', "&quot;");
    let expected = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="admittance check" tests="3" failures="1" errors="1" skipped="0">
  <testsuite name="m/a.yaml" tests="2" failures="1" errors="0" skipped="0">
    <testcase classname="m/a.yaml" name="Pod default/bad" file="m/a.yaml" line="1">
      <failure message="{denied}" type="denied">{denied}</failure>
      <system-out>4:3: team: Pod default/bad: metadata.labels.team: the label is required</system-out>
    </testcase>
    <testcase classname="m/a.yaml" name="Pod default/fine" file="m/a.yaml" line="10"/>
  </testsuite>
  <testsuite name="m/b.yaml" tests="1" failures="0" errors="1" skipped="0">
    <testcase classname="m/b.yaml" name="can be read" file="m/b.yaml" line="1">
      <error message="a manifest needs apiVersion and kind">a manifest needs apiVersion and kind</error>
    </testcase>
  </testsuite>
</testsuites>
"#
    );
    assert_eq!((outcome.out, outcome.code), (expected, Some(2)));
}

#[test]
fn writes_sarif_with_rules_places_and_notifications() {
    let outcome = folder().run(&["check", "-p", "p", "-o", "sarif", "m"]);
    let document: Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!((&document["version"], outcome.code), (&json!("2.1.0"), Some(2)));
    let run = &document["runs"][0];
    let driver = &run["tool"]["driver"];
    let rule = |id: &str, unit: &str, module: &str| {
        let summary = admittance_engine::modules::find(module).unwrap().summary();
        json!({ "id": id, "shortDescription": { "text": summary }, "properties": { "unit": unit, "line": 1, "module": module } })
    };
    assert_eq!(driver["name"], "admittance");
    assert_eq!(
        driver["rules"],
        json!([rule("no-latest", "p/tags.yaml", "latest-tag"), rule("team", "p/labels.yaml", "required-labels")])
    );
    let result = |rule: (usize, &str), level: &str, text: &str, at: (usize, usize, usize)| {
        let region = json!({ "startLine": at.0, "startColumn": at.1, "endLine": at.0, "endColumn": at.2 });
        json!({
            "ruleId": rule.1, "ruleIndex": rule.0, "level": level, "message": { "text": format!("Pod default/bad: {text}") },
            "locations": [{
                "physicalLocation": { "artifactLocation": { "uri": "m/a.yaml" }, "region": region },
                "logicalLocations": [{ "fullyQualifiedName": "Pod default/bad", "kind": "object" }],
            }],
        })
    };
    let latest = format!("spec.containers[0].image: {LATEST}");
    assert_eq!(
        run["results"],
        json!([
            result((0, "no-latest"), "error", &latest, (8, 14, 26)),
            result((1, "team"), "warning", "metadata.labels.team: the label is required", (4, 3, 12)),
        ])
    );
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notification = &invocation["toolExecutionNotifications"][0];
    assert_eq!(notification["message"]["text"], "a manifest needs apiVersion and kind");
    let good = folder().run(&["check", "-p", "p", "-o", "sarif", "m/a.yaml"]);
    let document: Value = serde_json::from_str(&good.out).unwrap();
    assert_eq!(document["runs"][0]["invocations"], json!([{ "executionSuccessful": true }]));
}

#[test]
fn shows_differences_in_text_alone() {
    for (format, text) in [
        ("json", "error: --diff is for -o text: with json the field patch says what changes\n"),
        ("sarif", "error: --diff is for -o text\n"),
    ] {
        let outcome = folder().run(&["check", "-p", "p", "--diff", "-o", format, "m"]);
        assert_eq!((outcome.out.as_str(), outcome.err.as_str(), outcome.code), ("", text, Some(2)));
    }
}

#[test]
fn gives_the_same_to_programs() {
    let policy = "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: { name: a }\nspec:\n  matchConstraints:\n    \
                  resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods] }]\n  \
                  validations: [{ expression: 'false || object.metadata.name != \"x\"' }]\n";
    let folder = Folder::with(&[
        ("p.yaml", policy),
        ("x.yaml", "apiVersion: v1\nkind: Pod\nmetadata: { name: x }\n"),
        ("s.yaml", "apiVersion: v1\nkind: Service\nmetadata: { name: s }\n"),
    ]);
    let outcome = folder.run(&["check", "--explain", "-p", "p.yaml", "-o", "json", "--raw", "x.yaml", "s.yaml"]);
    let document: Value = serde_json::from_str(&outcome.out).unwrap();
    let text = "false || object.metadata.name != \"x\"";
    let part = |depth: u32, id: u32, at: (u32, u32), value: &str| json!({ "depth": depth, "id": id, "start": at.0, "end": at.1, "value": value });
    let parts = [
        part(0, 6, (0, 36), "false"),
        part(1, 0, (0, 5), "false"),
        part(1, 5, (9, 36), "false"),
        part(2, 3, (9, 29), r#""x""#),
        part(3, 2, (9, 24), r#"{"name": "x"}"#),
        part(4, 1, (9, 15), r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}"#),
        part(2, 4, (33, 36), r#""x""#),
    ];
    let evaluation =
        json!({ "list": "validations", "index": 0, "expression": text, "value": "false", "cost": 4, "parts": parts });
    let expected = json!({
        "policy": "a", "unit": "p.yaml", "line": 1, "mutates": false, "outcome": "found", "reason": "1 finding",
        "evaluations": [evaluation],
        "findings": [{ "path": "", "message": format!("failed expression: {text}"), "action": "Deny" }],
    });
    assert_eq!(document["objects"][0]["trace"], json!([expected]));
    let compared = json!({ "what": "resource", "wanted": "pods", "found": "services" });
    let expected = json!([{
        "policy": "a", "unit": "p.yaml", "line": 1, "mutates": false, "outcome": "notMatched",
        "reason": "no resource rule names the request's resource", "decidedBy": "matchConstraints.resourceRules",
        "compared": compared,
    }]);
    assert_eq!(document["objects"][1]["trace"], expected);
    let plain = folder.run(&["check", "-p", "p.yaml", "-o", "json", "x.yaml"]);
    assert!(!plain.out.contains("trace"), "{}", plain.out);
}

#[test]
fn explains_in_text_and_json_alone() {
    for format in ["sarif", "junit", "github"] {
        let outcome = Folder::with(&[]).run(&["check", "--explain", "-o", format, "x.yaml"]);
        assert_eq!(
            (outcome.err.as_str(), outcome.code),
            ("error: --explain is for -o text, json and jsonl\n", Some(2))
        );
    }
}
