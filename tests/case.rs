//! The files of tests/cases, as `tests/cases/README.md` describes them, and the AdmissionReviews that an API server would
//! send for them. Every level of the tests reads them here.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use admittance_engine::document::SourceFile;
use admittance_engine::kubernetes::kinds::{Kind, Kinds, Scope};
use admittance_engine::review::Operation;
use admittance_engine::set::{PolicySet, link, missing_parameters};
use admittance_engine::unit::{CompiledUnit, Unit, compile};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// One file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Case {
    /// `FOLDER/FILE.yaml`
    #[serde(skip)]
    pub(crate) name: String,
    #[expect(dead_code, reason = "for readers")]
    about: Option<String>,
    pub(crate) policies: Option<String>,
    pub(crate) policy_set: Option<String>,
    pub(crate) cluster: Option<String>,
    #[serde(default)]
    pub(crate) request: Request,
    #[serde(default)]
    pub(crate) object: Value,
    #[serde(default)]
    pub(crate) old_object: Value,
    pub(crate) expect: Expect,
    #[serde(default = "yes")]
    pub(crate) api_server: bool,
    pub(crate) because: Option<String>,
}

fn yes() -> bool {
    true
}

/// What a case says about its request; the rest follows from the objects.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct Request {
    pub(crate) operation: Option<String>,
    pub(crate) subresource: String,
    /// Of what is connected to, whose options have no metadata.
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) groups: Option<Vec<String>>,
    pub(crate) dry_run: bool,
    pub(crate) namespace_object: Value,
}

/// What must become of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Expect {
    pub(crate) allowed: bool,
    pub(crate) code: Option<u16>,
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    #[serde(default)]
    pub(crate) findings: Vec<ExpectedFinding>,
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
    #[serde(default)]
    pub(crate) audit_annotations: Map<String, Value>,
    pub(crate) object: Option<Value>,
    pub(crate) patch: Option<Value>,
    #[serde(default)]
    pub(crate) errors: Vec<String>,
}

/// A violation; its path is empty where it concerns the request as a whole.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedFinding {
    pub(crate) policy: String,
    #[serde(default)]
    pub(crate) path: String,
    pub(crate) message: String,
}

impl ExpectedFinding {
    /// As a line of a denial: `POLICY: PATH: MESSAGE`.
    pub(crate) fn line(&self) -> String {
        let parts = [&self.policy, &self.path, &self.message];
        parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(": ")
    }
}

/// Where the project lies.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What lies in a folder, sorted.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut entries: Vec<PathBuf> = read.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// The YAML documents of a text.
pub(crate) fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Every case, sorted by name.
pub(crate) fn cases() -> Vec<Case> {
    let folders = entries(&root().join("tests/cases")).into_iter().filter(|path| path.is_dir());
    let cases: Vec<Case> = folders.flat_map(|folder| entries(&folder)).map(|path| read(&path)).collect();
    assert!(cases.len() > 100, "only {} cases", cases.len());
    cases
}

fn read(path: &Path) -> Case {
    let name = path.strip_prefix(root().join("tests/cases")).unwrap().to_str().unwrap().to_owned();
    let case = serde_saphyr::from_str(&fs::read_to_string(path).unwrap());
    let case: Case = case.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(case.policies.is_some() != case.policy_set.is_some(), "{name}: policies or policySet, and one of them");
    Case { name, ..case }
}

impl Case {
    /// The same with another request.
    pub(crate) fn asking(&self, request: Request, object: Value, old_object: Value) -> Self {
        Self { request, object, old_object, ..self.clone() }
    }

    /// `FOLDER` of the case: a module or a policy set.
    pub(crate) fn folder(&self) -> &str {
        self.name.split_once('/').unwrap().0
    }

    /// `FILE` of the case, without its ending.
    pub(crate) fn title(&self) -> &str {
        self.name.split_once('/').and_then(|(_, file)| file.strip_suffix(".yaml")).unwrap()
    }

    /// The folder with the policies, if they are a policy set's.
    pub(crate) fn policy_folder(&self) -> Option<PathBuf> {
        Some(root().join("manifests/policies").join(self.policy_set.as_ref()?))
    }

    /// The policies, compiled; the file's own problems fail the test.
    pub(crate) fn set(&self) -> PolicySet {
        let (set, problems) = link(&self.units());
        assert!(problems.is_empty(), "{}: {problems:?}", self.name);
        set
    }

    /// Whether only a server with a cluster can answer.
    pub(crate) fn needs_a_cluster(&self) -> bool {
        let units = self.units();
        self.cluster.is_some()
            || units.iter().any(|unit| !unit.needing_a_cluster().is_empty())
            || !missing_parameters(&units).is_empty()
    }

    fn units(&self) -> Vec<Arc<CompiledUnit>> {
        let files = match (&self.policies, self.policy_folder()) {
            (Some(text), _) => vec![SourceFile::new("policies.yaml", text.as_str())],
            (None, Some(folder)) => entries(&folder)
                .iter()
                .map(|path| SourceFile::new(path.to_str().unwrap(), fs::read_to_string(path).unwrap()))
                .collect(),
            (None, None) => vec![],
        };
        let compiled = files.into_iter().map(|file| {
            compile(&Unit::of_file(Arc::clone(&file))).unwrap_or_else(|problems| {
                let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                panic!("{}: {}", self.name, lines.join("\n"))
            })
        });
        compiled.collect()
    }

    /// What there is in the cluster beside the request's namespace: parameters among the policies, and what the case says.
    pub(crate) fn cluster_objects(&self) -> Vec<Value> {
        let is_policy = |document: &Value| {
            let api_version = document["apiVersion"].as_str().unwrap_or_default();
            ["admissionregistration.k8s.io/", "admittance.dev/"].iter().any(|group| api_version.starts_with(group))
        };
        let among_policies = self.policies.iter().flat_map(|text| documents(text));
        let others = self.cluster.iter().flat_map(|text| documents(text));
        among_policies.filter(|document| !is_policy(document)).chain(others).collect()
    }

    /// What objects of a kind are called in paths, and where they live: built-in kinds, and those that the case defines.
    pub(crate) fn resource(&self, kinds: &Kinds, api_version: &str, kind: &str) -> Option<(String, Scope)> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        if let Some(row) = kinds.kind(group, version, kind) {
            return Some((row.resource.to_owned(), row.scope));
        }
        // The options of a connection to one of its subresources.
        let carries = |row: &&Kind| row.subresources.iter().any(|part| part.kind == Some((api_version, kind)));
        if let Some(row) = kinds.rows().iter().find(carries).filter(|_| self.operation() == "CONNECT") {
            return Some((row.resource.to_owned(), row.scope));
        }
        let objects = self.cluster_objects();
        let is_it = |object: &&Value| {
            object["kind"] == "CustomResourceDefinition"
                && object["spec"]["group"] == group
                && object["spec"]["names"]["kind"] == kind
        };
        let spec = &objects.iter().find(is_it)?["spec"];
        let scope = if spec["scope"] == "Namespaced" { Scope::Namespaced } else { Scope::Cluster };
        Some((spec["names"]["plural"].as_str()?.to_owned(), scope))
    }

    /// The operation: the case's own, else what the objects say.
    pub(crate) fn operation(&self) -> &str {
        let guessed = match (self.object.is_null(), self.old_object.is_null()) {
            (true, false) => Operation::Delete,
            (false, false) => Operation::Update,
            _ => Operation::Create,
        };
        self.request.operation.as_deref().unwrap_or(guessed.as_str())
    }

    /// The Namespace of the request as the cluster has it.
    pub(crate) fn namespace_object(&self, name: &str) -> Value {
        match &self.request.namespace_object {
            Value::Null => json!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
            }),
            given => given.clone(),
        }
    }

    /// The body of a request with the case's object.
    pub(crate) fn review(&self, kinds: &Kinds) -> String {
        self.review_of(kinds, &self.object)
    }

    /// The body of a request with another object in the place of the case's, as after a mutation. Fields stand in the
    /// order of the API server's own types.
    pub(crate) fn review_of(&self, kinds: &Kinds, object: &Value) -> String {
        let shown = if object.is_null() { &self.old_object } else { object };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let api_version = text(&shown["apiVersion"]);
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        let kind = text(&shown["kind"]);
        let (resource, scope) = self.resource(kinds, &api_version, &kind).unwrap_or((String::new(), Scope::Namespaced));
        let name = self.request.name.clone().unwrap_or_else(|| text(&shown["metadata"]["name"]));
        let namespace = match scope {
            _ if self.request.namespace.is_some() => self.request.namespace.clone().unwrap_or_default(),
            _ if resource == "namespaces" => name.clone(),
            Scope::Cluster => String::new(),
            Scope::Namespaced => shown["metadata"]["namespace"].as_str().unwrap_or("default").to_owned(),
        };
        let operation = self.operation();
        let options = match operation {
            "CREATE" => json!({"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"}),
            "UPDATE" => json!({"kind": "UpdateOptions", "apiVersion": "meta.k8s.io/v1"}),
            "DELETE" => json!({"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"}),
            _ => Value::Null,
        };
        let kind = GroupVersionKind { group, version, kind: &kind };
        let resource = GroupVersionResource { group, version, resource: &resource };
        let groups = ["system:masters", "system:authenticated"].map(str::to_owned);
        let request = AdmissionRequest {
            uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
            kind,
            resource,
            sub_resource: &self.request.subresource,
            request_kind: kind,
            request_resource: resource,
            request_sub_resource: &self.request.subresource,
            name: &name,
            namespace: &namespace,
            operation,
            user_info: UserInfo {
                username: self.request.user.as_deref().unwrap_or("admin"),
                groups: self.request.groups.as_deref().unwrap_or(&groups),
            },
            object,
            old_object: &self.old_object,
            dry_run: self.request.dry_run,
            options,
        };
        let review = AdmissionReview { kind: "AdmissionReview", api_version: "admission.k8s.io/v1", request };
        serde_json::to_string(&review).unwrap()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AdmissionReview<'c> {
    kind: &'static str,
    api_version: &'static str,
    request: AdmissionRequest<'c>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AdmissionRequest<'c> {
    uid: &'static str,
    kind: GroupVersionKind<'c>,
    resource: GroupVersionResource<'c>,
    #[serde(skip_serializing_if = "str::is_empty")]
    sub_resource: &'c str,
    request_kind: GroupVersionKind<'c>,
    request_resource: GroupVersionResource<'c>,
    #[serde(skip_serializing_if = "str::is_empty")]
    request_sub_resource: &'c str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'c str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'c str,
    operation: &'c str,
    user_info: UserInfo<'c>,
    object: &'c Value,
    old_object: &'c Value,
    dry_run: bool,
    options: Value,
}

#[derive(Clone, Copy, Serialize)]
struct GroupVersionKind<'c> {
    group: &'c str,
    version: &'c str,
    kind: &'c str,
}

#[derive(Clone, Copy, Serialize)]
struct GroupVersionResource<'c> {
    group: &'c str,
    version: &'c str,
    resource: &'c str,
}

#[derive(Serialize)]
struct UserInfo<'c> {
    username: &'c str,
    groups: &'c [String],
}

#[test]
fn every_case_is_named_after_its_outcome_and_complete() {
    for case in cases() {
        let name = &case.name;
        let outcome = case.title().split_once('-').unwrap().0;
        let expected = match (case.expect.allowed, &case.expect.object) {
            (false, _) => "denied",
            (true, Some(_)) => "mutated",
            (true, None) => "allowed",
        };
        assert_eq!(outcome, expected, "{name}");
        assert_eq!(case.api_server, case.because.is_none(), "{name}: `apiServer: false` needs `because`, and only it");
        for object in [&case.object, &case.old_object, case.expect.object.as_ref().unwrap_or(&Value::Null)] {
            // The options of a connection have none.
            let is_named = case.operation() == "CONNECT"
                || ["name", "generateName"].iter().any(|field| object["metadata"][field].is_string());
            assert!(object.is_null() || is_named, "{name}: an object without a name");
        }
    }
}

#[test]
fn every_module_has_six_cases_and_says_all_that_it_can_say() {
    let cases = cases();
    for module in admittance_engine::modules::MODULES {
        let titles: Vec<&str> = cases.iter().filter(|case| case.folder() == module.id).map(Case::title).collect();
        assert!(titles.len() >= 6, "{} has {} cases", module.id, titles.len());
        for verdict in ["allowed-", if module.mutates { "mutated-" } else { "denied-" }] {
            assert!(titles.iter().any(|title| title.starts_with(verdict)), "{} has no case {verdict}…", module.id);
        }
    }
}

#[test]
fn every_policy_set_has_cases_and_can_be_applied_as_it_is() {
    let cases = cases();
    for folder in entries(&root().join("manifests/policies")) {
        let set = folder.file_name().unwrap().to_str().unwrap();
        assert!(cases.iter().any(|case| case.policy_set.as_deref() == Some(set)), "{set} has no case");
        for file in entries(&folder) {
            for manifest in documents(&fs::read_to_string(&file).unwrap()) {
                assert_eq!(manifest["kind"], "ConfigMap", "{}", file.display());
                assert_eq!(manifest["metadata"]["labels"]["admittance.dev/policies"], "true", "{}", file.display());
                for key in manifest["data"].as_object().unwrap().keys() {
                    assert!(Path::new(key).extension().is_some_and(|ending| ending == "yaml"), "{key}");
                }
            }
        }
    }
}
