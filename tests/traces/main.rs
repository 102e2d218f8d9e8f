//! The server built with the feature `otlp`, beside a collector.
#![expect(clippy::unwrap_used, clippy::panic, reason = "all of it is tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Ends the server with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A collector: what is sent to it, each time the request's head and its body.
fn collector() -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            loop {
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    if reader.read_line(&mut head).unwrap_or(0) == 0 {
                        break;
                    }
                }
                let length =
                    head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
                let Some(length) = length else { break };
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
                if sender.send((head, body)).is_err() {
                    return;
                }
            }
        }
    });
    (endpoint, received)
}

/// A server that sends traces to `endpoint`, and where it listens.
fn serve(endpoint: &str) -> (Server, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_admittance"))
        .args(["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"])
        .envs([("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "100")])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let server = Server(child);
    let first = lines.next().unwrap().unwrap();
    let address = first.strip_prefix("listening on ").unwrap_or_else(|| panic!("{first}")).to_owned();
    thread::spawn(move || lines.for_each(drop));
    (server, address)
}

fn post(address: &str, headers: &[&str], body: &str) -> String {
    let mut curl = Command::new("curl");
    curl.args(["-sk", "--retry", "20", "--retry-connrefused", "--max-time", "20", "--data-binary", body]);
    for header in [&["Content-Type: application/json"], headers].concat() {
        curl.args(["-H", header]);
    }
    String::from_utf8(curl.arg(format!("{address}/validate?timeout=10s")).output().unwrap().stdout).unwrap()
}

fn holds(body: &[u8], what: &[u8]) -> bool {
    body.windows(what.len()).any(|window| window == what)
}

const POD: &str = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"uid-4711","operation":"CREATE",
  "kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},"namespace":"shop",
  "userInfo":{"username":"ann"},"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","annotations":{"x":"very-secret"}},
  "spec":{"containers":[{"name":"web","image":"nginx:latest"}]}}}}"#;

#[test]
fn sends_a_span_for_each_request_below_the_one_that_the_api_server_names() {
    let (endpoint, received) = collector();
    let (_server, address) = serve(&endpoint);
    let parent = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = post(&address, &[parent], POD);
    assert!(answer.contains(r#""allowed":false"#), "{answer}");
    let (head, body) = received.recv_timeout(Duration::from_secs(30)).unwrap();
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    for word in ["validate", "admission.uid", "uid-4711", "shop", "latest-tag", "finding", "admittance"] {
        assert!(holds(&body, word.as_bytes()), "{word} is not in the span");
    }
    let trace = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes();
    assert!(
        holds(&body, &trace) && holds(&body, &0x00f0_67aa_0ba9_02b7_u64.to_be_bytes()),
        "not a child of its parent"
    );
    assert!(!holds(&body, b"very-secret") && !holds(&body, b"nginx"), "the object's content was sent");

    // Not sampled by whoever asks: not sent. What is sent next comes from the request after it.
    post(&address, &[&parent.replace("-01", "-00")], &POD.replace("uid-4711", "uid-unsampled"));
    let refused = post(
        &address,
        &[],
        r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"uid-broken","operation":7}}"#,
    );
    assert!(refused.contains("uid-broken"), "{refused}");
    let (_, body) = received.recv_timeout(Duration::from_secs(30)).unwrap();
    assert!(holds(&body, b"uid-broken") && holds(&body, b"BadRequest"));
    assert!(!holds(&body, b"uid-unsampled"));
}

#[test]
fn answers_as_ever_while_the_collector_is_away() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_server, address) = serve(&format!("http://{closed}"));
    let began = Instant::now();
    for _ in 0..20 {
        assert!(post(&address, &[], POD).contains(r#""allowed":false"#));
    }
    assert!(began.elapsed() < Duration::from_mins(1));
}
