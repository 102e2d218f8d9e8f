//! What a case has in its cluster, put into a real one.

use std::time::Instant;

use admittance_engine::kubernetes::kinds::{Kinds, Scope};
use hyper::StatusCode;
use serde_json::{Value, json};

use super::{api::Api, control_plane::PATIENCE};
use crate::case::Case;

/// The collection that an object belongs to, and its namespace, if its kind has them.
pub(super) fn collection(case: &Case, kinds: &Kinds, object: &Value) -> (String, Option<String>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let (resource, scope) = case
        .resource(kinds, &api_version, &kind)
        .unwrap_or_else(|| panic!("{}: nobody defines {kind} of {api_version}", case.name));
    let root = if api_version.contains('/') { format!("/apis/{api_version}") } else { format!("/api/{api_version}") };
    match scope {
        Scope::Cluster => (format!("{root}/{resource}"), None),
        Scope::Namespaced => {
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
            (format!("{root}/namespaces/{namespace}/{resource}"), Some(namespace.to_owned()))
        }
    }
}

/// Makes the kinds that cases define, and waits until the API server serves them.
pub(super) async fn define_kinds<'c>(api: &Api, cases: impl Iterator<Item = &'c Case>) -> Vec<Value> {
    let objects = cases.flat_map(Case::cluster_objects);
    let mut made: Vec<Value> = Vec::new();
    for definition in objects.filter(|object| object["kind"] == "CustomResourceDefinition") {
        match made.iter().find(|one| one["metadata"] == definition["metadata"]) {
            Some(same) => assert_eq!(*same, definition, "two definitions of one kind"),
            None => made.push(definition),
        }
    }
    for definition in &made {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        api.post(path, definition).await.expect_created();
    }
    for definition in &made {
        let spec = &definition["spec"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (group, version) = (text(&spec["group"]), text(&spec["versions"][0]["name"]));
        let path = format!("/apis/{group}/{version}/{}", text(&spec["names"]["plural"]));
        let begun = Instant::now();
        while !api.get(&path).await.status.is_success() {
            assert!(begun.elapsed() < PATIENCE, "waited in vain for {path}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    made
}

/// Makes a namespace that may be there already.
pub(super) async fn make_namespace(api: &Api, name: &str, object: &Value) {
    if !["", "default", "kube-system", "kube-public"].contains(&name) {
        let answer = api.post("/api/v1/namespaces", object).await;
        if answer.status == StatusCode::CONFLICT {
            api.put(&format!("/api/v1/namespaces/{name}"), object).await.expect_ok();
        }
    }
}

/// What a case has in its cluster, but for definitions of kinds.
pub(super) async fn install(api: &Api, kinds: &Kinds, case: &Case) {
    for object in case.cluster_objects().iter().filter(|object| object["kind"] != "CustomResourceDefinition") {
        let (path, namespace) = collection(case, kinds, object);
        if let Some(namespace) = namespace {
            let plain = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
            let answer = api.post("/api/v1/namespaces", &plain).await;
            assert!(matches!(answer.status, StatusCode::CREATED | StatusCode::CONFLICT), "{}", answer.text);
        }
        api.post(&path, object).await.expect_created();
    }
}

/// Takes it away again.
pub(super) async fn remove(api: &Api, kinds: &Kinds, case: &Case) {
    for object in case.cluster_objects().iter().filter(|object| object["kind"] != "CustomResourceDefinition") {
        let (path, _) = collection(case, kinds, object);
        api.delete(&format!("{path}/{}", object["metadata"]["name"].as_str().unwrap())).await.expect_ok();
    }
}

/// Lets everybody ask for everything by the verbs of every API server, and by no others: cases decide about those.
pub(super) async fn let_everybody_ask(api: &Api) {
    let group = "/apis/rbac.authorization.k8s.io/v1";
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "everybody-asks"},
        "rules": [{
            "apiGroups": ["*"],
            "resources": ["*"],
            "verbs": ["create", "get", "list", "update", "patch", "delete", "bind", "escalate"],
        }],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "everybody-asks"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "everybody-asks"},
    });
    api.post(&format!("{group}/clusterroles"), &role).await.expect_created();
    api.post(&format!("{group}/clusterrolebindings"), &binding).await.expect_created();
}

/// Has the API server's own policies find parameters of a kind from now on, and waits until they do: it looks for new kinds
/// every half minute. Parameters of a built-in kind it would find only until the last policy that takes them is gone: it
/// ends their informer then and starts it never again (generic/policy_source.go, `cancelFunc`).
pub(super) async fn find_parameters(api: &Api, api_version: &str, kind: &str) {
    let group = "/apis/admissionregistration.k8s.io/v1";
    let name = format!("finds-{}", kind.to_lowercase());
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "paramKind": {"apiVersion": api_version, "kind": kind},
            "matchConstraints": {
                "objectSelector": {"matchLabels": {"finds": name}},
                "resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["limitranges"],
                }],
            },
            "validations": [{"expression": "true"}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            "paramRef": {"name": "nothing-has-this-name", "parameterNotFoundAction": "Deny"},
        },
    });
    api.post(&format!("{group}/validatingadmissionpolicies"), &policy).await.expect_created();
    api.post(&format!("{group}/validatingadmissionpolicybindings"), &binding).await.expect_created();
    let object = json!({
        "apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": name, "labels": {"finds": name}}, "spec": {"limits": []},
    });
    let begun = Instant::now();
    while !api
        .post("/api/v1/namespaces/default/limitranges?dryRun=All", &object)
        .await
        .text
        .contains("failed to configure binding: no params found")
    {
        assert!(begun.elapsed() < 2 * PATIENCE, "waited in vain for {kind} to be found");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}
