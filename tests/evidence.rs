//! Evidence: what a server counts, keeps over a restart and shows, and what `promote` makes of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::binary::Binary;
use crate::explain::{api_server, kubeconfig};

const POLICIES: &str = r"# Our policies.
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: ports }   # of nodes
spec:
  module: host-ports
  actions: [Audit]   # for now
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: team }
spec:
  module: add-labels
  settings: { labels: { team: web } }
  actions:
  - Audit
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: teams }
spec:
  module: label-values
  settings: { labels: [{ key: team, values: [shop] }] }
  actions: [Audit]
";

fn admittance(arguments: &[&str]) -> (String, String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_admittance"));
    let output = command.args(arguments).env("NO_COLOR", "1").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

fn pod(name: &str, port: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": true}]},
        "spec": {"containers": [{"name": "c", "image": "nginx:1", "ports": [{"containerPort": 80, port: 80}]}]},
    })
}

fn review(uid: &str, namespace: &str, object: &Value) -> String {
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": uid, "operation": "CREATE", "namespace": namespace, "userInfo": {"username": "ann"}, "object": object,
            "kind": {"group": "", "version": "v1", "kind": "Pod"}, "resource": {"group": "", "version": "v1", "resource": "pods"},
        },
    })
    .to_string()
}

/// Both calls that the API server makes for a pod; the answers.
async fn create(server: &Binary, namespace: &str, object: &Value) -> (Value, Value) {
    let mut client = server.client().await;
    let mutated = client.review("/mutate", review("m", namespace, object)).await.response("m");
    let validated = client.review("/validate", review("v", namespace, object)).await.response("v");
    (mutated, validated)
}

async fn counted(server: &Binary, policy: &str) -> Value {
    let page = server.page("/evidence").await.json();
    assert_eq!((&page["schemaVersion"], &page["shared"]), (&json!(1), &json!(false)));
    page["policies"].as_array().unwrap().iter().find(|row| row["name"] == policy).unwrap().clone()
}

fn serve(policies: &Path, evidence: &Path) -> Binary {
    Binary::serve(&["--policies", policies.to_str().unwrap(), "--evidence", evidence.to_str().unwrap()])
}

#[tokio::test]
async fn computes_shadow_mutations_and_sends_none_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.yaml");
    fs::write(&path, POLICIES).unwrap();
    let server = Binary::with_policies(&path);
    let (mutated, validated) = create(&server, "shop", &pod("web-1", "hostPort")).await;
    assert_eq!((&mutated["allowed"], &mutated["patch"]), (&json!(true), &Value::Null));
    assert_eq!(mutated["auditAnnotations"], json!({"shadow_mutations": "team: add /metadata/labels"}));
    assert_eq!((&validated["allowed"], &validated["warnings"]), (&json!(true), &Value::Null));
    let failures = validated["auditAnnotations"]["validation_failure"].as_str().unwrap();
    let lines: Vec<&str> = failures.lines().collect();
    assert_eq!(lines.len(), 2, "the shadow validator sees the label that nobody has set: {failures}");
    assert!(lines[0].starts_with("ports: ") && lines[1].starts_with("teams: metadata.labels.team: "), "{failures}");
    let row = counted(&server, "team").await;
    assert_eq!((&row["action"], &row["requests"], &row["mutations"]), (&json!("Audit"), &json!(1), &json!(1)));

    let file = folder.path().join("pod.yaml");
    fs::write(&file, pod("web-1", "hostPort").to_string()).unwrap();
    let arguments = ["check", "-p", path.to_str().unwrap(), "-o", "jsonl", file.to_str().unwrap()];
    let (out, err, code) = admittance(&arguments);
    let line: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    assert_eq!((code, &line["patch"], &line["allowed"]), (Some(0), &Value::Null, &json!(true)));
    assert_eq!(line["auditAnnotations"]["shadow_mutations"], "team: add /metadata/labels");
    assert!(line["object"]["metadata"]["labels"].is_null(), "{line}");
    assert_eq!(line["findings"].as_array().unwrap().len(), 2, "{line}");
}

#[tokio::test]
async fn keeps_what_it_counted_over_a_restart_until_the_policy_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (path, evidence) = (folder.path().join("p.yaml"), folder.path().join("evidence"));
    fs::write(&path, POLICIES).unwrap();
    let mut server = serve(&path, &evidence);
    create(&server, "shop", &pod("web-1", "hostPort")).await;
    create(&server, "bank", &pod("web-2", "containerPort")).await;
    let first = counted(&server, "ports").await;
    assert_eq!((&first["requests"], &first["violations"], &first["owners"]), (&json!(2), &json!(1), &json!(2)));
    assert_eq!(first["namespaces"][1]["violatingOwners"][0]["owner"], "shop/ReplicaSet/web");
    server.signal(Signal::TERM);
    // A second signal, so that it need not drain.
    server.signal(Signal::INT);
    assert!(server.end().await.success());

    let server = serve(&path, &evidence);
    create(&server, "shop", &pod("web-3", "hostPort")).await;
    let second = counted(&server, "ports").await;
    assert_eq!((&second["requests"], &second["since"]), (&json!(3), &first["since"]));
    let url = format!("http://{}", server.operations);
    let (out, _, _) = admittance(&["status", "--server", &url]);
    assert!(out.contains("\nevidence:\n  ports [Audit], active for "), "{out}");
    assert!(
        out.contains(
            ": 3 requests of 2 owners, 2 would be denied, by 1 owner\n    shop: 2 of 2: shop/ReplicaSet/web (2)\n"
        ),
        "{out}"
    );
    assert!(out.contains(": 3 requests of 2 owners, 3 would be changed\n"), "{out}");

    fs::write(&path, POLICIES.replace("[Audit]   # for now", "[Warn]")).unwrap();
    let begun = std::time::Instant::now();
    while counted(&server, "ports").await["requests"] != 0 {
        assert!(begun.elapsed() < crate::peer::PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(counted(&server, "team").await["requests"], 3, "the others' evidence stays");
}

#[tokio::test]
async fn takes_a_policy_one_step_further_where_the_evidence_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.yaml");
    fs::write(&path, POLICIES).unwrap();
    let server = Binary::with_policies(&path);
    let (url, file) = (format!("http://{}", server.operations), path.to_str().unwrap());
    let promote = |policy: &str, rest: &[&str]| {
        let arguments = [&["promote", policy, "-p", file, "--server", &url], rest].concat();
        admittance(&arguments)
    };
    create(&server, "shop", &pod("web-1", "hostPort")).await;
    let (out, err, code) = promote("ports", &[]);
    assert_eq!((err.as_str(), code), ("", Some(1)));
    for line in [
        "ports from Audit to Warn: not yet\n",
        "\n  too few requests: 1 of 1,000 that are wanted (--min-requests)\n  too short a time: this version is active for ",
        ", wanted are 7d (--min-age)\n  violations: 1 by 1 owner, the last ",
        " ago, wanted are 0 in 7d (--max-violations)\n    shop/ReplicaSet/web: 1, the last ",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    let lenient = ["--min-requests", "1", "--min-age", "0s"];
    let accepting = [&lenient[..], &["--max-violations", "1"]].concat();
    assert_eq!(promote("ports", &lenient).2, Some(1), "violations are left");
    let (out, _, code) = promote("ports", &accepting);
    assert_eq!(code, Some(0), "{out}");
    let document =
        POLICIES.split_inclusive("---\n").next().unwrap().trim_end_matches("---\n").replace("[Audit]", "[Warn]");
    assert!(out.ends_with(&format!("ports from Audit to Warn: the evidence is enough\n---\n{document}")), "{out}");

    let (out, _, code) = promote("team", &[&lenient[..], &["-o", "json"]].concat());
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &told["from"], &told["to"], &told["promoted"]),
        (Some(0), &json!("Audit"), &json!("Mutate"), &json!(true))
    );
    assert_eq!((&told["schemaVersion"], &told["evidence"]["mutations"]), (&json!(1), &json!(1)));
    assert_eq!(fs::read_to_string(&path).unwrap(), POLICIES, "nothing is written unasked");

    let saved = folder.path().join("evidence.json");
    fs::write(&saved, server.page("/evidence").await.body).unwrap();
    let offline = |policy: &str, rest: &[&str]| {
        let arguments = [&["promote", policy, "-p", file, "--evidence", saved.to_str().unwrap()], rest].concat();
        admittance(&arguments)
    };
    let (out, _, code) = offline("ports", &[&accepting[..], &["--write"]].concat());
    assert_eq!(code, Some(0), "{out}");
    assert!(out.ends_with(&format!("the evidence is enough, written to {file}\n")), "{out}");
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(written, POLICIES.replace("[Audit]   # for now", "[Warn]   # for now"));
    let (out, _, code) = offline("ports", &accepting);
    assert_eq!(code, Some(1));
    assert!(
        out.contains("the evidence is about another version of the policy than the one that stands here\n"),
        "{out}"
    );

    fs::write(&path, written.replace("[Warn]", "[Deny]")).unwrap();
    let (out, _, code) = offline("ports", &accepting);
    assert_eq!(code, Some(1));
    assert!(out.ends_with("ports: not yet\n  policy `ports` denies already\n"), "{out}");
    let unknown = "error: the servers know no policy `none`: it must be active to be judged by what it does\n";
    assert_eq!(offline("none", &[]), (String::new(), unknown.to_owned(), Some(2)));
    let nowhere = admittance(&["promote", "ports", "--server", &url]);
    assert_eq!(nowhere.1, "error: name the file or folder that the policy stands in with -p\n");
}

#[tokio::test]
async fn takes_the_document_from_the_configmap_that_the_servers_have_it_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.yaml");
    fs::write(&path, POLICIES).unwrap();
    let mut page = Binary::with_policies(&path).page("/evidence").await.json();
    for row in page["policies"].as_array_mut().unwrap() {
        row["unit"] = json!("ns/ours");
    }
    let url = api_server(move |asked| {
        let slices = "/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dhook-metrics";
        match asked.path.as_str() {
            path if path == slices => {
                let ports = json!([{"name": "metrics", "port": 9797}]);
                Some(json!({"items": [{"ports": ports, "endpoints": [{"targetRef": {"kind": "Pod", "name": "a"}}]}]}))
            }
            "/api/v1/namespaces/ns/pods/http:a:9797/proxy/evidence" => Some(page.clone()),
            "/api/v1/namespaces/ns/configmaps/ours" => Some(json!({"data": {"p.yaml": POLICIES}})),
            _ => None,
        }
    });
    let file = kubeconfig(folder.path(), &url);
    let cluster = ["--kubeconfig", file.to_str().unwrap(), "--namespace", "ns", "--service", "hook"];
    let lenient = ["promote", "team", "--min-requests", "0", "--min-age", "0s", "-o", "json"];
    let (out, err, code) = admittance(&[&lenient[..], &cluster].concat());
    assert_eq!((err.as_str(), code), ("", Some(0)), "{out}");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&told["file"], &told["to"]), (&json!("ns/ours/p.yaml"), &json!("Mutate")));
    assert!(told["document"].as_str().unwrap().contains("\n  actions:\n  - Mutate\n"), "{out}");
}
