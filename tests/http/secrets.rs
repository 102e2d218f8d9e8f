//! What is secret is never said: not in an answer, a log line, a metric or a page, whatever policies find and however broken
//! the object is.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::binary::Binary;
use crate::case::root;

/// What nobody may see.
const MARK: &str = "c3VwZXItc2VjcmV0-4711";

/// Every pack, and policies that deny whatever they see.
fn policies(folder: &std::path::Path) {
    for pack in ["starter", "hardened", "reliability", "multi-tenant"] {
        for file in fs::read_dir(root().join("manifests/policies").join(pack)).unwrap() {
            let path = file.unwrap().path();
            if path.file_name().unwrap() != "lookups.yaml" {
                fs::copy(&path, folder.join(format!("{pack}-{}", path.file_name().unwrap().display()))).unwrap();
            }
        }
    }
    let everything =
        "{ resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }] }";
    let policy = |name: &str, rest: &str| {
        format!(
            "---\napiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec:\n  matchConstraints: {everything}\n  {rest}\n"
        )
    };
    let all = [
        policy("labels", "module: required-labels\n  settings: { labels: [{ key: owner, pattern: 'a' }] }"),
        policy(
            "annotations",
            "module: required-annotations\n  settings: { annotations: [{ key: notes, pattern: 'a' }] }",
        ),
        policy("names", "module: name-pattern\n  settings: { pattern: 'x-*' }"),
        policy(
            "fields",
            "module: immutable-fields\n  settings: { fields: [data, stringData, spec, metadata.annotations] }",
        ),
        policy("never", "validations: [{ expression: 'false' }]"),
        policy(
            "errs",
            "validations: [{ expression: 'object.data.key == 7 || object.spec.containers[5].env[0].value == 7' }]",
        ),
        policy("adds", "module: add-labels\n  settings: { labels: { team: a } }"),
    ];
    fs::write(folder.join("all.yaml"), all.concat()).unwrap();
}

fn request(kind: &str, resource: &str, object: &Value, old: Option<&Value>) -> String {
    let mut request = json!({
        "uid": "u",
        "kind": {"group": "", "version": "v1", "kind": kind},
        "resource": {"group": "", "version": "v1", "resource": resource},
        "namespace": "shop",
        "name": "x",
        "operation": if old.is_some() { "UPDATE" } else { "CREATE" },
        "userInfo": {"username": "ann", "extra": {"token": [MARK]}},
        "object": object,
    });
    if let Some(old) = old {
        request["oldObject"] = old.clone();
    }
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).to_string()
}

fn secret(mark: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "x", "namespace": "shop", "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": format!("{{\"data\":{{\"key\":\"{mark}\"}}}}"), "notes": mark,
        }},
        "data": {"key": mark}, "stringData": {"key": mark},
    })
}

fn pod(mark: &str) -> Value {
    let container = json!({
        "name": "web", "image": "nginx:latest", "command": ["sh", mark], "args": [mark], "ports": [{"hostPort": 80}],
        "env": [{"name": "TOKEN", "value": mark}, {"name": "PASSWORD", "value": mark}],
        "livenessProbe": {"exec": {"command": [mark]}, "httpGet": {"httpHeaders": [{"name": "Authorization", "value": mark}]}},
        "securityContext": {"privileged": true},
    });
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "x", "namespace": "shop", "annotations": {"notes": mark}},
        "spec": {"containers": [container], "hostNetwork": true},
    })
}

/// Requests that are sound and requests that break in all sorts of places.
fn requests() -> Vec<String> {
    let mut all = vec![];
    for (kind, resource, make) in
        [("Secret", "secrets", secret as fn(&str) -> Value), ("Pod", "pods", pod as fn(&str) -> Value)]
    {
        let object = make(MARK);
        all.push(request(kind, resource, &object, None));
        all.push(request(kind, resource, &object, Some(&make("other"))));
        all.push(request(kind, resource, &make("other"), Some(&object)));
        let mut odd = object.clone();
        odd["data"] = json!([MARK]);
        odd["metadata"]["labels"] = json!({"owner": [MARK]});
        odd["spec"] = json!({"containers": {MARK: MARK}});
        all.push(request(kind, resource, &odd, None));
        // Cut short, and broken in the middle of the secret.
        let whole = request(kind, resource, &object, None);
        let middle = whole.find(MARK).unwrap() + 5;
        all.extend([whole[..middle].to_owned(), format!("{}\u{1}{}", &whole[..middle], &whole[middle..])]);
        all.push(whole.replacen(MARK, &format!("{MARK}\\ud800"), 1));
        all.push(whole.replace("\"operation\":\"CREATE\"", &format!("\"operation\":\"{MARK}\"")));
    }
    let config_map = json!({
        "metadata": {"name": "x", "namespace": "shop", "labels": {"admittance.dev/policies": "true"}},
        "data": {"a.yaml": "kind: Policy"}, "binaryData": {"k": MARK},
    });
    all.push(request("ConfigMap", "configmaps", &config_map, None));
    all
}

#[tokio::test]
async fn nothing_secret_is_said_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    policies(folder.path());
    let server = Binary::serve(&["--policies", folder.path().to_str().unwrap(), "--log", "trace"]);
    let units = server.page("/policies").await.json();
    assert!(units["units"].as_array().unwrap().iter().all(|unit| unit["state"] == "active"), "{units:#}");
    let mut answers = vec![];
    let mut refused = 0;
    for path in ["/validate", "/mutate", "/units"] {
        for body in requests() {
            let answer = server.client().await.review(path, body).await;
            refused += usize::from(answer.text().contains("\"allowed\":false"));
            // What an author of a pod wrote comes back in its patch only where it is moved: none of these is.
            let text = answer.text();
            let patch = serde_json::from_str::<Value>(&text)
                .ok()
                .and_then(|it| Some(it["response"]["patch"].as_str()?.to_owned()));
            answers.extend(patch.map(|patch| String::from_utf8(STANDARD.decode(patch).unwrap()).unwrap()));
            answers.push(text);
        }
    }
    assert!(refused >= 10, "{refused} refused");
    for page in ["/metrics", "/policies", "/readyz"] {
        answers.push(server.page(page).await.text());
    }
    answers.extend(server.log());
    for text in answers {
        assert!(!text.contains(MARK), "{text}");
        assert!(!text.contains(&MARK[..12]), "a part of it: {text}");
    }
}
