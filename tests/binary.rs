//! The built binary, as users run it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::header::HeaderMap;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::peer::{PATIENCE, shake};

/// Within this time a log line is written that something before has caused, on a busy machine too.
pub(crate) const LOGGED_WITHIN: Duration = Duration::from_millis(200);

/// `admittance serve` on free ports of loopback; ended when this is dropped.
pub(crate) struct Binary {
    process: Child,
    /// Where the API server would connect.
    pub(crate) address: SocketAddr,
    /// Where probes connect.
    pub(crate) operations: SocketAddr,
    certificate: String,
    log: Arc<Mutex<Vec<String>>>,
    _folder: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A header's text; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The `response` of the AdmissionReview that every judged request gets, with what all of them have in common checked.
    pub(crate) fn response(&self, uid: &str) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/json");
        let mut review = self.json();
        assert_eq!(review["apiVersion"], "admission.k8s.io/v1");
        assert_eq!(review["kind"], "AdmissionReview");
        assert_eq!(review.as_object().unwrap().len(), 3, "{review}");
        let response = review["response"].take();
        assert_eq!(response["uid"], uid, "{response}");
        assert!(response["allowed"].is_boolean(), "{response}");
        assert_eq!(response["allowed"] == true, response["status"].is_null(), "{response}");
        assert_eq!(response["patch"].is_null(), response["patchType"].is_null(), "{response}");
        response
    }
}

impl Binary {
    /// A server with the policies at a path.
    pub(crate) fn with_policies(policies: &Path) -> Self {
        Self::serve(&["--policies", policies.to_str().unwrap()])
    }

    /// A server with these arguments besides those about ports and certificate.
    pub(crate) fn serve(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = folder.path().join("certificate.pem");
        let mut process = Command::new(env!("CARGO_BIN_EXE_admittance"))
            .args(["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--write-certificate"])
            .arg(&certificate)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, lines) = mpsc::channel();
        let log = Arc::new(Mutex::new(Vec::new()));
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let kept = Arc::clone(&log);
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                kept.lock().unwrap().push(line.clone());
                // Nobody listens any more once the addresses are known.
                let _ = said.send(line);
            }
        });
        let mut address = |before: &str, after: &str| loop {
            match lines.recv_timeout(PATIENCE) {
                Err(_) => {
                    let _ = process.kill();
                    panic!("the server did not start: {:?}", log.lock().unwrap())
                }
                Ok(line) => {
                    let found = line.strip_prefix(before).and_then(|line| line.strip_suffix(after));
                    if let Some(found) = found {
                        return found.parse::<SocketAddr>().unwrap();
                    }
                }
            }
        };
        let (address, operations) = (address("listening on https://", ""), address("metrics on http://", "/metrics"));
        let begun = Instant::now();
        while !is_ready(operations) {
            assert!(begun.elapsed() < PATIENCE, "the server does not get ready: {:?}", log.lock().unwrap());
            thread::sleep(Duration::from_millis(5));
        }
        let certificate = fs::read_to_string(certificate).unwrap();
        Self { process, address, operations, certificate, log, _folder: folder }
    }

    /// What it has written to standard error about all that has happened so far: lines are gathered for a moment before
    /// they are written.
    pub(crate) fn log(&self) -> Vec<String> {
        thread::sleep(LOGGED_WITHIN);
        self.log.lock().unwrap().clone()
    }

    /// The certificate that clients are to trust, PEM.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A connection over TLS.
    pub(crate) async fn stream(&self) -> TlsStream<TcpStream> {
        shake(self.address, &self.certificate).await.unwrap()
    }

    /// An HTTP/1.1 client on a connection of its own.
    pub(crate) async fn client(&self) -> Client {
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(self.stream().await)).await.unwrap();
        tokio::spawn(connection);
        Client(sender)
    }

    /// What a page of the plain listener says.
    pub(crate) async fn page(&self, path: &str) -> Answer {
        let tcp = TcpStream::connect(self.operations).await.unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.unwrap();
        tokio::spawn(connection);
        Client(sender).send(Method::GET, path, &[], Bytes::new()).await.unwrap()
    }

    /// A line of its /proc/PID/status in KiB: `VmRSS`, or `VmHWM` for the most that there was.
    pub(crate) fn memory(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Waits for its end, which must come.
    pub(crate) async fn end(&mut self) -> ExitStatus {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the server did not end: {:?}", self.log());
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn is_ready(operations: SocketAddr) -> bool {
    let mut answer = String::new();
    let asked = std::net::TcpStream::connect(operations).and_then(|mut stream| {
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        stream.read_to_string(&mut answer)
    });
    asked.is_ok() && answer.starts_with("HTTP/1.1 200 ")
}

/// One connection to a [`Binary`].
pub(crate) struct Client(SendRequest<Full<Bytes>>);

impl Client {
    /// Posts what the API server would post.
    pub(crate) async fn review(&mut self, path: &str, body: impl Into<Bytes>) -> Answer {
        let headers = [("content-type", "application/json"), ("user-agent", "kube-apiserver-admission")];
        self.send(Method::POST, path, &headers, body.into()).await.unwrap()
    }

    /// Sends anything.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> hyper::Result<Answer> {
        self.0.ready().await?;
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = self.0.send_request(request.body(Full::new(body)).unwrap()).await?;
        let (head, body) = answer.into_parts();
        Ok(Answer { status: head.status, headers: head.headers, body: body.collect().await?.to_bytes() })
    }
}
