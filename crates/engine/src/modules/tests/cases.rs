//! The files of tests/cases.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::judge::judge;
use super::run::Request;
use crate::modules::MODULES;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Case {
    #[expect(dead_code, reason = "for readers")]
    about: Option<String>,
    policies: Option<String>,
    policy_set: Option<String>,
    #[serde(default)]
    pub(super) request: Request,
    #[serde(default)]
    pub(super) object: Value,
    #[serde(default)]
    pub(super) old_object: Value,
    expect: Expect,
    #[serde(default = "yes")]
    api_server: bool,
    because: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Expect {
    allowed: bool,
    code: Option<u16>,
    reason: Option<String>,
    message: Option<String>,
    #[serde(default)]
    findings: Vec<Value>,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    audit_annotations: Value,
    object: Option<Value>,
    patch: Option<Value>,
    #[serde(default)]
    errors: Vec<String>,
}

fn yes() -> bool {
    true
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Every file of the corpus, under its name `FOLDER/FILE`.
pub(super) fn cases() -> Vec<(String, Case)> {
    let folders = files(&root().join("tests/cases")).into_iter().filter(|path| path.is_dir());
    let read = |path: PathBuf| {
        let folder = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let name = format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap());
        let case = serde_saphyr::from_str(&fs::read_to_string(&path).unwrap());
        let case = case.unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, case)
    };
    folders.flat_map(|folder| files(&folder)).map(read).collect()
}

/// Settings, request, object and oldObject of a case.
pub(super) type Input = (Value, Request, Value, Value);

/// What the cases of one module ask.
pub(super) fn inputs_of(module: &str, cases: &[(String, Case)]) -> Vec<Input> {
    let of_module = |(name, case): &(String, Case)| {
        name.strip_prefix(module)?.strip_prefix('/')?;
        let policy = documents(case.policies.as_deref()?).into_iter().next()?;
        Some((policy["spec"]["settings"].clone(), case.request.clone(), case.object.clone(), case.old_object.clone()))
    };
    cases.iter().filter_map(of_module).collect()
}

pub(super) fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn every_module_has_six_cases_and_says_all_that_it_can_say() {
    let cases = cases();
    for module in MODULES {
        let names: Vec<&str> = cases
            .iter()
            .filter_map(|(name, _)| name.strip_prefix(module.id)?.strip_prefix('/')?.strip_suffix(".yaml"))
            .collect();
        assert!(names.len() >= 6, "{} has {} cases", module.id, names.len());
        for verdict in ["allowed-", if module.mutates { "mutated-" } else { "denied-" }] {
            assert!(names.iter().any(|name| name.starts_with(verdict)), "{} has no case {verdict}…", module.id);
        }
    }
}

#[test]
fn every_case_is_named_after_its_outcome_and_complete() {
    for (name, case) in cases() {
        let outcome = name.split_once('/').and_then(|(_, file)| file.split_once('-')).unwrap().0;
        let expected = match (case.expect.allowed, &case.expect.object) {
            (false, _) => "denied",
            (true, Some(_)) => "mutated",
            (true, None) => "allowed",
        };
        assert_eq!(outcome, expected, "{name}");
        assert!(case.policies.is_some() != case.policy_set.is_some(), "{name}: policies or policySet");
        assert_eq!(case.api_server, case.because.is_none(), "{name}: `apiServer: false` needs `because`, and only it");
        for object in [&case.object, &case.old_object, case.expect.object.as_ref().unwrap_or(&Value::Null)] {
            assert!(object.is_null() || object["metadata"]["name"].is_string(), "{name}: an object without a name");
        }
    }
}

#[test]
fn modules_come_to_the_outcome_of_every_case() {
    for (name, case) in cases() {
        let set = case.policy_set.as_deref().map(policy_set);
        let policies = case.policies.as_deref().or(set.as_deref()).unwrap();
        let (judged, expect) = (judge(policies, &case), &case.expect);
        assert_eq!(Value::from(judged.findings.clone()), Value::from(expect.findings.clone()), "{name}");
        assert_eq!((&judged.errors, &judged.warnings), (&expect.errors, &expect.warnings), "{name}");
        assert_eq!(judged.is_denied, !expect.allowed, "{name}");
        if expect.allowed && !case.object.is_null() {
            let expected = expect.object.as_ref().unwrap_or(&case.object);
            assert_eq!(&judged.object, expected, "{name}");
        }
        if let Some(message) = &expect.message {
            let line = |finding: &Value| {
                let part = |key: &str| finding[key].as_str().unwrap().to_owned();
                [part("policy"), part("path"), part("message")].join(": ")
            };
            assert_eq!(judged.findings.iter().map(line).collect::<Vec<_>>().join("\n"), *message, "{name}");
        }
        // What only a pipeline can check.
        let _ = (&expect.code, &expect.reason, &expect.audit_annotations, &expect.patch);
    }
}

/// The documents of a folder of manifests/policies: those in the data of its ConfigMaps.
fn policy_set(name: &str) -> String {
    let mut text = String::new();
    for file in files(&root().join("manifests/policies").join(name)) {
        for manifest in documents(&fs::read_to_string(&file).unwrap()) {
            assert_eq!(manifest["kind"], "ConfigMap", "{}", file.display());
            assert_eq!(manifest["metadata"]["labels"]["admittance.dev/policies"], "true", "{}", file.display());
            for (key, value) in manifest["data"].as_object().unwrap() {
                assert!(Path::new(key).extension().is_some_and(|extension| extension == "yaml"), "{key}");
                text = text + "---\n" + value.as_str().unwrap() + "\n";
            }
        }
    }
    text
}

#[test]
fn every_policy_set_has_cases() {
    let cases = cases();
    for folder in files(&root().join("manifests/policies")) {
        let set = folder.file_name().unwrap().to_str().unwrap();
        assert!(cases.iter().any(|(_, case)| case.policy_set.as_deref() == Some(set)), "{set} has no case");
    }
}
