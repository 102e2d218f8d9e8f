//! A line of the collection, and the AdmissionReview that an API server would send for it.

use std::path::{Path, PathBuf};

use admittance_engine::kubernetes::kinds::{Kinds, Scope};
use serde::Deserialize;
use serde_json::{Value, json};

/// One test of the library.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) template: Value,
    pub(crate) constraint: Value,
    #[serde(default)]
    object: Value,
    #[serde(default)]
    review: Value,
    #[serde(default)]
    pub(crate) inventory: Vec<Value>,
    pub(crate) allowed: bool,
    pub(crate) assertions: Vec<Value>,
}

thread_local! {
    static KINDS: Kinds = Kinds::built_in();
}

/// The resource of a kind and where it lives: of the group, else of another one, as the same kind in a version that is
/// gone, else guessed as kubectl does.
pub(crate) fn resource(group: &str, kind: &str) -> (String, Scope) {
    KINDS.with(|kinds| {
        let rows = || kinds.rows().iter().filter(|row| row.kind == kind);
        let found = rows().find(|row| row.group == group).or_else(|| rows().next());
        found.map_or_else(|| (plural(kind), Scope::Namespaced), |row| (row.resource.to_owned(), row.scope))
    })
}

fn plural(kind: &str) -> String {
    let kind = kind.to_ascii_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind.ends_with('s') => format!("{kind}es"),
        None => format!("{kind}s"),
    }
}

/// How many lines the collection has.
const ROWS: usize = 128;

/// All of them; none where the collection is absent, which is said.
pub(crate) fn rows() -> Vec<Row> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let folder = std::env::var_os("ADMITTANCE_CORPORA").map_or_else(beside, PathBuf::from);
    let Ok(text) = std::fs::read_to_string(folder.join("gatekeeper.jsonl")) else {
        println!("skipped {ROWS} cases: gatekeeper.jsonl is not in {} (set ADMITTANCE_CORPORA)", folder.display());
        return vec![];
    };
    let rows: Vec<Row> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), ROWS, "cases in {}", folder.display());
    rows
}

impl Row {
    /// The kind of the constraint, which is what a template is called by.
    pub(crate) fn template(&self) -> &str {
        self.template["spec"]["crd"]["spec"]["names"]["kind"].as_str().unwrap()
    }

    /// The request, with what the row leaves out as the API server fills it in.
    pub(crate) fn body(&self) -> String {
        let given = self.review.get("request").unwrap_or(&Value::Null);
        let object = if given.is_null() { &self.object } else { &given["object"] };
        let shown = if object.is_null() { &given["oldObject"] } else { object };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let api_version = text(&shown["apiVersion"]);
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        let kind = text(&shown["kind"]);
        let (resource, scope) = resource(group, &kind);
        let name = text(&shown["metadata"]["name"]);
        let namespace = match scope {
            _ if resource == "namespaces" => name.clone(),
            Scope::Cluster => String::new(),
            Scope::Namespaced => shown["metadata"]["namespace"].as_str().unwrap_or("default").to_owned(),
        };
        let (kind, resource) = (
            json!({"group": group, "version": version, "kind": kind}),
            json!({"group": group, "version": version, "resource": resource}),
        );
        let mut request = json!({
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource,
            "name": name, "namespace": namespace, "operation": "CREATE",
            "userInfo": {"username": "ann", "groups": ["system:authenticated"]},
            "object": object, "oldObject": null,
        });
        for (field, value) in given.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            request[field] = value.clone();
        }
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).to_string()
    }
}
