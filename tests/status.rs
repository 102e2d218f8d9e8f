//! `admittance status` and the servers that it asks.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use crate::binary::Binary;

fn status(arguments: &[&str]) -> (String, String, Option<i32>) {
    said(Command::new(env!("CARGO_BIN_EXE_admittance")).arg("status").args(arguments))
}

fn said(command: &mut Command) -> (String, String, Option<i32>) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

fn policy(name: &str) -> String {
    format!(
        "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {{ module: host-ports }}\n"
    )
}

#[test]
fn asks_servers_by_either_listener_and_compares_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    fs::write(&path, policy("ports")).unwrap();
    let (first, second) = (Binary::with_policies(&path), Binary::with_policies(&path));
    let starter = Binary::serve(&[]);
    let plain = |server: &Binary| format!("http://{}", server.operations);
    let digest = |url: &str| -> String {
        let (out, _, _) = status(&["--server", url, "-o", "json"]);
        let document: Value = serde_json::from_str(&out).unwrap();
        document["servers"][0]["page"]["digest"].as_str().unwrap().to_owned()
    };
    let (one, other, third) = (plain(&first), plain(&second), plain(&starter));
    let ours = digest(&one);
    let lines = |url: &str| format!("{url}: ready, 1 policy, digest {ours}\n  active  {}: 1 policy\n", path.display());
    assert_eq!(status(&["--server", &one, "--server", &other]), (lines(&one) + &lines(&other), String::new(), Some(0)));
    let (out, _, code) = status(&["--server", &one, "--server", &third]);
    assert_eq!(code, Some(1));
    assert!(out.ends_with("the servers run different policies: their digests differ\n"), "{out}");

    let certificate = folder.path().join("ca.pem");
    fs::write(&certificate, first.certificate()).unwrap();
    let behind_tls = format!("https://{}", first.address);
    let (out, err, code) = status(&["--server", &behind_tls, "--ca", certificate.to_str().unwrap()]);
    assert_eq!((out, err, code), (lines(&behind_tls), String::new(), Some(0)));
    assert_eq!(status(&["--server", &behind_tls, "--insecure"]).2, Some(0));
    assert_eq!(status(&["--server", &behind_tls]).2, Some(2));
    // As in an image that holds nothing but the binary.
    let without_authorities = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_admittance"));
        command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", folder.path()).arg("status").args(arguments);
        said(&mut command)
    };
    assert_eq!(without_authorities(&["--server", &one]), (lines(&one), String::new(), Some(0)));
    assert_eq!(without_authorities(&["--server", &behind_tls, "--insecure"]).2, Some(0));

    fs::write(&path, "nonsense: [").unwrap();
    let begun = Instant::now();
    while status(&["--server", &one]).2 == Some(0) {
        assert!(begun.elapsed() < crate::peer::PATIENCE);
    }
    let (out, _, code) = status(&["--server", &one, "--wait", "300ms"]);
    assert_eq!(code, Some(1));
    assert!(out.contains(&format!("\n  stale   {}: 1 policy\n    {}:1:", path.display(), path.display())), "{out}");
}

#[test]
fn waits_for_a_server_and_says_when_nobody_answers() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let (out, err, code) = status(&["--server", &url]);
    assert_eq!((err.as_str(), code), ("", Some(2)));
    assert_eq!(out, format!("{url}: cannot be asked: Connection refused (os error 111)\n"));
    let listen = free.to_string();
    let late = thread::spawn(move || {
        thread::sleep(std::time::Duration::from_millis(600));
        Command::new(env!("CARGO_BIN_EXE_admittance"))
            .args(["serve", "--listen", "127.0.0.1:0", "--metrics-listen", &listen])
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap()
    });
    assert_eq!(status(&["--server", &url, "--wait", "30s"]).2, Some(0));
    let mut late = late.join().unwrap();
    late.kill().unwrap();
    late.wait().unwrap();
    assert_eq!(
        status(&["--server", "ftp://x"]),
        (
            String::new(),
            "error: ftp://x/ is no URL of a server: expected http://HOST:PORT or https://HOST:PORT\n".to_owned(),
            Some(2)
        )
    );
}

/// An API server with two pods behind a Service.
fn api_server(pages: Value) -> String {
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
            let (code, body) = match &pages[path] {
                Value::Null => ("404 Not Found", String::new()),
                page => ("200 OK", page.to_string()),
            };
            let length = body.len();
            write!(stream, "HTTP/1.1 {code}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").unwrap();
        }
    });
    format!("http://{address}")
}

#[test]
fn asks_every_pod_of_a_service_through_the_api_server() {
    let page = json!({"schemaVersion": 1, "digest": "aa", "policies": 0, "units": []});
    let endpoint = |pod: &str| json!({"targetRef": {"kind": "Pod", "name": pod}});
    let slices = json!({"items": [
        {"ports": [{"name": "webhook", "port": 8443}, {"name": "metrics", "port": 9797}], "endpoints": [endpoint("a"), endpoint("b")]},
        {"ports": [{"name": "metrics", "port": 9797}], "endpoints": [endpoint("b")]},
    ]});
    let proxy = |pod: &str, path: &str| format!("/api/v1/namespaces/ns/pods/http:{pod}:9797/proxy/{path}");
    let url = api_server(json!({
        "/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dhook": slices,
        (proxy("a", "readyz")): "ok", (proxy("a", "policies")): page, (proxy("b", "policies")): page,
    }));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "c", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    });
    fs::write(&file, kubeconfig.to_string()).unwrap();
    let ask =
        |service: &str| status(&["--kubeconfig", file.to_str().unwrap(), "--namespace", "ns", "--service", service]);
    let expected = "ns/a: ready, 0 policies, digest aa\nns/b: not ready, 0 policies, digest aa\n";
    assert_eq!(ask("hook"), (expected.to_owned(), String::new(), Some(1)));
    assert_eq!(ask("none"), (String::new(), "error: the Service ns/none has no pods\n".to_owned(), Some(2)));
}
