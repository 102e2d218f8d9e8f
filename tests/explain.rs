//! `/explain` and `admittance explain`, with an API server that knows who asks.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use crate::binary::Binary;

fn explain(arguments: &[&str]) -> (String, String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_admittance"));
    let output = command.arg("explain").args(arguments).env("NO_COLOR", "1").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

/// A request as an API server gets it.
pub(crate) struct Asked {
    pub(crate) path: String,
    headers: HashMap<String, String>,
    body: Value,
}

/// An API server that answers so, with 404 for None.
pub(crate) fn api_server(answer: impl Fn(&Asked) -> Option<Value> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (stream.unwrap(), Arc::clone(&answer));
            thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or_default() == 0 {
                    return;
                }
                let path = line.split(' ').nth(1).unwrap().to_owned();
                let mut headers = HashMap::new();
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let Some((name, value)) = line.trim().split_once(": ") else { break };
                    headers.insert(name.to_ascii_lowercase(), value.to_owned());
                }
                let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let body = serde_json::from_slice(&body).unwrap_or_default();
                let (code, text) = match answer(&Asked { path, headers, body }) {
                    None => ("404 Not Found", "{}".to_owned()),
                    Some(value) => ("200 OK", value.to_string()),
                };
                // Who asked may be gone.
                let _ = write!(
                    stream,
                    "HTTP/1.1 {code}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
                    text.len()
                );
            });
        }
    });
    format!("http://{address}")
}

pub(crate) fn kubeconfig(folder: &Path, url: &str) -> PathBuf {
    let file = folder.join("kubeconfig");
    let content = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "c", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    });
    fs::write(&file, content.to_string()).unwrap();
    file
}

/// Knows Ann, who may ask, and Bob, who may not: their names are their tokens.
fn who(asked: &Asked) -> Option<Value> {
    match asked.path.as_str() {
        "/apis/authentication.k8s.io/v1/tokenreviews" => {
            let token = asked.body["spec"]["token"].as_str().unwrap();
            let is_known = ["ann", "bob"].contains(&token);
            let status =
                json!({"authenticated": is_known, "audiences": ["admittance.dev"], "user": {"username": token}});
            Some(json!({"kind": "TokenReview", "status": status}))
        }
        "/apis/authorization.k8s.io/v1/subjectaccessreviews" => {
            Some(json!({"kind": "SubjectAccessReview", "status": {"allowed": (asked.body["spec"]["user"] == "ann")}}))
        }
        _ => None,
    }
}

const REVIEW: &str = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","operation":"CREATE","kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},"namespace":"shop","userInfo":{"username":"eve"},"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"containers":[{"name":"c","image":"nginx","env":[{"name":"P","value":"hunter2"}]}]}}}}"#;

const POLICY: &str =
    "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: { name: tags }\nspec: { module: latest-tag }\n";

#[tokio::test]
async fn tells_who_may_know_why_a_request_was_denied() {
    let folder = tempfile::tempdir().unwrap();
    let policies = folder.path().join("p.yaml");
    fs::write(&policies, POLICY).unwrap();
    let kubeconfig = kubeconfig(folder.path(), &api_server(who));
    let arguments =
        ["--policies", policies.to_str().unwrap(), "--kubeconfig", kubeconfig.to_str().unwrap(), "--explain"];
    let server = Binary::serve(&arguments);
    let mut client = server.client().await;
    let denied = client.review("/validate", REVIEW).await.response("u-1");
    let message = denied["status"]["message"].as_str().unwrap();
    let lines: Vec<&str> = message.lines().collect();
    assert!(lines[0].starts_with("tags: spec.containers[0].image: "), "{message}");
    assert_eq!(lines[1..], ["why: admittance explain --denied -n shop"]);

    let mut knock = async |headers: &[(&str, &str)]| {
        let answer = client.send(Method::GET, "/explain", headers, Bytes::new()).await.unwrap();
        (answer.status.as_u16(), answer.header("www-authenticate").to_owned(), answer.text())
    };
    let challenge = "Bearer realm=\"admittance\"".to_owned();
    assert_eq!(knock(&[]).await, (401, challenge.clone(), "a bearer token is needed\n".to_owned()));
    let unknown = (401, challenge, "the token is not accepted: it is nobody's\n".to_owned());
    assert_eq!(knock(&[("authorization", "Bearer mallory")]).await, unknown);
    assert_eq!(
        knock(&[("authorization", "Bearer bob")]).await,
        (403, String::new(), "bob may not get /explain\n".to_owned())
    );
    assert_eq!(knock(&[("authorization", "Bearer ann")]).await.0, 200);
    assert_eq!(server.page("/explain").await.status, 404, "never without TLS");

    let (certificate, token) = (folder.path().join("ca.pem"), folder.path().join("token"));
    fs::write(&certificate, server.certificate()).unwrap();
    let url = format!("https://{}", server.address);
    let ask = |token_of: &str, rest: &[&str]| {
        fs::write(&token, format!("{token_of}\n")).unwrap();
        let server = ["--server", &url, "--ca", certificate.to_str().unwrap(), "--token", token.to_str().unwrap()];
        explain(&[rest, &server].concat())
    };
    let (out, err, code) = ask("ann", &["Pod/web", "-n", "shop", "--denied"]);
    assert_eq!((err.as_str(), code), ("", Some(0)));
    assert!(out.starts_with("denied CREATE pods shop/web by eve, "), "{out}");
    assert!(out.contains(" ago at /validate, uid u-1\n  tags: spec.containers[0].image: "), "{out}");
    assert!(out.contains("\n  tags: found something: "), "{out}");
    let (out, _, code) = ask("ann", &["--policy", "tags", "-o", "json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["schemaVersion"], &told["explanations"][0]["uid"]), (Some(0), &json!(1), &json!("u-1")));
    assert!(!out.contains("hunter2"), "{out}");
    let nothing = "nothing fits, of 1 that are kept: every denial of late, and a sample of what is allowed\n";
    assert_eq!(ask("ann", &["--policy", "other"]), (nothing.to_owned(), String::new(), Some(1)));
    let refused = format!("error: {url}: /explain?limit=10 answers 403: bob may not get /explain\n");
    assert_eq!(ask("bob", &[]), (String::new(), refused, Some(2)));
}

#[tokio::test]
async fn keeps_nothing_where_it_is_not_asked_to() {
    let server = Binary::serve(&[]);
    let mut client = server.client().await;
    let denied = client.review("/validate", REVIEW).await.response("u-1");
    assert!(!denied["status"]["message"].as_str().unwrap().contains("admittance explain"), "{denied}");
    let answer = client.send(Method::GET, "/explain", &[("authorization", "Bearer ann")], Bytes::new()).await.unwrap();
    assert_eq!(answer.status, 404);
}

#[test]
fn asks_every_pod_with_a_token_that_is_made_for_it() {
    let url = api_server(|asked| {
        let pod = |pod: &str| {
            assert_eq!(asked.headers["x-admittance-token"], "made");
            let one = |uid: &str, time: u64| json!({"uid": uid, "time": time, "operation": "CREATE", "resource": "pods", "namespace": "shop", "name": "x", "user": "u", "route": "validate", "allowed": false});
            let explanations = if pod == "a" { vec![one("a-2", 9), one("a-1", 3)] } else { vec![one("b-1", 5)] };
            Some(json!({"schemaVersion": 1, "kept": 4, "missed": 0, "explanations": explanations}))
        };
        let slices =
            "/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dhook";
        let question = "/proxy/explain?limit=2&namespace=shop&denied=true";
        match asked.path.strip_prefix("/api/v1/namespaces/ns/").unwrap_or(&asked.path) {
            path if path == slices => {
                let endpoint = |pod: &str| json!({"targetRef": {"kind": "Pod", "name": pod}});
                let ports = json!([{"name": "https", "port": 8443}]);
                Some(json!({"items": [{"ports": ports, "endpoints": [endpoint("a"), endpoint("b")]}]}))
            }
            "serviceaccounts/admittance-explain/token" => {
                let wanted = json!({"audiences": ["admittance.dev"], "expirationSeconds": 600});
                assert_eq!(asked.body["spec"], wanted);
                Some(json!({"kind": "TokenRequest", "status": {"token": "made"}}))
            }
            path if path == format!("pods/https:a:8443{question}") => pod("a"),
            path if path == format!("pods/https:b:8443{question}") => pod("b"),
            _ => None,
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let file = kubeconfig(folder.path(), &url);
    let cluster = ["--kubeconfig", file.to_str().unwrap(), "--namespace", "ns", "--service", "hook"];
    let ask = |rest: &[&str]| explain(&[&cluster, rest].concat());
    let (out, err, code) = ask(&["-n", "shop", "--denied", "--limit", "2", "-o", "json"]);
    assert_eq!((err.as_str(), code), ("", Some(0)));
    let told: Value = serde_json::from_str(&out).unwrap();
    let uids: Vec<&str> =
        told["explanations"].as_array().unwrap().iter().map(|it| it["uid"].as_str().unwrap()).collect();
    assert_eq!((uids, &told["kept"]), (vec!["a-2", "b-1"], &json!(8)));
    let nobody = "error: there is no ServiceAccount ns/other to ask as\n".to_owned();
    assert_eq!(ask(&["--service-account", "other"]), (String::new(), nobody, Some(2)));
    let none = "error: no server has a page /explain: they keep none without --explain\n".to_owned();
    assert_eq!(ask(&["--limit", "3"]), (String::new(), none, Some(2)));
}
