//! `admittance coverage`: the packs, formats, exit codes, and where it learns what is sent.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};

fn coverage(arguments: &[&str], folder: &Path) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_admittance"))
        .arg("coverage")
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What stands before `accepted`.
fn grave(text: &str) -> &str {
    text.split("accepted\n").next().unwrap()
}

/// A policy about pods alone.
fn folder(policy: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("policy.yaml"), policy).unwrap();
    folder
}

const TAGS: &str = r#"apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: tags }
spec:
  module: latest-tag
  matchConstraints:
    resourceRules:
      - { apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods] }
"#;

#[test]
fn nothing_goes_past_the_packs() {
    for pack in ["starter", "hardened", "reliability", "multi-tenant"] {
        let (text, problems, code) = coverage(&["-p", &format!("manifests/policies/{pack}")], root());
        assert_eq!((grave(&text), problems.as_str(), code), ("", "", Some(0)), "{pack}");
    }
}

#[test]
fn says_what_goes_past_and_what_to_add() {
    let folder = folder(TAGS);
    let (text, problems, code) = coverage(&["-p", "policy.yaml"], folder.path());
    assert_eq!(problems, "");
    assert_eq!(code, Some(1));
    assert_eq!(
        grave(&text),
        "tags (policy.yaml:1)\n  \
           bypass  UPDATE of pods/ephemeralcontainers: spec.ephemeralContainers[*].image\n          \
                   add: {operations: [UPDATE], apiGroups: [\"\"], apiVersions: [v1], resources: [pods/ephemeralcontainers]}\n  \
           late    CREATE and UPDATE of podtemplates, replicationcontrollers, daemonsets, deployments, replicasets, statefulsets, cronjobs, jobs: spec.containers[*].image, spec.ephemeralContainers[*].image, spec.initContainers[*].image\n          \
                   a template is stored that no pod may be made of: whoever wrote it is told nothing\n          \
                   add: {operations: [CREATE, UPDATE], apiGroups: [\"\"], apiVersions: [v1], resources: [podtemplates, replicationcontrollers]}\n          \
                   add: {operations: [CREATE, UPDATE], apiGroups: [apps], apiVersions: [v1], resources: [daemonsets, deployments, replicasets, statefulsets]}\n          \
                   add: {operations: [CREATE, UPDATE], apiGroups: [batch], apiVersions: [v1], resources: [cronjobs, jobs]}\n"
    );
    assert!(
        text.contains("validate.admittance.dev: everything in kube-system, kube-node-lease, admittance\n"),
        "{text}"
    );
    assert!(text.ends_with("1 policy: 1 bypass, 1 late, 5 accepted\n"), "{text}");
}

#[test]
fn every_format_says_the_same() {
    let folder = folder(TAGS);
    let json: Value = serde_json::from_str(&coverage(&["-p", "policy.yaml", "-o", "json"], folder.path()).0).unwrap();
    assert_eq!((&json["schemaVersion"], &json["bypass"], &json["late"]), (&json!(1), &json!(1), &json!(1)));
    let lines = coverage(&["-p", "policy.yaml", "-o", "jsonl"], folder.path()).0;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json["gaps"], json!(lines));
    let github = coverage(&["-p", "policy.yaml", "-o", "github"], folder.path()).0;
    assert_eq!(
        github,
        "::error file=policy.yaml,line=1,endLine=1,col=1,endColumn=2,title=tags::bypass: UPDATE of pods/ephemeralcontainers: spec.ephemeralContainers[*].image%0Aadd: {operations: [UPDATE], apiGroups: [\"\"], apiVersions: [v1], resources: [pods/ephemeralcontainers]}\n"
    );
}

#[test]
fn exits_by_severity() {
    let folder = folder(TAGS);
    let code = |limit: &str| coverage(&["-p", "policy.yaml", "--fail-on", limit], folder.path()).2;
    assert_eq!([code("bypass"), code("late"), code("accepted"), code("never")], [Some(1), Some(1), Some(1), Some(0)]);
    let whole = self::folder(
        "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: { name: tags }\nspec: { module: latest-tag }\n",
    );
    let code = |limit: &str| coverage(&["-p", "policy.yaml", "--fail-on", limit], whole.path()).2;
    assert_eq!([code("bypass"), code("late"), code("accepted")], [Some(0), Some(0), Some(1)]);
    let broken = self::folder("kind: Policy\n");
    assert_eq!(coverage(&["-p", "policy.yaml"], broken.path()).2, Some(2));
}

fn configurations() -> [Value; 2] {
    let webhook = |name: &str| {
        json!({
            "name": name, "failurePolicy": "Fail", "matchPolicy": "Equivalent",
            "namespaceSelector": {"matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", "cni"]},
            ]},
            "matchConditions": [{"name": "not-root", "expression": "request.userInfo.username != 'root'"}],
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
        })
    };
    let of =
        |kind: &str, name: &str| json!({"kind": kind, "metadata": {"name": "admittance"}, "webhooks": [webhook(name)]});
    [
        of("MutatingWebhookConfiguration", "mutate.admittance.dev"),
        of("ValidatingWebhookConfiguration", "validate.admittance.dev"),
    ]
}

/// What is said of a policy where little is sent.
fn little_is_sent((text, problems, code): (String, String, Option<i32>)) {
    assert_eq!((problems.as_str(), code), ("", Some(1)), "{text}");
    for line in [
        "  bypass  not asked about everything\n",
        "          validate.admittance.dev has no rule for UPDATE of pods\n",
        "          add: {operations: [UPDATE], apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}\n",
        "  validate.admittance.dev: everything in kube-system, cni\n",
        "  validate.admittance.dev: whatever the matchCondition not-root is false for\n",
        "          request.userInfo.username != 'root'; every policy\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("failurePolicy is Ignore"), "{text}");
}

#[test]
fn holds_policies_against_configurations_in_files() {
    let folder = folder(TAGS);
    let list = json!({"kind": "List", "items": configurations()});
    std::fs::write(folder.path().join("sent.yaml"), list.to_string()).unwrap();
    little_is_sent(coverage(&["-p", "policy.yaml", "--webhooks", "sent.yaml"], folder.path()));
    assert_eq!(
        coverage(&["-p", "policy.yaml", "--webhooks", "policy.yaml"], folder.path()),
        (
            String::new(),
            "error: no webhook configuration with the entries mutate.admittance.dev or validate.admittance.dev is in these files\n".to_owned(),
            Some(2)
        )
    );
}

/// An API server that has these configurations.
fn api_server(found: [Value; 2]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let line = lines.next().unwrap().unwrap();
            for line in lines {
                if line.unwrap().is_empty() {
                    break;
                }
            }
            let path = line.split(' ').nth(1).unwrap();
            let one = match path {
                "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/admittance" => found.first(),
                "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/admittance" => found.last(),
                _ => None,
            };
            let (code, body) = one.map_or(("404 Not Found", String::new()), |one| ("200 OK", one.to_string()));
            let length = body.len();
            write!(stream, "HTTP/1.1 {code}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").unwrap();
        }
    });
    format!("http://{address}")
}

#[test]
fn holds_policies_against_a_cluster() {
    let folder = folder(TAGS);
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "a",
        "clusters": [{"name": "a", "cluster": {"server": api_server(configurations())}}],
        "users": [{"name": "a", "user": {}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
    });
    std::fs::write(folder.path().join("config"), config.to_string()).unwrap();
    let cluster = ["-p", "policy.yaml", "--cluster", "--kubeconfig", "config"];
    little_is_sent(coverage(&cluster, folder.path()));
    let other = [&cluster[..], &["--webhook-configuration", "other"]].concat();
    assert_eq!(
        coverage(&other, folder.path()).1,
        "error: the cluster has no webhook configuration other: name it with --webhook-configuration\n"
    );
}
