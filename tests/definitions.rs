//! `admittance check` merges custom resources as their definition says, wherever it finds one.

use std::{fs, process::Command};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::case::{Case, cases, documents};

/// The case that needs a definition, without it.
fn case() -> Case {
    let is_it = |case: &Case| case.title() == "mutated-a-custom-resource-by-its-list-keys";
    cases().into_iter().find(is_it).unwrap()
}

/// What becomes of the case's object, the last of the manifests, with these further ones and flags.
fn checked(case: &Case, manifests: &[Value], params: &[Value]) -> Value {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_admittance"));
    command.args(["check", "-o", "jsonl", "-p"]).arg(write("policies.yaml", case.policies.as_deref().unwrap()));
    for object in params {
        command.arg("--params").arg(write("params.json", &object.to_string()));
    }
    let texts: Vec<String> = manifests.iter().chain([&case.object]).map(ToString::to_string).collect();
    let output = command.arg(write("manifests.yaml", &texts.join("\n---\n"))).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let last = lines.lines().last().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(last).unwrap()
}

#[test]
fn check_takes_definitions_from_the_manifests_and_from_params() {
    let case = case();
    let definitions = documents(case.cluster.as_deref().unwrap());
    for line in [checked(&case, &definitions, &[]), checked(&case, &[], &definitions)] {
        assert_eq!(&line["object"], case.expect.object.as_ref().unwrap(), "{line}");
    }
}

#[test]
fn check_replaces_lists_of_custom_resources_without_a_definition() {
    let case = case();
    let line = checked(&case, &[], &[]);
    let spec = &line["object"]["spec"];
    assert_eq!(spec["tags"], json!(["b", "c"]), "{line}");
    let rules = json!([{"id": "one", "side": 2, "text": "changed"}, {"id": "two", "side": 1}]);
    assert_eq!(spec["rules"], rules, "{line}");
}
