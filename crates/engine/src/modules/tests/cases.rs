//! The files of tests/cases, run through the modules alone. Policy sets need matching and are left to the pipeline.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::run::{Request, build, review, run};
use crate::json::{Arena, Constant};
use crate::modules::{MODULES, find};
use crate::review::Operation;
use crate::verdict::Finding;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Case {
    #[expect(dead_code, reason = "for readers")]
    about: Option<String>,
    policies: Option<String>,
    policy_set: Option<String>,
    #[serde(default)]
    request: Request,
    #[serde(default)]
    object: Value,
    #[serde(default)]
    old_object: Value,
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

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn cases() -> Vec<(String, Case)> {
    let folders = files(&folder()).into_iter().filter(|path| path.is_dir());
    let read = |path: PathBuf| {
        let folder = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let name = format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap());
        let case = serde_saphyr::from_str(&fs::read_to_string(&path).unwrap());
        let case = case.unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, case)
    };
    folders.flat_map(|folder| files(&folder)).map(read).collect()
}

/// The cases of one module, for the tests of properties.
pub(super) fn objects_of(module: &str) -> Vec<(Value, Request, Value, Value)> {
    let of_module = |(name, case): (String, Case)| {
        let documents = documents(case.policies.as_deref()?);
        let spec = documents.first()?.get("spec")?.clone();
        name.starts_with(&format!("{module}/"))
            .then(|| (spec.get("settings").cloned().unwrap_or_default(), case.request, case.object, case.old_object))
    };
    cases().into_iter().filter_map(of_module).collect()
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
        let Some(policies) = &case.policies else { continue };
        let arena = Arena::with_limit(1 << 24);
        let review = review(&arena, &case.request, &case.object, &case.old_object);
        let mut policies: Vec<_> = documents(policies)
            .into_iter()
            .map(|document| {
                let id = document["spec"]["module"].as_str().unwrap();
                (find(id).unwrap_or_else(|| panic!("{name}: no module {id}")), document)
            })
            .collect();
        policies.sort_by_key(|(module, _)| !module.mutates);
        let mut root = review.judged().unwrap();
        let (mut findings, mut errors) = (vec![], vec![]);
        for (module, document) in &policies {
            let policy = document["metadata"]["name"].as_str().unwrap();
            let built = build(module, &document["spec"]["settings"]);
            let stored: Vec<Finding> = match (review.operation, review.old_object().unwrap()) {
                (Operation::Update, Some(stored)) if document["spec"]["existing"] != "Deny" && !module.mutates => {
                    run(&built, module.public, &review, stored).unwrap().1.findings
                }
                _ => vec![],
            };
            match run(&built, module.public, &review, root) {
                Ok((new, reported)) => {
                    root = new;
                    let new = |finding: &Finding| !stored.iter().any(|other| other.is_same(finding));
                    findings.extend(reported.findings.into_iter().filter(new).map(|finding| {
                        json!({"policy": policy, "path": finding.path.to_string(), "message": finding.message})
                    }));
                }
                Err(error) => errors.push(format!("{policy}: {error}")),
            }
        }
        let expect = &case.expect;
        assert_eq!(Value::from(findings.clone()), Value::from(expect.findings.clone()), "{name}");
        assert_eq!(errors, expect.errors, "{name}");
        assert_eq!(findings.is_empty() && errors.is_empty(), expect.allowed, "{name}");
        if expect.allowed && !case.object.is_null() {
            let expected = expect.object.as_ref().unwrap_or(&case.object);
            let actual = serde_json::to_value(root).unwrap();
            assert!(
                Constant::from(expected.clone()).build(&arena) == root,
                "{name}: expected\n{expected:#}\nfound\n{actual:#}"
            );
        }
        let text = |finding: &Value| {
            let part = |key: &str| finding[key].as_str().unwrap().to_owned();
            [part("policy"), part("path"), part("message")].join(": ")
        };
        if let Some(message) = &expect.message {
            assert_eq!(findings.iter().map(text).collect::<Vec<_>>().join("\n"), *message, "{name}");
        }
        // What only a pipeline can check.
        let _ = (&expect.code, &expect.reason, &expect.warnings, &expect.audit_annotations, &expect.patch);
    }
}
